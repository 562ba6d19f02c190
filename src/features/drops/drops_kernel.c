// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/drops/drops_kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "core/attach.h"
#include "core/kept.h"
#include "core/probe.h"
#include "features/drops/drops.skel.h"
#include "features/drops/drops_kept.h"

struct drops_kernel {
	struct drops_bpf *bpf;
	struct weir_attach *attach;
	struct drops_kept *kept; /* shared by the keeper's children */
	struct bpf_link *owners; /* borrowed from attach; NULL: owners are not known */
	struct drops_reason *reasons;
	unsigned n_reasons;
};

static const enum weir_ability needs[] = {
	WEIR_ABILITY_LOAD,	  WEIR_ABILITY_BTF,	WEIR_ABILITY_TP_BTF,
	WEIR_ABILITY_READ_KERNEL, WEIR_ABILITY_RINGBUF, _WEIR_ABILITY_MAX,
};

int drops_possible(const struct weir_probe *p, const char **ret_reason, const char **ret_cure)
{
	enum weir_ability lacks = weir_probe_lacks(p, needs);

	*ret_cure = NULL;
	if (lacks != _WEIR_ABILITY_MAX) {
		*ret_reason = weir_probe_reason(p, lacks);
		*ret_cure = weir_probe_cure(p, lacks);
		return -EOPNOTSUPP;
	}
	if (weir_probe_tracepoint(p, "kfree_skb"))
		return 0;
	*ret_reason = "this kernel lacks the tracepoint kfree_skb";
	return -EOPNOTSUPP;
}

static int reasons_possible(const struct weir_probe *p, const char **ret_reason)
{
	const char *cure;

	return drops_possible(p, ret_reason, &cure);
}

const struct weir_hook_set drops_hook_sets[] = {
	{
		.name = "reasons",
		.serves = "each packet that the kernel frees as lost, with its reason, place, device and owner",
		.possible = reasons_possible,
	},
	{},
};

static const struct {
	const char *program;
	const char *hook;
	const char *bpftrace;
} hooks[] = {
	{ "drops_freed", "tp_btf/kfree_skb", "tracepoint:skb:kfree_skb { @[args.reason, ksym(args.location)] = count(); }" },
	{ "drops_freed_reason", "tp_btf/kfree_skb",
	  "tracepoint:skb:kfree_skb { @[args.reason, ksym(args.location)] = count(); }" },
	{ "drops_freed_place", "tp_btf/kfree_skb", "tracepoint:skb:kfree_skb { @[ksym(args.location)] = count(); }" },
	{ "drops_queue_full", "tp_btf/sock_rcvqueue_full", "tracepoint:sock:sock_rcvqueue_full { @ = count(); }" },
	{ "drops_owners", "iter/task_file", NULL },
};

static uint32_t number_of(const struct drops_kernel *k, const char *name)
{
	for (unsigned i = 0; i < k->n_reasons; i++)
		if (!strcmp(k->reasons[i].name, name))
			return k->reasons[i].number;
	return UINT32_MAX;
}

/* Which variant loads depends on how many arguments this kernel's tracepoint has. */
static void choose(struct drops_kernel *k, const struct weir_probe *probe)
{
	int arguments = weir_probe_tracepoint_arity(probe, "kfree_skb");
	struct drops_bpf *b = k->bpf;

	b->rodata->have_receiver = arguments >= 4;
	b->rodata->reason_no_socket = number_of(k, "SKB_DROP_REASON_NO_SOCKET");
	b->rodata->reason_udp_csum = number_of(k, "SKB_DROP_REASON_UDP_CSUM");
	b->rodata->reason_not_specified = number_of(k, "SKB_DROP_REASON_NOT_SPECIFIED");
	bpf_program__set_autoload(b->progs.drops_freed, arguments >= 4);
	bpf_program__set_autoload(b->progs.drops_freed_reason, arguments == 3);
	bpf_program__set_autoload(b->progs.drops_freed_place, arguments < 3);
	bpf_program__set_autoload(b->progs.drops_queue_full,
				  arguments < 4 && weir_probe_tracepoint(probe, "sock_rcvqueue_full"));
	bpf_program__set_autoload(b->progs.drops_owners, weir_probe_has(probe, WEIR_ABILITY_ITER_TASK_FILE));
}

static int attach_hooks(struct drops_kernel *k, const char **ret_failed)
{
	for (unsigned i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct bpf_program *program = bpf_object__find_program_by_name(k->bpf->obj, hooks[i].program);
		struct bpf_link *link;
		int r;

		*ret_failed = hooks[i].hook;
		if (!program)
			return -ENOENT;
		if (!bpf_program__autoload(program))
			continue;
		link = bpf_program__attach(program);
		if (!link)
			return -errno;
		r = weir_attach_add(k->attach, "drops", program, link, hooks[i].hook, hooks[i].bpftrace);
		if (r < 0) {
			bpf_link__destroy(link);
			return r;
		}
		if (program == k->bpf->progs.drops_owners)
			k->owners = link;
	}
	return 0;
}

static int load(struct drops_kernel *k, const struct weir_probe *probe, const char **ret_failed)
{
	int r;

	*ret_failed = "the names of the reasons";
	r = drops_reasons_read(weir_probe_btf(probe), &k->reasons, &k->n_reasons);
	if (r < 0)
		return r;
	*ret_failed = "the object";
	k->bpf = drops_bpf__open();
	if (!k->bpf)
		return -errno;
	choose(k, probe);
	r = drops_bpf__load(k->bpf);
	if (r == 0)
		r = weir_attach_maps(k->attach, k->bpf->obj);
	return r < 0 ? r : attach_hooks(k, ret_failed);
}

