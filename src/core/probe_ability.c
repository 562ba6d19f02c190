// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/probe_ability.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define BPF WEIR_RIGHT(CAP_BPF)
#define PERFMON WEIR_RIGHT(CAP_PERFMON)
#define NET_ADMIN WEIR_RIGHT(CAP_NET_ADMIN)
#define NOTHING _WEIR_ABILITY_MAX

struct ability {
	const char *name, *help;
	const char *absent;      /* NULL: "this kernel lacks" and the help */
	const char *cure;        /* then */
	uint64_t wants;          /* rights */
	enum weir_ability needs; /* NOTHING, or an earlier one without which it is not tried */
};

/* clang-format off */
static const struct ability abilities[] = {
	[WEIR_ABILITY_LOAD] = { "bpf", "loading BPF programs", NULL,
		"use a kernel with CONFIG_BPF_SYSCALL=y and CONFIG_BPF_EVENTS=y", BPF | PERFMON, NOTHING },
	[WEIR_ABILITY_BTF] = { "btf", "the description of the kernel's types (BTF)",
		"there is no BTF, the description of the kernel's types, at /sys/kernel/btf/vmlinux",
		"use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions ship it, and have /sys mounted",
		0, NOTHING },
	[WEIR_ABILITY_TP_BTF] = { "tp_btf", "programs on typed tracepoints", NULL,
		"use a kernel of 5.5 or newer with CONFIG_TRACEPOINTS=y", BPF | PERFMON, WEIR_ABILITY_BTF },
	[WEIR_ABILITY_READ_KERNEL] = { "read_kernel", "reading kernel memory in a program (bpf_probe_read_kernel)",
		NULL, "boot without lockdown=confidentiality; use a kernel of 5.5 or newer", BPF | PERFMON,
		WEIR_ABILITY_LOAD },
	[WEIR_ABILITY_RINGBUF] = { "ringbuf", "the BPF ring buffer", NULL, "use a kernel of 5.8 or newer", BPF,
		NOTHING },
	[WEIR_ABILITY_SK_STORAGE_TRACING] = { "sk_storage", "sums beside a socket, kept by a tracing program", NULL,
		"use a kernel of 5.11 or newer", BPF | PERFMON | NET_ADMIN, WEIR_ABILITY_TP_BTF },
	[WEIR_ABILITY_TASK_BTF] = { "task_btf", "the current task with its types (bpf_get_current_task_btf)", NULL,
		"use a kernel of 5.11 or newer", BPF | PERFMON, WEIR_ABILITY_LOAD },
	[WEIR_ABILITY_BPF_LOOP] = { "bpf_loop", "loops of a program (bpf_loop)", NULL,
		"use a kernel of 5.17 or newer", BPF | PERFMON, WEIR_ABILITY_LOAD },
	[WEIR_ABILITY_ITER_TASK] = { "iter_task", "the iterator over tasks", NULL, "use a kernel of 5.8 or newer",
		BPF | PERFMON, WEIR_ABILITY_BTF },
	[WEIR_ABILITY_ITER_TASK_FILE] = { "iter_task_file", "the iterator over the files of tasks", NULL,
		"use a kernel of 5.8 or newer", BPF | PERFMON, WEIR_ABILITY_BTF },
	[WEIR_ABILITY_ITER_SK_STORAGE] = { "iter_sk_storage", "the iterator over sockets with storage", NULL,
		"use a kernel of 5.9 or newer", BPF | PERFMON, WEIR_ABILITY_BTF },
	[WEIR_ABILITY_FENTRY] = { "fentry", "programs at the begin and end of kernel functions (fentry, fexit)", NULL,
		"use a kernel with CONFIG_FUNCTION_TRACER=y, CONFIG_DYNAMIC_FTRACE=y and the BPF JIT on",
		BPF | PERFMON, WEIR_ABILITY_BTF },
	[WEIR_ABILITY_KPROBE] = { "kprobe", "kprobes", NULL, "use a kernel with CONFIG_KPROBE_EVENTS=y, and have /sys mounted",
		BPF | PERFMON, WEIR_ABILITY_LOAD },
	[WEIR_ABILITY_READ_MAPS] = { "read_maps", "reading maps without a capability",
		"this kernel lets only CAP_BPF read maps, open or not", "use a kernel of 5.19 or newer", 0, NOTHING },
	[WEIR_ABILITY_CGROUP] = { "cgroup", "programs of a cgroup2 hierarchy", "no cgroup2 hierarchy is mounted",
		"mount -t cgroup2 none /sys/fs/cgroup", BPF | NET_ADMIN, NOTHING },
};
/* clang-format on */
_Static_assert(ARRAY_SIZE(abilities) == _WEIR_ABILITY_MAX, "each ability has its row");

const char *weir_ability_name(enum weir_ability a)
{
	return abilities[a].name;
}

const char *weir_ability_help(enum weir_ability a)
{
	return abilities[a].help;
}

enum weir_ability weir_ability_needs(enum weir_ability a)
{
	return abilities[a].needs;
}

enum weir_ability weir_ability_find(const char *name, size_t len)
{
	for (unsigned i = 0; i < _WEIR_ABILITY_MAX; i++)
		if (strlen(abilities[i].name) == len && !memcmp(abilities[i].name, name, len))
			return (enum weir_ability)i;
	return _WEIR_ABILITY_MAX;
}

/* Before 5.11 the memory of maps counts against RLIMIT_MEMLOCK; a helper of that version tells. */
static void ask_memlock(struct weir_rights *rights, int error)
{
	if (error == -EPERM || error == -ENOMEM)
		rights->memlock_counts =
			libbpf_probe_bpf_helper(BPF_PROG_TYPE_SOCKET_FILTER,
						BPF_FUNC_ktime_get_coarse_ns, NULL) == 0;
}

static void explain_absence(enum weir_ability which, int error, struct weir_why *ret)
{
	const struct ability *a = &abilities[which];

	snprintf(ret->cure, sizeof(ret->cure), "%s", a->cure);
	if (which == WEIR_ABILITY_KPROBE && error == -ENODATA) {
		snprintf(ret->reason, sizeof(ret->reason), "kprobes are switched off: one was made and does not fire");
		snprintf(ret->cure, sizeof(ret->cure), "echo 1 > /sys/kernel/debug/kprobes/enabled");
	} else if (a->absent && error == -ENOENT) {
		snprintf(ret->reason, sizeof(ret->reason), "%s", a->absent);
	} else {
		snprintf(ret->reason, sizeof(ret->reason), "this kernel lacks %s", a->help);
	}
}

void weir_ability_explain(enum weir_ability a, int error, struct weir_why *ret)
{
	const struct ability *row = &abilities[a];
	struct weir_rights rights;

	weir_rights_read(&rights);
	/* Where it is forbidden the kernel says that there is no such thing. */
	if (a == WEIR_ABILITY_READ_KERNEL && !strcmp(rights.lockdown, "confidentiality"))
		error = -EPERM;
	ask_memlock(&rights, error);
	if (!weir_rights_explain(&rights, error, row->wants, row->help, ret))
		explain_absence(a, error, ret);
}

void weir_refusal_explain(int error, struct weir_why *ret)
{
	struct weir_rights rights;

	weir_rights_read(&rights);
	ask_memlock(&rights, error);
	if (weir_rights_explain(&rights, error, BPF | PERFMON | NET_ADMIN, "this program", ret))
		return;
	snprintf(ret->reason, sizeof(ret->reason), "%s", strerror(error < 0 ? -error : error));
}
