// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "core/attach.h"
#include "core/record.h"
#include "features/drops/drops_counters.h"
#include "features/drops/drops_kept.h"
#include "features/drops/drops_kernel.h"
#include "features/drops/drops_state.h"

#define BATCH 256
#define WANTED_MAX 1024 /* sockets whose owners are asked for at once */
#define IDLE_NS (300ull * 1000000000ull)  /* a sum that did not grow for so long is taken out of the map, */
#define CROWDED_IDLE_NS 2000000000ull     /* and where there are many, for so long */
#define COUNTERS_NS (900ull * 1000000ull) /* they are read no more often: that costs more than the rest */
#define ASK_NS (100ull * 1000000ull)      /* the same for who holds a socket: it walks all open files */
#define ASK_REST 20                       /* so many times as long as that took it is left alone */
#define PID_NS_INIT 0xeffffffcu           /* PROC_PID_INIT_INO, include/linux/proc_ns.h */

struct drops_reader {
	struct drops_kernel *kernel;
	struct ring_buffer *ring;
	struct drops_counters *counters;
	struct weir_sink *sink;   /* while draining */
	struct drops_lost told;
	uint64_t counted_ns, asked_ns, asking_ns; /* the last: how long it took to ask */
	int n_cpus;
	bool began, counted;
	bool sees_all_processes;  /* not in a pid namespace of our own */
	unsigned drained;
	unsigned n_wanted;
	struct drops_owner wanted[WANTED_MAX]; /* by .socket; without a start: nobody was found yet */
	struct drops_left *left;  /* of a reader before this one; NULL: it is the first */
	struct drops_sum *values; /* BATCH * n_cpus */
	uint64_t n_sums;          /* in the map, at the last look */
	struct drops_plain plain[256]; /* that the kernel half was told of */
	unsigned n_plain;
	char chunk[65536] __attribute__((aligned(8)));
};

static int on_seen(void *ctx, void *data, size_t len)
{
	const struct drops_head *head = data;
	struct drops_reader *r = ctx;

	if (len >= sizeof(*head))
		r->sink->put(r->sink, (uint16_t)head->type, data, len);
	r->drained++;
	return 0;
}

int drops_reader_new(struct drops_kernel *k, struct drops_reader **ret)
{
	struct drops_reader *r = calloc(1, sizeof(*r));
	struct stat st;
	int e = -ENOMEM;

	if (!r)
		return -ENOMEM;
	r->kernel = k;
	r->n_cpus = libbpf_num_possible_cpus();
	if (r->n_cpus > 0)
		r->values = calloc((size_t)BATCH * (size_t)r->n_cpus, sizeof(*r->values));
	r->counters = drops_counters_new();
	if (r->values && r->counters) {
		r->ring = ring_buffer__new(drops_kernel_ring(k), on_seen, r, NULL);
		if (!r->ring)
			e = -errno;
	}
	if (!r->ring) {
		drops_reader_free(r);
		return e;
	}
	if (drops_left_new(drops_kernel_kept(k), &r->left) < 0) {
		drops_reader_free(r);
		return -ENOMEM;
	}
	r->sees_all_processes = stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == PID_NS_INIT;
	*ret = r;
	return 0;
}

struct drops_reader *drops_reader_free(struct drops_reader *r)
{
	if (!r)
		return NULL;
	ring_buffer__free(r->ring);
	drops_counters_free(r->counters);
	free(r->left);
	free(r->values);
	free(r);
	return NULL;
}

int drops_reader_fd(const struct drops_reader *r)
{
	return ring_buffer__epoll_fd(r->ring);
}

bool drops_reader_carried_in(const struct drops_reader *r)
{
	return r->left && r->left->half.carried_in;
}

int drops_reader_drain(struct drops_reader *r, struct weir_sink *sink)
{
	int e;

	r->sink = sink;
	r->drained = 0;
	e = ring_buffer__consume(r->ring);
	r->sink = NULL;
	return e < 0 ? e : (int)r->drained;
}

/* --- sums ----------------------------------------------------------------------------------------- */

static struct drops_sum sum_of(const struct drops_sum *values, int n_cpus)
{
	struct drops_sum sum = {};

