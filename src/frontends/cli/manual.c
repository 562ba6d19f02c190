// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "core/config.h"
#include "core/tables.h"
#include "daemon/daemon.h"
#include "frontends/cli/help.h"
#include "frontends/cli/objects.h"
#include "frontends/cli/top.h"

/* weir(8) in mdoc(7). Text is given so that no part of it can be taken for a macro or an escape. */

static void add_text(struct weir_buf *out, const char *text)
{
	for (const char *at = text; *at; at++) {
		if (*at == '\\')
			weir_buf_str(out, "\\e");
		else if (*at == '-')
			weir_buf_str(out, "\\-");
		else if (at == text && (*at == '.' || *at == '\''))
			weir_buf_printf(out, "\\&%c", *at);
		else
			weir_buf_char(out, *at);
	}
}

/* A line of prose: sentences start on lines of their own, as mdoc wants it. */
static void add_prose(struct weir_buf *out, const char *text)
{
	for (const char *end; *text; text = end) {
		struct weir_buf sentence = {};

		end = strstr(text, ". ");
		end = end ? end + 1 : text + strlen(text);
		weir_buf_add(&sentence, text, (size_t)(end - text));
		end += *end == ' ';
		if (sentence.data)
			add_text(out, sentence.data);
		weir_buf_char(out, '\n');
		weir_buf_done(&sentence);
	}
}

/* Arguments of a macro stand in quotes: "[FILTER...]" has no blank that would part it. */
static void add_argument(struct weir_buf *out, const char *text)
{
	weir_buf_str(out, " \"");
	add_text(out, text);
	weir_buf_char(out, '"');
}

static void add_option(struct weir_buf *out, enum cli_option_id id)
{
	const struct cli_option *o = &cli_options[id];

	weir_buf_str(out, ".It");
	if (o->letter)
		weir_buf_printf(out, " Fl %c ,", o->letter);
	weir_buf_printf(out, " Fl \\-%s", o->name);
	if (o->takes == CLI_ARGUMENT_CHOICE)
		weir_buf_printf(out, " Ns Op = Ns Ar %s", o->argument);
	else if (o->takes != CLI_ARGUMENT_NONE)
		weir_buf_printf(out, " Ar %s", o->argument);
	weir_buf_char(out, '\n');
	add_prose(out, o->help);
}

static void add_option_names(struct weir_buf *out, const struct cli_object *o)
{
	unsigned n = 0;

	weir_buf_str(out, "Options:");
	for (int id = 0; id < _CLI_OPTION_MAX; id++) {
		char text[32];

		if (id == CLI_OPTION_HELP || !cli_object_takes(o, id))
			continue;
		weir_buf_str(out, n++ ? ", " : " ");
		add_text(out, cli_option_text(id, text));
	}
	weir_buf_str(out, ".\n");
}

static void add_verbs(struct weir_buf *out, const struct cli_verb *verbs)
{
	weir_buf_str(out, ".Bl -tag -width Ds -compact\n");
	for (const struct cli_verb *v = verbs; v->name; v++) {
		weir_buf_printf(out, ".It Cm %s\n", v->name);
		add_prose(out, v->summary);
	}
	weir_buf_str(out, ".El\n");
}

static void add_objects(struct weir_buf *out)
{
	weir_buf_str(out, ".Sh OBJECTS\n.Bl -tag -width Ds\n");
	for (const struct cli_object *o = cli_objects; o->name; o++) {
		weir_buf_printf(out, ".It Cm %s", o->name);
		if (*o->arguments)
			add_argument(out, o->arguments);
		weir_buf_char(out, '\n');
		add_prose(out, o->summary);
		weir_buf_str(out, ".Pp\n");
		add_prose(out, o->description);
		if (o->verbs)
			add_verbs(out, o->verbs);
		if (!o->options)
			continue;
		weir_buf_str(out, ".Pp\n");
		add_option_names(out, o);
	}
	weir_buf_str(out, ".El\n");
}

static void add_fields_of(struct weir_buf *out, const struct weir_table *table)
{
	if (!table)
		return;
	weir_buf_printf(out, ".Ss %s\n.Bl -tag -width Ds -compact\n", table->name);
	for (unsigned i = 0; i < table->n_fields; i++) {
		weir_buf_str(out, ".It Va");
		add_argument(out, table->fields[i].name);
		weir_buf_char(out, '\n');
		add_prose(out, table->fields[i].help);
	}
	weir_buf_str(out, ".El\n");
}

static void add_fields(struct weir_buf *out)
{
	weir_buf_str(out, ".Sh FIELDS\nNames for filters,\n.Fl \\-sort\nand\n.Fl \\-columns ,\n"
			  "and the keys of the JSON documents.\n");
	for (const struct cli_object *o = cli_objects; o->name; o++) {
		if (o->table && !o->verbs)
			add_fields_of(out, weir_table_find(o->table));
		for (const struct cli_verb *v = o->verbs; v && v->name; v++)
			add_fields_of(out, weir_table_find(v->table));
	}
}

static void add_top_keys(struct weir_buf *out)
{
	const char *keys, *does;

	weir_buf_str(out, ".Sh KEYS OF TOP\nOn a terminal, without\n.Fl b\nand\n.Fl c .\n.Bl -tag -width Ds\n");
	for (unsigned i = 0; cli_top_key(i, &keys, &does); i++) {
		weir_buf_str(out, ".It Ic");
		add_argument(out, keys);
		weir_buf_char(out, '\n');
		add_prose(out, does);
	}
	weir_buf_str(out, ".El\n");
}

