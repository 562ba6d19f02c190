// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/buf.h"
#include "core/query.h"

/* Who uses how much of the gate: connections, bytes of answers that are not read yet, time. Each
 * user of the host has a share, so that none can take it away from the others. */

struct web_account {
	LIST_ENTRY(web_account) link;
	struct weir_viewer viewer; /* all who see everything share one */
	bool stranger;		   /* nobody knows who: no row, only a chance to show the token */
	unsigned refs;
	unsigned connections;
	size_t bytes;	   /* of answers */
	uint64_t spent_ns; /* on answers, lately */
};

LIST_HEAD(web_accounts, web_account);

/* The limits of one account. */
unsigned web_account_connections_max(const struct web_account *a);
size_t web_account_bytes_max(const struct web_account *a);

/* Finds or makes the account of a viewer; the caller owns a reference. NULL when memory runs out.
 */
struct web_account *web_account_get(struct web_accounts *list, const struct weir_viewer *viewer,
				    bool stranger);
struct web_account *web_account_ref(struct web_account *a);
struct web_account *web_account_unref(struct web_account *a); /* accepts NULL, returns NULL */

/* Forgets most of the time that was spent: called once a second. */
void web_accounts_decay(struct web_accounts *list);

/* Bytes on their way to one or many readers. Counted references; what it holds is on the account
 * from web_payload_seal() on until the last reference goes. */
struct web_payload {
	unsigned refs;
	struct web_account *account;
	struct weir_buf text;
};

struct web_payload *web_payload_new(struct web_account *a); /* NULL when memory runs out */
/* 0, or -ENOMEM when memory ran out while the text was written. */
int web_payload_seal(struct web_payload *p);
struct web_payload *web_payload_ref(struct web_payload *p);
struct web_payload *web_payload_unref(struct web_payload *p); /* accepts NULL, returns NULL */
