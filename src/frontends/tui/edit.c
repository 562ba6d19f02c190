// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "frontends/tui/app.h"

#define CTRL(c) ((c) & 0x1f)

static void set_text(struct tui_edit *e, const char *text)
{
	snprintf(e->text, sizeof(e->text), "%s", text);
	e->len = e->at = strlen(e->text);
}

void tui_edit_start(struct tui_edit *e, const char *text)
{
	set_text(e, text);
	e->recalled = -1;
}

void tui_edit_done(struct tui_edit *e)
{
	for (unsigned i = 0; i < e->n_history; i++)
		free(e->history[i]);
	*e = (struct tui_edit){};
}

void tui_edit_remember(struct tui_edit *e)
{
	char *copy;

	if (!e->len || (e->n_history && strcmp(e->history[0], e->text) == 0))
		return;
	copy = strdup(e->text);
	if (!copy)
		return;
	if (e->n_history == TUI_EDIT_HISTORY)
		free(e->history[--e->n_history]);
	memmove(&e->history[1], &e->history[0], e->n_history * sizeof(e->history[0]));
	e->history[0] = copy;
	e->n_history++;
}

void tui_edit_insert(struct tui_edit *e, const char *text, size_t len)
{
	if (e->len + len >= sizeof(e->text))
		return;
	memmove(e->text + e->at + len, e->text + e->at, e->len - e->at + 1);
	memcpy(e->text + e->at, text, len);
	e->at += len;
	e->len += len;
}

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t before(const struct tui_edit *e, size_t at)
{
	while (at && continues(e->text[--at]))
		;
	return at;
}

static size_t behind(const struct tui_edit *e, size_t at)
{
	if (at < e->len)
		at++;
	while (at < e->len && continues(e->text[at]))
		at++;
	return at;
}

static void cut(struct tui_edit *e, size_t from, size_t to)
{
	memmove(e->text + from, e->text + to, e->len - to + 1);
	e->len -= to - from;
	e->at = from;
}

static size_t word_before(const struct tui_edit *e)
{
	size_t at = e->at;

	while (at && e->text[at - 1] == ' ')
		at--;
	while (at && e->text[at - 1] != ' ')
		at--;
	return at;
}

static void recall(struct tui_edit *e, int by)
{
	int to = e->recalled + by;

	if (to < -1 || to >= (int)e->n_history)
		return;
	if (e->recalled < 0)
		memcpy(e->typed, e->text, sizeof(e->typed));
	set_text(e, to < 0 ? e->typed : e->history[to]);
	e->recalled = to;
}

static void insert_character(struct tui_edit *e, uint32_t c)
{
	char s[5];

	tui_edit_insert(e, s, tui_utf8(c, s));
}

bool tui_edit_key(struct tui_edit *e, uint32_t key)
{
	switch (key) {
	case TUI_KEY_LEFT:
	case CTRL('b'):
		e->at = before(e, e->at);
		return true;
	case TUI_KEY_RIGHT:
	case CTRL('f'):
		e->at = behind(e, e->at);
		return true;
	case TUI_KEY_HOME:
	case CTRL('a'):
		e->at = 0;
		return true;
	case TUI_KEY_END:
	case CTRL('e'):
		e->at = e->len;
		return true;
	case TUI_KEY_BACKSPACE:
		cut(e, before(e, e->at), e->at);
		return true;
	case TUI_KEY_DELETE:
	case CTRL('d'):
		cut(e, e->at, behind(e, e->at));
		return true;
	case CTRL('u'):
		cut(e, 0, e->at);
		return true;
	case CTRL('k'):
		cut(e, e->at, e->len);
		return true;
	case CTRL('w'):
		cut(e, word_before(e), e->at);
		return true;
	case TUI_KEY_UP:
	case CTRL('p'):
		recall(e, 1);
		return true;
	case TUI_KEY_DOWN:
	case CTRL('n'):
		recall(e, -1);
		return true;
	default:
		break;
	}
	if (key >= 0x110000 || weir_text_is_control(key) || (key >= 0xd800 && key <= 0xdfff))
		return false;
	insert_character(e, key);
	return true;
}
