// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "core/feature.h"
#include "core/recorder.h"
#include "features/traffic/traffic_abi.h"

/* A recording of a large host, as weir record would have made it there: all its processes and flows
 * at the first look, then, second by second, those that did something. Beside them some connections
 * that open and close, and a process "herald" that opens some each second, for who wants to see how
 * soon a new one is in sight. Before all that there may be some seconds with next to nothing in
 * them: who asks then gets answers that cost nothing, and learns when the recording's time is what
 * time here. The same options give the same bytes.
 *
 *   weir-made-host [OPTIONS] FILE */

#define NS 1000000000ull
#define MS 1000000ull
#define BASE_NS (5000 * NS) /* of the monotonic clock, where the recording begins */
/* A record at least so often: so the time of the recording is known as well. */
#define BEAT_NS (10 * MS)
#define HUSH_BEAT_NS MS
#define PROGRAMS 400
#define NETNS 4026531840u
#define HERALD_KEPT 12 /* of its connections are open */
#define FLOWS_PER_MOVE 10

struct flow {
	struct traffic_socket s;
	unsigned proc;
};

struct proc {
	struct traffic_key key;
	uint64_t bytes[_TRAFFIC_DIRECTION_MAX];
	unsigned program;
	bool moved;
};

struct news {
	uint64_t at_ns; /* within its second */
	bool herald;
};

struct host {
	uint64_t processes, flows, seconds, active, churn, heralded, hush, begin; /* as asked for */
	struct weir_recorder *recorder;
	uint16_t source;
	struct proc *proc;
	struct flow *flow;
	struct flow *herald; /* a ring of HERALD_KEPT */
	uint64_t n_herald, n_churned, next_cookie;
	uint64_t now_ns;
	uint64_t random;
};

static uint64_t chance(struct host *h, uint64_t n)
{
	h->random ^= h->random << 13;
	h->random ^= h->random >> 7;
	h->random ^= h->random << 17;
	return h->random % n;
}

static void put(struct host *h, void *record, enum traffic_record type, uint32_t size)
{
	*(struct traffic_head *)record = (struct traffic_head){ type, size };
	weir_recorder_put(h->recorder, h->source, (uint16_t)type, h->now_ns, record, size);
}

/* --- who is there ------------------------------------------------------------------------------
 */

static void put_user(struct host *h, uint32_t uid, const char *name)
{
	struct traffic_user u = { .uid = uid };

	snprintf(u.name, sizeof(u.name), "%s", name);
	put(h, &u, TRAFFIC_RECORD_USER, sizeof(u));
}

static void put_process(struct host *h, unsigned i)
{
	static const char *const kinds[] = { "web",   "worker", "cache", "queue",
					     "index", "proxy",	"store", "mail" };
	struct proc *p = &h->proc[i];
	struct traffic_process e = { .key = p->key,
				     .uid = 1000 + p->program % 4,
				     .netns = NETNS,
				     .cgroup_id = 100 + p->program };

	if (i == 0)
		snprintf(e.comm, sizeof(e.comm), "herald");
	else
		snprintf(e.comm, sizeof(e.comm), "%s-%03u", kinds[p->program % 8], p->program);
	snprintf(e.exe, sizeof(e.exe), "/usr/sbin/%s", e.comm);
	if (p->program % 8 == 1)
		snprintf(e.cgroup, sizeof(e.cgroup), "/system.slice/docker-%064x.scope",
			 p->program);
	else
		snprintf(e.cgroup, sizeof(e.cgroup), "/system.slice/%s.service", e.comm);
	put(h, &e, TRAFFIC_RECORD_PROCESS, sizeof(e));
}

static void put_sums(struct host *h, const struct proc *p)
{
	struct traffic_sums_record e = { .key = p->key };

	memcpy(e.sums.by[TRAFFIC_TCP].bytes, p->bytes, sizeof(p->bytes));
	put(h, &e, TRAFFIC_RECORD_SUMS, sizeof(e));
}

/* --- what they have open -----------------------------------------------------------------------
 */

static void put_flow(struct host *h, struct flow *f, enum traffic_socket_event event)
{
	f->s.event = (uint8_t)event;
	f->s.state = event == TRAFFIC_SOCKET_GONE ? TCP_CLOSE : TCP_ESTABLISHED;
	f->s.at_ns = h->now_ns;
	put(h, &f->s, TRAFFIC_RECORD_SOCKET, sizeof(f->s));
}

