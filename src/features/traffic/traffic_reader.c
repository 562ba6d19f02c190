// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "core/attach.h"
#include "features/traffic/traffic_kernel_private.h"
#include "features/traffic/traffic_rules.h"
#include "features/traffic/traffic_state.h"

#define BATCH 512
#define LOOK_AGAIN_NS 5000000000u
#define SWEEPS_MAX 8          /* passes of one look */
#define ITER_HALF_FULL 16384  /* of the iterators' buffer in the kernel, which has eight pages */
#define BEGUN_NS 5000000 /* what a look waits for records that were begun, in all */
#define BEGUN_NAP_NS 50000
#define PASSWD "/etc/passwd"
#define PID_NS_INIT 0xeffffffcu /* PROC_PID_INIT_INO, include/linux/proc_ns.h */

struct traffic_reader {
	struct traffic_kernel *kernel;
	struct ring_buffer *ring;
	void *positions; /* in the ring: its own pages; NULL: not to be had */
	const unsigned long *read_to, *written_to; /* there */
	struct weir_sink *sink; /* while draining */
	uint64_t lost;          /* as last told */
	uint64_t drained;
	struct timespec passwd_mtime;
	bool passwd_read;
	uint64_t again_ns; /* when to look at everything again, as the last such look may have skipped some; 0: never */
	bool user_unknown; /* the sweep met bytes on a socket that nobody has called */
	bool sees_all_processes; /* not in a pid namespace of our own */
	char chunk[256 * 1024] __attribute__((aligned(8)));
};

static int on_news(void *ctx, void *data, size_t len)
{
	struct traffic_reader *r = ctx;
	const struct traffic_head *head = data;

	if (len >= sizeof(*head))
		r->sink->put(r->sink, (uint16_t)head->type, data, len);
	r->drained++;
	return 0;
}

/* As Documentation/bpf/ringbuf.rst has them: the consumer's page, then the producers'. */
static void map_positions(struct traffic_reader *r, int fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *at = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return;
	r->positions = at;
	r->read_to = (const void *)at;
	r->written_to = (const void *)(at + page);
}

static void unmap_positions(struct traffic_reader *r)
{
	if (r->positions)
		munmap(r->positions, 2 * (size_t)sysconf(_SC_PAGESIZE));
}

int traffic_reader_new(struct traffic_kernel *k, struct traffic_reader **ret)
{
	struct traffic_reader *r = calloc(1, sizeof(*r));
	struct stat st;

	if (!r)
		return -ENOMEM;
	r->kernel = k;
	if (k->bpf->rodata->have_ring) {
		r->ring = ring_buffer__new(bpf_map__fd(k->bpf->maps.news), on_news, r, NULL);
		if (!r->ring) {
			free(r);
			return -errno;
		}
		map_positions(r, bpf_map__fd(k->bpf->maps.news));
	}
	r->sees_all_processes = stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == PID_NS_INIT;
	*ret = r;
	return 0;
}

struct traffic_reader *traffic_reader_free(struct traffic_reader *r)
{
	if (!r)
		return NULL;
	unmap_positions(r);
	ring_buffer__free(r->ring);
	free(r);
	return NULL;
}

int traffic_reader_fd(const struct traffic_reader *r)
{
	return r->ring ? ring_buffer__epoll_fd(r->ring) : -1;
}

int traffic_reader_restore(const struct traffic_reader *r, struct traffic_state *state)
{
	traffic_restore(r->kernel->kept, state);
	return traffic_given_open(&r->kernel->kept->given, &state->given);
}

void traffic_reader_watched(struct traffic_reader *r, bool on)
{
	r->kernel->bpf->bss->control.watched = on;
}

int traffic_reader_drain(struct traffic_reader *r, struct weir_sink *sink)
{
	uint64_t lost, before = r->drained;
	int e;

	if (!r->ring)
		return 0;
	r->sink = sink;
	e = ring_buffer__consume(r->ring);
	r->sink = NULL;
	lost = __atomic_load_n(&r->kernel->bpf->bss->control.lost, __ATOMIC_RELAXED);
	if (lost != r->lost) {
		r->lost = lost;
		sink->lost(sink, lost);
	}
	return e < 0 ? e : (int)(r->drained - before);
}

