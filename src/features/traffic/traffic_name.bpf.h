// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "features/traffic/traffic_maps.bpf.h"

/* Who a process is: taken when it first uses a socket, in its own context, so that one that lives for a
 * millisecond has its name too. */

#define PATH_PARTS 20
#define PATH_ROOM 512

/* Where a path is put together before it goes into the record; too large for the stack. */
struct traffic_scratch {
	const void *part[PATH_PARTS];
	char path[PATH_ROOM + TRAFFIC_PATH];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct traffic_scratch);
} scratch SEC(".maps");

/* A record for the iterator's output. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct traffic_process);
} spare_process SEC(".maps");

/* These are global functions: the verifier looks at each once, not once for every way to reach it. They take
 * kernel pointers as numbers, since all they do with them is read (with the fault handled). */

/* The walks are bpf_loop()s: the verifier looks at one step, where it would go through every turn of a plain loop, in
 * each program anew. That was most of the time that loading took. */

static __always_inline struct traffic_scratch *scratch_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

/* Kernels up to 6.1 forget what is known of a number as soon as it is kept on the stack: the check stands beside the
 * use, and the compiler may not move it. */
static __always_inline void path_part(struct traffic_scratch *s, __u32 i, const void *name)
{
	barrier_var(i);
	if (i < PATH_PARTS)
		s->part[i] = name;
}

/* Kernels before 5.17 have no bpf_loop(): there each turn is looked at. */
#define walk(n, most, step, w)                                        \
	do {                                                          \
		if (have_loop)                                        \
			bpf_loop(n, step, w, 0);                      \
		else                                                  \
			for (__u32 _i = 0; _i < (most); _i++)         \
				if (_i >= (n) || step(_i, w))         \
					break;                        \
	} while (0)

struct path_join_walk {
	__u32 parts, at;
};

static __noinline long path_join_step(__u32 i, struct path_join_walk *w)
{
	struct traffic_scratch *s = scratch_get();
	__u32 part = w->parts - 1 - i, at = w->at;
	long len;

	barrier_var(part); /* what is checked here is what is used */
	barrier_var(at);
	if (!s || part >= PATH_PARTS || at >= PATH_ROOM - 1)
		return 1;
	s->path[at] = '/';
	len = bpf_probe_read_kernel_str(&s->path[at + 1], TRAFFIC_PATH - 1, s->part[part]);
	if (len <= 0)
		return 1;
	w->at = at + len;
	return 0;
}

/* Writes /a/b/c from the scratch, which holds n parts, the leaf first. */
static __always_inline void path_join(struct traffic_scratch *s, __u32 n, char *out)
{
	struct path_join_walk w = { .parts = n };

	if (n)
		walk(n, PATH_PARTS, path_join_step, &w);
	else
		bpf_probe_read_kernel_str(s->path, 2, "/");
	bpf_probe_read_kernel_str(out, TRAFFIC_PATH, s->path);
}

struct exe_walk {
	struct dentry *dentry;
	struct vfsmount *mount;
	__u32 parts;
};

static __noinline long exe_step(__u32 i, struct exe_walk *w)
{
	struct vfsmount *vfsmount = w->mount;
	struct dentry *dentry = w->dentry, *parent;
	struct traffic_scratch *s = scratch_get();

	if (!s || i >= PATH_PARTS)
		return 1;
	/* A path crosses few mounts; more than two in one place do not happen. */
	for (int k = 0; k < 2; k++) {
		struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
		struct mount *up;

		if (dentry != BPF_CORE_READ(vfsmount, mnt_root))
			break;
		up = BPF_CORE_READ(mount, mnt_parent);
		if (up == mount)
			break;
		dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		vfsmount = (void *)up + bpf_core_field_offset(struct mount, mnt);
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	if (!parent || parent == dentry)
		return 1;
	path_part(s, i, BPF_CORE_READ(dentry, d_name.name));
	w->parts = i + 1;
	w->dentry = parent;
	w->mount = vfsmount;
	return 0;
}

/* The executable's path up to the root of its mount namespace, as fs/d_path.c walks it. */
__noinline int fill_exe(struct traffic_process *p, __u64 task_address)
{
	struct task_struct *task = (void *)task_address;
	struct file *file = BPF_CORE_READ(task, mm, exe_file);
	struct exe_walk w = { .dentry = BPF_CORE_READ(file, f_path.dentry),
			      .mount = BPF_CORE_READ(file, f_path.mnt) };
	struct traffic_scratch *s = scratch_get();

	if (!s || !p)
		return 0;
	__builtin_memset(p->exe, 0, sizeof(p->exe));
	if (!file)
		return 0;
	walk(PATH_PARTS, PATH_PARTS, exe_step, &w);
	path_join(s, w.parts, p->exe);
	return 0;
}

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *kn)
{
	if (bpf_core_field_exists(kn->__parent))
		return BPF_CORE_READ(kn, __parent);
	return (void *)BPF_CORE_READ((struct kernfs_node___before_6_15 *)kn, parent);
}

struct cgroup_walk {
	struct kernfs_node *node;
	__u32 parts;
};

static __noinline long cgroup_step(__u32 i, struct cgroup_walk *w)
{
	struct kernfs_node *node = w->node, *parent = kernfs_parent(node);
	struct traffic_scratch *s = scratch_get();

	if (!s || !parent || i >= PATH_PARTS)
		return 1;
	path_part(s, i, BPF_CORE_READ(node, name));
	w->parts = i + 1;
	w->node = parent;
	return 0;
}