	for (int i = 0; i < n_cpus; i++) {
		sum.packets += values[i].packets;
		sum.bytes += values[i].bytes;
	}
	return sum;
}

static void put_sum(struct weir_sink *sink, const struct drops_key *key, const struct drops_sum *sum, bool over,
		    enum drops_earlier earlier)
{
	struct drops_sum_record e = { .head = { DROPS_RECORD_SUM, sizeof(e) }, .key = *key, .packets = sum->packets,
				      .bytes = sum->bytes, .over = over, .earlier = earlier };

	sink->put(sink, DROPS_RECORD_SUM, &e, sizeof(e));
}

/* Of a sum that a reader before told of: that part the groups have. When the rest was lost nobody knows. */
static bool put_left(const struct drops_reader *r, struct weir_sink *sink, const struct drops_key *key,
		     const struct drops_sum *sum)
{
	const struct drops_kept_sum *before = drops_left_sum(r->left, key);
	struct drops_sum counted = {};

	if (!before || before->packets > sum->packets)
		return false;
	counted.packets = before->packets;
	counted.bytes = before->bytes < sum->bytes ? before->bytes : sum->bytes;
	put_sum(sink, key, &counted, false, DROPS_EARLIER_COUNTED);
	if (sum->packets > before->packets)
		put_sum(sink, key, sum, false, DROPS_EARLIER);
	return true;
}

/* Sockets, interfaces and namespaces that are gone would fill the map: the fuller it is, the sooner is a sum taken out that
 * did not grow. What it has counted stays in its row. */
static bool is_idle(const struct drops_reader *r, const struct drops_entry *e, const struct drops_sum *sum, uint64_t now)
{
	uint64_t idle_ns = r->n_sums > DROPS_KEYS_MAX / 4 ? CROWDED_IDLE_NS : IDLE_NS;

	return e && e->packets == sum->packets && now - e->last_ns > idle_ns;
}

static void collect_map(struct drops_reader *r, const struct drops_state *s, struct weir_sink *sink, int fd, bool forget,
			uint64_t *ret_total)
{
	struct drops_key keys[BATCH];
	uint64_t now = weir_mono_ns();
	uint32_t at = 0, n;
	void *in = NULL;
	int e;

	*ret_total = 0;
	do {
		n = BATCH;
		e = bpf_map_lookup_batch(fd, in, &at, keys, r->values, &n, NULL);
		if (e < 0 && e != -ENOENT)
			break; /* what is missing comes with the next look */
		in = &at;
		*ret_total += n;
		for (uint32_t i = 0; i < n; i++) {
			struct drops_sum *values = r->values + (size_t)i * (size_t)r->n_cpus;
			struct drops_sum sum = sum_of(values, r->n_cpus);
			const struct drops_entry *known = drops_entry_find(s, &keys[i]);
			bool over = forget && is_idle(r, known, &sum, now);

			if (over && bpf_map_lookup_and_delete_elem(fd, &keys[i], values) < 0)
				continue;
			if (over)
				sum = sum_of(values, r->n_cpus);
			if (!r->counted && put_left(r, sink, &keys[i], &sum))
				continue;
			if (over || (known ? known->packets != sum.packets : sum.packets > 0))
				put_sum(sink, &keys[i], &sum, over, r->counted ? DROPS_NOW : DROPS_EARLIER);
		}
	} while (!e);
}

static void collect_sums(struct drops_reader *r, const struct drops_state *s, struct weir_sink *sink)
{
	struct weir_attach *attach = drops_kernel_attach(r->kernel);
	uint64_t crowds;

	collect_map(r, s, sink, drops_kernel_sums(r->kernel), true, &r->n_sums);
	collect_map(r, s, sink, drops_kernel_crowds(r->kernel), false, &crowds);
	r->counted = true;
	free(r->left);
	r->left = NULL;
	weir_attach_entries(attach, "drops_sums", r->n_sums);
	weir_attach_entries(attach, "drops_crowds", crowds);
}

