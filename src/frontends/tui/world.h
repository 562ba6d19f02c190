// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/tui/fixture.h"

/* For tests: a host on which something happens in every table, with a past. */

#define WORLD_CONTAINER "3f4e1a9c0b7d5e628194a3c2d1f0e9b8a7c6d5e4f3b2a1908f7e6d5c4b3a2910"

static inline void world_time(struct weir_builder *b, const struct weir_table *t, const char *name, uint64_t s)
{
	weir_builder_time(b, (unsigned)weir_table_field(t, name), s * FIXTURE_SECOND);
}

static inline void world_traffic(struct weir_builder *b, unsigned second)
{
	const uint64_t s = second;
	const struct fixture_process p[] = {
		{ 812, "nginx", "nginx.service", NULL, 2000000 + 90000 * (s % 20) * (s % 20), 40000 + 900 * s, 0 },
		{ 813, "nginx", "nginx.service", NULL, s % 7 ? 0 : 800000, s % 7 ? 0 : 9000, 0 },
		{ 1544, "postgres", "postgresql@15-main.service", NULL, 300000, 120000, s > 55 ? s - 55 : 0 },
		{ 2210, "wget", "session-4.scope", NULL, 9000, s < 30 ? 0 : 11900000, 3 },
		{ 3001, "prometheus", NULL, WORLD_CONTAINER, 4000, 64000, 0 },
		{ 3002, "node_exporter", NULL, WORLD_CONTAINER, 64000, 4000, 0 },
		{ 700, "sshd", "ssh.service", NULL, 120, 60, 0 },
		{ 701, "chronyd", "chrony.service", NULL, 0, 0, 0 },
	};

	fixture_traffic(b, p, ARRAY_SIZE(p));
}

static inline void world_loss(struct weir_builder *b, const char *reason, const char *class, const char *device,
			      const char *comm, uint64_t rate, uint64_t packets)
{
	const struct weir_table *t = weir_table_find("drops");

	weir_builder_row(b, 0, 1);
	fixture_text(b, t, "reason", reason);
	fixture_text(b, t, "class", class);
	fixture_text(b, t, "device", device);
	fixture_text(b, t, "comm", comm);
	fixture_text(b, t, "layer", "socket");
	fixture_text(b, t, "source", "packet");
	fixture_number(b, t, "packets_per_second", rate);
	fixture_number(b, t, "packets", packets);
	fixture_text(b, t, "meaning", "The socket's receive buffer is full.");
}

static inline void world_drops(struct weir_builder *b)
{
	weir_builder_table(b, weir_table_find("drops"));
	world_loss(b, "SOCKET_RCVBUFF", "tune", "lo", "redis-server", 412, 24720);
	world_loss(b, "NO_SOCKET", "expected", "eth0", NULL, 2, 90210);
	world_loss(b, "TCP_CSUM", "bug", "eth0", NULL, 0, 5);
}

static inline void world_finding(struct weir_builder *b)
{
	const struct weir_table *t = weir_table_find("findings");

	weir_builder_table(b, t);
	weir_builder_row(b, 0, 1);
	fixture_text(b, t, "feature", "drops");
	fixture_text(b, t, "id", "rcvbuf");
	fixture_text(b, t, "class", "tune");
	fixture_text(b, t, "summary", "redis-server (4711) reads too slowly: 412 packets a second do not fit into its socket.");
	fixture_text(b, t, "advice", "Give it more processor time, or a larger buffer.");
}

static inline void world_doctor(struct weir_builder *b)
{
	static const char *const rows[][7] = {
		{ "traffic", "fentry", "unavailable", "TCP, UDP and Unix sockets", NULL,
		  "this kernel has no BTF trampolines for its functions",
		  "a kernel with CONFIG_DEBUG_INFO_BTF and CONFIG_FPROBE" },
		{ "traffic", "sock", "on", "TCP and UDP", "sock_send_length, sock_recv_length", NULL, NULL },
		{ "dns", "socket", "on", "answers that programs receive", "udp_recvmsg", NULL, NULL },
		{ "drops", "kfree_skb", "degraded", "reasons without their socket", "kfree_skb", "the tracepoint has no socket",
		  "kernel 6.11 or newer" },
	};
	static const char *const fields[] = { "feature", "hook_set", "state", "serves", "hooks", "reason", "cure" };
	const struct weir_table *t = weir_table_find("doctor");

	weir_builder_table(b, t);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		weir_builder_row(b, 0, 1);
		for (size_t k = 0; k < ARRAY_SIZE(fields); k++)
			fixture_text(b, t, fields[k], rows[i][k]);
	}
}