/* The same, and all that was begun by now: a hook whose task lost its processor between taking a record and handing it over
 * holds up every record behind its own, and a socket that has ended tells nowhere else. */
static int drain_begun(struct traffic_reader *r, struct weir_sink *sink, uint64_t until_ns)
{
	unsigned long begun = r->positions ? __atomic_load_n(r->written_to, __ATOMIC_ACQUIRE) : 0;
	int n = traffic_reader_drain(r, sink), e = n;

	while (e >= 0 && r->positions && (long)(*r->read_to - begun) < 0 && weir_mono_ns() < until_ns) {
		nanosleep(&(struct timespec){ .tv_nsec = BEGUN_NAP_NS }, NULL);
		e = traffic_reader_drain(r, sink);
		n += e;
	}
	return e < 0 ? e : n;
}

static void note_unknown_user(struct traffic_reader *r, const struct traffic_head *head)
{
	const struct traffic_socket *s = (const void *)head;

	if (head->type == TRAFFIC_RECORD_SOCKET && head->size == sizeof(*s))
		r->user_unknown |= traffic_user_unknown(s->flags & TRAFFIC_SOCKET_TENTATIVE, s->hook_tx,
							s->hook_rx, s->tx, s->rx);
}

/* Runs an iterator and hands each record over. Records are whole: the kernel writes one or none. Returns 1 when its
 * buffer may have been full, so that it paused in between; 0 when it surely went through at once. */
static int read_iterator(struct traffic_reader *r, struct bpf_link *link, struct weir_sink *sink)
{
	_cleanup_close_ int fd = bpf_iter_create(bpf_link__fd(link));
	size_t have = 0;
	int paused = 0;

	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t n = read(fd, r->chunk + have, sizeof(r->chunk) - have);
		size_t at = 0;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return paused;
		paused |= n > ITER_HALF_FULL;
		have += (size_t)n;
		while (have - at >= sizeof(struct traffic_head)) {
			const struct traffic_head *head = (const void *)(r->chunk + at);

			if (head->size < sizeof(*head) || head->size > sizeof(r->chunk))
				return -EBADMSG;
			if (head->size > have - at)
				break;
			note_unknown_user(r, head);
			sink->put(sink, (uint16_t)head->type, head, head->size);
			at += head->size;
		}
		memmove(r->chunk, r->chunk + at, have - at);
		have -= at;
	}
}

/* --- sums -------------------------------------------------------------------------------------- */

static bool same_sums(const struct traffic_proc *p, const struct traffic_sums *now)
{
	return p && !memcmp(p->in_map, now->by, sizeof(p->in_map));
}

/* An ended process whose sockets have all ended: nothing more comes, its entry can go. */
static bool is_over(const struct traffic_proc *p, uint64_t now)
{
	return p && p->exited && !p->gone_from_map && now > p->exit_mono_ns + 1000000000u &&
	       p->connections_open == 0;
}

static void put_sums(struct weir_sink *sink, const struct traffic_key *key, const struct traffic_sums *sums,
		     bool final)
{
	struct traffic_sums_record e = { .head = { TRAFFIC_RECORD_SUMS, sizeof(e) }, .key = *key, .sums = *sums,
					 .final = final };

	sink->put(sink, TRAFFIC_RECORD_SUMS, &e, sizeof(e));
}

static void collect_sums(struct traffic_reader *r, const struct traffic_state *state, struct weir_sink *sink)
{
	int fd = bpf_map__fd(r->kernel->bpf->maps.processes);
	struct traffic_sums values[BATCH];
	struct traffic_key keys[BATCH];
	uint64_t total = 0, now = weir_mono_ns();
	uint32_t at = 0, n = BATCH;
	void *in = NULL;
	int e;

	do {
		n = BATCH;
		e = bpf_map_lookup_batch(fd, in, &at, keys, values, &n, NULL);
		if (e < 0 && e != -ENOENT)
			break; /* what is missing comes with the next look */
		in = &at;
		total += n;
		for (uint32_t i = 0; i < n; i++) {
			const struct traffic_proc *p = traffic_proc_find(state, &keys[i]);
			bool over = is_over(p, now);

			if (over && bpf_map_lookup_and_delete_elem(fd, &keys[i], &values[i]) < 0)
				continue;
			if (over || !same_sums(p, &values[i]))
				put_sums(sink, &keys[i], &values[i], over);
		}
	} while (!e);
	weir_attach_entries(r->kernel->attach, "processes", total);
}