/* Writes the cgroup's path; returns how many parts it has, 0 for the root. */
__noinline int fill_cgroup_of(struct traffic_process *p, __u64 cgroup_address)
{
	struct cgroup *cgroup = (void *)cgroup_address;
	struct cgroup_walk w = { .node = BPF_CORE_READ(cgroup, kn) };
	struct traffic_scratch *s = scratch_get();

	if (!s || !p)
		return 0;
	__builtin_memset(p->cgroup, 0, sizeof(p->cgroup));
	walk(PATH_PARTS, PATH_PARTS, cgroup_step, &w);
	path_join(s, w.parts, p->cgroup);
	return w.parts;
}

static __always_inline __u64 controller_cgroup(struct task_struct *task, __u32 id)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct cgroup_subsys_state *css = NULL;

	if (id < 16)
		bpf_core_read(&css, sizeof(css), &set->subsys[id]);
	return css ? (__u64)BPF_CORE_READ(css, cgroup) : 0;
}

__noinline int fill_cgroup(struct traffic_process *p, __u64 task_address)
{
	struct task_struct *task = (void *)task_address;

	if (!p || fill_cgroup_of(p, (__u64)BPF_CORE_READ(task, cgroups, dfl_cgrp)) > 0)
		return 0;
	/* A hybrid host keeps its groups in the old hierarchies. */
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
		__u32 id = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);

		if (fill_cgroup_of(p, controller_cgroup(task, id)) > 0)
			return 0;
	}
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id)) {
		__u32 id = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);

		fill_cgroup_of(p, controller_cgroup(task, id));
	}
	return 0;
}

/* As a plain number: each look at a pointer that the verifier tracks makes it search all types of the kernel. */
static __always_inline struct task_struct *leader_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader);
}

static __always_inline void task_key(struct task_struct *leader, struct traffic_key *ret)
{
	ret->start_ns = BPF_CORE_READ(leader, start_boottime);
	ret->pid = BPF_CORE_READ(leader, tgid);
	ret->reserved = 0;
}

static __always_inline __u64 address_of_current_leader(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return (__u64)BPF_CORE_READ(task, group_leader);
}

/* name overrides the leader's, for a rename that is about to happen. */
__noinline int fill_process(struct traffic_process *p, __u64 leader_address, __u64 name_address)
{
	struct task_struct *leader = (void *)leader_address, *alive = leader;

	if (!p)
		return 0;
	/* A leader that has ended before its threads has nothing left to tell; the thread that calls has. */
	if (!BPF_CORE_READ(leader, mm) && address_of_current_leader() == leader_address)
		alive = (void *)bpf_get_current_task();
	task_key(leader, &p->key);
	task_key(BPF_CORE_READ(leader, real_parent), &p->parent);
	p->cgroup_id = BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, id);
	p->uid = BPF_CORE_READ(alive, cred, euid.val);
	p->netns = BPF_CORE_READ(alive, nsproxy, net_ns, ns.inum);
	__builtin_memset(p->comm, 0, sizeof(p->comm));
	if (name_address)
		bpf_probe_read_kernel_str(p->comm, sizeof(p->comm), (void *)name_address);
	else
		BPF_CORE_READ_STR_INTO(&p->comm, leader, comm);
	fill_exe(p, (__u64)alive);
	fill_cgroup(p, (__u64)alive);
	return 0;
}

/* A pointer that the verifier tracks as a plain number. */
static __always_inline __u64 address_of(struct task_struct *task)
{
	return (__u64)BPF_CORE_READ(task, group_leader);
}

static __always_inline void note_process(struct traffic_sums *sums, const struct traffic_process *p)
{
	__builtin_memcpy(sums->comm, p->comm, sizeof(sums->comm));
	sums->uid = p->uid;
	sums->named = 1;
}

static __noinline int send_process(struct task_struct *leader, struct traffic_sums *sums, __u64 name)
{
	struct traffic_process *p;

	if (!leader || !sums)
		return 0;
	p = traffic_reserve(TRAFFIC_RECORD_PROCESS, sizeof(*p));
	if (!p) {
		/* The next sweep tries again; the name at least stays with the sums if it is over by then. */
		sums->named = 0;
		if (name)
			bpf_probe_read_kernel_str(sums->comm, sizeof(sums->comm), (void *)name);
		else
			BPF_CORE_READ_STR_INTO(&sums->comm, leader, comm);
		sums->uid = BPF_CORE_READ(leader, cred, euid.val);
		return 0;
	}
	fill_process(p, address_of(leader), name);
	note_process(sums, p);
	bpf_ringbuf_submit(p, traffic_wakeup());
	return 0;
}

/* The sums of a process; made at first use. NULL when the map is full (counted). */
static __noinline struct traffic_sums *process_sums_by_key(const struct traffic_key *key)
{
	struct traffic_sums *sums, fresh = {};

	if (!key)
		return NULL;
	sums = bpf_map_lookup_elem(&processes, key);
	if (sums)
		return sums;
	bpf_map_update_elem(&processes, key, &fresh, BPF_NOEXIST);
	sums = bpf_map_lookup_elem(&processes, key);
	if (!sums)
		__sync_fetch_and_add(&control.full_map, 1);
	return sums;
}

/* The same for a living process, which is introduced to the reader if it has not been. */
static __always_inline struct traffic_sums *process_sums(struct task_struct *leader)
{
	struct traffic_key key = {};
	struct traffic_sums *sums;

	task_key(leader, &key);
	sums = process_sums_by_key(&key);
	if (sums && !sums->named)
		send_process(leader, sums, 0);
	return sums;
}

static __noinline int add_sums(struct traffic_sums *sums, __u32 transport, __u64 n, int dir)
{
	if (!sums || transport >= _TRAFFIC_TRANSPORT_MAX) {
		__sync_fetch_and_add(&control.unattributed[dir & 1], n);
		return 0;
	}
	__sync_fetch_and_add(&sums->by[transport].bytes[dir & 1], n);
	return 0;
}
