// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/columns.h"

#include <string.h>

#include "base/text.h"
#include "frontends/tui/document.h"
#include "frontends/words/words.h"

/* --- which there are ------------------------------------------------------------------------- */

struct column_spec {
	enum tui_column_kind kind;
	const char *field, *plus;
	enum weir_word title; /* 0: the declaration's */
	uint16_t width, widest;
	uint8_t priority;
};

#define RATE "tx_bytes_per_second", "rx_bytes_per_second"

/* The usual ones, from left to right. Widths: a rate reads "999 MB", with its sum's place for "1.25
 * MB". */
static const struct column_spec process_specs[] = {
	{ TUI_COLUMN_FIELD, "pid", NULL, 0, 7, 7, 0 },
	{ TUI_COLUMN_FIELD, "user", NULL, 0, 8, 10, 5 },
	{ TUI_COLUMN_FIELD, "comm", NULL, 0, 15, 15, 0 },
	{ TUI_COLUMN_PLACE, "unit", NULL, WORD_COLUMN_PLACE, 14, 34, 3 },
	{ TUI_COLUMN_FIELD, "tx_bytes_per_second", NULL, 0, 7, 7, 0 },
	{ TUI_COLUMN_FIELD, "rx_bytes_per_second", NULL, WORD_COLUMN_RECEIVING, 7, 7, 0 },
	{ TUI_COLUMN_CURVE, RATE, WORD_COLUMN_MINUTE, 12, 30, 1 },
	{ TUI_COLUMN_FIELD, "tx_bytes", NULL, 0, 7, 7, 4 },
	{ TUI_COLUMN_FIELD, "rx_bytes", NULL, WORD_COLUMN_RECEIVED, 7, 7, 4 },
	{ TUI_COLUMN_FIELD, "connections_open", NULL, WORD_COLUMN_CONNECTIONS, 5, 6, 1 },
	{ TUI_COLUMN_FIELD, "retransmits", NULL, WORD_COLUMN_RETRANSMITS, 6, 6, 1 },
	{ TUI_COLUMN_FIELD, "srtt_us", NULL, 0, 7, 7, 1 },
	{ TUI_COLUMN_FIELD, "exe", NULL, 0, 16, 44, 7 },
	{},
};

static const struct column_spec talker_specs[] = {
	{ TUI_COLUMN_FIELD, "pid", NULL, 0, 7, 7, 1 },
	{ TUI_COLUMN_FIELD, "comm", NULL, 0, 15, 15, 0 },
	{ TUI_COLUMN_PLACE, "unit", NULL, WORD_COLUMN_PLACE, 14, 40, 4 },
	{ TUI_COLUMN_FIELD, "tx_bytes_per_second", NULL, 0, 7, 7, 0 },
	{ TUI_COLUMN_FIELD, "rx_bytes_per_second", NULL, WORD_COLUMN_RECEIVING, 7, 7, 0 },
	{ TUI_COLUMN_CURVE, RATE, WORD_COLUMN_MINUTE, 12, 30, 0 },
	{ TUI_COLUMN_FIELD, "tx_bytes", NULL, 0, 7, 7, 2 },
	{ TUI_COLUMN_FIELD, "rx_bytes", NULL, WORD_COLUMN_RECEIVED, 7, 7, 2 },
	{ TUI_COLUMN_FIELD, "retransmits", NULL, WORD_COLUMN_RETRANSMITS, 6, 6, 3 },
	{},
};

static const struct column_spec tree_specs[] = {
	{ TUI_COLUMN_FIELD, "comm", NULL, WORD_COLUMN_TREE, 30, 44, 0 },
	{ TUI_COLUMN_FIELD, "pid", NULL, 0, 7, 7, 2 },
	{ TUI_COLUMN_FIELD, "user", NULL, 0, 8, 10, 5 },
	{ TUI_COLUMN_FIELD, "tx_bytes_per_second", NULL, 0, 7, 7, 0 },
	{ TUI_COLUMN_FIELD, "rx_bytes_per_second", NULL, WORD_COLUMN_RECEIVING, 7, 7, 0 },
	{ TUI_COLUMN_CURVE, RATE, WORD_COLUMN_MINUTE, 12, 30, 2 },
	{ TUI_COLUMN_FIELD, "tx_bytes", NULL, 0, 7, 7, 4 },
	{ TUI_COLUMN_FIELD, "rx_bytes", NULL, WORD_COLUMN_RECEIVED, 7, 7, 4 },
	{ TUI_COLUMN_FIELD, "connections_open", NULL, WORD_COLUMN_CONNECTIONS, 5, 6, 1 },
	{ TUI_COLUMN_FIELD, "retransmits", NULL, WORD_COLUMN_RETRANSMITS, 6, 6, 1 },
	{ TUI_COLUMN_FIELD, "srtt_us", NULL, 0, 7, 7, 3 },
	{},
};

