// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "core/attach.h"
#include "core/probe.h"
#include "features/traffic/traffic_abi.h"
#include "features/traffic/traffic_kernel_private.h"

static int sock_possible(const struct weir_probe *p, const char **ret_reason)
{
	if (weir_probe_tracepoint(p, "sock_send_length") && weir_probe_tracepoint(p, "sock_recv_length"))
		return 0;
	*ret_reason = "this kernel lacks the tracepoints sock_send_length and sock_recv_length: use 6.3 or newer";
	return -EOPNOTSUPP;
}

const struct weir_hook_set traffic_hook_sets[] = {
	{
		.name = "sock",
		.serves = "each byte that a process hands to or takes from a socket, by every call, held against "
			  "TCP's own counters",
		.possible = sock_possible,
	},
	{},
};

/* What each program hangs on, and the line that shows the same to who wants to check. */
enum hook_kind { HOOK_TRACE, HOOK_CGROUP, HOOK_SOCKETS, HOOK_ITER };

struct hook {
	const char *program;
	const char *hook;
	const char *bpftrace;
	enum hook_kind kind;
};

static const struct hook hooks[] = {
	{ "traffic_destroy", "tp_btf/tcp_destroy_sock", "tracepoint:tcp:tcp_destroy_sock { @ = count(); }" },
	{ "traffic_receive_reset", "tp_btf/tcp_receive_reset",
	  "tracepoint:tcp:tcp_receive_reset { @[args.dport] = count(); }" },
	{ "traffic_send_reset", "tp_btf/tcp_send_reset",
	  "tracepoint:tcp:tcp_send_reset { @[args.dport] = count(); }" },
	{ "traffic_exec", "tp_btf/sched_process_exec",
	  "tracepoint:sched:sched_process_exec { printf(\"%d %s\\n\", pid, str(args.filename)); }" },
	{ "traffic_rename", "tp_btf/task_rename",
	  "tracepoint:task:task_rename { printf(\"%d %s\\n\", args.pid, args.newcomm); }" },
	{ "traffic_exit", "tp_btf/sched_process_exit",
	  "tracepoint:sched:sched_process_exit { printf(\"%d %s\\n\", pid, comm); }" },
	{ "traffic_release", "cgroup/sock_release", NULL, HOOK_CGROUP },
	{ "traffic_sendmsg4", "cgroup/sendmsg4", NULL, HOOK_CGROUP },
	{ "traffic_sendmsg6", "cgroup/sendmsg6", NULL, HOOK_CGROUP },
	{ "traffic_recvmsg4", "cgroup/recvmsg4", NULL, HOOK_CGROUP },
	{ "traffic_recvmsg6", "cgroup/recvmsg6", NULL, HOOK_CGROUP },
	{ "traffic_seed", "iter/task_file", NULL, HOOK_ITER },
	{ "traffic_sweep", "iter/bpf_sk_storage_map", NULL, HOOK_SOCKETS },
	{ "traffic_names", "iter/task", NULL, HOOK_ITER },
	{ "traffic_send", "tp_btf/sock_send_length",
	  "tracepoint:sock:sock_send_length /args.ret > 0/ { @tx[pid, comm] = sum(args.ret); }" },
	{ "traffic_receive", "tp_btf/sock_recv_length",
	  "tracepoint:sock:sock_recv_length /args.ret > 0/ { @rx[pid, comm] = sum(args.ret); }" },
	{ "traffic_state", "tp_btf/inet_sock_set_state",
	  "tracepoint:sock:inet_sock_set_state { @[args.oldstate, args.newstate] = count(); }" },
};

