// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/refresh.h"

uint64_t web_refresh_want(struct web_refresh *r)
{
	r->wanted = true;
	return r->sent + 1;
}

/* The moment from which the next question may leave; UINT64_MAX: no reason for one. */
static uint64_t due_at_ns(const struct web_refresh *r)
{
	bool under_way = r->sent > r->answered;

	if (under_way)
		return r->sent_at_ns + WEB_REFRESH_AGAIN_NS;
	if (!r->wanted)
		return UINT64_MAX;
	return r->sent ? r->sent_at_ns + WEB_REFRESH_INTERVAL_NS : 0;
}

bool web_refresh_due(const struct web_refresh *r, uint64_t now_ns, uint64_t *ret_serial)
{
	if (now_ns < due_at_ns(r))
		return false;
	*ret_serial = r->sent + 1;
	return true;
}

void web_refresh_sent(struct web_refresh *r, uint64_t serial, uint64_t now_ns)
{
	r->sent = serial;
	r->sent_at_ns = now_ns;
	r->wanted = false;
}

void web_refresh_answer(struct web_refresh *r, uint64_t serial)
{
	if (serial > r->answered && serial <= r->sent)
		r->answered = serial;
}

uint64_t web_refresh_wait_ns(const struct web_refresh *r, uint64_t now_ns)
{
	uint64_t at = due_at_ns(r);

	if (at == UINT64_MAX)
		return UINT64_MAX;
	return at > now_ns ? at - now_ns : 0;
}