/* Ended processes that the map had no room for, or has no more: nothing else takes their last sums out of it. */
static void end_without_entry(struct traffic_reader *r, const struct traffic_state *state, struct weir_sink *sink)
{
	int fd = bpf_map__fd(r->kernel->bpf->maps.processes);
	const struct traffic_proc *p, *next;
	uint64_t now = weir_mono_ns();

	for (p = state->exited_first; p; p = next) {
		struct traffic_sums sums = {};

		next = p->exit_next;
		if (!is_over(p, now) || bpf_map_lookup_elem(fd, &p->key, &sums) != -ENOENT)
			continue;
		memcpy(sums.by, p->in_map, sizeof(sums.by));
		put_sums(sink, &p->key, &sums, true);
	}
}

/* all_since: every socket that was open then is known, 0: not all were looked at. Peers of older ones that are not known
 * are left over: the socket ended while nobody looked. */
static void collect_peers(struct traffic_reader *r, const struct traffic_state *state, struct weir_sink *sink,
			  uint64_t all_since)
{
	int fd = bpf_map__fd(r->kernel->bpf->maps.peers);
	struct traffic_peer_key keys[BATCH];
	struct traffic_bytes values[BATCH];
	uint64_t total = 0;
	uint32_t at = 0, n;
	void *in = NULL;
	int e;

	do {
		n = BATCH;
		e = bpf_map_lookup_batch(fd, in, &at, keys, values, &n, NULL);
		if (e < 0 && e != -ENOENT)
			break;
		in = &at;
		total += n;
		for (uint32_t i = 0; i < n; i++) {
			const struct traffic_flow *f = traffic_flow_find(state, keys[i].cookie, keys[i].opened_ns);
			struct traffic_peer_record p = { .head = { TRAFFIC_RECORD_PEER, sizeof(p) },
							 .key = keys[i], .sums = values[i] };
			const struct traffic_flow_peer *known = f ? f->peers : NULL;

			while (known && memcmp(&known->key, &keys[i], sizeof(keys[i])))
				known = known->next;
			if (f && (!known || memcmp(&known->sums, &values[i], sizeof(values[i]))))
				sink->put(sink, TRAFFIC_RECORD_PEER, &p, sizeof(p));
			if (f ? f->gone : keys[i].opened_ns < all_since)
				bpf_map_delete_elem(fd, &keys[i]);
		}
	} while (!e);
	weir_attach_entries(r->kernel->attach, "peers", total);
}

/* --- names of users ---------------------------------------------------------------------------- */

static bool user_unknown(const struct traffic_state *state)
{
	for (const struct traffic_proc *p = state->procs; p; p = p->hh.next)
		if (p->named && !traffic_user_name(state, p->uid))
			return true;
	return false;
}

/* The file alone: name services would have the engine talk to the network. */
static void collect_users(struct traffic_reader *r, const struct traffic_state *state, struct weir_sink *sink)
{
	_cleanup_fclose_ FILE *file = NULL;
	struct passwd *entry;
	struct stat st;

	if (stat(PASSWD, &st) < 0 || (r->passwd_read && st.st_mtim.tv_sec == r->passwd_mtime.tv_sec &&
				      st.st_mtim.tv_nsec == r->passwd_mtime.tv_nsec))
		return;
	if (!user_unknown(state))
		return;
	file = fopen(PASSWD, "re");
	if (!file)
		return;
	r->passwd_mtime = st.st_mtim;
	r->passwd_read = true;
	while ((entry = fgetpwent(file))) {
		struct traffic_user u = { .head = { TRAFFIC_RECORD_USER, sizeof(u) }, .uid = entry->pw_uid };

		strncpy(u.name, entry->pw_name, sizeof(u.name) - 1);
		sink->put(sink, TRAFFIC_RECORD_USER, &u, sizeof(u));
	}
}