static void add_files(struct weir_buf *out)
{
	static const char *const files[][2] = {
		{ WEIR_DEFAULT_SOCKET, "The daemon's socket: HTTP, answers filtered by who asks." },
		{ WEIR_DEFAULT_CONFIG, "Configuration; may be absent." },
		{ WEIR_DEFAULT_CONFIG_MORE, "More of it, in files *.yaml." },
		{ WEIR_DEFAULT_STATE, "What the daemon keeps: history and its token." },
		{ WEIR_DEFAULT_PINS, "BPF objects that outlive the daemon." },
	};

	weir_buf_str(out, ".Sh FILES\n.Bl -tag -width Ds\n");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		weir_buf_printf(out, ".It Pa %s\n", files[i][0]);
		add_prose(out, files[i][1]);
	}
	weir_buf_str(out, ".El\n");
}

static void add_key(struct weir_buf *out, const struct weir_setting *s)
{
	struct weir_buf takes = {};

	weir_key_takes(&s->key, &takes);
	weir_buf_str(out, ".It Cm");
	add_argument(out, s->name);
	weir_buf_char(out, '\n');
	add_prose(out, s->key.help);
	weir_buf_str(out, "It takes ");
	add_text(out, takes.data ? takes.data : "");
	if (s->key.otherwise) {
		weir_buf_str(out, ";\n");
		add_text(out, s->key.otherwise);
		weir_buf_str(out, " if not given");
	}
	weir_buf_str(out, s->key.live ? ";\nSIGHUP is enough for a change.\n" : ".\n");
	weir_buf_done(&takes);
}

static void add_configuration(struct weir_buf *out)
{
	struct weir_config *c = NULL;
	const struct weir_setting *s;

	weir_buf_str(out, ".Sh CONFIGURATION\n");
	add_prose(out, CLI_CONFIG_PLACES);
	weir_buf_str(out, ".Bl -tag -width Ds\n");
	if (weir_config_new(weir_features, &c) < 0)
		out->error = -ENOMEM;
	for (unsigned i = 0; c && (s = weir_config_setting(c, i)); i++)
		add_key(out, s);
	weir_config_free(c);
	weir_buf_str(out, ".El\n");
}

static void add_ends(struct weir_buf *out)
{
	weir_buf_str(out, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
	for (const struct cli_status_help *s = cli_status_helps; s->meaning; s++) {
		weir_buf_printf(out, ".It %d\n", s->status);
		add_prose(out, s->meaning);
	}
	weir_buf_str(out, ".El\n.Sh EXAMPLES\n.Bl -tag -width Ds\n");
	for (const struct cli_example *e = cli_examples; e->command; e++) {
		weir_buf_str(out, ".It Ic");
		add_argument(out, "weir");
		add_argument(out, e->command);
		weir_buf_char(out, '\n');
		add_prose(out, e->shows);
	}
	weir_buf_str(out, ".El\n.Sh SEE ALSO\n.Xr bpftrace 8 ,\n.Xr ip 8 ,\n.Xr ss 8\n");
}

int cli_manual_make(struct weir_buf *out, const struct cli_object *unused)
{
	(void)unused;
	weir_buf_str(out, ".\\\" SPDX-License-Identifier: GPL-2.0-or-later\n"
			  ".\\\" Made by: weir help --mdoc\n"
			  ".Dd November 22, 2026\n.Dt WEIR 8\n.Os\n.Sh NAME\n.Nm weir\n.Nd ");
	add_text(out, CLI_PURPOSE);
	weir_buf_str(
		out,
		"\n.Sh SYNOPSIS\n.Nm\n.Op Ar OPTIONS\n.Ar OBJECT\n.Op Ar VERB\n.Op Ar FILTER ...\n"
		".Sh DESCRIPTION\n.Nm\nshows which process, container and unit sends how much to "
		"whom and "
		"how well,\ntaken from the kernel by eBPF and exact to the byte.\n"
		"It asks the daemon that runs; without one, objects that only look start a private "
		"one "
		"for their own\nlifetime, which takes root.\nOptions stand before or after the "
		"object.\n");
	add_objects(out);
	weir_buf_str(out, ".Sh OPTIONS\n.Bl -tag -width Ds\n");
	for (int id = 0; id < _CLI_OPTION_MAX; id++)
		add_option(out, id);
	weir_buf_str(out,
		     ".El\n.Sh FILTERS\nTerms are separated by blanks and must all hold;\n.Cm not\n"
		     "turns the next one round.\n.Bl -tag -width Ds\n"
		     ".It Ar name : Ns Ar value\nthe field is this value; alternatives stand after "
		     "commas\n"
		     ".It Ar name : Ns Ar a*\na text fits the pattern\n"
		     ".It Ar name : Ns Cm > Ns Ar 1M\na number is larger; also <, >= and <=\n"
		     ".It Ar name : Ns Ar 10.0.0.0/8\nan address lies in the network\n.El\n");
	add_fields(out);
	add_top_keys(out);
	weir_buf_str(
		out,
		".Sh ENVIRONMENT\n.Bl -tag -width Ds\n.It Ev WEIR_SOCKET\nthe daemon's socket\n"
		".It Ev NO_COLOR\nno colours unless asked for by\n.Fl \\-color\n"
		".It Ev TZ\nyour clocks: times are typed and told by them, the host's where it says nothing\n"
		".It Ev WEIR_LANG\nlanguage of top and of explain: en or zh\n"
		".It Ev LC_ALL , LC_MESSAGES , LANG\nthe same, where WEIR_LANG says nothing\n.El\n");
	add_configuration(out);
	add_files(out);
	add_ends(out);
	return out->error;
}
