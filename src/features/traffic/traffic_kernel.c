// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_kernel.h"

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
#include "features/traffic/traffic_abi.h"
#include "features/traffic/traffic_hooks.h"
#include "features/traffic/traffic_kernel_private.h"

/* Why the hook is not there. Borrowed until the next call. */
static const char *missing_hook(const struct weir_probe *p, const struct traffic_hook *h)
{
	const char *kind = h->kind == TRAFFIC_HOOK_TRACEPOINT ? "tracepoint" : "function";
	const char *name = traffic_hook_target(h);
	static char text[128];

	if (weir_probe_pretends(p, kind, name))
		snprintf(text, sizeof(text), "the %s %s is switched off by --without", kind, name);
	else
		snprintf(text, sizeof(text), "this kernel lacks the %s %s", kind, name);
	return text;
}

static void note_loss(struct weir_probe *probe, const struct traffic_hook *h, const char *reason)
{
	char feature[128], text[256];

	if (h->weight != TRAFFIC_HOOK_EXTRA)
		return;
	snprintf(feature, sizeof(feature), "traffic: %s", traffic_hook_target(h));
	snprintf(text, sizeof(text), "%s: %s", reason, h->loss);
	weir_probe_note(probe, feature, NULL, WEIR_DOCTOR_DEGRADED, NULL, text, NULL);
}

