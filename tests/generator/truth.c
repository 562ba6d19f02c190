// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scene.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* --- who ------------------------------------------------------------------------------------- */

/* Field 22 of /proc/self/stat, in ns since boot. */
static uint64_t start_time_ns(void)
{
	char text[1024], *p;
	uint64_t ticks = 0;
	ssize_t n;
	FILE *f = fopen("/proc/self/stat", "re");

	if (!f)
		return 0;
	n = (ssize_t)fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	if (n <= 0)
		return 0;
	text[n] = 0;
	p = strrchr(text, ')'); /* the name may hold anything */
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p)
		ticks = strtoull(p + 1, NULL, 10);
	return ticks * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void leader_name(char ret[16])
{
	FILE *f = fopen("/proc/self/comm", "re");
	size_t n = 0;

	if (f) {
		n = fread(ret, 1, 15, f);
		fclose(f);
	}
	/* The kernel ends the name with a newline of its own; the name may hold others. */
	if (n && ret[n - 1] == '\n')
		n--;
	ret[n] = 0;
}

struct truth *truth_new(const char *role)
{
	static _Thread_local int32_t pid;
	static _Thread_local uint64_t start;
	struct truth *t = scene_truth_new();

	if (pid != getpid()) { /* also right after a fork */
		pid = getpid();
		start = start_time_ns();
	}
	snprintf(t->role, sizeof(t->role), "%s", role);
	snprintf(t->expect, sizeof(t->expect), "exact");
	leader_name(t->comm);
	t->pid = pid;
	t->uid = getuid();
	t->start_time_ns = start;
	t->ready = 1;
	return t;
}

void truth_rename(struct truth *t)
{
	leader_name(t->comm);
}

/* --- one end --------------------------------------------------------------------------------- */

static const char *transport_of(int fd)
{
	int domain = 0, protocol = 0;
	socklen_t n = sizeof(int);

	must(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n), "SO_DOMAIN");
	n = sizeof(int);
	must(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n), "SO_PROTOCOL");
	if (domain == AF_UNIX)
		return "unix";
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_MPTCP:
		return "mptcp";
	default:
		return "other";
	}
}

struct end end_open_peer(int fd, const char *role, const char *peer)
{
	struct end e = { .fd = fd, .truth = truth_new(role) };
	socklen_t n = sizeof(e.truth->cookie);

	must(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &e.truth->cookie, &n), "SO_COOKIE");
	snprintf(e.truth->transport, sizeof(e.truth->transport), "%s", transport_of(fd));
	snprintf(e.truth->peer, sizeof(e.truth->peer), "%s", peer);
	e.truth->sockets = 1;
	return e;
}

struct end end_open(int fd, const char *role)
{
	return end_open_peer(fd, role, "");
}

void end_close(struct end *e)
{
	close(e->fd);
	e->fd = -1;
}

ssize_t end_sent(struct end *e, ssize_t ret)
{
	if (ret > 0)
		e->truth->tx_bytes += (uint64_t)ret;
	return ret;
}

ssize_t end_got(struct end *e, ssize_t ret)
{
	if (ret > 0)
		e->truth->rx_bytes += (uint64_t)ret;
	return ret;
}

/* --- sums and output ------------------------------------------------------------------------- */

void truth_sum(const char *role, uint64_t *ret_tx, uint64_t *ret_rx)
{
	uint64_t tx = 0, rx = 0;

	for (unsigned i = 0; i < scene_truths(); i++) {
		const struct truth *t = scene_truth_at(i);

		if (role && strcmp(t->role, role) != 0)
			continue;
		tx += t->tx_bytes;
		rx += t->rx_bytes;
	}
	*ret_tx = tx;
	*ret_rx = rx;
}

/* Bytes from 0x80 on are written as Python's surrogateescape reads them back. */
void print_text(const char *key, const char *text)
{
	printf("\"%s\":\"", key);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p >= 0x80)
			printf("\\udc%02x", *p);
		else if (*p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\')
			printf("\\u%04x", *p);
		else
			putchar(*p);
	}
	putchar('"');
}

static void print_number(const char *key, uint64_t v)
{
	printf(",\"%s\":%" PRIu64, key, v);
}

void scene_print(const char *case_name, const char *phase)
{
	for (unsigned i = 0; i < scene_truths(); i++) {
		const struct truth *t = scene_truth_at(i);

		if (!t->ready)
			continue;
		putchar('{');
		print_text("case", case_name);
		printf(",\"phase\":\"%s\",", phase);
		print_text("role", t->role);
		printf(",\"pid\":%d", t->pid);
		print_number("uid", t->uid);
		print_number("start_time_ns", t->start_time_ns);
		putchar(',');
		print_text("comm", t->comm);
		print_number("cookie", t->cookie);
		print_number("sockets", t->sockets);
		printf(",\"transport\":\"%s\",", t->transport);
		print_text("peer", t->peer);
		print_number("tx_bytes", t->tx_bytes - t->before_tx_bytes);
		print_number("rx_bytes", t->rx_bytes - t->before_rx_bytes);
		print_number("before_tx_bytes", t->before_tx_bytes);
		print_number("before_rx_bytes", t->before_rx_bytes);
		printf(",\"expect\":\"%s\"}\n", t->expect);
	}
	if (strcmp(phase, "final") != 0)
		printf("{\"case\":\"%s\",\"stage\":\"%s\"}\n", case_name, phase);
	fflush(stdout);
}
