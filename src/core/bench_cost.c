// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "core/bench.h"

/* What processes cost, as proc(5) tells. */

static inline void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Fields 14 and 15 of stat: clock ticks, where the kernel keeps no nanoseconds. */
static uint64_t stat_cpu_ns(pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	unsigned long long utime, stime;
	char path[64], text[1024], *after;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	after = strrchr(text, ')');
	if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
			     &utime, &stime) != 2)
		return 0;
	return (utime + stime) * (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK));
}

static uint64_t cpu_ns(pid_t pid)
{
	_cleanup_(closedirp) DIR *tasks = NULL;
	struct dirent *entry;
	uint64_t sum = 0;
	char path[320];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		_cleanup_fclose_ FILE *f = NULL;
		uint64_t ns;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, entry->d_name);
		f = fopen(path, "re");
		if (!f || fscanf(f, "%" SCNu64, &ns) != 1)
			return stat_cpu_ns(pid);
		sum += ns;
	}
	return sum;
}

static void add_memory(pid_t pid, struct weir_bench_cost *to)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], line[256];
	uint64_t kb;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Rss: %" SCNu64, &kb) == 1)
			to->rss_bytes += kb << 10;
		else if (sscanf(line, "Pss: %" SCNu64, &kb) == 1)
			to->pss_bytes += kb << 10;
	}
}

/* Descendants, by the lists of children that the kernel keeps per thread. */
static void add_tree(pid_t pid, unsigned depth, struct weir_bench_cost *to)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64];
	int child;

	to->cpu_ns += cpu_ns(pid);
	add_memory(pid, to);
	to->processes++;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "re");
	while (f && depth && fscanf(f, "%d", &child) == 1)
		add_tree(child, depth - 1, to);
}

int weir_bench_cost(pid_t pid, struct weir_bench_cost *ret)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (access(path, F_OK) < 0)
		return -ESRCH;
	*ret = (struct weir_bench_cost){};
	add_tree(pid, 4, ret);
	return 0;
}
