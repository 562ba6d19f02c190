// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/help.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/config.h"
#include "core/history.h"
#include "core/tables.h"
#include "frontends/cli/objects.h"
#include "frontends/cli/top.h"

#define INDENT 2
#define OBJECT_WIDTH 14
#define OPTION_WIDTH 26
#define FIELD_WIDTH 28
#define LINE_WIDTH 80

const struct cli_status_help cli_status_helps[] = {
	{ 0, "done" },
	{ 1, "run-time error" },
	{ 2, "wrong usage" },
	{ 3, "not possible here: the line on standard error says which privilege or kernel feature "
	     "is missing" },
	{ 4, "found what was looked for: doctor, audit" },
	{ 130, "ended by Ctrl-C" },
	{ 0, NULL },
};

const struct cli_example cli_examples[] = {
	{ "processes container:web", "processes of one container" },
	{ "flows process:nginx port:443 not peer:10.0.0.0/8", "who reaches nginx from elsewhere" },
	{ "flows -t 'tx_bytes:>1M' --sort srtt_us", "large TCP flows, the slowest first" },
	{ "history changes --since 14:00 --until 14:30", "what was different from the half hour before" },
	{ "top -b -c 5 --ndjson", "five seconds as a stream of rows" },
	{ NULL, NULL },
};

bool cli_option_is_common(enum cli_option_id id)
{
	unsigned objects = 0;

	for (const struct cli_object *o = cli_objects; o->name; o++)
		objects += o->table && cli_object_takes(o, id);
	return objects > 1 || id == CLI_OPTION_HELP || id == CLI_OPTION_VERSION ||
	       cli_options[id].selects;
}

/* Appends text, broken between words; the first word stands at the column given, further lines
 * start there. */
static void add_wrapped(struct weir_buf *out, const char *text, size_t indent)
{
	size_t column = indent;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > indent && column + 1 + len > LINE_WIDTH) {
			weir_buf_char(out, '\n');
			weir_buf_spaces(out, indent);
			column = indent;
		} else if (column > indent) {
			weir_buf_char(out, ' ');
			column++;
		}
		weir_buf_add(out, text, len);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	weir_buf_char(out, '\n');
}

/* "  term     what it means" */
static void add_entry(struct weir_buf *out, const char *term, size_t width, const char *meaning)
{
	size_t len = strlen(term);

	weir_buf_spaces(out, INDENT);
	weir_buf_str(out, term);
	if (len + 2 > width) {
		weir_buf_char(out, '\n');
		weir_buf_spaces(out, INDENT + width);
	} else {
		weir_buf_spaces(out, width - len);
	}
	add_wrapped(out, meaning, INDENT + width);
}

/* "-c, --count N" */
static void add_option(struct weir_buf *out, enum cli_option_id id)
{
	const struct cli_option *o = &cli_options[id];
	struct weir_buf term = {};

	if (o->letter)
		weir_buf_printf(&term, "-%c, --%s", o->letter, o->name);
	else
		weir_buf_printf(&term, "    --%s", o->name);
	if (o->takes == CLI_ARGUMENT_CHOICE)
		weir_buf_printf(&term, "[=%s]", o->argument);
	else if (o->takes != CLI_ARGUMENT_NONE)
		weir_buf_printf(&term, " %s", o->argument);
	add_entry(out, term.data ? term.data : "", OPTION_WIDTH, o->help);
	weir_buf_done(&term);
}

static void help_weir(struct weir_buf *out)
{
	weir_buf_str(out, "weir " WEIR_VERSION ": " CLI_PURPOSE "\n\n"
			  "usage: weir [OPTIONS] OBJECT [VERB] [FILTER...]\n\nobjects:\n");
	for (const struct cli_object *o = cli_objects; o->name; o++)
		add_entry(out, o->name, OBJECT_WIDTH, o->summary);
	weir_buf_str(out, "\noptions (weir help OBJECT shows all of an object's):\n");
	for (int id = 0; id < _CLI_OPTION_MAX; id++)
		if (cli_option_is_common(id))
			add_option(out, id);
	weir_buf_str(out, "\nexamples:\n");
	for (const struct cli_example *e = cli_examples; e->command; e++) {
		weir_buf_spaces(out, INDENT);
		weir_buf_printf(out, "weir %s\n", e->command);
		weir_buf_spaces(out, 3 * INDENT);
		weir_buf_printf(out, "%s\n", e->shows);
	}
	weir_buf_str(out, "\nexit status:\n");
	for (const struct cli_status_help *s = cli_status_helps; s->meaning; s++) {
		char term[16];

		snprintf(term, sizeof(term), "%d", s->status);
		add_entry(out, term, 6, s->meaning);
	}
}

