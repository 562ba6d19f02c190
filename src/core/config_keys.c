// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/units.h"
#include "core/config_private.h"
#include "core/query_words.h"
#include "core/tables.h"

/* The declarations, and what a value of each type may be. */

#define HOOKS "hooks"
#define HISTORY "history"
#define NEAR_MOST 3 /* wrong letters in a name that is still taken for another */

static const char *const levels[] = { "error", "warning", "info", "debug", NULL };

static const struct weir_key daemon_keys[] = {
	{ .name = "listen", .type = WEIR_KEY_LISTEN, .otherwise = WEIR_DEFAULT_LISTEN,
	  .help = "Where the page and the API are served over TCP." },
	{ .name = "socket", .type = WEIR_KEY_PATH, .otherwise = WEIR_DEFAULT_SOCKET,
	  .help = "The Unix socket that the commands ask." },
	{ .name = "state", .type = WEIR_KEY_PATH, .otherwise = WEIR_DEFAULT_STATE,
	  .help = "Folder for what is kept, the token among it." },
	{ .name = "pins", .type = WEIR_KEY_PATH, .otherwise = WEIR_DEFAULT_PINS,
	  .help = "Folder on a bpffs for what must outlive the daemon." },
	{ .name = "log_level", .type = WEIR_KEY_CHOICE, .otherwise = "info", .choices = levels, .live = true,
	  .help = "The least important line that is logged." },
};

static const struct weir_key history_keys[] = {
	{ .name = "enabled", .type = WEIR_KEY_BOOL, .otherwise = "true",
	  .help = "Whether the past is kept, in the folder history of the state." },
	{ .name = "size", .type = WEIR_KEY_SIZE, .otherwise = "256Mi", .min = 4ull << 20, .max = 1ull << 40,
	  .help = "How large its file may grow; the oldest of what is finest goes first." },
};

/* --- all keys ---------------------------------------------------------------------------------- */

static unsigned count_keys(const struct weir_key *keys)
{
	unsigned n = 0;

	while (keys && keys[n].name)
		n++;
	return n;
}

static void declare(struct weir_config *c, const char *group, const struct weir_key *key)
{
	struct weir_setting *s = &c->settings[c->n++];

	s->group = group;
	s->key = *key;
	snprintf(s->name, sizeof(s->name), "%s%s%s", group ? group : "", group ? "." : "", key->name);
}

/* hooks.FEATURE: one of its sets. */
static const char **declare_hooks(struct weir_config *c, const struct weir_feature *f, const char **choices)
{
	struct weir_key key = { .name = f->name, .type = WEIR_KEY_CHOICE, .choices = choices,
				.help = "Force this hook set instead of the best one that is possible." };

	for (const struct weir_hook_set *set = f->hook_sets; set && set->name; set++)
		*choices++ = set->name;
	*choices++ = NULL;
	declare(c, HOOKS, &key);
	return choices;
}

int weir_config_declare(struct weir_config *c)
{
	unsigned n = ARRAY_SIZE(daemon_keys) + ARRAY_SIZE(history_keys), n_choices = 0;
	const char **choices;

	for (unsigned i = 0; c->features[i]; i++) {
		n += 1 + count_keys(c->features[i]->keys);
		for (const struct weir_hook_set *set = c->features[i]->hook_sets; set && set->name; set++)
			n_choices++;
		n_choices++;
	}
	c->settings = calloc(n, sizeof(*c->settings));
	c->values = calloc(n, sizeof(*c->values));
	c->choices = calloc(n_choices + 1, sizeof(*c->choices));
	if (!c->settings || !c->values || !c->choices)
		return -ENOMEM;
	for (unsigned i = 0; i < ARRAY_SIZE(daemon_keys); i++)
		declare(c, NULL, &daemon_keys[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(history_keys); i++)
		declare(c, HISTORY, &history_keys[i]);
	choices = c->choices;
	for (unsigned i = 0; c->features[i]; i++)
		choices = declare_hooks(c, c->features[i], choices);
	for (unsigned i = 0; c->features[i]; i++)
		for (unsigned j = 0; j < count_keys(c->features[i]->keys); j++)
			declare(c, c->features[i]->name, &c->features[i]->keys[j]);
	return 0;
}

static bool same_group(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

int weir_config_find(const struct weir_config *c, const char *group, const char *name)
{
	for (unsigned i = 0; i < c->n; i++)
		if (same_group(c->settings[i].group, group) && !strcmp(c->settings[i].key.name, name))
			return (int)i;
	return -ENOENT;
}

bool weir_config_group(const struct weir_config *c, const char *name)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->settings[i].group && !strcmp(c->settings[i].group, name))
			return true;
	return false;
}