static const struct column_spec flow_specs[] = {
	{ TUI_COLUMN_FIELD, "pid", NULL, 0, 7, 7, 2 },
	{ TUI_COLUMN_FIELD, "comm", NULL, 0, 11, 15, 0 },
	{ TUI_COLUMN_PLACE, "unit", NULL, WORD_COLUMN_PLACE, 12, 26, 6 },
	{ TUI_COLUMN_FIELD, "transport", NULL, 0, 5, 5, 3 },
	{ TUI_COLUMN_LOCAL, "local_address", NULL, WORD_COLUMN_LOCAL, 21, 47, 4 },
	{ TUI_COLUMN_PEER, "peer_address", NULL, WORD_COLUMN_PEER, 20, 47, 0 },
	{ TUI_COLUMN_FIELD, "tx_bytes_per_second", NULL, 0, 7, 7, 0 },
	{ TUI_COLUMN_FIELD, "rx_bytes_per_second", NULL, WORD_COLUMN_RECEIVING, 7, 7, 0 },
	{ TUI_COLUMN_CURVE, RATE, WORD_COLUMN_MINUTE, 12, 30, 5 },
	{ TUI_COLUMN_FIELD, "tx_bytes", NULL, 0, 7, 7, 5 },
	{ TUI_COLUMN_FIELD, "rx_bytes", NULL, WORD_COLUMN_RECEIVED, 7, 7, 5 },
	{ TUI_COLUMN_FIELD, "retransmits", NULL, WORD_COLUMN_RETRANSMITS, 5, 6, 1 },
	{ TUI_COLUMN_FIELD, "srtt_us", NULL, 0, 7, 7, 1 },
	{ TUI_COLUMN_FIELD, "state", NULL, 0, 6, 11, 2 },
	{ TUI_COLUMN_FIELD, "role", NULL, 0, 6, 6, 7 },
	{ TUI_COLUMN_FIELD, "scope", NULL, 0, 11, 11, 8 },
	{},
};

static const struct column_spec process_flow_specs[] = {
	{ TUI_COLUMN_FIELD, "transport", NULL, 0, 5, 5, 1 },
	{ TUI_COLUMN_LOCAL, "local_address", NULL, WORD_COLUMN_LOCAL, 21, 47, 3 },
	{ TUI_COLUMN_PEER, "peer_address", NULL, WORD_COLUMN_PEER, 21, 47, 0 },
	{ TUI_COLUMN_FIELD, "role", NULL, 0, 6, 6, 4 },
	{ TUI_COLUMN_FIELD, "tx_bytes_per_second", NULL, 0, 7, 7, 2 },
	{ TUI_COLUMN_FIELD, "rx_bytes_per_second", NULL, WORD_COLUMN_RECEIVING, 7, 7, 2 },
	{ TUI_COLUMN_CURVE, RATE, WORD_COLUMN_MINUTE, 12, 30, 6 },
	{ TUI_COLUMN_FIELD, "tx_bytes", NULL, 0, 7, 7, 1 },
	{ TUI_COLUMN_FIELD, "rx_bytes", NULL, WORD_COLUMN_RECEIVED, 7, 7, 1 },
	{ TUI_COLUMN_FIELD, "retransmits", NULL, WORD_COLUMN_RETRANSMITS, 5, 6, 0 },
	{ TUI_COLUMN_FIELD, "srtt_us", NULL, 0, 7, 7, 0 },
	{ TUI_COLUMN_FIELD, "rtt_min_us", NULL, 0, 7, 7, 5 },
	{ TUI_COLUMN_FIELD, "cwnd", NULL, 0, 5, 6, 5 },
	{ TUI_COLUMN_FIELD, "state", NULL, 0, 6, 11, 0 },
	{},
};

