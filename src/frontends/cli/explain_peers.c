// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/explain_peers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "frontends/cli/options.h"
#include "frontends/cli/rows.h"

static void add_address(const struct weir_rows *r, size_t row, const char *field, struct weir_buf *out)
{
	char text[CLI_CELL_TEXT];
	struct weir_addr a;

	if (!weir_row_has(r, row, field)) {
		weir_buf_char(out, '?');
		return;
	}
	weir_cell_address(r, row, (unsigned)weir_table_field(r->def, field), &a);
	weir_addr_format(&a, text);
	weir_buf_printf(out, strchr(text, ':') ? "[%s]" : "%s", text);
}

static void add_port(const struct weir_rows *r, size_t row, const char *field, struct weir_buf *out)
{
	if (weir_row_number(r, row, field))
		weir_buf_printf(out, ":%" PRIu64, weir_row_number(r, row, field));
}

void explain_end_text(const struct weir_rows *r, size_t row, enum explain_side side, struct weir_buf *out)
{
	const char *name = side == EXPLAIN_PEER ? weir_row_text(r, row, "peer_name") : NULL;

	if (name)
		weir_buf_str(out, name);
	else
		add_address(r, row, side == EXPLAIN_PEER ? "peer_address" : "local_address", out);
	add_port(r, row, side == EXPLAIN_PEER ? "peer_port" : "local_port", out);
	if (!name)
		return;
	weir_buf_str(out, " (");
	add_address(r, row, "peer_address", out);
	weir_buf_char(out, ')');
}

/* The port that tells what is talked is the server's: where the peer is the client, its own says nothing. */
static void peer_name(const struct weir_rows *r, size_t row, const char *port, struct weir_buf *out)
{
	const char *name = weir_row_text(r, row, "peer_name"), *role = weir_row_text(r, row, "role");

	if (name)
		weir_buf_str(out, name);
	else
		add_address(r, row, "peer_address", out);
	if (!role || strcmp(role, "server") != 0)
		add_port(r, row, port, out);
}

void explain_peer_name(const struct weir_rows *r, size_t row, struct weir_buf *out)
{
	peer_name(r, row, "port", out);
}

/* Takes name. */
static void peers_add(struct explain_peers *p, char *name, uint64_t tx, uint64_t rx)
{
	struct explain_peer *more;

	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->list[i].name, name) != 0)
			continue;
		p->list[i].tx += tx;
		p->list[i].rx += rx;
		free(name);
		return;
	}
	more = reallocarray(p->list, p->n + 1, sizeof(*more));
	if (!more) {
		p->error = -ENOMEM;
		free(name);
		return;
	}
	p->list = more;
	p->list[p->n++] = (struct explain_peer){ .name = name, .tx = tx, .rx = rx };
}

static int by_bytes(const void *a, const void *b)
{
	const struct explain_peer *x = a, *y = b;
	uint64_t p = x->tx + x->rx, q = y->tx + y->rx;

	return p == q ? strcmp(x->name, y->name) : p < q ? 1 : -1;
}

static bool is_connection(const struct weir_rows *r, size_t row)
{
	return weir_row_has(r, row, "peer_address") && !weir_row_is(r, row, "state", "listen");
}

void explain_peers_make(const struct explain_documents *d, struct explain_peers *ret)
{
	bool past = d->peers.n;
	const struct weir_rows *r = past ? &d->peers : &d->flows;

	*ret = (struct explain_peers){};
	for (size_t i = 0; i < r->n && !ret->error; i++) {
		struct weir_buf name = {};

		if (!past && !is_connection(r, i))
			continue;
		if (past)
			explain_peer_name(r, i, &name);
		else
			peer_name(r, i, "peer_port", &name);
		if (name.data && !name.error)
			peers_add(ret, TAKE_PTR(name.data), weir_row_number(r, i, "tx_bytes"), weir_row_number(r, i, "rx_bytes"));
		else
			ret->error = -ENOMEM;
		weir_buf_done(&name);
	}
	if (ret->n)
		qsort(ret->list, ret->n, sizeof(*ret->list), by_bytes);
}

void explain_peers_done(struct explain_peers *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->list[i].name);
	free(p->list);
	*p = (struct explain_peers){};
}