static inline void world_containers(struct weir_builder *b, uint64_t now_s)
{
	static const char *const rows[][6] = {
		{ WORLD_CONTAINER, "metrics", "prom/prometheus:v2.53", NULL, NULL, "docker" },
		{ "9ad01c22b3f4e5d6078192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7", "api", "registry.example/api:1.4",
		  "api-7c9f5d-x2v4q", "shop", "containerd" },
		{ "5550123456789abcdef0123456789abcdef0123456789abcdef0123456789abc", NULL, NULL, NULL, NULL, NULL },
	};
	static const char *const fields[] = { "container_id", "container_name", "image", "pod_name", "pod_namespace", "runtime" };
	const struct weir_table *t = weir_table_find("containers");

	weir_builder_table(b, t);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		weir_builder_row(b, 0, 1);
		for (size_t k = 0; k < ARRAY_SIZE(fields); k++)
			fixture_text(b, t, fields[k], rows[i][k]);
		world_time(b, t, "first_seen", now_s - 4000);
		world_time(b, t, "last_seen", now_s);
	}
}

static inline void world_names(struct weir_builder *b, uint64_t now_s)
{
	static const struct {
		const char *address, *name, *source;
		uint64_t pid, answers, age;
	} rows[] = {
		{ "2001:db8::17", "mirror.example.org", "dns", 2210, 3, 40 },
		{ "192.0.2.7", "a-rather-long-name.of-a-service.in-a-zone.example.com", "dns", 812, 120, 90000 },
		{ "10.0.0.9", "db", "hosts", 0, 0, 100000 },
	};
	const struct weir_table *t = weir_table_find("names");

	weir_builder_table(b, t);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		weir_builder_row(b, 0, 1);
		fixture_address(b, t, "address", rows[i].address);
		fixture_text(b, t, "name", rows[i].name);
		fixture_text(b, t, "source", rows[i].source);
		if (rows[i].pid)
			fixture_number(b, t, "pid", rows[i].pid);
		fixture_number(b, t, "answers", rows[i].answers);
		world_time(b, t, "first_seen", now_s - rows[i].age);
		world_time(b, t, "last_seen", now_s - rows[i].age / 2);
		world_time(b, t, "valid_until", now_s + 600);
	}
}

static inline void world_hooks(struct weir_builder *b)
{
	static const struct {
		const char *feature, *program, *hook, *type, *map, *map_type;
		uint64_t runs, entries;
		bool attached;
	} rows[] = {
		{ "traffic", "on_send", "sock_send_length", "raw_tracepoint", "flows", "hash", 1203344, 812, true },
		{ "traffic", "on_send", "sock_send_length", "raw_tracepoint", "events", "ringbuf", 1203344, 0, true },
		{ "drops", "on_free", "kfree_skb", "raw_tracepoint", "lost", "lru_hash", 90214, 40, true },
		{ "capture", "on_packet", "tc ingress", "sched_cls", NULL, NULL, 0, 0, false },
	};
	const struct weir_table *t = weir_table_find("hooks");

	weir_builder_table(b, t);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		weir_builder_row(b, 0, 1);
		fixture_text(b, t, "feature", rows[i].feature);
		fixture_text(b, t, "program", rows[i].program);
		fixture_text(b, t, "hook", rows[i].hook);
		fixture_text(b, t, "type", rows[i].type);
		weir_builder_bool(b, (unsigned)weir_table_field(t, "attached"), rows[i].attached);
		fixture_number(b, t, "instructions", 400 + 90 * i);
		fixture_number(b, t, "jit_bytes", 2200 + 400 * i);
		fixture_number(b, t, "runs", rows[i].runs);
		if (rows[i].runs)
			fixture_number(b, t, "ns_per_run", 310);
		fixture_text(b, t, "map", rows[i].map);
		fixture_text(b, t, "map_type", rows[i].map_type);
		if (rows[i].entries)
			fixture_number(b, t, "entries", rows[i].entries);
		if (rows[i].map)
			fixture_number(b, t, "capacity", 65536);
	}
}

/* --- the past -------------------------------------------------------------------------------- */