static void nearer(const char *name, const char *candidate, unsigned *best, const char **ret)
{
	unsigned d = weir_text_distance(name, candidate);

	/* A short name is another one with every letter wrong. */
	if (d < *best && d < strlen(candidate)) {
		*best = d;
		*ret = candidate;
	}
}

const char *weir_config_near(const struct weir_config *c, const char *group, const char *name)
{
	const char *found = NULL;
	unsigned best = NEAR_MOST;

	for (unsigned i = 0; i < c->n; i++) {
		const struct weir_setting *s = &c->settings[i];

		if (same_group(s->group, group))
			nearer(name, s->key.name, &best, &found);
		else if (!group && s->group)
			nearer(name, s->group, &best, &found);
	}
	return found;
}

/* --- values ------------------------------------------------------------------------------------ */

static void add_choices(const struct weir_key *k, struct weir_buf *out)
{
	for (unsigned i = 0; k->choices && k->choices[i]; i++) {
		if (i)
			weir_buf_str(out, k->choices[i + 1] ? ", " : " or ");
		weir_buf_str(out, k->choices[i]);
	}
}

void weir_key_takes(const struct weir_key *k, struct weir_buf *out)
{
	switch (k->type) {
	case WEIR_KEY_TEXT:
		weir_buf_str(out, "a text");
		return;
	case WEIR_KEY_PATH:
		weir_buf_str(out, "a path from the root");
		return;
	case WEIR_KEY_LISTEN:
		weir_buf_str(out, "ADDR:PORT such as 127.0.0.1:9474 or [::1]:9474, or none");
		return;
	case WEIR_KEY_CHOICE:
		add_choices(k, out);
		return;
	case WEIR_KEY_COUNT:
		weir_buf_str(out, "a whole number");
		if (k->unit != WEIR_UNIT_NONE && k->unit != WEIR_UNIT_COUNT)
			weir_buf_printf(out, " of %s", weir_unit_name(k->unit));
		if (k->min || k->max)
			weir_buf_printf(out, " from %llu", (unsigned long long)k->min);
		if (k->max)
			weir_buf_printf(out, " to %llu", (unsigned long long)k->max);
		return;
	case WEIR_KEY_BOOL:
		weir_buf_str(out, "true or false");
		return;
	case WEIR_KEY_SIZE:
		weir_buf_str(out, "a size such as 256Mi or 1G");
		return;
	}
}

static bool whole_number(const char *text, uint64_t *ret)
{
	char *end;

	if (!*text || text[strspn(text, "0123456789")] || (text[0] == '0' && text[1]))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return !errno && !*end;
}

static bool check_count(const struct weir_key *k, const char *text)
{
	uint64_t v;

	return whole_number(text, &v) && v >= k->min && (!k->max || v <= k->max);
}

bool weir_key_size(const char *text, uint64_t *ret)
{
	return weir_units_parse(text, ret) == 0;
}

static bool check_size(const struct weir_key *k, const char *text)
{
	uint64_t v;

	return weir_key_size(text, &v) && v >= k->min && (!k->max || v <= k->max);
}

