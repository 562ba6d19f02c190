// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/probe_private.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The smallest program or object of each kind, made and let go again. */

/* A function that is everywhere, rarely called, and that a process calls itself with getsockname(). */
#define TRIED_FUNCTION "inet_getname"
/* A tracepoint whose first argument is a socket. */
#define TRIED_TRACEPOINT "btf_trace_tcp_destroy_sock"

#define INSN(c, dst, src, offset, value)      \
	((struct bpf_insn){ .code = (c),      \
			    .dst_reg = (dst), \
			    .src_reg = (src), \
			    .off = (offset),  \
			    .imm = (value) })
#define SET(reg, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value)
#define READ8(to, from, offset) INSN(BPF_LDX | BPF_MEM | BPF_DW, to, from, offset, 0)
#define MAP(to, fd) \
	INSN(BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define END() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#define LICENSE "GPL"
#define HELPER_LOOP 181 /* BPF_FUNC_loop; the headers of a build may be older than its kernel */

/* libbpf gives -1 and errno in old modes, -errno in new ones. */
static int as_error(int r)
{
	return r >= 0 ? 0 : errno ? -errno : r;
}

static int load(enum bpf_prog_type type, enum bpf_attach_type attach, int btf_id,
		const struct bpf_insn *code, size_t n, int *ret_fd)
{
	LIBBPF_OPTS(bpf_prog_load_opts, o, .expected_attach_type = attach,
		    .attach_btf_id = (uint32_t)btf_id, .attempts = 2);
	int fd = bpf_prog_load(type, "weir_try", LICENSE, code, n, &o);

	if (fd < 0)
		return as_error(fd);
	*ret_fd = fd;
	return 0;
}

static const struct bpf_insn nothing[] = { SET(BPF_REG_0, 0), END() };

static int load_nothing(enum bpf_prog_type type, enum bpf_attach_type attach, int btf_id,
			int *ret_fd)
{
	return load(type, attach, btf_id, nothing, ARRAY_SIZE(nothing), ret_fd);
}

static int btf_id_of(const struct weir_tries *t, const char *name, uint32_t kind)
{
	int id = t->btf ? btf__find_by_name_kind(t->btf, name, kind) : -ENOENT;

	return id > 0 ? id : -ENOENT;
}

static int try_load(const struct weir_tries *t)
{
	_cleanup_close_ int fd = -1;

	(void)t;
	return load_nothing(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, &fd);
}

static int try_btf(const struct weir_tries *t)
{
	return t->btf ? 0 : -ENOENT;
}

static int try_tp_btf(const struct weir_tries *t)
{
	_cleanup_close_ int fd = -1, link = -1;
	int id = btf_id_of(t, TRIED_TRACEPOINT, BTF_KIND_TYPEDEF), r;

	if (id < 0)
		return id;
	r = load_nothing(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, id, &fd);
	if (r < 0)
		return r;
	link = bpf_raw_tracepoint_open(NULL, fd);
	return as_error(link);
}

/* A helper that is not known for a program type is not there, whatever else is wrong with the call. */
static int try_helper(enum bpf_prog_type type, int helper)
{
	int r = libbpf_probe_bpf_helper(type, (enum bpf_func_id)helper, NULL);

	return r < 0 ? r : r ? 0 : -EOPNOTSUPP;
}

static int try_read_kernel(const struct weir_tries *t)
{
	(void)t;
	return try_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_probe_read_kernel);
}

static int try_task_btf(const struct weir_tries *t)
{
	(void)t;
	return try_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_get_current_task_btf);
}

static int try_bpf_loop(const struct weir_tries *t)
{
	(void)t;
	return try_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, HELPER_LOOP);
}

static int try_ringbuf(const struct weir_tries *t)
{
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "weir_try", 0, 0,
						(uint32_t)getpagesize(), NULL);

	(void)t;
	return as_error(fd);
}

/* --- storage beside sockets -------------------------------------------------------------------- */

/* Such maps want the types of their key and value: two 32-bit integers. */
static int open_types(struct btf **ret)
{
	struct btf *types = btf__new_empty();
	int r = libbpf_get_error(types) ? -ENOMEM : btf__add_int(types, "int", 4, BTF_INT_SIGNED);

	if (r > 0)
		r = btf__load_into_kernel(types);
	if (r < 0) {
		if (!libbpf_get_error(types))
			btf__free(types);
		return as_error(r);
	}
	*ret = types;
	return 0;
}

static int make_storage(enum bpf_map_type type, int *ret_fd)
{
	struct btf *types = NULL;
	int r = open_types(&types);

	if (r < 0)
		return r;
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = BPF_F_NO_PREALLOC,
		    .btf_fd = (uint32_t)btf__fd(types), .btf_key_type_id = 1,
		    .btf_value_type_id = 1);
	*ret_fd = bpf_map_create(type, "weir_try", 4, 4, 0, &o);
	r = as_error(*ret_fd);
	btf__free(types);
	return r;
}

static int try_sk_storage_tracing(const struct weir_tries *t)
{
	_cleanup_close_ int map = -1, fd = -1;
	int id = btf_id_of(t, TRIED_TRACEPOINT, BTF_KIND_TYPEDEF), r;

	r = id < 0 ? id : make_storage(BPF_MAP_TYPE_SK_STORAGE, &map);
	if (r < 0)
		return r;

	const struct bpf_insn code[] = {
		READ8(BPF_REG_2, BPF_REG_1, 0),
		MAP(BPF_REG_1, map),
		SET(BPF_REG_3, 0),
		SET(BPF_REG_4, 0),
		CALL(BPF_FUNC_sk_storage_get),
		SET(BPF_REG_0, 0),
		END(),
	};

	return load(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, id, code, ARRAY_SIZE(code), &fd);
}