/* What turned out to be no loss is summed without its sockets from now on. */
static void tell_plain(struct drops_reader *r, const struct drops_state *s)
{
	uint8_t one = 1;

	for (const struct drops_row *row = s->rows; row; row = row->hh.next) {
		struct drops_plain plain = { .place = row->key.place, .reason = row->key.reason };
		unsigned i = 0;

		if (!row->consumed || !row->key.place)
			continue;
		while (i < r->n_plain && memcmp(&r->plain[i], &plain, sizeof(plain)))
			i++;
		if (i < r->n_plain || i == ARRAY_SIZE(r->plain))
			continue;
		if (bpf_map_update_elem(drops_kernel_plain(r->kernel), &plain, &one, BPF_ANY) == 0)
			r->plain[r->n_plain++] = plain;
	}
}

static void collect_lost(struct drops_reader *r, struct weir_sink *sink)
{
	const struct drops_control *c = drops_kernel_control(r->kernel);
	struct drops_lost now = {
		.head = { DROPS_RECORD_LOST, sizeof(now) },
		.samples = __atomic_load_n(&c->samples_lost, __ATOMIC_RELAXED),
		.crowded = __atomic_load_n(&c->crowded, __ATOMIC_RELAXED),
		.unkeyed = __atomic_load_n(&c->unkeyed, __ATOMIC_RELAXED),
		.unkeyed_bytes = __atomic_load_n(&c->unkeyed_bytes, __ATOMIC_RELAXED),
		.missed = drops_missed(drops_kernel_program(r->kernel)),
	};

	if (!memcmp(&now, &r->told, sizeof(now)))
		return;
	r->told = now;
	sink->put(sink, DROPS_RECORD_LOST, &now, sizeof(now));
}

static void collect_reasons(struct drops_reader *r, struct weir_sink *sink)
{
	const struct drops_reason *reasons;
	unsigned n;

	reasons = drops_kernel_reasons(r->kernel, &n);
	for (unsigned i = 0; i < n; i++)
		sink->put(sink, DROPS_RECORD_REASON, &reasons[i], sizeof(reasons[i]));
}

/* What a reader before this one learned. */
static void collect_places(struct drops_reader *r, struct weir_sink *sink)
{
	struct drops_place_name e = { .head = { DROPS_RECORD_PLACE, sizeof(e) } };
	int fd = drops_kernel_places(r->kernel);
	uint64_t at, *last = NULL;

	/* A key that goes meanwhile makes the kernel begin again. */
	for (unsigned i = 0; i < 2 * DROPS_CROWDS_MAX && bpf_map_get_next_key(fd, last, &e.address) == 0; i++) {
		if (bpf_map_lookup_elem(fd, &e.address, e.symbol) == 0)
			sink->put(sink, DROPS_RECORD_PLACE, &e, sizeof(e));
		at = e.address;
		last = &at;
	}
}

static void collect_devices(struct drops_reader *r, struct weir_sink *sink)
{
	struct drops_device_name e = { .head = { DROPS_RECORD_DEVICE, sizeof(e) } };
	int fd = drops_kernel_devices(r->kernel);
	struct drops_device_id at, *last = NULL;

	for (unsigned i = 0; i < 2 * DROPS_CROWDS_MAX && bpf_map_get_next_key(fd, last, &e.id) == 0; i++) {
		if (bpf_map_lookup_elem(fd, &e.id, e.name) == 0)
			sink->put(sink, DROPS_RECORD_DEVICE, &e, sizeof(e));
		at = e.id;
		last = &at;
	}
}

/* --- who holds a socket ---------------------------------------------------------------------------- */

static void want(void *ctx, const struct drops_socket *socket)
{
	struct drops_reader *r = ctx;
	uint8_t one = 1;

	for (unsigned i = 0; i < r->n_wanted; i++)
		if (!memcmp(&r->wanted[i].socket, socket, sizeof(*socket)))
			return;
	if (r->n_wanted == WANTED_MAX)
		return; /* the others at the next look */
	if (bpf_map_update_elem(drops_kernel_wanted(r->kernel), socket, &one, BPF_ANY) < 0)
		return;
	r->wanted[r->n_wanted++] =
		(struct drops_owner){ .head = { DROPS_RECORD_OWNER, sizeof(*r->wanted) }, .socket = *socket };
}

static bool take_line(const char *line, const char *mark, char *ret, size_t room)
{
	const char *at = strstr(line, mark);

	if (!at)
		return false;
	at += strlen(mark);
	snprintf(ret, room, "%.*s", (int)strcspn(at, "\n"), at);
	return ret[0] && strcmp(ret, "/") != 0;
}