static bool check_listen(const char *text)
{
	const char *colon = strrchr(text, ':');
	struct weir_addr addr;
	char host[64];
	uint64_t port;
	size_t n;

	if (!strcmp(text, "none"))
		return true;
	if (!colon || !whole_number(colon + 1, &port) || port > 65535)
		return false;
	n = (size_t)(colon - text);
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		snprintf(host, sizeof(host), "%.*s", (int)(n - 2 < sizeof(host) ? n - 2 : 0), text + 1);
		return weir_addr_parse(host, &addr) == 0 && strchr(host, ':');
	}
	if (n >= sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)n, text);
	return !strcmp(host, "localhost") || (weir_addr_parse(host, &addr) == 0 && !strchr(host, ':'));
}

static bool check_choice(const struct weir_key *k, const char *text)
{
	for (unsigned i = 0; k->choices && k->choices[i]; i++)
		if (!strcmp(k->choices[i], text))
			return true;
	return false;
}

static const char *near_choice(const struct weir_key *k, const char *text)
{
	const char *found = NULL;
	unsigned best = NEAR_MOST;

	for (unsigned i = 0; k->type == WEIR_KEY_CHOICE && k->choices && k->choices[i]; i++)
		nearer(text, k->choices[i], &best, &found);
	return found;
}

static bool fits(const struct weir_key *k, const char *text, bool plain)
{
	switch (k->type) {
	case WEIR_KEY_TEXT:
		return true;
	case WEIR_KEY_PATH:
		return text[0] == '/';
	case WEIR_KEY_LISTEN:
		return check_listen(text);
	case WEIR_KEY_CHOICE:
		return check_choice(k, text);
	case WEIR_KEY_COUNT:
		return plain && check_count(k, text);
	case WEIR_KEY_SIZE:
		return plain && check_size(k, text);
	case WEIR_KEY_BOOL:
		return plain && (!strcmp(text, "true") || !strcmp(text, "false"));
	}
	return false;
}

/* "010", "127.0.0.1:010": eight to some readers, ten to others. */
static bool seems_octal(const char *text)
{
	for (char before = 0; *text; before = *text++)
		if (*text == '0' && text[1] >= '0' && text[1] <= '9' && (before < '0' || before > '9'))
			return true;
	return false;
}

static bool is_null(const char *text)
{
	return !*text || !strcmp(text, "~") || !strcasecmp(text, "null");
}

static bool has_control(const char *text, size_t len)
{
	while (len) {
		uint32_t character;
		size_t n = weir_text_utf8_next(text, len, &character);

		if (character == WEIR_TEXT_BAD || weir_text_is_control(character))
			return true;
		text += n;
		len -= n;
	}
	return false;
}

bool weir_key_check(const struct weir_key *k, const char *text, size_t len, bool plain, struct weir_buf *reason)
{
	bool number = k->type == WEIR_KEY_COUNT || k->type == WEIR_KEY_LISTEN;
	const char *near;

	if (len > WEIR_CONFIG_VALUE_MAX) {
		weir_buf_printf(reason, "has %zu bytes: at most %u are taken", len, WEIR_CONFIG_VALUE_MAX);
		return false;
	}
	if (has_control(text, len)) {
		weir_buf_str(reason, "has a control character in it: take it out");
		return false;
	}
	if (plain ? is_null(text) : !*text) {
		weir_buf_str(reason, "has no value: give it one, or take the line away");
		return false;
	}
	if (fits(k, text, plain))
		return true;
	weir_buf_str(reason, "takes ");
	weir_key_takes(k, reason);
	weir_buf_str(reason, ", not ");
	weir_words_quote(reason, text);
	near = near_choice(k, text);
	if (near)
		weir_buf_printf(reason, ": did you mean %s?", near);
	else if (!plain && fits(k, text, true))
		weir_buf_str(reason, " in quotes: take them away");
	else if (number && seems_octal(text))
		weir_buf_str(reason, ": a number that starts with 0 is octal to some: write it without");
	return false;
}