static void help_field_list(struct weir_buf *out, const struct weir_table *table)
{
	for (unsigned i = 0; i < table->n_fields; i++) {
		const struct weir_field *f = &table->fields[i];
		struct weir_buf term = {};

		weir_buf_printf(&term, "%c %s", f->flags & WEIR_FIELD_COLUMN ? '*' : ' ', f->name);
		if (f->filter && strcmp(f->filter, f->name) != 0)
			weir_buf_printf(&term, " (%s:)", f->filter);
		add_entry(out, term.data ? term.data : "", FIELD_WIDTH, f->help);
		weir_buf_done(&term);
	}
}

static void help_filter(struct weir_buf *out)
{
	weir_buf_char(out, '\n');
	add_wrapped(out,
		    "filter: all terms must hold. A word alone finds what has it in a name, an address "
		    "or as a port. name:value, name:a,b for either, name:a* for a pattern, name:>1M "
		    "for numbers, name:10.0.0.0/8 for addresses; not in front turns a term round.",
		    0);
}

#define FIELDS_FOR "fields, for FILTER, --sort and --columns (* shown unless others are asked for)"

static void help_fields(struct weir_buf *out, const struct cli_object *o)
{
	const struct weir_table *table = o->table ? weir_table_find(o->table) : NULL;
	const struct weir_table *also = table ? weir_history_filter_table(&weir_table_history_rates) : NULL;

	if (!table)
		return;
	if (!o->verbs) {
		weir_buf_str(out, "\n" FIELDS_FOR ":\n");
		help_field_list(out, table);
	}
	for (const struct cli_verb *v = o->verbs; v && v->name; v++) {
		if (v == o->verbs)
			weir_buf_str(out, "\n" FIELDS_FOR ",\n");
		weir_buf_printf(out, "%s %s:\n", v == o->verbs ? "of" : "\nfields of", v->name);
		help_field_list(out, weir_table_find(v->table));
	}
	if (o->verbs) {
		weir_buf_str(out, "\nfields for FILTER of rates and changes:\n");
		help_field_list(out, also);
	}
	help_filter(out);
}

static void help_verbs(struct weir_buf *out, const struct cli_verb *verbs)
{
	weir_buf_str(out, "\nWHAT:\n");
	for (const struct cli_verb *v = verbs; v->name; v++)
		add_entry(out, v->name, OBJECT_WIDTH, v->summary);
}

static void add_key(struct weir_buf *out, const struct weir_setting *s)
{
	struct weir_buf meaning = {};

	weir_buf_printf(&meaning, "%s It takes ", s->key.help);
	weir_key_takes(&s->key, &meaning);
	if (s->key.otherwise)
		weir_buf_printf(&meaning, "; %s if not given", s->key.otherwise);
	weir_buf_str(&meaning, s->key.live ? "; SIGHUP is enough for a change." : ".");
	add_entry(out, s->name, OBJECT_WIDTH, meaning.data ? meaning.data : "");
	weir_buf_done(&meaning);
}

static void help_keys(struct weir_buf *out)
{
	struct weir_config *c = NULL;
	const struct weir_setting *s;

	weir_buf_str(out, "\n");
	add_wrapped(out, CLI_CONFIG_PLACES, 0);
	weir_buf_str(out, "\nkeys of the configuration:\n");
	if (weir_config_new(weir_features, &c) < 0)
		out->error = -ENOMEM;
	for (unsigned i = 0; c && (s = weir_config_setting(c, i)); i++)
		add_key(out, s);
	weir_config_free(c);
}

static void help_top_keys(struct weir_buf *out)
{
	const char *keys, *does;

	weir_buf_str(out, "\nkeys, on a terminal:\n");
	for (unsigned i = 0; cli_top_key(i, &keys, &does); i++)
		add_entry(out, keys, OPTION_WIDTH, does);
}

static void help_object(struct weir_buf *out, const struct cli_object *o)
{
	weir_buf_printf(out, "weir %s: %s\n\nusage: weir %s%s%s%s\n\n", o->name, o->summary,
			o->name, o->options ? " [OPTIONS]" : "", *o->arguments ? " " : "",
			o->arguments);
	add_wrapped(out, o->description, 0);
	if (o->verbs)
		help_verbs(out, o->verbs);
	weir_buf_str(out, "\noptions:\n");
	for (int id = 0; id < _CLI_OPTION_MAX; id++)
		if (cli_object_takes(o, id))
			add_option(out, id);
	help_fields(out, o);
	if (o->options & CLI_BIT(CHECK))
		help_keys(out);
	if (!strcmp(o->name, "top"))
		help_top_keys(out);
}

int cli_help_make(struct weir_buf *out, const struct cli_object *o)
{
	if (o)
		help_object(out, o);
	else
		help_weir(out);
	return out->error;
}