/* The sets' own hooks are there, and so is what every set needs. */
static int possible(const struct weir_probe *p, unsigned set, const char **ret_reason)
{
	for (size_t i = 0; i < n_traffic_hooks; i++) {
		const struct traffic_hook *h = &traffic_hooks[i];

		if (!(h->sets & set) || h->weight != TRAFFIC_HOOK_REQUIRED ||
		    traffic_hook_there(h, p, true))
			continue;
		*ret_reason = missing_hook(p, h);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int sock_possible(const struct weir_probe *p, const char **ret_reason)
{
	bool pretended = weir_probe_pretends(p, "tracepoint", "sock_send_length") ||
			 weir_probe_pretends(p, "tracepoint", "sock_recv_length");

	if (pretended || (weir_probe_tracepoint(p, "sock_send_length") &&
			  weir_probe_tracepoint(p, "sock_recv_length")))
		return possible(p, TRAFFIC_SET_SOCK, ret_reason);
	*ret_reason =
		"this kernel lacks the tracepoints sock_send_length and sock_recv_length: use "
		"6.3 or newer";
	return -EOPNOTSUPP;
}

static int fentry_possible(const struct weir_probe *p, const char **ret_reason)
{
	if (weir_probe_has(p, WEIR_ABILITY_FENTRY))
		return possible(p, TRAFFIC_SET_FENTRY, ret_reason);
	*ret_reason = weir_probe_reason(p, WEIR_ABILITY_FENTRY);
	return -EOPNOTSUPP;
}

static int kprobe_possible(const struct weir_probe *p, const char **ret_reason)
{
	if (weir_probe_has(p, WEIR_ABILITY_KPROBE))
		return possible(p, TRAFFIC_SET_KPROBE, ret_reason);
	*ret_reason = weir_probe_reason(p, WEIR_ABILITY_KPROBE);
	return -EOPNOTSUPP;
}

/* In the order of the bits of enum traffic_set. */
const struct weir_hook_set traffic_hook_sets[] = {
	{
		.name = "sock",
		.serves =
			"each byte that a process hands to or takes from a socket, by every call, "
			"held against TCP's own counters",
		.possible = sock_possible,
	},
	{
		.name = "tcp-fentry",
		.serves = "each byte that a process hands to or takes from a socket, by the "
			  "protocols' "
			  "own functions and TCP's own counters",
		.possible = fentry_possible,
	},
	{
		.name = "tcp-kprobe",
		.serves = "each byte that a process hands to or takes from a socket, by probes on "
			  "the "
			  "protocols' own functions and TCP's own counters",
		.possible = kprobe_possible,
	},
	{},
};

static int attach_hook(struct traffic_kernel *k, const struct traffic_hook *h,
		       struct bpf_program *program, int cgroup_fd, struct bpf_link **ret)
{
	union bpf_iter_link_info info = { .map.map_fd =
						  (uint32_t)bpf_map__fd(k->bpf->maps.sockets) };
	LIBBPF_OPTS(bpf_iter_attach_opts, iter, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link = NULL;

	switch (h->kind) {
	case TRAFFIC_HOOK_TRACEPOINT:
	case TRAFFIC_HOOK_FUNCTION:
		link = bpf_program__attach(program);
		break;
	case TRAFFIC_HOOK_CGROUP:
		link = bpf_program__attach_cgroup(program, cgroup_fd);
		break;
	case TRAFFIC_HOOK_SOCKETS:
		link = bpf_program__attach_iter(program, &iter);
		break;
	case TRAFFIC_HOOK_ITERATOR:
		link = bpf_program__attach_iter(program, NULL);
		break;
	}
	if (!link)
		return -errno;
	*ret = link;
	return 0;
}

int traffic_kernel_attach(struct traffic_kernel *k, struct weir_probe *probe, int cgroup_fd,
			  const char **ret_failed)
{
	for (size_t i = 0; i < n_traffic_hooks; i++) {
		const struct traffic_hook *h = &traffic_hooks[i];
		struct bpf_program *program =
			bpf_object__find_program_by_name(k->bpf->obj, h->program);
		struct bpf_link *link = NULL;
		int r;

		*ret_failed = h->hook;
		if (!program)
			return -ENOENT;
		if (!bpf_program__autoload(program))
			continue;
		r = attach_hook(k, h, program, cgroup_fd, &link);
		if (r < 0 && h->weight != TRAFFIC_HOOK_REQUIRED) {
			note_loss(probe, h, strerror(-r));
			continue;
		}
		if (r < 0)
			return r;
		r = weir_attach_add(k->attach, "traffic", program, link, h->hook, h->bpftrace);
		if (r < 0) {
			bpf_link__destroy(link);
			return r;
		}
		if (!strcmp(h->program, "traffic_seed"))
			k->seed = link;
		else if (!strcmp(h->program, "traffic_sweep"))
			k->sweep = link;
		else if (!strcmp(h->program, "traffic_names"))
			k->names = link;
	}
	return 0;
}

/* Without programs of a cgroup: why, and what of UDP is not told then. */
static void note_no_cgroup(struct weir_probe *probe)
{
	const char *why = weir_probe_reason(probe, WEIR_ABILITY_CGROUP);
	char text[512];

	snprintf(text, sizeof(text), "%s: UDP and MPTCP sockets have no rows in flows",
		 why ? why : "no cgroup2 hierarchy can be used");
	weir_probe_note(probe, "traffic: UDP", NULL, WEIR_DOCTOR_DEGRADED, "sums per process", text,
			weir_probe_cure(probe, WEIR_ABILITY_CGROUP));
}

static void note_limits(struct weir_probe *probe, unsigned set, bool cgroups)
{
	if (set == TRAFFIC_SET_SOCK) {
		weir_probe_note(
			probe, "traffic: splice and zero-copy receive", NULL, WEIR_DOCTOR_DEGRADED,
			"exact per socket by TCP's counters; credited to the socket's one user",
			"splice() from a socket and TCP_ZEROCOPY_RECEIVE pass no hook of this set: "
			"where "
			"several processes use the socket the bytes are the remainder "
			"shared_bypass",
			NULL);
		weir_probe_note(
			probe, "traffic: splice from a Unix socket", NULL, WEIR_DOCTOR_DEGRADED,
			NULL,
			"splice() out of a Unix socket passes no hook of this set and Unix sockets "
			"have "
			"no counters of their own: such bytes are missing from by_transport.unix",
			NULL);
		weir_probe_note(probe, "traffic: MSG_TRUNC on datagrams", NULL,
				WEIR_DOCTOR_DEGRADED, NULL,
				"the call returns the datagram's length, not how much was copied: "
				"such receives are the remainder cut_datagrams and not in rx_bytes",
				NULL);
	} else {
		weir_probe_note(probe, "traffic: receives under way", NULL, WEIR_DOCTOR_DEGRADED,
				NULL,
				"a receive from an MPTCP, raw or Unix datagram socket that was "
				"waiting when weir "
				"began is not counted",
				NULL);
	}
	if (set == TRAFFIC_SET_KPROBE)
		weir_probe_note(probe, "traffic: many calls at once", NULL, WEIR_DOCTOR_DEGRADED,
				"TCP is exact by its own counters",
				"the kernel follows ten calls of one function (twice the "
				"processors where that is "
				"more) until they return: what more MPTCP, raw and Unix datagram "
				"receives, or "
				"sends that wait for room, move at the same time is not counted",
				"use a kernel with fentry, or 6.3 and newer");
	if (!cgroups)
		note_no_cgroup(probe);
}

/* Loads only what this set and this kernel have; says what is lost. */
static int choose_programs(struct traffic_kernel *k, struct weir_probe *probe, unsigned set,
			   bool cgroups)
{
	for (size_t i = 0; i < n_traffic_hooks; i++) {
		const struct traffic_hook *h = &traffic_hooks[i];
		struct bpf_program *program =
			bpf_object__find_program_by_name(k->bpf->obj, h->program);
		bool there = h->sets & set && traffic_hook_there(h, probe, cgroups);

		if (!program)
			return -ENOENT;
		bpf_program__set_autoload(program, there);
		if (h->sets & set && !there)
			note_loss(probe, h, missing_hook(probe, h));
	}
	return 0;
}

/* Whether udp_recvmsg() and its like have the parameter noblock before their flags, as before 5.19.
 */
static bool receive_noblock(const struct weir_probe *probe)
{
	return weir_probe_function_arity(probe, "udp_recvmsg") == 6;
}

static int choose_maps(struct traffic_kernel *k, struct weir_probe *probe, unsigned set,
		       bool cgroups)
{
	struct traffic_bpf__rodata *fixed = k->bpf->rodata;
	int r = 0;

	k->set = set;
	fixed->have_ring = weir_probe_has(probe, WEIR_ABILITY_RINGBUF);
	fixed->have_loop = weir_probe_has(probe, WEIR_ABILITY_BPF_LOOP);
	fixed->calls_apart = set == TRAFFIC_SET_KPROBE;
	fixed->ends_seen = cgroups;
	fixed->receive_noblock = receive_noblock(probe);
	if (!fixed->have_ring) {
		weir_probe_note(probe, "traffic: news", NULL, WEIR_DOCTOR_DEGRADED,
				"every byte of a process, once a second; sockets that are open then",
				weir_probe_reason(probe, WEIR_ABILITY_RINGBUF),
				weir_probe_cure(probe, WEIR_ABILITY_RINGBUF));
		r = bpf_map__set_autocreate(k->bpf->maps.news, false);
	}
	if (!r && set != TRAFFIC_SET_KPROBE)
		r = bpf_map__set_autocreate(k->bpf->maps.calls, false);
	if (!r && set != TRAFFIC_SET_KPROBE)
		r = bpf_map__set_autocreate(k->bpf->maps.in_call, false);
	if (!r && set != TRAFFIC_SET_FENTRY)
		r = bpf_map__set_autocreate(k->bpf->maps.wanted, false);
	return r;
}

static int load(struct traffic_kernel *k, struct weir_probe *probe, unsigned set,
		const char **ret_failed)
{
	int cgroup_fd = weir_probe_cgroup_fd(probe), r;

	*ret_failed = "the object";
	k->bpf = traffic_bpf__open();
	if (!k->bpf)
		return -errno;
	r = choose_programs(k, probe, set, cgroup_fd >= 0);
	if (r < 0)
		return r;
	r = choose_maps(k, probe, set, cgroup_fd >= 0);
	if (r < 0)
		return r;
	r = traffic_bpf__load(k->bpf);
	if (r < 0)
		return r;
	r = weir_attach_maps(k->attach, k->bpf->obj);
	if (r < 0)
		return r;
	return traffic_kernel_attach(k, probe, cgroup_fd, ret_failed);
}

static int try_set(struct weir_attach *attach, struct weir_probe *probe, unsigned i,
		   struct traffic_kernel **ret, const char **ret_failed)
{
	unsigned before = weir_attach_count(attach);
	struct traffic_kernel *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	k->attach = attach;
	k->kept = weir_kept_map(sizeof(*k->kept));
	if (!k->kept) {
		free(k);
		return -ENOMEM;
	}
	r = load(k, probe, 1u << i, ret_failed);
	if (r < 0) {
		weir_attach_undo(attach, before);
		traffic_kernel_unload(k);
		return r;
	}
	*ret = k;
	return 0;
}

/* The best set that is possible, and then really loads and attaches. */
int traffic_kernel_load(struct weir_attach *attach, struct weir_probe *probe,
			const char *forced_set, void **ret_kernel)
{
	const char *reason = NULL, *failed = "", *cure = NULL;
	struct traffic_kernel *k = NULL;
	int r = -EOPNOTSUPP;

	for (unsigned i = 0; traffic_hook_sets[i].name; i++) {
		const struct weir_hook_set *s = &traffic_hook_sets[i];
		const char *why;
		char text[256];

		if (forced_set && strcmp(forced_set, s->name))
			continue;
		if (s->possible(probe, &why) < 0) {
			if (!reason)
				reason = why; /* of the best one */
			continue;
		}
		r = try_set(attach, probe, i, &k, &failed);
		if (r < 0) {
			snprintf(text, sizeof(text), "the kernel refused %s: %s", failed,
				 weir_probe_refusal(probe, r, &cure));
			weir_probe_note(probe, "traffic", s->name, WEIR_DOCTOR_UNAVAILABLE, NULL,
					text, cure);
			if (r == -ENOMEM || forced_set)
				return r;
			continue;
		}
		weir_probe_note(probe, "traffic", s->name, WEIR_DOCTOR_ON, s->serves, NULL, NULL);
		note_limits(probe, 1u << i, weir_probe_cgroup_fd(probe) >= 0);
		*ret_kernel = k;
		return 0;
	}
	if (r == -EOPNOTSUPP)
		weir_probe_note(
			probe, "traffic", forced_set ? forced_set : "none", WEIR_DOCTOR_UNAVAILABLE,
			NULL, reason ? reason : "there is no hook set of this name",
			reason ? NULL : "leave --hooks away, or use one that weir doctor names");
	return r;
}

void traffic_kernel_leave(void *kernel)
{
	struct traffic_kernel *k = kernel;

	munmap(k->kept, sizeof(*k->kept));
	if (k->bpf->bss)
		munmap(k->bpf->bss, sizeof(*k->bpf->bss)); /* with all of its last page */
}

void traffic_kernel_unload(void *kernel)
{
	struct traffic_kernel *k = kernel;

	if (!k)
		return;
	traffic_bpf__destroy(k->bpf);
	munmap(k->kept, sizeof(*k->kept));
	free(k);
}