static int attach_hook(struct traffic_kernel *k, const struct hook *h, struct bpf_program *program, int cgroup_fd,
		       struct bpf_link **ret)
{
	union bpf_iter_link_info info = { .map.map_fd = (uint32_t)bpf_map__fd(k->bpf->maps.sockets) };
	LIBBPF_OPTS(bpf_iter_attach_opts, iter, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link = NULL;

	switch (h->kind) {
	case HOOK_TRACE:
		link = bpf_program__attach(program);
		break;
	case HOOK_CGROUP:
		link = bpf_program__attach_cgroup(program, cgroup_fd);
		break;
	case HOOK_SOCKETS:
		link = bpf_program__attach_iter(program, &iter);
		break;
	case HOOK_ITER:
		link = bpf_program__attach_iter(program, NULL);
		break;
	}
	if (!link)
		return -errno;
	*ret = link;
	return 0;
}

/* In the order of the table: ends first, so that nothing that is counted ends unseen; then the sums; begins last, so
 * that no connection whose begin was seen moves a byte that is not counted. */
int traffic_kernel_attach(struct traffic_kernel *k, int cgroup_fd, const char **ret_failed)
{
	for (unsigned i = 0; i < ARRAY_SIZE(hooks); i++) {
		const struct hook *h = &hooks[i];
		struct bpf_program *program = bpf_object__find_program_by_name(k->bpf->obj, h->program);
		struct bpf_link *link = NULL;
		int r;

		*ret_failed = h->hook;
		if (!program)
			return -ENOENT;
		if (!bpf_program__autoload(program))
			continue;
		r = attach_hook(k, h, program, cgroup_fd, &link);
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

static void note_limits(struct weir_probe *probe, bool cgroups)
{
	weir_probe_note(probe, "traffic: splice and zero-copy receive", NULL, WEIR_DOCTOR_DEGRADED,
			"exact per socket by TCP's counters; credited to the socket's one user",
			"splice() from a socket and TCP_ZEROCOPY_RECEIVE pass no hook of this set: where several "
			"processes use the socket the bytes are the remainder shared_bypass",
			NULL);
	weir_probe_note(probe, "traffic: splice from a Unix socket", NULL, WEIR_DOCTOR_DEGRADED, NULL,
			"splice() out of a Unix socket passes no hook of this set and Unix sockets have no "
			"counters of their own: such bytes are missing from by_transport.unix",
			NULL);
	weir_probe_note(probe, "traffic: MSG_TRUNC on datagrams", NULL, WEIR_DOCTOR_DEGRADED, NULL,
			"the call returns the datagram's length, not how much was copied: such receives are the "
			"remainder cut_datagrams and not in rx_bytes",
			NULL);
	if (cgroups)
		return;
	weir_probe_note(probe, "traffic: UDP", NULL, WEIR_DOCTOR_DEGRADED, "sums per socket and process",
			"no cgroup2 hierarchy is mounted: peers of unconnected sockets are not told apart, and "
			"what a UDP socket moved in its last second may be missing",
			"mount -t cgroup2 none /sys/fs/cgroup/unified");
}

static int load(struct traffic_kernel *k, struct weir_probe *probe, const char **ret_failed)
{
	int cgroup_fd = weir_probe_cgroup_fd(probe), r;

	*ret_failed = "the object";
	k->bpf = traffic_bpf__open();
	if (!k->bpf)
		return -errno;
	if (cgroup_fd < 0) {
		struct bpf_program *p;

		bpf_object__for_each_program(p, k->bpf->obj)
			if (!strncmp(bpf_program__section_name(p), "cgroup/", strlen("cgroup/")))
				bpf_program__set_autoload(p, false);
	}
	r = traffic_bpf__load(k->bpf);
	if (r < 0)
		return r;
	r = weir_attach_maps(k->attach, k->bpf->obj);
	if (r < 0)
		return r;
	return traffic_kernel_attach(k, cgroup_fd, ret_failed);
}

int traffic_kernel_load(struct weir_attach *attach, struct weir_probe *probe, const char *forced_set,
			void **ret_kernel)
{
	const struct weir_hook_set *set = NULL;
	const char *reason = NULL, *failed = "";
	unsigned before = weir_attach_count(attach);
	struct traffic_kernel *k;
	char text[256];
	int r;

	for (const struct weir_hook_set *s = traffic_hook_sets; s->name && !set; s++) {
		if (forced_set && strcmp(forced_set, s->name))
			continue;
		if (s->possible(probe, &reason) == 0)
			set = s;
	}
	if (!set) {
		weir_probe_note(probe, "traffic", forced_set ? forced_set : "none", WEIR_DOCTOR_UNAVAILABLE, NULL,
				reason ? reason : "there is no hook set of this name",
				reason ? NULL : "leave --hooks away, or use one that weir doctor names");
		return -EOPNOTSUPP;
	}
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->attach = attach;
	k->kept = mmap(NULL, sizeof(*k->kept), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (k->kept == MAP_FAILED) {
		free(k);
		return -ENOMEM;
	}
	r = load(k, probe, &failed);
	if (r < 0) {
		snprintf(text, sizeof(text), "the kernel refused %s: %s", failed, strerror(-r));
		weir_probe_note(probe, "traffic", set->name, WEIR_DOCTOR_UNAVAILABLE, NULL, text,
				r == -EPERM || r == -EACCES ?
					"run it as root; in a container add CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN" :
					NULL);
		weir_attach_undo(attach, before);
		traffic_kernel_unload(k);
		return r;
	}
	weir_probe_note(probe, "traffic", set->name, WEIR_DOCTOR_ON, set->serves, NULL, NULL);
	note_limits(probe, weir_probe_cgroup_fd(probe) >= 0);
	*ret_kernel = k;
	return 0;
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
