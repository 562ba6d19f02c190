// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/account.h"

#include <stdlib.h>

#include "frontends/web/limits.h"

unsigned web_account_connections_max(const struct web_account *a)
{
	if (a->stranger)
		return WEB_CONNECTIONS_STRANGERS;
	return a->viewer.sees_all ? WEB_CONNECTIONS_TRUSTED : WEB_CONNECTIONS_USER;
}

size_t web_account_bytes_max(const struct web_account *a)
{
	if (a->stranger)
		return WEB_BYTES_STRANGERS;
	return a->viewer.sees_all ? WEB_BYTES_TRUSTED : WEB_BYTES_USER;
}

static bool same(const struct web_account *a, const struct weir_viewer *viewer, bool stranger)
{
	if (a->stranger || stranger)
		return a->stranger == stranger;
	if (a->viewer.sees_all || viewer->sees_all)
		return a->viewer.sees_all == viewer->sees_all;
	return a->viewer.uid == viewer->uid;
}

struct web_account *web_account_get(struct web_accounts *list, const struct weir_viewer *viewer,
				    bool stranger)
{
	struct web_account *a;

	LIST_FOREACH(a, list, link)
	{
		if (same(a, viewer, stranger))
			return web_account_ref(a);
	}
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	*a = (struct web_account){ .viewer = *viewer, .stranger = stranger, .refs = 1 };
	LIST_INSERT_HEAD(list, a, link);
	return a;
}

struct web_account *web_account_ref(struct web_account *a)
{
	a->refs++;
	return a;
}

struct web_account *web_account_unref(struct web_account *a)
{
	if (a && --a->refs == 0) {
		LIST_REMOVE(a, link);
		free(a);
	}
	return NULL;
}

void web_accounts_decay(struct web_accounts *list)
{
	struct web_account *a;

	LIST_FOREACH(a, list, link)
	a->spent_ns /= 4;
}

struct web_payload *web_payload_new(struct web_account *a)
{
	struct web_payload *p = calloc(1, sizeof(*p));

	if (p)
		*p = (struct web_payload){ .refs = 1, .account = web_account_ref(a) };
	return p;
}

int web_payload_seal(struct web_payload *p)
{
	/* A buffer doubles as it grows; what is left over goes back, since answers may wait long.
	 */
	if (!p->text.error && p->text.cap - p->text.len > 4096) {
		char *fitted = realloc(p->text.data, p->text.len + 1);
		if (fitted) {
			p->text.data = fitted;
			p->text.cap = p->text.len + 1;
		}
	}
	p->account->bytes += p->text.cap;
	return p->text.error;
}

struct web_payload *web_payload_ref(struct web_payload *p)
{
	p->refs++;
	return p;
}

struct web_payload *web_payload_unref(struct web_payload *p)
{
	if (p && --p->refs == 0) {
		p->account->bytes -= p->text.cap;
		web_account_unref(p->account);
		weir_buf_done(&p->text);
		free(p);
	}
	return NULL;
}
