// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "features/drops/drops_state.h"

/* Bytes -> event. */

static const size_t sizes[_DROPS_RECORD_MAX] = {
	[DROPS_RECORD_SEEN] = sizeof(struct drops_seen),
	[DROPS_RECORD_SUM] = sizeof(struct drops_sum_record),
	[DROPS_RECORD_REASON] = sizeof(struct drops_reason),
	[DROPS_RECORD_OWNER] = sizeof(struct drops_owner),
	[DROPS_RECORD_COUNTER] = sizeof(struct drops_counter),
	[DROPS_RECORD_LOST] = sizeof(struct drops_lost),
	[DROPS_RECORD_PLACE] = sizeof(struct drops_place_name),
	[DROPS_RECORD_DEVICE] = sizeof(struct drops_device_name),
	[DROPS_RECORD_CARRIED] = sizeof(struct drops_carried),
};

static bool ends(const char *text, size_t room)
{
	return memchr(text, 0, room) != NULL;
}

/* Three texts, each with its end. */
static bool is_group_key(const char *key, uint32_t len)
{
	unsigned ends = 0;

	if (len > DROPS_GROUP_KEY)
		return false;
	for (uint32_t i = 0; i < len; i++)
		ends += !key[i];
	return !len || (ends == 3 && !key[len - 1]);
}

static bool sane(const union drops_event *e)
{
	switch ((enum drops_record)e->head.type) {
	case DROPS_RECORD_SEEN:
		return e->seen.captured <= DROPS_HEAD_BYTES && ends(e->seen.device, sizeof(e->seen.device)) &&
		       ends(e->seen.symbol, sizeof(e->seen.symbol)) && ends(e->seen.stack_text, sizeof(e->seen.stack_text));
	case DROPS_RECORD_REASON:
		return ends(e->reason.name, sizeof(e->reason.name));
	case DROPS_RECORD_OWNER:
		return ends(e->owner.comm, sizeof(e->owner.comm)) && ends(e->owner.cgroup, sizeof(e->owner.cgroup));
	case DROPS_RECORD_COUNTER:
		return e->counter.by < _DROPS_BY_MAX && ends(e->counter.device, sizeof(e->counter.device)) &&
		       ends(e->counter.name, sizeof(e->counter.name)) && e->counter.name[0];
	case DROPS_RECORD_PLACE:
		return ends(e->place.symbol, sizeof(e->place.symbol));
	case DROPS_RECORD_DEVICE:
		return ends(e->device.name, sizeof(e->device.name));
	case DROPS_RECORD_CARRIED:
		return is_group_key(e->carried.key, e->carried.key_len);
	case DROPS_RECORD_SUM:
		return e->sum.earlier < _DROPS_EARLIER_MAX;
	case DROPS_RECORD_LOST:
		return true;
	case _DROPS_RECORD_MAX:
		break;
	}
	return false;
}

int drops_decode(uint16_t type, const void *bytes, size_t len, void *ret_event)
{
	union drops_event *e = ret_event;

	if (type >= _DROPS_RECORD_MAX || !sizes[type] || len != sizes[type])
		return -EBADMSG;
	memset(e, 0, sizeof(*e));
	memcpy(e, bytes, len);
	return e->head.type == type && e->head.size == len && sane(e) ? 0 : -EBADMSG;
}
