// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "features/drops/drops_kernel.h"

/* The number of a reason differs from kernel to kernel; its name is in the running kernel's own types. Subsystems have
 * ranges of their own (SKB_DROP_REASON_SUBSYS_MASK), whose names may be in a module's. */

static const struct {
	const char *module; /* NULL: the kernel itself */
	const char *type;
} places[] = {
	{ NULL, "skb_drop_reason" },
	{ NULL, "mac80211_drop_reason" },
	{ NULL, "ovs_drop_reason" },
	{ "mac80211", "mac80211_drop_reason" },
	{ "openvswitch", "ovs_drop_reason" },
};

struct drops_names_found {
	struct drops_reason *all;
	unsigned n;
};

static int add(struct drops_names_found *to, uint32_t number, const char *name)
{
	struct drops_reason *r = reallocarray(to->all, to->n + 1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	to->all = r;
	r += to->n++;
	*r = (struct drops_reason){ .head = { DROPS_RECORD_REASON, sizeof(*r) }, .number = number };
	strncpy(r->name, name, sizeof(r->name) - 1);
	return 0;
}

static int add_type(struct drops_names_found *to, const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_ENUM), e = 0;
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	const struct btf_enum *values = t ? btf_enum(t) : NULL;

	for (unsigned i = 0; t && i < btf_vlen(t) && !e; i++)
		e = add(to, (uint32_t)values[i].val, btf__name_by_offset(btf, values[i].name_off));
	return e;
}

int drops_reasons_read(const struct btf *kernel, struct drops_reason **ret, unsigned *ret_n)
{
	struct drops_names_found all = {};
	int e = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(places) && !e; i++) {
		struct btf *module = NULL;

		if (!places[i].module) {
			e = add_type(&all, kernel, places[i].type);
			continue;
		}
		module = btf__load_module_btf(places[i].module, (struct btf *)kernel);
		if (module)
			e = add_type(&all, module, places[i].type);
		btf__free(module);
	}
	if (e < 0) {
		free(all.all);
		return e;
	}
	*ret = all.all;
	*ret_n = all.n;
	return 0;
}
