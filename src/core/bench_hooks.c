// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "core/bench_private.h"

/* Who else hangs on the hooks that are measured. */

#define ALONE_NS (3ull * 1000000000ull)

/* Name of the tracepoint that a link hangs on, empty for links of other kinds: their answers have
 * other shapes, so the kind is asked first. */
static void link_tracepoint(int fd, char *name, size_t room)
{
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);

	name[0] = '\0';
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0 ||
	    info.type != BPF_LINK_TYPE_RAW_TRACEPOINT)
		return;
	info = (struct bpf_link_info){ .raw_tracepoint = { .tp_name = (uint64_t)(uintptr_t)name,
							   .tp_name_len = (uint32_t)room } };
	len = sizeof(info);
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		name[0] = '\0';
}

unsigned weir_bench_on_hooks(const char *const *tracepoints)
{
	unsigned n = 0;

	for (uint32_t id = 0; bpf_link_get_next_id(id, &id) == 0;) {
		_cleanup_close_ int fd = bpf_link_get_fd_by_id(id);
		char name[64];

		if (fd < 0)
			continue;
		link_tracepoint(fd, name, sizeof(name));
		for (unsigned i = 0; tracepoints[i]; i++)
			n += !strcmp(name, tracepoints[i]);
	}
	return n;
}

bool weir_bench_await_alone(const struct weir_bench *b, const char *const *tracepoints)
{
	uint64_t until = weir_bench_wall_ns() + ALONE_NS;
	struct timespec rest = { .tv_nsec = 50000000 };

	while (weir_bench_on_hooks(tracepoints)) {
		if (weir_bench_wall_ns() > until || weir_bench_interrupted(b))
			return false;
		nanosleep(&rest, NULL);
	}
	return true;
}