/* --- reading without rights -------------------------------------------------------------------- */

/* Capabilities are a thread's own: this one gives its up and reads. */
static void *read_without_capability(void *map)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
	uint32_t key = 0, value;
	int *fd = map;

	if (syscall(SYS_capset, &head, none) < 0 || bpf_map_lookup_elem(*fd, &key, &value) < 0)
		*fd = -ENOENT;
	return NULL;
}

static int try_read_maps(const struct weir_tries *t)
{
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "weir_try", 4, 4, 1, NULL), answer = map;
	pthread_t reader;

	(void)t;
	if (map < 0)
		return 0; /* there will be none to be read */
	if (pthread_create(&reader, NULL, read_without_capability, &answer) == 0)
		pthread_join(reader, NULL);
	close(map);
	return answer < 0 ? answer : 0;
}

/* --- iterators --------------------------------------------------------------------------------- */

static int try_iterator(const struct weir_tries *t, const char *target)
{
	_cleanup_close_ int fd = -1;
	int id = btf_id_of(t, target, BTF_KIND_FUNC);

	return id < 0 ? id : load_nothing(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, id, &fd);
}

static int try_iter_task(const struct weir_tries *t)
{
	return try_iterator(t, "bpf_iter_task");
}

static int try_iter_task_file(const struct weir_tries *t)
{
	return try_iterator(t, "bpf_iter_task_file");
}

static int try_iter_sk_storage(const struct weir_tries *t)
{
	return try_iterator(t, "bpf_iter_bpf_sk_storage_map");
}

/* --- functions --------------------------------------------------------------------------------- */

/* With the return too: it needs more of the kernel than the begin alone. */
static int try_fentry(const struct weir_tries *t)
{
	static const enum bpf_attach_type kinds[] = { BPF_TRACE_FENTRY, BPF_TRACE_FEXIT };
	int id = btf_id_of(t, TRIED_FUNCTION, BTF_KIND_FUNC), r;

	if (id < 0)
		return id;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_close_ int fd = -1, link = -1;

		r = load_nothing(BPF_PROG_TYPE_TRACING, kinds[i], id, &fd);
		if (r < 0)
			return r;
		link = bpf_raw_tracepoint_open(NULL, fd);
		if (link < 0)
			return as_error(link);
	}
	return 0;
}

static int kprobe_source(uint32_t *ret)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/bus/event_source/devices/kprobe/type", "re");

	if (!f)
		return -errno;
	return fscanf(f, "%u", ret) == 1 ? 0 : -ENOENT;
}

static void call_tried_function(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)getsockname(fd, (struct sockaddr *)&a, &len);
}

/* Kprobes can be there and switched off for all: then one is made, but counts nothing. */
static int count_call(int event)
{
	uint64_t before, after;

	if (read(event, &before, sizeof(before)) != sizeof(before))
		return -EIO;
	call_tried_function();
	if (read(event, &after, sizeof(after)) != sizeof(after))
		return -EIO;
	return after > before ? 0 : -ENODATA;
}

static int try_kprobe(const struct weir_tries *t)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.config1 = (uint64_t)(uintptr_t)TRIED_FUNCTION,
	};
	_cleanup_close_ int fd = -1, event = -1;
	int r;

	(void)t;
	r = kprobe_source(&attr.type);
	if (r < 0)
		return r;
	r = load_nothing(BPF_PROG_TYPE_KPROBE, 0, 0, &fd);
	if (r < 0)
		return r;
	event = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (event < 0)
		return -errno;
	r = count_call(event);
	if (r < 0)
		return r;
	return ioctl(event, PERF_EVENT_IOC_SET_BPF, fd) < 0 ? -errno : 0;
}

/* Not attached: it would switch code for every socket of the machine. */
static int try_cgroup(const struct weir_tries *t)
{
	static const struct bpf_insn pass[] = { SET(BPF_REG_0, 1), END() };
	_cleanup_close_ int fd = -1;

	if (t->cgroup_fd < 0)
		return -ENOENT;
	return load(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_RELEASE, 0, pass,
		    ARRAY_SIZE(pass), &fd);
}

static int (*const tries[])(const struct weir_tries *t) = {
	[WEIR_ABILITY_LOAD] = try_load,
	[WEIR_ABILITY_BTF] = try_btf,
	[WEIR_ABILITY_TP_BTF] = try_tp_btf,
	[WEIR_ABILITY_READ_KERNEL] = try_read_kernel,
	[WEIR_ABILITY_RINGBUF] = try_ringbuf,
	[WEIR_ABILITY_SK_STORAGE_TRACING] = try_sk_storage_tracing,
	[WEIR_ABILITY_TASK_BTF] = try_task_btf,
	[WEIR_ABILITY_BPF_LOOP] = try_bpf_loop,
	[WEIR_ABILITY_ITER_TASK] = try_iter_task,
	[WEIR_ABILITY_ITER_TASK_FILE] = try_iter_task_file,
	[WEIR_ABILITY_ITER_SK_STORAGE] = try_iter_sk_storage,
	[WEIR_ABILITY_FENTRY] = try_fentry,
	[WEIR_ABILITY_KPROBE] = try_kprobe,
	[WEIR_ABILITY_READ_MAPS] = try_read_maps,
	[WEIR_ABILITY_CGROUP] = try_cgroup,
};
_Static_assert(ARRAY_SIZE(tries) == _WEIR_ABILITY_MAX, "each ability can be tried");

int weir_try(const struct weir_tries *t, enum weir_ability a)
{
	errno = 0;
	return tries[a](t);
}