static inline void world_programs(struct weir_builder *b, uint64_t now_s)
{
	static const struct {
		const char *program, *unit, *container;
		uint64_t tx, rx, lost, age;
		bool new;
	} rows[] = {
		{ "nginx", "nginx.service", NULL, 8812345678, 212345678, 0, 90000, false },
		{ "wget", "session-4.scope", NULL, 540000, 7340032000, 0, 1800, true },
		{ "postgres", "postgresql@15-main.service", NULL, 1080000000, 432000000, 0, 90000, false },
		{ "redis-server", "redis-server.service", NULL, 24000000, 91000000, 24720, 90000, false },
		{ "prometheus", NULL, WORLD_CONTAINER, 14400000, 230400000, 0, 4000, true },
		{ "other", NULL, NULL, 1200, 800, 0, 90000, false },
	};
	const struct weir_table *t = weir_table_find("history");

	weir_builder_table(b, t);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		weir_builder_row(b, 0, 1);
		fixture_text(b, t, "program", rows[i].program);
		fixture_text(b, t, "unit", rows[i].unit);
		fixture_text(b, t, "container_id", rows[i].container);
		fixture_text(b, t, "user", "www-data");
		fixture_number(b, t, "uid", 33);
		fixture_number(b, t, "tx_bytes", rows[i].tx);
		fixture_number(b, t, "rx_bytes", rows[i].rx);
		fixture_number(b, t, "tx_bytes_per_second_max", rows[i].tx / 900);
		fixture_number(b, t, "rx_bytes_per_second_max", rows[i].rx / 900);
		fixture_number(b, t, "connections", 12 + 100 * i);
		fixture_number(b, t, "retransmits", i);
		fixture_number(b, t, "lost_packets", rows[i].lost);
		world_time(b, t, "first_seen", now_s - rows[i].age);
		world_time(b, t, "last_seen", now_s);
		weir_builder_bool(b, (unsigned)weir_table_field(t, "new"), rows[i].new);
	}
}

/* Two hours in minutes: a wave, a burst, ten minutes in which weir did not run. */
static inline void world_rates(struct weir_builder *b, uint64_t now_s)
{
	const struct weir_table *t = weir_table_find("history_rates");

	weir_builder_table(b, t);
	for (uint64_t i = 0; i < 120; i++) {
		uint64_t wave = (i % 40) * (40 - i % 40) * 6000, burst = i > 90 && i < 97 ? 12000000 : 0;

		if (i >= 70 && i < 80)
			continue;
		weir_builder_row(b, 0, 1);
		world_time(b, t, "time", now_s - (120 - i) * 60);
		fixture_number(b, t, "seconds", 60);
		fixture_number(b, t, "tx_bytes", wave * 60);
		fixture_number(b, t, "rx_bytes", burst * 60 + wave * 6);
		fixture_number(b, t, "tx_bytes_per_second_max", wave * 2);
		fixture_number(b, t, "rx_bytes_per_second_max", burst * 5 / 4 + wave / 5);
		fixture_number(b, t, "connections", 40);
		fixture_number(b, t, "retransmits", 0);
		fixture_number(b, t, "lost_packets", 0);
	}
}

static inline void world_peers(struct weir_builder *b, uint64_t now_s)
{
	static const char *const rows[][3] = { { "nginx", "192.0.2.7", NULL },
					       { "wget", "2001:db8::17", "mirror.example.org" },
					       { "postgres", "10.0.0.9", NULL } };
	const struct weir_table *t = weir_table_find("history_peers");

	weir_builder_table(b, t);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		weir_builder_row(b, 0, 1);
		fixture_text(b, t, "program", rows[i][0]);
		fixture_text(b, t, "role", i == 1 ? "client" : "server");
		fixture_text(b, t, "transport", "tcp");
		fixture_text(b, t, "peer_name", rows[i][2]);
		fixture_address(b, t, "peer_address", rows[i][1]);
		fixture_number(b, t, "port", i == 2 ? 5432 : 443);
		fixture_number(b, t, "tx_bytes", 8000000000 / (i * i * 100 + 1));
		fixture_number(b, t, "rx_bytes", i == 1 ? 7340032000 : 200000000);
		fixture_number(b, t, "connections", 12);
		fixture_number(b, t, "retransmits", 0);
		world_time(b, t, "first_seen", now_s - 7000);
	}
}