/* What it is, whose, where, how much. */
static const struct column_spec drop_specs[] = {
	{ TUI_COLUMN_FIELD, "packets_per_second", NULL, WORD_COLUMN_LOSING, 7, 7, 0 },
	{ TUI_COLUMN_FIELD, "packets", NULL, 0, 7, 8, 0 },
	{ TUI_COLUMN_FIELD, "class", NULL, 0, 8, 8, 0 },
	{ TUI_COLUMN_FIELD, "reason", NULL, 0, 16, 30, 0 },
	{ TUI_COLUMN_FIELD, "comm", NULL, 0, 11, 15, 1 },
	{ TUI_COLUMN_FIELD, "pid", NULL, 0, 7, 7, 5 },
	{ TUI_COLUMN_FIELD, "device", NULL, 0, 6, 15, 2 },
	{ TUI_COLUMN_FIELD, "layer", NULL, 0, 9, 9, 3 },
	{ TUI_COLUMN_FIELD, "location", NULL, 0, 28, 44, 4 },
	{ TUI_COLUMN_FIELD, "meaning", NULL, 0, 40, 160, 6 },
	{},
};

static const struct column_spec doctor_specs[] = {
	{ TUI_COLUMN_FIELD, "feature", NULL, 0, 10, 12, 0 },
	{ TUI_COLUMN_FIELD, "hook_set", NULL, 0, 14, 16, 0 },
	{ TUI_COLUMN_FIELD, "state", NULL, 0, 11, 11, 0 },
	{ TUI_COLUMN_FIELD, "serves", NULL, 0, 20, 60, 1 },
	{ TUI_COLUMN_FIELD, "reason", NULL, 0, 18, 60, 2 },
	{},
};

static const struct column_spec past_program_specs[] = {
	{ TUI_COLUMN_FIELD, "program", NULL, 0, 15, 15, 0 },
	{ TUI_COLUMN_PLACE, "unit", NULL, WORD_COLUMN_PLACE, 12, 40, 3 },
	{ TUI_COLUMN_FIELD, "user", NULL, 0, 8, 10, 6 },
	{ TUI_COLUMN_FIELD, "tx_bytes", NULL, 0, 7, 8, 0 },
	{ TUI_COLUMN_FIELD, "rx_bytes", NULL, WORD_COLUMN_RECEIVED, 7, 8, 0 },
	{ TUI_COLUMN_FIELD, "tx_bytes_per_second_max", NULL, WORD_COLUMN_SENT_MAX, 9, 9, 4 },
	{ TUI_COLUMN_FIELD, "rx_bytes_per_second_max", NULL, WORD_COLUMN_RECEIVED_MAX, 9, 9, 4 },
	{ TUI_COLUMN_FIELD, "connections", NULL, WORD_COLUMN_CONNECTIONS, 6, 6, 1 },
	{ TUI_COLUMN_FIELD, "retransmits", NULL, WORD_COLUMN_RETRANSMITS, 6, 6, 1 },
	{ TUI_COLUMN_FIELD, "lost_packets", NULL, 0, 6, 6, 1 },
	{ TUI_COLUMN_FIELD, "first_seen", NULL, 0, 9, 20, 2 },
	{ TUI_COLUMN_FIELD, "new", NULL, 0, 3, 4, 5 },
	{},
};

static const struct column_spec past_peer_specs[] = {
	{ TUI_COLUMN_FIELD, "program", NULL, 0, 15, 15, 0 },
	{ TUI_COLUMN_FIELD, "container_name", NULL, 0, 14, 24, 6 },
	{ TUI_COLUMN_FIELD, "role", NULL, 0, 6, 6, 3 },
	{ TUI_COLUMN_FIELD, "transport", NULL, 0, 5, 5, 2 },
	{ TUI_COLUMN_PEER, "peer_address", NULL, WORD_COLUMN_PEER, 21, 52, 0 },
	{ TUI_COLUMN_FIELD, "tx_bytes", NULL, 0, 7, 8, 0 },
	{ TUI_COLUMN_FIELD, "rx_bytes", NULL, WORD_COLUMN_RECEIVED, 7, 8, 0 },
	{ TUI_COLUMN_FIELD, "connections", NULL, WORD_COLUMN_CONNECTIONS, 6, 6, 1 },
	{ TUI_COLUMN_FIELD, "retransmits", NULL, WORD_COLUMN_RETRANSMITS, 6, 6, 1 },
	{ TUI_COLUMN_FIELD, "first_seen", NULL, 0, 9, 20, 4 },
	{},
};

