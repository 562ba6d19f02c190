// SPDX-License-Identifier: GPL-2.0-or-later
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct row *const tables[] = {
	pair_tx_rows, pair_rx_rows, uring_rows, dgram_rows, dgram_peers_rows, unix_rows,
	other_rows,   end_rows,	    lost_rows,	share_rows, process_rows,     special_rows,
};

static const char *const family_names[_FAMILY_MAX] = {
	[ANY] = "",	      [TCP4] = "tcp4-", [TCP6] = "tcp6-", [MPTCP4] = "mptcp4-",
	[MPTCP6] = "mptcp6-", [UDP4] = "udp4-", [UDP6] = "udp6-", [UNIX] = "unix-",
};

#define MAX_INSTANCES 512

const struct instance *cases_all(size_t *ret_n)
{
	static struct instance all[MAX_INSTANCES];
	static size_t n;

	if (n) {
		*ret_n = n;
		return all;
	}
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct row *r = tables[t]; r->name; r++)
			for (unsigned f = ANY; f < _FAMILY_MAX; f++) {
				if (!((r->families ? r->families : IN(ANY)) & IN(f)) ||
				    n >= MAX_INSTANCES)
					continue;
				all[n].row = r;
				all[n].family = (enum family)f;
				snprintf(all[n].name, sizeof(all[n].name), "%s%s", family_names[f],
					 r->name);
				n++;
			}
	*ret_n = n;
	return all;
}

const struct instance *cases_find(const char *name)
{
	size_t n;
	const struct instance *all = cases_all(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

uint64_t case_bytes(const struct instance *i)
{
	return scene_options.bytes ? scene_options.bytes : i->row->bytes;
}

static void in_own_namespace(void *arg)
{
	const struct instance *i = arg;

	net_own_namespace();
	i->row->run(i);
	scene_join();
}

static void print_result(const struct instance *i, const char *result, const char *reason,
			 uint64_t start)
{
	printf("{\"case\":\"%s\",\"result\":\"%s\"", i->name, result);
	if (reason) {
		putchar(',');
		print_text("reason", reason);
	}
	printf(",\"ms\":%llu}\n", (unsigned long long)((mono_ns() - start) / 1000000));
	fflush(stdout);
}

int cases_run(const struct instance *i)
{
	uint64_t start = mono_ns();
	int r;

	scene_reset();
	if ((i->row->flags & NEEDS_ROOT) && geteuid() != 0) {
		print_result(i, "skipped", "needs root", start);
		return 0;
	}
	if ((i->row->flags & ONLY_STOPPED) && !scene_options.hold && !scene_options.before) {
		print_result(i, "skipped", "shows its point only with --hold or --before", start);
		return 0;
	}
	if (scene_options.before && !i->row->tx && !(i->row->flags & CAN_PAUSE)) {
		print_result(i, "skipped", "does not know --before", start);
		return 0;
	}
	if ((i->row->flags & OWN_NETNS) || scene_options.netns)
		scene_spawn("wg-netns", in_own_namespace, (void *)i);
	else
		i->row->run(i);
	r = scene_direct(i->name);
	if (scene_skipped()) {
		print_result(i, "skipped", scene_skipped(), start);
		return 0;
	}
	if (r == 0 && i->row->check)
		i->row->check(i);
	scene_print(i->name, "final");
	if (scene_failure()) {
		print_result(i, "failed", scene_failure(), start);
		return -1;
	}
	print_result(i, "ok", NULL, start);
	return 0;
}
