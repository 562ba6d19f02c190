// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/self.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/tables.h"

/* Fields 14 and 15 (utime, stime in clock ticks) and 24 (resident pages) of proc(5) stat. */
static bool read_cost(int fd, uint64_t *ret_cpu_ns, uint64_t *ret_bytes)
{
	unsigned long long utime, stime;
	char text[1024], *after;
	long rss;
	ssize_t n;

	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return false;
	text[n] = 0;
	after = strrchr(text, ')'); /* the name in parentheses may hold anything */
	if (!after ||
	    sscanf(after + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %*u %*u %ld",
		   &utime, &stime, &rss) != 3)
		return false;
	*ret_cpu_ns = (utime + stime) * (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK));
	*ret_bytes = (uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

void weir_self_snapshot(struct weir_builder *b, uint64_t number, uint64_t lost_events,
			const struct weir_self_role *roles, unsigned n_roles)
{
	struct utsname uts = {};

	uname(&uts);
	weir_builder_table(b, &weir_table_self);
	weir_builder_row(b, WEIR_UID_HOST, number);
	weir_builder_text(b, SELF_VERSION, WEIR_VERSION);
	weir_builder_text(b, SELF_KERNEL, uts.release);
	weir_builder_uint(b, SELF_VALUE, 1);

	weir_builder_table(b, &weir_table_self_losses);
	weir_builder_row(b, WEIR_UID_HOST, number);
	weir_builder_text(b, SELF_LOSSES_SOURCE, "ring");
	weir_builder_uint(b, SELF_LOSSES_TOTAL, lost_events);

	weir_builder_table(b, &weir_table_self_cost);
	for (unsigned i = 0; i < n_roles; i++) {
		uint64_t cpu_ns, bytes;

		if (roles[i].stat_fd < 0 || !read_cost(roles[i].stat_fd, &cpu_ns, &bytes))
			continue;
		weir_builder_row(b, WEIR_UID_HOST, number);
		weir_builder_text(b, SELF_COST_ROLE, roles[i].name);
		weir_builder_uint(b, SELF_COST_CPU_NS, cpu_ns);
		weir_builder_uint(b, SELF_COST_MEMORY_BYTES, bytes);
	}
}