static inline void world_events(struct weir_builder *b, uint64_t now_s)
{
	static const struct {
		const char *kind, *program, *summary;
		uint64_t age;
	} rows[] = {
		{ "first_seen", "wget", "wget uses the network for the first time", 1800 },
		{ "finding", "redis-server", "redis-server reads too slowly", 3000 },
		{ "started", NULL, "weir 0.1.0 began", 5000 },
		{ "killed", NULL, "weir was killed: at most one second is missing", 5001 },
	};
	const struct weir_table *t = weir_table_find("history_events");

	weir_builder_table(b, t);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		weir_builder_row(b, 0, 1);
		world_time(b, t, "time", now_s - rows[i].age);
		fixture_text(b, t, "kind", rows[i].kind);
		fixture_text(b, t, "program", rows[i].program);
		fixture_text(b, t, "summary", rows[i].summary);
	}
}

static inline void world_changes(struct weir_builder *b)
{
	static const struct {
		const char *kind, *program, *summary, *filter;
	} rows[] = {
		{ "program", "wget", "wget received 7.34 GB; it had received nothing before", "program:wget" },
		{ "program", "nginx", "nginx sent 8.81 GB instead of 2.1 GB: 4.2 times as much", "program:nginx" },
		{ "loss", "redis-server", "24.7 k packets were lost at redis-server's socket, none before",
		  "program:redis-server" },
	};
	const struct weir_table *t = weir_table_find("history_changes");

	weir_builder_table(b, t);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		weir_builder_row(b, 0, 1);
		fixture_number(b, t, "rank", i + 1);
		fixture_text(b, t, "kind", rows[i].kind);
		fixture_text(b, t, "program", rows[i].program);
		fixture_text(b, t, "summary", rows[i].summary);
		fixture_text(b, t, "filter", rows[i].filter);
	}
}

static inline void world_days(struct weir_builder *b)
{
	static const char *const days[] = { "2026-11-22", "2026-11-22", "2026-11-21" };
	const struct weir_table *t = weir_table_find("history_days");

	weir_builder_table(b, t);
	for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
		weir_builder_row(b, 0, 1);
		fixture_text(b, t, "day", days[i]);
		fixture_text(b, t, "program", i % 2 ? "wget" : "nginx");
		fixture_number(b, t, "tx_bytes", 98000000000 >> i);
		fixture_number(b, t, "rx_bytes", 8000000000 >> i);
		fixture_number(b, t, "connections", 4000 >> i);
	}
}

static inline void world_store(struct weir_builder *b, uint64_t now_s)
{
	static const struct {
		const char *level;
		uint64_t seconds, kept, rows;
	} rows[] = { { "1 s", 1, 3600, 12400 },		 { "10 s", 10, 43200, 98000 },
		     { "1 min", 60, 14 * 86400, 431000 }, { "1 h", 3600, 400 * 86400, 9000 },
		     { "day", 86400, 400 * 86400, 640 },	 { "event", 0, 400 * 86400, 312 } };
	const struct weir_table *t = weir_table_find("history_store");

	weir_builder_table(b, t);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		weir_builder_row(b, 0, 1);
		fixture_text(b, t, "level", rows[i].level);
		fixture_number(b, t, "seconds", rows[i].seconds);
		fixture_number(b, t, "kept_seconds", rows[i].kept);
		fixture_number(b, t, "rows", rows[i].rows);
		world_time(b, t, "oldest", now_s - rows[i].kept / 2);
		world_time(b, t, "newest", now_s);
	}
	weir_builder_row(b, 0, 1);
	fixture_text(b, t, "level", "file");
	fixture_number(b, t, "bytes", 48000000);
	fixture_number(b, t, "limit_bytes", 256000000);
	fixture_number(b, t, "lost_seconds", 2);
}

/* Everything, in a second of its minute. */
static inline struct weir_snapshot *world(unsigned second, uint64_t lost)
{
	uint64_t now_s = FIXTURE_EPOCH + second;
	struct weir_builder *b = weir_builder_new();

	world_traffic(b, second);
	world_drops(b);
	world_finding(b);
	world_doctor(b);
	world_containers(b, now_s);
	world_names(b, now_s);
	world_hooks(b);
	world_programs(b, now_s);
	world_rates(b, now_s);
	world_peers(b, now_s);
	world_events(b, now_s);
	world_changes(b);
	world_days(b);
	world_store(b, now_s);
	return fixture_finish(b, second, lost);
}
