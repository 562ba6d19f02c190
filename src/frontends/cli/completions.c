// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/history.h"
#include "core/tables.h"
#include "frontends/cli/help.h"
#include "frontends/cli/objects.h"

/* Completion scripts, from the tables of options, objects and fields. */

/* What an argument can be completed with. */
enum completion {
	COMPLETE_NOTHING,
	COMPLETE_FILES,
	COMPLETE_FOLDERS,
	COMPLETE_FIELDS,
	COMPLETE_DEVICES,
	COMPLETE_NETNS,
	COMPLETE_CHOICES,
};

static enum completion completion_of(const struct cli_option *o)
{
	static const struct {
		const char *argument;
		enum completion kind;
	} kinds[] = {
		{ "PATH", COMPLETE_FILES },  { "FILE", COMPLETE_FILES },
		{ "DIR", COMPLETE_FOLDERS }, { "FIELD", COMPLETE_FIELDS },
		{ "LIST", COMPLETE_FIELDS }, { "DEV", COMPLETE_DEVICES },
		{ "NETNS", COMPLETE_NETNS },
	};

	if (o->takes == CLI_ARGUMENT_CHOICE)
		return COMPLETE_CHOICES;
	for (size_t i = 0; o->argument && i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(o->argument, kinds[i].argument))
			return kinds[i].kind;
	return COMPLETE_NOTHING;
}

/* --- lists ----------------------------------------------------------------------------------- */

