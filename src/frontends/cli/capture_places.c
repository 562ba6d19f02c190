// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/capture_places.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "frontends/export/pcapng.h"

static uint32_t add(struct capture_places *p, const struct capture_place *place, const char *name,
		    const char *description, struct weir_buf *out)
{
	const struct weir_pcapng_interface i = {
		.name = name,
		.description = description,
		.filter = p->filter,
		.link = p->link,
		.snap_bytes = p->snap_bytes,
	};

	weir_pcapng_interface(out, &i);
	p->list[p->n] = *place;
	return p->n++;
}

uint32_t capture_places_add(struct capture_places *p, const char *name, const char *description, struct weir_buf *out)
{
	const struct capture_place nowhere = {};

	return p->n < CAPTURE_PLACES_MAX ? add(p, &nowhere, name, description, out) : 0;
}

uint32_t capture_places_find(const struct capture_places *p, uint32_t netns, uint32_t ifindex)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->list[i].ifindex == ifindex && p->list[i].netns == netns && ifindex)
			return i;
	return CAPTURE_PLACE_NONE;
}

uint32_t capture_places_add_device(struct capture_places *p, uint32_t netns, uint32_t ifindex, const char *name,
				   uint32_t otherwise, struct weir_buf *out)
{
	struct capture_place place = { .netns = netns, .ifindex = ifindex };
	struct weir_buf shown = {};
	char elsewhere[64] = "";
	uint32_t n = otherwise;

	if (p->n >= CAPTURE_PLACES_MAX)
		return otherwise;
	if (*name)
		weir_text_escape_terminal(&shown, name, WEIR_TEXT_UNLIMITED);
	else
		weir_buf_printf(&shown, "device %u", ifindex);
	if (netns != p->own_netns)
		snprintf(elsewhere, sizeof(elsewhere), "in network namespace %u", netns);
	snprintf(place.name, sizeof(place.name), "%s", name);
	if (shown.data && !shown.error)
		n = add(p, &place, shown.data, elsewhere, out);
	weir_buf_done(&shown);
	return n;
}