static void open_flow(struct host *h, struct flow *f, unsigned proc, uint64_t opened_ns)
{
	uint64_t n = ++h->next_cookie;
	struct traffic_tuple tuple = { .family = AF_INET,
				       .transport = TRAFFIC_TCP,
				       .netns = NETNS };

	tuple.local_port = (uint16_t)(32768 + n % 28000);
	tuple.peer_port = (uint16_t)(n % 3 ? 443 : 5432);
	memcpy(tuple.local, (uint8_t[]){ 192, 0, 2, 10 }, 4);
	memcpy(tuple.peer,
	       (uint8_t[]){ 10, (uint8_t)(n % 7), (uint8_t)(n / 250 % 250),
			    (uint8_t)(1 + n % 250) },
	       4);
	*f = (struct flow){ .proc = proc,
			    .s = { .cookie = n,
				   .owner = h->proc[proc].key,
				   .tuple = tuple,
				   .opened_ns = opened_ns,
				   .role = TRAFFIC_ROLE_CLIENT,
				   .flags = TRAFFIC_SOCKET_BASED,
				   .rtt_min_us = 200,
				   .srtt_us = 300 + (uint32_t)(n % 5000),
				   .cwnd = 10,
				   .rcv_wnd = 65536,
				   .snd_buf = 87040 } };
}

static void move_bytes(struct host *h, struct flow *f)
{
	struct proc *p = &h->proc[f->proc];
	uint64_t tx = 200 + chance(h, 20000), rx = 200 + chance(h, 60000);

	f->s.tx = f->s.hook_tx = f->s.tcp_tx = f->s.tx + tx;
	f->s.rx = f->s.hook_rx = f->s.tcp_rx = f->s.rx + rx;
	f->s.wire_tx = f->s.tx;
	f->s.wire_rx = f->s.rx;
	p->bytes[TRAFFIC_TX] += tx;
	p->bytes[TRAFFIC_RX] += rx;
	p->moved = true;
}

/* --- time --------------------------------------------------------------------------------------
 */

static void put_tick(struct host *h)
{
	struct weir_record_tick t = { .real_ns = h->begin * NS + (h->now_ns - BASE_NS) };

	weir_recorder_put(h->recorder, WEIR_SOURCE_CORE, WEIR_RECORD_TICK, h->now_ns, &t,
			  sizeof(t));
	weir_recorder_flush(h->recorder);
}

static void end_look(struct host *h, enum traffic_swept_full full)
{
	struct traffic_swept swept = { .began_ns = h->now_ns,
				       .full = full,
				       .names = full == TRAFFIC_SWEPT_ALL };
	struct traffic_totals totals = {};

	put(h, &swept, TRAFFIC_RECORD_SWEPT, sizeof(swept));
	put(h, &totals, TRAFFIC_RECORD_TOTALS, sizeof(totals));
	put_tick(h);
}

static void first_look(struct host *h)
{
	put_user(h, 1000, "web");
	put_user(h, 1001, "work");
	put_user(h, 1002, "data");
	put_user(h, 1003, "mail");
	for (unsigned i = 0; i < h->processes; i++) {
		h->proc[i] = (struct proc){ .key = { .pid = 1000 + i, .start_ns = NS + i * MS },
					    .program = i ? i % PROGRAMS : 0 };
		put_process(h, i);
	}
	for (uint64_t i = 0; i < h->flows; i++) {
		/* None of the herald's: what it has in sight is new. */
		open_flow(h, &h->flow[i], (unsigned)(1 + i % (h->processes - 1)),
			  NS + i % 1000 * NS);
		move_bytes(h, &h->flow[i]);
		put_flow(h, &h->flow[i], TRAFFIC_SOCKET_OPEN);
	}
	for (unsigned i = 0; i < h->processes; i++)
		put_sums(h, &h->proc[i]);
	end_look(h, TRAFFIC_SWEPT_ALL);
}

/* The oldest of those that came so goes when one comes. */
static void renew(struct host *h, bool herald)
{
	struct flow *f = herald ? &h->herald[h->n_herald++ % HERALD_KEPT]
				: &h->flow[h->n_churned++ % h->flows];
	unsigned owner = herald ? 0 : f->proc;

	if (f->s.cookie)
		put_flow(h, f, TRAFFIC_SOCKET_GONE);
	open_flow(h, f, owner, h->now_ns);
	put_flow(h, f, TRAFFIC_SOCKET_OPEN);
}

static int by_time(const void *a, const void *b)
{
	const struct news *x = a, *y = b;

	return x->at_ns < y->at_ns ? -1 : x->at_ns > y->at_ns;
}

/* What the ring tells between two looks. */
static int between_looks(struct host *h, uint64_t from_ns)
{
	static const struct weir_record_lost none;
	uint64_t n = h->churn + h->heralded;
	_cleanup_free_ struct news *news = calloc(n + 1, sizeof(*news));
	uint64_t next = 0;

	if (!news)
		return -ENOMEM;
	for (uint64_t i = 0; i < n; i++)
		news[i] = (struct news){ .at_ns = 5 * MS + chance(h, 980 * MS),
					 .herald = i < h->heralded };
	qsort(news, n, sizeof(*news), by_time);
	for (uint64_t beat = BEAT_NS; beat < NS; beat += BEAT_NS) {
		for (; next < n && news[next].at_ns <= beat; next++) {
			h->now_ns = from_ns + news[next].at_ns;
			renew(h, news[next].herald);
		}
		h->now_ns = from_ns + beat;
		weir_recorder_put(h->recorder, WEIR_SOURCE_CORE, WEIR_RECORD_LOST, h->now_ns, &none,
				  sizeof(none));
	}
	h->now_ns = from_ns + NS;
	return 0;
}

