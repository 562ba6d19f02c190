// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/drops/drops_reasons.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "features/drops/drops_reasons_rows.h"

static const struct drops_rows *const parts[] = {
	&drops_rows_socket,
	&drops_rows_ip,
	&drops_rows_device,
	&drops_rows_subsystems,
	&drops_rows_counted,
	&drops_rows_places,
};

static const char *const class_names[] = {
	[DROPS_UNKNOWN] = NULL,     [DROPS_EXPECTED] = "expected", [DROPS_TUNE] = "tune",
	[DROPS_ATTACK] = "attack", [DROPS_BUG] = "bug",
};
_Static_assert(sizeof(class_names) / sizeof(class_names[0]) == _DROPS_CLASS_MAX, "a class without a name");

static const char *const layer_names[] = {
	[DROPS_LAYER_OTHER] = "other",   [DROPS_DEVICE] = "device", [DROPS_QUEUE] = "queue",
	[DROPS_LINK] = "link",           [DROPS_FILTER] = "filter", [DROPS_IP] = "ip",
	[DROPS_TRANSPORT] = "transport", [DROPS_SOCKET] = "socket",
};
_Static_assert(sizeof(layer_names) / sizeof(layer_names[0]) == _DROPS_LAYER_MAX, "a layer without a name");

const char *drops_class_name(enum drops_class c)
{
	return (unsigned int)c < _DROPS_CLASS_MAX ? class_names[c] : NULL;
}

const char *drops_layer_name(enum drops_layer l)
{
	return (unsigned int)l < _DROPS_LAYER_MAX ? layer_names[l] : NULL;
}

const struct drops_meaning *drops_meaning_at(size_t i)
{
	for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
		if (i < parts[p]->n)
			return &parts[p]->rows[i];
		i -= parts[p]->n;
	}
	return NULL;
}

/* The function's name ends where an offset, a module or a compiler's suffix begins. */
static size_t function_length(const char *symbol)
{
	return symbol ? strcspn(symbol, "+. \t[") : 0;
}

/* How well a place fits: 0 not at all, else more for more. */
static size_t fit(const char *place, const char *symbol, size_t length)
{
	size_t n;

	if (!place)
		return 1;
	n = strlen(place);
	if (n && place[n - 1] == '*') {
		n--;
		return length >= n && !memcmp(place, symbol, n) ? 1 + n : 0;
	}
	return length == n && n && !memcmp(place, symbol, n) ? 2 + n : 0;
}

const struct drops_meaning *drops_meaning_of(const char *reason, const char *symbol)
{
	const struct drops_meaning *best = NULL, *m;
	size_t length = function_length(symbol), best_fit = 0, f;

	if (!reason)
		return NULL;
	for (size_t i = 0; (m = drops_meaning_at(i)); i++) {
		if (strcmp(m->reason, reason) != 0)
			continue;
		f = fit(m->place, symbol, length);
		if (f > best_fit) {
			best_fit = f;
			best = m;
		}
	}
	return best;
}

int drops_headline(const struct drops_meaning *m, const char *owner, char *ret, size_t room)
{
	const char *text, *mark, *rest;
	size_t before, after, name;

	assert(m);
	text = m->headline ? m->headline : m->sentence;
	mark = strstr(text, DROPS_OWNER_MARK);
	if (!owner || !*owner)
		owner = "the program";
	before = mark ? (size_t)(mark - text) : strlen(text);
	if (!m->headline && before && text[before - 1] == '.')
		before--;
	rest = mark ? mark + strlen(DROPS_OWNER_MARK) : "";
	after = strlen(rest);
	name = mark ? strlen(owner) : 0;
	if (name >= room || before + name + after >= room)
		return -ENOSPC;
	memcpy(ret, text, before);
	memcpy(ret + before, owner, name);
	memcpy(ret + before + name, rest, after + 1);
	return (int)(before + name + after);
}