/* --- the whole look ---------------------------------------------------------------------------- */

static void collect_totals(struct traffic_reader *r, struct weir_sink *sink)
{
	const struct traffic_control *c = &r->kernel->bpf->bss->control;
	struct traffic_totals t = {
		.head = { TRAFFIC_RECORD_TOTALS, sizeof(t) },
		.unattributed = { c->unattributed[0], c->unattributed[1] },
		.full_map = c->full_map,
		.cut = c->cut,
	};

	sink->put(sink, TRAFFIC_RECORD_TOTALS, &t, sizeof(t));
}

/* Walks every process's descriptors: who holds the sockets that nobody has called. */
static int look_at_holders(struct traffic_reader *r, struct weir_sink *sink)
{
	r->kernel->bpf->bss->control.look++;
	return read_iterator(r, r->kernel->seed, sink);
}

/* An engine that begins anew counts on from where the one before it was. */
static uint32_t next_round(struct traffic_control *c)
{
	c->round = c->round == UINT32_MAX ? 1 : c->round + 1;
	return c->round;
}

/* An iterator over socket storage that paused goes on at the place in the list where it was; sockets that ended meanwhile
 * have moved others in front of that place (bpf_sk_storage_map_seq_find_next() counts). So it runs until it went through
 * without a pause: each further pass has only what the ones before skipped, or what changed since. */
static int sweep(struct traffic_reader *r, struct weir_sink *sink)
{
	int e = 1;

	for (unsigned i = 0; i < SWEEPS_MAX && e > 0; i++)
		e = read_iterator(r, r->kernel->sweep, sink);
	return e;
}

int traffic_reader_collect(struct traffic_reader *r, const struct traffic_state *state, struct weir_sink *sink,
			   bool all)
{
	struct traffic_kernel *k = r->kernel;
	/* Without a ring nothing tells what ended, so everything is looked at. */
	bool full = all || !r->ring || (r->again_ns && weir_mono_ns() >= r->again_ns);
	struct traffic_swept swept = { .head = { TRAFFIC_RECORD_SWEPT, sizeof(swept) }, .full = TRAFFIC_SWEPT_CHANGED,
				       .names = full && r->sees_all_processes };
	uint64_t begun_until;
	int e;

	e = traffic_reader_drain(r, sink);
	if (e < 0)
		return e;
	swept.began_ns = weir_mono_ns();
	k->bpf->bss->control.sweep_all = full ? next_round(&k->bpf->bss->control) : 0;
	if (full)
		e = look_at_holders(r, sink);
	if (e >= 0 && full)
		e = read_iterator(r, k->names, sink);
	r->user_unknown = false;
	if (e >= 0)
		e = sweep(r, sink);
	if (full) {
		swept.full = e == 0 ? TRAFFIC_SWEPT_ALL : TRAFFIC_SWEPT_NOT_SURELY;
		r->again_ns = e == 0 ? 0 : swept.began_ns + LOOK_AGAIN_NS;
	}
	if (e >= 0 && r->user_unknown && !full) {
		e = look_at_holders(r, sink);
		if (e >= 0)
			e = sweep(r, sink);
		if (e >= 0)
			e = read_iterator(r, k->names, sink);
	}
	k->bpf->bss->control.sweep_all = 0;
	if (e < 0)
		return e;
	sink->put(sink, TRAFFIC_RECORD_SWEPT, &swept, sizeof(swept));
	/* Sockets that ended since the sweep told so in the ring. The sums are read last: they may be ahead of the
	 * sockets then, never behind. */
	begun_until = weir_mono_ns() + BEGUN_NS;
	for (int i = 0; i < 3; i++) {
		e = drain_begun(r, sink, begun_until);
		collect_sums(r, state, sink);
		if (e <= 0)
			break;
	}
	if (full)
		end_without_entry(r, state, sink);
	collect_totals(r, sink);
	traffic_keep(k->kept, state);
	collect_peers(r, state, sink, swept.full == TRAFFIC_SWEPT_ALL ? swept.began_ns : 0);
	collect_users(r, state, sink);
	return e < 0 ? e : 0;
}