static bool has_word(const struct weir_buf *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list->data; at && (at = strstr(at, word)); at += n)
		if ((at == list->data || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

/* Once, however many tables have it. */
static void add_word(struct weir_buf *out, const char *word)
{
	if (has_word(out, word))
		return;
	if (out->len && out->data[out->len - 1] != ' ')
		weir_buf_char(out, ' ');
	weir_buf_str(out, word);
}

static void option_words(struct weir_buf *out, const struct cli_object *o)
{
	for (int id = 0; id < _CLI_OPTION_MAX; id++) {
		char text[40];

		if (o ? !cli_object_takes(o, id) : !cli_option_is_common(id))
			continue;
		if (cli_options[id].letter)
			add_word(out, cli_option_text(id, text));
		snprintf(text, sizeof(text), "--%s", cli_options[id].name);
		add_word(out, text);
	}
}

static void field_words(struct weir_buf *out, const struct weir_table *table)
{
	for (unsigned i = 0; table && i < table->n_fields; i++)
		add_word(out, table->fields[i].name);
}

static bool filter_word_seen(const struct weir_table *table, unsigned before, const char *word)
{
	for (unsigned i = 0; i < table->n_fields; i++) {
		if (!strcmp(table->fields[i].name, word))
			return true;
		if (i < before && table->fields[i].filter && !strcmp(table->fields[i].filter, word))
			return true;
	}
	return false;
}

static void filter_words(struct weir_buf *out, const struct weir_table *table)
{
	char text[80];

	for (unsigned i = 0; table && i < table->n_fields; i++) {
		const char *word = table->fields[i].filter;

		snprintf(text, sizeof(text), "%s:", table->fields[i].name);
		add_word(out, text);
		if (!word || filter_word_seen(table, i, word))
			continue;
		snprintf(text, sizeof(text), "%s:", word);
		add_word(out, text);
	}
	if (table)
		add_word(out, "not");
}

/* The words that may follow an object. */
static void object_words(struct weir_buf *out, const struct cli_object *o)
{
	if (o->words)
		add_word(out, o->words);
	else if (!strcmp(o->name, "help"))
		for (const struct cli_object *other = cli_objects; other->name; other++)
			add_word(out, other->name);
	else if (o->table)
		filter_words(out, weir_table_find(o->table));
	for (const struct cli_verb *v = o->verbs; v && v->name; v++)
		add_word(out, v->name);
	for (const struct cli_verb *v = o->verbs; v && v->name; v++)
		filter_words(out, weir_history_filter_table(weir_table_find(v->table)));
}

static void object_names(struct weir_buf *out)
{
	for (const struct cli_object *o = cli_objects; o->name; o++)
		add_word(out, o->name);
}

/* 'text', with what would end the quotes escaped. */
static void add_quoted(struct weir_buf *out, const char *text, const char *quote)
{
	weir_buf_char(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			weir_buf_str(out, quote);
		else
			weir_buf_char(out, *text);
	}
	weir_buf_char(out, '\'');
}

#define POSIX_QUOTE "'\\''"
#define FISH_QUOTE "\\'"

static void add_list(struct weir_buf *out,
		     void (*make)(struct weir_buf *, const struct cli_object *),
		     const struct cli_object *o)
{
	struct weir_buf words = {};

	make(&words, o);
	add_quoted(out, words.data ? words.data : "", POSIX_QUOTE);
	if (words.error && !out->error)
		out->error = words.error;
	weir_buf_done(&words);
}

static void fields_of(struct weir_buf *out, const struct cli_object *o)
{
	field_words(out, o->table ? weir_table_find(o->table) : weir_table_find("processes"));
	for (const struct cli_verb *v = o->verbs; v && v->name; v++)
		field_words(out, weir_table_find(v->table));
}

static void names_of(struct weir_buf *out, const struct cli_object *o)
{
	(void)o;
	object_names(out);
}

/* --- what bash and zsh share ----------------------------------------------------------------- */

/* `-x|--long)` for the options whose argument is completed so; false when there is none. */
static bool add_pattern(struct weir_buf *out, enum completion kind)
{
	bool any = false;

	for (int id = 0; id < _CLI_OPTION_MAX; id++) {
		const struct cli_option *o = &cli_options[id];

		if (o->takes == CLI_ARGUMENT_NONE || o->takes == CLI_ARGUMENT_CHOICE ||
		    completion_of(o) != kind)
			continue;
		weir_buf_str(out, any ? "|" : "\t");
		if (o->letter)
			weir_buf_printf(out, "-%c|", o->letter);
		weir_buf_printf(out, "--%s", o->name);
		any = true;
	}
	if (any)
		weir_buf_str(out, ") ");
	return any;
}

/* case "$object": sets opts, candidates and fields. */
static void add_cases(struct weir_buf *out)
{
	weir_buf_str(out, "\tcase \"$object\" in\n");
	for (const struct cli_object *o = cli_objects; o->name; o++) {
		weir_buf_printf(out, "\t%s)\n\t\topts=", o->name);
		add_list(out, option_words, o);
		weir_buf_str(out, "\n\t\tcandidates=");
		add_list(out, object_words, o);
		weir_buf_str(out, "\n\t\tfields=");
		add_list(out, fields_of, o);
		weir_buf_str(out, " ;;\n");
	}
	weir_buf_str(out, "\t*)\n\t\topts=");
	add_list(out, option_words, NULL);
	weir_buf_str(out, "\n\t\tcandidates=");
	add_list(out, names_of, NULL);
	weir_buf_str(out, " ;;\n\tesac\n");
}

/* The options that take the next word, to step over when the object is looked for. */
static void add_taking(struct weir_buf *out)
{
	bool any = false;

	for (int id = 0; id < _CLI_OPTION_MAX; id++) {
		const struct cli_option *o = &cli_options[id];

		if (o->takes == CLI_ARGUMENT_NONE || o->takes == CLI_ARGUMENT_CHOICE)
			continue;
		weir_buf_str(out, any ? "|" : "");
		if (o->letter)
			weir_buf_printf(out, "-%c|", o->letter);
		weir_buf_printf(out, "--%s", o->name);
		any = true;
	}
}

/* What each shell does with files, folders and words. */
struct completion_syntax {
	const char *files, *folders;
	const char *words_begin, *words_end;
	const char *fields; /* the variable, in words */
};

static void add_argument(struct weir_buf *out, const struct completion_syntax *s,
			 enum completion kind, const char *words)
{
	if (!add_pattern(out, kind))
		return;
	if (words)
		weir_buf_printf(out, "%s%s%s; ", s->words_begin, words, s->words_end);
	else if (kind == COMPLETE_FILES || kind == COMPLETE_FOLDERS)
		weir_buf_printf(out, "%s; ", kind == COMPLETE_FILES ? s->files : s->folders);
	weir_buf_str(out, "return ;;\n");
}

/* The branches for an option's argument. */
static void add_arguments(struct weir_buf *out, const struct completion_syntax *s)
{
	weir_buf_str(out, "\tcase \"$prev\" in\n");
	add_argument(out, s, COMPLETE_FILES, NULL);
	add_argument(out, s, COMPLETE_FOLDERS, NULL);
	add_argument(out, s, COMPLETE_FIELDS, s->fields);
	add_argument(out, s, COMPLETE_DEVICES, "$(command ls /sys/class/net 2>/dev/null)");
	add_argument(out, s, COMPLETE_NETNS, "$(command ls /run/netns 2>/dev/null)");
	add_argument(out, s, COMPLETE_NOTHING, NULL);
	weir_buf_str(out, "\tesac\n");
}

#define MADE_BY "# SPDX-License-Identifier: GPL-2.0-or-later\n# Made by: weir completions "

static void make_bash(struct weir_buf *out)
{
	static const struct completion_syntax syntax = {
		.files = "COMPREPLY=($(compgen -f -- \"$cur\"))",
		.folders = "COMPREPLY=($(compgen -d -- \"$cur\"))",
		.words_begin = "COMPREPLY=($(compgen -W \"",
		.words_end = "\" -- \"$cur\"))",
		.fields = "$fields",
	};

	weir_buf_str(out, MADE_BY
		     "bash\n\n_weir()\n{\n"
		     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		     "\tlocal object= skip= opts= candidates= fields= i\n\tCOMPREPLY=()\n"
		     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		     "\t\tif [[ -n $skip ]]; then skip=; continue; fi\n"
		     "\t\tcase \"${COMP_WORDS[i]}\" in\n\t\t");
	add_taking(out);
	weir_buf_str(out, ") skip=1 ;;\n\t\t-*) ;;\n\t\t*) object=${COMP_WORDS[i]}; break "
			  ";;\n\t\tesac\n\tdone\n");
	add_cases(out);
	add_arguments(out, &syntax);
	weir_buf_str(
		out,
		"\tif [[ $cur == -* ]]; then\n"
		"\t\tCOMPREPLY=($(compgen -W \"$opts\" -- \"$cur\"))\n\t\treturn\n\tfi\n"
		"\tcase \"$object\" in\n"
		"\trecord|replay|capture) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
		"\t*) COMPREPLY=($(compgen -W \"$candidates\" -- \"$cur\")) ;;\n\tesac\n"
		"\t# A filter's word goes on after its colon.\n"
		"\t[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace\n"
		"\treturn 0\n}\n\ncomplete -F _weir weir\n");
}

static void make_zsh(struct weir_buf *out)
{
	static const struct completion_syntax syntax = {
		.files = "_files",
		.folders = "_files -/",
		.words_begin = "compadd -- ",
		.words_end = "",
		.fields = "${=fields}",
	};

	weir_buf_str(out, "#compdef weir\n" MADE_BY "zsh\n\n_weir()\n{\n"
			  "\tlocal cur=${words[CURRENT]} prev=${words[CURRENT-1]}\n"
			  "\tlocal object= skip= opts= candidates= fields= i\n"
			  "\tfor ((i = 2; i < CURRENT; i++)); do\n"
			  "\t\tif [[ -n $skip ]]; then skip=; continue; fi\n"
			  "\t\tcase \"${words[i]}\" in\n\t\t");
	add_taking(out);
	weir_buf_str(
		out,
		") skip=1 ;;\n\t\t-*) ;;\n\t\t*) object=${words[i]}; break ;;\n\t\tesac\n\tdone\n");
	add_cases(out);
	add_arguments(out, &syntax);
	weir_buf_str(out, "\tif [[ $cur == -* ]]; then\n\t\tcompadd -- ${=opts}\n\t\treturn\n\tfi\n"
			  "\tcase \"$object\" in\n\trecord|replay|capture) _files ;;\n"
			  "\t*) compadd -- ${${=candidates}:#*:}; compadd -S '' -- "
			  "${(M)${=candidates}:#*:} ;;\n\tesac\n}\n\n"
			  "_weir \"$@\"\n");
}

static void fish_objects_with(struct weir_buf *out, enum cli_option_id id)
{
	weir_buf_str(out, " -n '__weir_object_is");
	for (const struct cli_object *o = cli_objects; o->name; o++)
		if (cli_object_takes(o, id))
			weir_buf_printf(out, " %s", o->name);
	weir_buf_str(out, "'");
}

static void fish_option(struct weir_buf *out, enum cli_option_id id)
{
	const struct cli_option *o = &cli_options[id];

	weir_buf_str(out, "complete -c weir");
	if (!cli_option_is_common(id))
		fish_objects_with(out, id);
	if (o->letter)
		weir_buf_printf(out, " -s %c", o->letter);
	weir_buf_printf(out, " -l %s", o->name);
	switch (completion_of(o)) {
	case COMPLETE_FILES:
		weir_buf_str(out, " -r -F");
		break;
	case COMPLETE_FOLDERS:
		weir_buf_str(out, " -x -a '(__fish_complete_directories)'");
		break;
	case COMPLETE_DEVICES:
		weir_buf_str(out, " -x -a '(command ls /sys/class/net 2>/dev/null)'");
		break;
	case COMPLETE_NETNS:
		weir_buf_str(out, " -x -a '(command ls /run/netns 2>/dev/null)'");
		break;
	case COMPLETE_CHOICES:
		weir_buf_str(out, " -f -a '");
		for (const char *const *c = o->choices; *c; c++)
			weir_buf_printf(out, "%s%s", c == o->choices ? "" : " ", *c);
		weir_buf_str(out, "'");
		break;
	case COMPLETE_FIELDS:
		weir_buf_str(out, " -x -a '(__weir_fields)'");
		break;
	case COMPLETE_NOTHING:
		if (o->takes != CLI_ARGUMENT_NONE)
			weir_buf_str(out, " -x");
		break;
	}
	weir_buf_str(out, " -d ");
	add_quoted(out, o->help, FISH_QUOTE);
	weir_buf_char(out, '\n');
}

static void fish_words(struct weir_buf *out, const struct cli_object *o)
{
	weir_buf_printf(out, "complete -c weir -n '__weir_object_is %s'", o->name);
	if (!strncmp(o->arguments, "FILE", 4)) {
		weir_buf_str(out, " -F\n");
		return;
	}
	weir_buf_str(out, " -a ");
	add_list(out, object_words, o);
	weir_buf_char(out, '\n');
}

static void make_fish(struct weir_buf *out)
{
	weir_buf_str(out,
		     MADE_BY "fish\n\nfunction __weir_object\n\tset -l skip\n"
			     "\tfor word in (commandline -opc)[2..-1]\n"
			     "\t\tif test -n \"$skip\"\n\t\t\tset skip\n\t\t\tcontinue\n\t\tend\n"
			     "\t\tif string match -qr -- '^(");
	add_taking(out);
	weir_buf_str(out,
		     ")$' $word\n\t\t\tset skip 1\n\t\telse if not string match -q -- '-*' $word\n"
		     "\t\t\techo $word\n\t\t\treturn 0\n\t\tend\n\tend\n\treturn 1\nend\n\n"
		     "function __weir_object_is\n\tset -l object (__weir_object)\n"
		     "\tand contains -- $object $argv\nend\n\n"
		     "function __weir_fields\n\tswitch (__weir_object)\n");
	for (const struct cli_object *o = cli_objects; o->name; o++) {
		if (!o->table)
			continue;
		weir_buf_printf(out, "\tcase %s\n\t\tstring split ' ' ", o->name);
		add_list(out, fields_of, o);
		weir_buf_char(out, '\n');
	}
	weir_buf_str(out, "\tend\nend\n\ncomplete -c weir -f\n");
	for (const struct cli_object *o = cli_objects; o->name; o++) {
		weir_buf_printf(out, "complete -c weir -n 'not __weir_object' -a %s -d ", o->name);
		add_quoted(out, o->summary, FISH_QUOTE);
		weir_buf_char(out, '\n');
		fish_words(out, o);
	}
	for (int id = 0; id < _CLI_OPTION_MAX; id++)
		fish_option(out, id);
}

int cli_completions_make(struct weir_buf *out, const char *shell)
{
	static const struct {
		const char *shell;
		void (*make)(struct weir_buf *out);
	} shells[] = { { "bash", make_bash }, { "zsh", make_zsh }, { "fish", make_fish } };

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		if (strcmp(shells[i].shell, shell) != 0)
			continue;
		shells[i].make(out);
		return out->error;
	}
	return -ENOENT;
}