static const struct column_spec past_change_specs[] = {
	{ TUI_COLUMN_FIELD, "rank", NULL, 0, 4, 4, 0 },
	{ TUI_COLUMN_FIELD, "kind", NULL, 0, 7, 7, 1 },
	{ TUI_COLUMN_FIELD, "program", NULL, 0, 15, 15, 2 },
	{ TUI_COLUMN_FIELD, "summary", NULL, 0, 40, 160, 0 },
	{},
};

static const struct column_spec past_event_specs[] = {
	{ TUI_COLUMN_FIELD, "time", NULL, 0, 20, 20, 0 },
	{ TUI_COLUMN_FIELD, "kind", NULL, 0, 10, 10, 0 },
	{ TUI_COLUMN_FIELD, "program", NULL, 0, 15, 15, 1 },
	{ TUI_COLUMN_FIELD, "summary", NULL, 0, 30, 160, 0 },
	{},
};

static const struct column_spec finding_specs[] = {
	{ TUI_COLUMN_FIELD, "class", NULL, 0, 8, 8, 0 },
	{ TUI_COLUMN_FIELD, "summary", NULL, 0, 40, 160, 0 },
	{ TUI_COLUMN_FIELD, "since", NULL, 0, 9, 9, 1 },
	{},
};

static const struct {
	const char *table;
	enum tui_columns_for purpose;
	const struct column_spec *specs;
} spec_lists[] = {
	{ "processes", TUI_COLUMNS_TABLE, process_specs },
	{ "processes", TUI_COLUMNS_TREE, tree_specs },
	{ "processes", TUI_COLUMNS_TALKERS, talker_specs },
	{ "flows", TUI_COLUMNS_TABLE, flow_specs },
	{ "flows", TUI_COLUMNS_OF_PROCESS, process_flow_specs },
	{ "drops", TUI_COLUMNS_TABLE, drop_specs },
	{ "findings", TUI_COLUMNS_TABLE, finding_specs },
	{ "doctor", TUI_COLUMNS_TABLE, doctor_specs },
	{ "history", TUI_COLUMNS_TABLE, past_program_specs },
	{ "history_peers", TUI_COLUMNS_TABLE, past_peer_specs },
	{ "history_changes", TUI_COLUMNS_TABLE, past_change_specs },
	{ "history_events", TUI_COLUMNS_TABLE, past_event_specs },
};

static const struct column_spec *specs_for(const struct weir_table *table,
					   enum tui_columns_for purpose)
{
	for (size_t i = 0; i < ARRAY_SIZE(spec_lists); i++)
		if (spec_lists[i].purpose == purpose && strcmp(spec_lists[i].table, table->name) == 0)
			return spec_lists[i].specs;
	return NULL;
}

/* Numbers to the right, and what each is wide at most. */
static void field_widths(const struct weir_field *f, struct tui_column *c)
{
	unsigned title = (unsigned)weir_text_columns(c->title);

	switch (f->type) {
	case WEIR_TYPE_UINT:
	case WEIR_TYPE_INT:
		c->width = c->widest = f->unit == WEIR_UNIT_NONE ? 10 : 7;
		c->right = true;
		break;
	case WEIR_TYPE_BOOL:
		c->width = c->widest = 3;
		break;
	case WEIR_TYPE_TEXT:
		c->width = 10;
		/* Names of rows are short; what is said about them is not. */
		c->widest = f->flags & WEIR_FIELD_KEY ? 24 : 60;
		break;
	case WEIR_TYPE_ADDRESS:
		c->width = 15;
		c->widest = 39;
		break;
	case WEIR_TYPE_TIME:
		c->width = 9;
		c->widest = 20;
		break;
	case _WEIR_TYPE_MAX:
		break;
	}
	if (c->width < title)
		c->width = (uint16_t)title;
	if (c->widest < c->width)
		c->widest = c->width;
}

static void add_field(const struct weir_table *table, unsigned field, unsigned priority,
		      struct tui_columns *to)
{
	struct tui_column c = { .field = (int)field,
				.plus = -1,
				.title = weir_word_title(table, field) };

	field_widths(&table->fields[field], &c);
	c.priority = (uint8_t)(priority > UINT8_MAX ? UINT8_MAX : priority);
	if (to->n < WEIR_FIELDS_MAX)
		to->list[to->n++] = c;
}

