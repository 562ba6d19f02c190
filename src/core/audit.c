// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/audit.h"

#include "core/tables.h"

void weir_audit_snapshot(struct weir_builder *b, uint64_t number, const struct weir_audit_entry *lines,
			 unsigned n_lines)
{
	weir_builder_table(b, &weir_table_audit);
	for (unsigned i = 0; i < n_lines; i++) {
		const struct weir_audit_entry *l = &lines[i];

		weir_builder_row(b, WEIR_UID_HOST, number);
		weir_builder_text(b, AUDIT_SCOPE, l->scope);
		weir_builder_text(b, AUDIT_HELP, l->help);
		weir_builder_int(b, AUDIT_TX_BYTES, l->tx_bytes);
		weir_builder_int(b, AUDIT_RX_BYTES, l->rx_bytes);
		weir_builder_uint(b, AUDIT_SOCKETS, l->sockets);
		weir_builder_bool(b, AUDIT_ATTRIBUTED, l->attributed);
		weir_builder_bool(b, AUDIT_OK, l->ok);
	}
}