/* As the kernel prints it; on a hybrid host the group is in one of the old hierarchies. */
static void fill_cgroup(struct drops_owner *o)
{
	static const char *const marks[] = { "0::", ":memory:", ":pids:" };
	_cleanup_fclose_ FILE *file = NULL;
	char path[32], line[512];

	snprintf(path, sizeof(path), "/proc/%u/cgroup", o->pid);
	for (unsigned i = 0; i < ARRAY_SIZE(marks); i++) {
		file = file ? file : fopen(path, "re");
		if (!file)
			return;
		rewind(file);
		while (fgets(line, sizeof(line), file))
			if (take_line(line, marks[i], o->cgroup, sizeof(o->cgroup)))
				return;
	}
}

/* Of several that hold it, the one that has lived longest: mostly the others are its children, which may come and go within
 * milliseconds, with pids below its own where pids went round. (Who was given it by another one stands behind that one.) But
 * rather anybody than pid 1: it opens sockets for services and keeps them. */
static bool holds_rather(const struct drops_owner *a, const struct drops_owner *b)
{
	if (!b->start_ns || (a->pid == 1) != (b->pid == 1))
		return !b->start_ns || b->pid == 1;
	return a->start_ns < b->start_ns;
}

static void on_owner(struct drops_reader *r, const struct drops_owner *o)
{
	for (unsigned i = 0; i < r->n_wanted; i++) {
		struct drops_owner *w = &r->wanted[i];

		if (!memcmp(&w->socket, &o->socket, sizeof(o->socket)) && holds_rather(o, w))
			*w = *o;
	}
}

static void run_owners(struct drops_reader *r)
{
	_cleanup_close_ int fd = bpf_iter_create(drops_kernel_owners(r->kernel));
	size_t have = 0;
	ssize_t n;

	while (fd >= 0) {
		size_t at = 0;

		n = read(fd, r->chunk + have, sizeof(r->chunk) - have);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return;
		have += (size_t)n;
		for (; have - at >= sizeof(struct drops_owner); at += sizeof(struct drops_owner)) {
			struct drops_owner o;

			memcpy(&o, r->chunk + at, sizeof(o));
			on_owner(r, &o);
		}
		memmove(r->chunk, r->chunk + at, have - at);
		have -= at;
	}
}

static void collect_owners(struct drops_reader *r, const struct drops_state *s, struct weir_sink *sink)
{
	uint64_t now = weir_mono_ns();

	if (drops_kernel_owners(r->kernel) < 0 || now - r->asked_ns < ASK_NS || now - r->asked_ns < ASK_REST * r->asking_ns)
		return;
	r->n_wanted = 0;
	drops_unknown_holders(s, now, want, r);
	if (!r->n_wanted)
		return;
	r->asked_ns = now;
	run_owners(r);
	r->asking_ns = weir_mono_ns() - now;
	for (unsigned i = 0; i < r->n_wanted; i++) {
		struct drops_owner *o = &r->wanted[i];

		if (o->start_ns && r->sees_all_processes)
			fill_cgroup(o);
		sink->put(sink, DROPS_RECORD_OWNER, o, sizeof(*o));
		bpf_map_delete_elem(drops_kernel_wanted(r->kernel), &o->socket);
	}
}

/* --- the whole look -------------------------------------------------------------------------------- */

int drops_reader_collect(struct drops_reader *r, const struct drops_state *s, struct weir_sink *sink)
{
	uint64_t now = weir_mono_ns();
	int e;

	if (!r->began) {
		collect_reasons(r, sink);
		collect_places(r, sink);
		collect_devices(r, sink);
		if (r->left)
			drops_left_groups(r->left, sink);
	}
	r->began = true;
	e = drops_reader_drain(r, sink); /* places and devices before the sums that have them */
	collect_sums(r, s, sink);
	tell_plain(r, s);
	collect_owners(r, s, sink);
	collect_lost(r, sink);
	if (now - r->counted_ns >= COUNTERS_NS) {
		r->counted_ns = now;
		drops_counters_collect(r->counters, sink);
	}
	drops_keep(drops_kernel_kept(r->kernel), s);
	return e < 0 ? e : 0;
}
