// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/self.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "core/tables.h"

/* Fields 14 and 15 (utime, stime in clock ticks), 22 (start time) and 24 (resident pages) of proc(5) stat. */
static bool read_cost(struct weir_self_role *r)
{
	unsigned long long utime, stime, start;
	char text[1024], *after;
	long rss;
	ssize_t n;

	n = r->stat_fd >= 0 ? pread(r->stat_fd, text, sizeof(text) - 1, 0) : 0;
	if (n <= 0)
		return false;
	text[n] = 0;
	after = strrchr(text, ')'); /* the name in parentheses may hold anything */
	if (!after ||
	    sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %llu %*u %ld",
		   &utime, &stime, &start, &rss) != 4)
		return false;
	r->pid = strtoull(text, NULL, 10);
	r->start = start;
	r->cpu_ns = (utime + stime) * (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK));
	r->bytes = (uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

void weir_self_renew(struct weir_self_role *role, int stat_fd)
{
	role->before_ns += role->cpu_ns;
	role->cpu_ns = role->bytes = role->pid = role->start = 0;
	weir_closep(&role->stat_fd);
	role->stat_fd = stat_fd;
}

void weir_self_done(struct weir_self *s)
{
	for (unsigned i = 0; i < WEIR_SELF_ROLES; i++) {
		weir_closep(&s->roles[i].stat_fd);
		s->roles[i].stat_fd = -1;
	}
}

void weir_self_carry(struct weir_self *s, uint64_t lost_events, struct weir_self_carried *ret)
{
	*ret = (struct weir_self_carried){ .lost_before = s->lost_before, .lost = lost_events };
	for (unsigned i = 0; i < WEIR_SELF_ROLES; i++) {
		struct weir_self_role *r = &s->roles[i];

		(void)read_cost(r); /* what was read last counts */
		ret->roles[i].pid = r->pid;
		ret->roles[i].start = r->start;
		ret->roles[i].before_ns = r->before_ns;
		ret->roles[i].cpu_ns = r->cpu_ns;
	}
}

void weir_self_carried(struct weir_self *s, const struct weir_self_carried *c)
{
	const struct weir_self_role *keeper = &s->roles[0];

	for (unsigned i = 0; i < WEIR_SELF_ROLES; i++) {
		struct weir_self_role *r = &s->roles[i];
		bool same = read_cost(r) && r->pid == c->roles[i].pid && r->start == c->roles[i].start;

		r->before_ns += c->roles[i].before_ns + (same ? 0 : c->roles[i].cpu_ns);
	}
	/* What is lost is counted by what the keeper holds. */
	s->lost_before = c->lost_before;
	if (!keeper->pid || keeper->pid != c->roles[0].pid || keeper->start != c->roles[0].start)
		s->lost_before += c->lost;
}

static void put_history(struct weir_builder *b, uint64_t number, const struct weir_self_history *h)
{
	weir_builder_table(b, &weir_table_self_history);
	if (!h->known)
		return;
	weir_builder_row(b, WEIR_UID_HOST, number);
	weir_builder_uint(b, SELF_HISTORY_BYTES, h->bytes);
	weir_builder_uint(b, SELF_HISTORY_LIMIT_BYTES, h->limit_bytes);
	weir_builder_uint(b, SELF_HISTORY_LOST_SECONDS, h->lost_seconds);
}

void weir_self_snapshot(struct weir_self *s, struct weir_builder *b, uint64_t number, uint64_t lost_events)
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
	weir_builder_uint(b, SELF_LOSSES_TOTAL, s->lost_before + lost_events);

	weir_builder_table(b, &weir_table_self_cost);
	for (unsigned i = 0; i < WEIR_SELF_ROLES; i++) {
		struct weir_self_role *r = &s->roles[i];

		if (!r->name || !read_cost(r))
			continue;
		weir_builder_row(b, WEIR_UID_HOST, number);
		weir_builder_text(b, SELF_COST_ROLE, r->name);
		weir_builder_uint(b, SELF_COST_CPU_NS, r->before_ns + r->cpu_ns);
		weir_builder_uint(b, SELF_COST_MEMORY_BYTES, r->bytes);
	}
	put_history(b, number, &s->history);
}

static void put_line(struct weir_builder *b, uint64_t number, const char *feature, const char *state, const char *serves)
{
	weir_builder_row(b, WEIR_UID_HOST, number);
	weir_builder_text(b, DOCTOR_FEATURE, feature);
	weir_builder_text(b, DOCTOR_STATE, state);
	weir_builder_text(b, DOCTOR_SERVES, serves);
}

void weir_self_recording_line(struct weir_builder *b, uint64_t number, const char *serves)
{
	put_line(b, number, "weir: recording", "on", serves);
}

void weir_self_history_line(struct weir_builder *b, uint64_t number, const char *state, const char *serves, const char *reason,
			    const char *cure)
{
	put_line(b, number, "weir: history", state, serves);
	weir_builder_text(b, DOCTOR_REASON, reason);
	weir_builder_text(b, DOCTOR_CURE, cure);
}