static void add_spec(const struct weir_table *table, const struct column_spec *spec,
		     const struct tui_look *look, struct tui_columns *to)
{
	int field = weir_table_field(table, spec->field);
	int plus = spec->plus ? weir_table_field(table, spec->plus) : -1;
	struct tui_column c = {
		.kind = spec->kind,
		.field = field,
		.plus = plus,
		.width = spec->width,
		.widest = spec->widest,
		.priority = spec->priority,
	};

	if (field < 0 || (spec->plus && plus < 0) || to->n == WEIR_FIELDS_MAX)
		return;
	if (look->numeric && strcmp(spec->field, "user") == 0 && weir_table_field(table, "uid") >= 0)
		c.field = weir_table_field(table, "uid");
	c.title = spec->title ? weir_word(spec->title) : weir_word_title(table, (unsigned)c.field);
	c.right = spec->kind == TUI_COLUMN_FIELD && table->fields[c.field].type == WEIR_TYPE_UINT;
	if (look->exact && c.right && table->fields[c.field].unit != WEIR_UNIT_NONE)
		c.width = c.widest = 13;
	to->list[to->n++] = c;
}

/* By priority while there is room, in their order. */
static void drop_what_does_not_fit(struct tui_columns *c, unsigned width)
{
	for (;;) {
		unsigned sum = 0, worst = 0;

		for (unsigned i = 0; i < c->n; i++) {
			sum += c->list[i].width + (i ? TUI_COLUMN_GAP : 0);
			if (c->list[i].priority >= c->list[worst].priority)
				worst = i;
		}
		if (sum <= width || c->n <= 1)
			return;
		memmove(&c->list[worst], &c->list[worst + 1],
			(c->n - worst - 1) * sizeof(c->list[0]));
		c->n--;
	}
}

/* What is left goes to those that can use it, a column each in turn. */
static void spread(struct tui_columns *c, unsigned width)
{
	unsigned sum = 0;
	bool grew = true;

	for (unsigned i = 0; i < c->n; i++)
		sum += c->list[i].width + (i ? TUI_COLUMN_GAP : 0);
	while (grew) {
		grew = false;
		for (unsigned i = 0; i < c->n && sum < width; i++) {
			if (c->list[i].width >= c->list[i].widest)
				continue;
			c->list[i].width++;
			sum++;
			grew = true;
		}
	}
}

void tui_columns_fit(const struct weir_table *table, enum tui_columns_for purpose, uint64_t chosen,
		     const struct tui_look *look, unsigned width, struct tui_columns *ret)
{
	const struct column_spec *spec = specs_for(table, purpose);
	bool declared;

	*ret = (struct tui_columns){};
	for (unsigned i = 0; chosen && i < table->n_fields; i++)
		if (chosen & 1ull << i)
			add_field(table, i, ret->n, ret);
	for (; !chosen && spec && spec->field; spec++)
		add_spec(table, spec, look, ret);
	declared = !ret->n;
	for (unsigned i = 0; declared && i < table->n_fields; i++)
		if (table->fields[i].flags & WEIR_FIELD_COLUMN)
			add_field(table, i, i, ret);
	drop_what_does_not_fit(ret, width);
	spread(ret, width);
}

uint64_t tui_place_fields(const struct weir_table *table)
{
	static const char *const place[] = { "container_name", "container_id", "pod_name",
					     "pod_namespace",  "unit",	       NULL };

	return tui_field_bits(table, place);
}

uint64_t tui_columns_fields(const struct weir_table *table, const struct tui_columns *columns)
{
	/* What a column of another kind reads beside its own field, and what colours a row and its
	 * curve. */
	static const char *const always[] = {
		"state", "comm", "tx_bytes_per_second", "rx_bytes_per_second", "retransmits", "filter", NULL
	};
	static const char *const local[] = { "local_address", "local_port", NULL };
	static const char *const peer[] = { "peer_address", "peer_port", "port", "peer_name", NULL };
	uint64_t bits = tui_field_bits(table, always);

	for (unsigned i = 0; i < columns->n; i++) {
		const struct tui_column *c = &columns->list[i];

		switch (c->kind) {
		case TUI_COLUMN_FIELD:
		case TUI_COLUMN_CURVE:
			break;
		case TUI_COLUMN_PLACE:
			bits |= tui_place_fields(table);
			break;
		case TUI_COLUMN_LOCAL:
			bits |= tui_field_bits(table, local);
			break;
		case TUI_COLUMN_PEER:
			bits |= tui_field_bits(table, peer);
			break;
		}
		if (c->field >= 0)
			bits |= 1ull << c->field;
	}
	return bits;
}