static void note_limits(struct weir_probe *probe)
{
	int arguments = weir_probe_tracepoint_arity(probe, "kfree_skb");

	if (arguments < 3)
		weir_probe_note(probe, "drops: reasons", NULL, WEIR_DOCTOR_DEGRADED, NULL,
				"this kernel tells no reasons, only the places in its code", "use kernel 5.17 or newer");
	else if (arguments < 4)
		weir_probe_note(probe, "drops: owners", NULL, WEIR_DOCTOR_DEGRADED, NULL,
				"this kernel does not tell the socket that a lost packet was for: its owner is found by "
				"the local port, so that of processes which share one, one is shown",
				"use kernel 6.11 or newer");
	if (!weir_probe_has(probe, WEIR_ABILITY_ITER_TASK_FILE))
		weir_probe_note(probe, "drops: owners", NULL, WEIR_DOCTOR_DEGRADED, NULL,
				weir_probe_reason(probe, WEIR_ABILITY_ITER_TASK_FILE),
				weir_probe_cure(probe, WEIR_ABILITY_ITER_TASK_FILE));
	weir_probe_note(probe, "drops: devices of other namespaces", NULL, WEIR_DOCTOR_DEGRADED, NULL,
			"the errors that interfaces count themselves are read in the daemon's own network namespace; "
			"packets that the kernel frees are seen in all",
			NULL);
}

int drops_kernel_load(struct weir_attach *attach, struct weir_probe *probe, const char *forced_set, void **ret_kernel)
{
	unsigned before = weir_attach_count(attach);
	const char *reason, *failed = "", *cure = NULL;
	struct drops_kernel *k;
	char text[512];
	int r;

	if (forced_set && strcmp(forced_set, drops_hook_sets[0].name)) {
		weir_probe_note(probe, "drops", forced_set, WEIR_DOCTOR_UNAVAILABLE, NULL,
				"there is no hook set of this name", "use drops:reasons, or leave --hooks away");
		return -EOPNOTSUPP;
	}
	if (drops_possible(probe, &reason, &cure) < 0) {
		weir_probe_note(probe, "drops", "reasons", WEIR_DOCTOR_UNAVAILABLE, NULL, reason, cure);
		return -EOPNOTSUPP;
	}
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->attach = attach;
	k->kept = weir_kept_map(sizeof(*k->kept));
	if (!k->kept) {
		free(k);
		return -ENOMEM;
	}
	r = load(k, probe, &failed);
	if (r < 0) {
		snprintf(text, sizeof(text), "the kernel refused %s: %s", failed, weir_probe_refusal(probe, r, &cure));
		weir_probe_note(probe, "drops", "reasons", WEIR_DOCTOR_UNAVAILABLE, NULL, text, cure);
		weir_attach_undo(attach, before);
		drops_kernel_unload(k);
		return r;
	}
	weir_probe_note(probe, "drops", "reasons", WEIR_DOCTOR_ON, drops_hook_sets[0].serves, NULL, NULL);
	note_limits(probe);
	*ret_kernel = k;
	return 0;
}

void drops_kernel_leave(void *kernel)
{
	struct drops_kernel *k = kernel;

	munmap(k->kept, sizeof(*k->kept));
	if (k->bpf->bss)
		munmap(k->bpf->bss, sizeof(*k->bpf->bss)); /* with all of its last page */
}

void drops_kernel_unload(void *kernel)
{
	struct drops_kernel *k = kernel;

	if (!k)
		return;
	drops_bpf__destroy(k->bpf);
	munmap(k->kept, sizeof(*k->kept));
	free(k->reasons);
	free(k);
}

struct bpf_program *drops_kernel_program(const struct drops_kernel *k)
{
	struct bpf_program *variants[] = { k->bpf->progs.drops_freed, k->bpf->progs.drops_freed_reason };

	for (unsigned i = 0; i < ARRAY_SIZE(variants); i++)
		if (bpf_program__autoload(variants[i]))
			return variants[i];
	return k->bpf->progs.drops_freed_place;
}

int drops_kernel_sums(const struct drops_kernel *k)
{
	return bpf_map__fd(k->bpf->maps.drops_sums);
}

int drops_kernel_crowds(const struct drops_kernel *k)
{
	return bpf_map__fd(k->bpf->maps.drops_crowds);
}

int drops_kernel_plain(const struct drops_kernel *k)
{
	return bpf_map__fd(k->bpf->maps.drops_plain);
}

int drops_kernel_places(const struct drops_kernel *k)
{
	return bpf_map__fd(k->bpf->maps.drops_places);
}

int drops_kernel_devices(const struct drops_kernel *k)
{
	return bpf_map__fd(k->bpf->maps.drops_devices);
}

int drops_kernel_ring(const struct drops_kernel *k)
{
	return bpf_map__fd(k->bpf->maps.drops_ring);
}

int drops_kernel_wanted(const struct drops_kernel *k)
{
	return bpf_map__fd(k->bpf->maps.drops_wanted);
}

int drops_kernel_owners(const struct drops_kernel *k)
{
	return k->owners ? bpf_link__fd(k->owners) : -1;
}

uint64_t drops_missed(const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len) < 0 ? 0 : info.recursion_misses;
}

struct drops_control *drops_kernel_control(const struct drops_kernel *k)
{
	return &k->bpf->bss->control;
}

struct drops_kept *drops_kernel_kept(const struct drops_kernel *k)
{
	return k->kept;
}

struct weir_attach *drops_kernel_attach(const struct drops_kernel *k)
{
	return k->attach;
}

const struct drops_reason *drops_kernel_reasons(const struct drops_kernel *k, unsigned *ret_n)
{
	*ret_n = k->n_reasons;
	return k->reasons;
}
