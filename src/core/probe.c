// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "core/tables.h"

struct note {
	char *feature, *hook_set, *serves, *reason, *cure;
	enum weir_doctor_state state;
};

struct weir_probe {
	struct btf *btf;
	int cgroup_fd;
	const char *blocker;
	int blocker_errno;
	struct note *notes;
	unsigned n_notes;
};

static const char *const state_names[] = {
	[WEIR_DOCTOR_ON] = "on",
	[WEIR_DOCTOR_DEGRADED] = "degraded",
	[WEIR_DOCTOR_OFF] = "off",
	[WEIR_DOCTOR_UNAVAILABLE] = "unavailable",
};
_Static_assert(ARRAY_SIZE(state_names) == _WEIR_DOCTOR_STATE_MAX, "each state has its name");

static bool has_capability(cap_value_t cap)
{
	cap_flag_value_t on = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	if (!caps)
		return false;
	cap_get_flag(caps, cap, CAP_EFFECTIVE, &on);
	cap_free(caps);
	return on == CAP_SET;
}

static bool has_rights(void)
{
	/* CAP_SYS_ADMIN stood for the others until 5.8. */
	if (has_capability(CAP_SYS_ADMIN))
		return true;
	return has_capability(CAP_BPF) && has_capability(CAP_PERFMON) && has_capability(CAP_NET_ADMIN);
}

static void find_blocker(struct weir_probe *p)
{
	if (!has_rights()) {
		p->blocker = "loading BPF programs needs root (or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN): "
			     "run it with sudo";
		p->blocker_errno = EPERM;
	} else if (!p->btf) {
		p->blocker = "this kernel has no BTF at /sys/kernel/btf/vmlinux: "
			     "use one built with CONFIG_DEBUG_INFO_BTF=y, as distributions ship it";
		p->blocker_errno = EOPNOTSUPP;
	} else if (libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 0) {
		p->blocker = "this kernel has no BPF ring buffer: use 5.10 or newer";
		p->blocker_errno = EOPNOTSUPP;
	}
}

static int open_cgroup_root(void)
{
	_cleanup_fclose_ FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	if (!mounts)
		return -1;
	while ((m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			return open(m->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return -1;
}

/* WEIR_BTF names another file, so that a kernel without one can be tried. */
static struct btf *load_btf(void)
{
	const char *path = getenv("WEIR_BTF");
	struct btf *btf = path ? btf__parse(path, NULL) : btf__load_vmlinux_btf();

	return libbpf_get_error(btf) ? NULL : btf;
}

int weir_probe_new(struct weir_probe **ret)
{
	struct weir_probe *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->btf = load_btf();
	p->cgroup_fd = open_cgroup_root();
	find_blocker(p);
	*ret = p;
	return 0;
}

static void note_done(struct note *n)
{
	free(n->feature);
	free(n->hook_set);
	free(n->serves);
	free(n->reason);
	free(n->cure);
}

struct weir_probe *weir_probe_free(struct weir_probe *p)
{
	if (!p)
		return NULL;
	for (unsigned i = 0; i < p->n_notes; i++)
		note_done(&p->notes[i]);
	free(p->notes);
	btf__free(p->btf);
	weir_closep(&p->cgroup_fd);
	free(p);
	return NULL;
}

const char *weir_probe_blocker(const struct weir_probe *p, int *ret_errno)
{
	if (p->blocker)
		*ret_errno = p->blocker_errno;
	return p->blocker;
}

void weir_probe_settle(struct weir_probe *p)
{
	btf__free(p->btf);
	p->btf = NULL;
	weir_closep(&p->cgroup_fd);
	p->cgroup_fd = -1;
}

const struct btf *weir_probe_btf(const struct weir_probe *p)
{
	return p->btf;
}

bool weir_probe_tracepoint(const struct weir_probe *p, const char *name)
{
	char type[128];

	if (!p->btf)
		return false;
	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(p->btf, type, BTF_KIND_TYPEDEF) > 0;
}

int weir_probe_cgroup_fd(const struct weir_probe *p)
{
	return p->cgroup_fd;
}

static char *text_or_null(const char *s)
{
	return s ? strdup(s) : NULL;
}

void weir_probe_note(struct weir_probe *p, const char *feature, const char *hook_set,
		     enum weir_doctor_state state, const char *serves, const char *reason, const char *cure)
{
	struct note *more = reallocarray(p->notes, p->n_notes + 1, sizeof(*more));

	if (!more)
		return; /* a line of advice less */
	p->notes = more;
	p->notes[p->n_notes++] = (struct note){
		.feature = text_or_null(feature),
		.hook_set = text_or_null(hook_set),
		.serves = text_or_null(serves),
		.reason = text_or_null(reason),
		.cure = text_or_null(cure),
		.state = state,
	};
}

void weir_probe_snapshot(const struct weir_probe *p, struct weir_builder *b, uint64_t number)
{
	weir_builder_table(b, &weir_table_doctor);
	for (unsigned i = 0; i < p->n_notes; i++) {
		const struct note *n = &p->notes[i];

		weir_builder_row(b, WEIR_UID_HOST, number);
		weir_builder_text(b, DOCTOR_FEATURE, n->feature);
		weir_builder_text(b, DOCTOR_HOOK_SET, n->hook_set);
		weir_builder_text(b, DOCTOR_STATE, state_names[n->state]);
		weir_builder_text(b, DOCTOR_SERVES, n->serves);
		weir_builder_text(b, DOCTOR_REASON, n->reason);
		weir_builder_text(b, DOCTOR_CURE, n->cure);
	}
	weir_builder_table(b, &weir_table_features_info);
	for (unsigned i = 0; i < p->n_notes; i++) {
		const struct note *n = &p->notes[i];

		if (!n->hook_set)
			continue; /* remarks on a feature; only the feature itself is a metric */
		weir_builder_row(b, WEIR_UID_HOST, number);
		weir_builder_text(b, FEATURES_INFO_FEATURE, n->feature);
		weir_builder_text(b, FEATURES_INFO_STATE, state_names[n->state]);
		weir_builder_text(b, FEATURES_INFO_REASON, n->reason ? n->reason : "");
		weir_builder_uint(b, FEATURES_INFO_VALUE, 1);
	}
}