/* One in a hundred of the processes, or as many as were asked for, and ten flows of each. */
static void next_look(struct host *h)
{
	uint64_t moving = h->processes * h->active / 100, stride = h->processes - 1;

	for (uint64_t i = 0; i < moving; i++) {
		uint64_t proc =
			i < moving / 10
				? i
				: chance(h, stride); /* a few always, the others now and then */

		for (uint64_t j = 0; j < FLOWS_PER_MOVE && proc + j * stride < h->flows; j++) {
			struct flow *f = &h->flow[proc + j * stride];

			move_bytes(h, f);
			put_flow(h, f, TRAFFIC_SOCKET_SWEEP);
		}
	}
	for (uint64_t i = 0; i < h->processes; i++) {
		if (h->proc[i].moved)
			put_sums(h, &h->proc[i]);
		h->proc[i].moved = false;
	}
	end_look(h, TRAFFIC_SWEPT_CHANGED);
}

static void hush(struct host *h)
{
	static const struct weir_record_lost none;

	put_tick(h);
	for (; h->now_ns < BASE_NS + h->hush * NS; h->now_ns += HUSH_BEAT_NS)
		weir_recorder_put(h->recorder, WEIR_SOURCE_CORE, WEIR_RECORD_LOST, h->now_ns, &none,
				  sizeof(none));
}

static int write_all(struct host *h)
{
	int r = 0;

	h->now_ns = BASE_NS;
	hush(h);
	first_look(h);
	for (uint64_t second = 0; second < h->seconds && r == 0; second++) {
		r = between_looks(h, BASE_NS + (h->hush + second) * NS);
		if (r == 0)
			next_look(h);
		if (r == 0)
			r = weir_recorder_flush(h->recorder);
	}
	return r;
}

/* --- the command -------------------------------------------------------------------------------
 */

static int find_source(uint16_t *ret)
{
	for (uint16_t i = 0; weir_features[i]; i++) {
		if (!strcmp(weir_features[i]->name, "traffic")) {
			*ret = (uint16_t)(WEIR_SOURCE_FEATURE + i);
			return 0;
		}
	}
	return -ENOENT;
}

static int make(struct host *h, const char *path)
{
	int fd, r = find_source(&h->source);

	if (r < 0)
		return r;
	h->proc = calloc(h->processes, sizeof(*h->proc));
	h->flow = calloc(h->flows, sizeof(*h->flow));
	h->herald = calloc(HERALD_KEPT, sizeof(*h->herald));
	if (!h->proc || !h->flow || !h->herald)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = weir_recorder_new(fd, "made-host", &h->recorder);
	if (r < 0) {
		close(fd);
		return r;
	}
	return write_all(h);
}

static bool take_number(const char *text, uint64_t most, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return !errno && end != text && !*end && *text != '-' && *ret <= most;
}

int main(int argc, char **argv)
{
	struct host h = { .processes = 10000,
			  .flows = 100000,
			  .seconds = 60,
			  .active = 1,
			  .churn = 20,
			  .heralded = 4,
			  .begin = 1790000000,
			  .random = 88172645463325252ull };
	static const struct option options[] = {
		{ "processes", required_argument, NULL, 'p' },
		{ "flows", required_argument, NULL, 'f' },
		{ "seconds", required_argument, NULL, 's' },
		{ "active", required_argument, NULL, 'a' },
		{ "churn", required_argument, NULL, 'c' },
		{ "herald", required_argument, NULL, 'h' },
		{ "hush", required_argument, NULL, 'q' },
		{ "begin", required_argument, NULL, 'b' },
		{},
	};
	bool good = true;
	int c, r;

	while (good && (c = getopt_long(argc, argv, "", options, NULL)) >= 0)
		good = c == 'p'	  ? take_number(optarg, 1000000, &h.processes) && h.processes >= 2
		       : c == 'f' ? take_number(optarg, 10000000, &h.flows) && h.flows
		       : c == 's' ? take_number(optarg, 86400, &h.seconds)
		       : c == 'a' ? take_number(optarg, 100, &h.active)
		       : c == 'c' ? take_number(optarg, 100000, &h.churn)
		       : c == 'h' ? take_number(optarg, 1000, &h.heralded)
		       : c == 'q' ? take_number(optarg, 3600, &h.hush)
		       : c == 'b' ? take_number(optarg, 4000000000u, &h.begin)
				  : false;
	if (!good || optind + 1 != argc) {
		fprintf(stderr, "usage: weir-made-host [--processes N] [--flows N] [--seconds N] "
				"[--active PERCENT] [--churn N] [--herald N] [--hush SECONDS] "
				"[--begin SECONDS] FILE\n");
		return 2;
	}
	r = make(&h, argv[optind]);
	weir_recorder_free(h.recorder);
	free(h.proc);
	free(h.flow);
	free(h.herald);
	if (r < 0)
		fprintf(stderr, "weir-made-host: %s: %s\n", argv[optind], strerror(-r));
	return r < 0;
}
