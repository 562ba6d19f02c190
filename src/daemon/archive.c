// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/archive.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "core/snapshot.h"
#include "core/tables.h"
#include "daemon/feeder.h"
#include "daemon/ipc.h"
#include "daemon/sandbox.h"
#include "store/batch.h"
#include "store/store.h"

#define MESSAGES_PER_TURN 64
#define TO_THE_SECOND 19 /* characters of a timestamp */
#define CARRIED_MAX WEIR_BATCH_MAX
#define TRIM_BATCHES 60 /* memory is given back about once a minute */
#define LARGE_BLOCK (256u << 10) /* after a larger one its memory is given back */
#define MEMORY_LIMIT (16ull << 20) /* of a history without a file */
#define PROMPT_NS (4 * SECOND_NS) /* between the last second of an engine that died and the next engine's beginning */
#define LAST_BATCH_NS (2500ull * 1000000ull) /* so long an engine may take to end */
#define SECOND_NS 1000000000ull

struct archive {
	const struct weir_archive_options *o;
	const char *folder; /* as it is seen from inside; NULL: none */
	char no_way[160];
	const char *no_file; /* why there is no file, if there should be one */
	struct weir_store *store;
	struct weir_builder *builder;
	int keeper_sock, engine_sock, gate_sock;
	struct weir_carry_serial taken; /* the newest batch that is in the store */
	uint64_t began_ns;
	uint64_t newest_ns;             /* second that was told last */
	unsigned batches;
	bool has_engine, stop;
	bool carried_unread; /* that was said */
	void *block; /* room for a batch, so that none is lost for want of memory */
	char host[WEIR_HOST_TEXT];
};

/* --- what is said -------------------------------------------------------------------------------- */

static void report(void *ctx, const struct weir_history_event *e)
{
	(void)ctx;
	weir_warning("history: %s", e->summary ? e->summary : weir_history_event_name(e->kind));
}

static void tell_taken(struct archive *a)
{
	struct weir_message m = { .type = WEIR_MESSAGE_TAKEN, .serial = a->taken.serial, .count = a->taken.run_id };
	struct weir_store_state state = {};
	struct weir_store_status status = {};

	if (a->store)
		weir_store_status(a->store, &status);
	state.bytes = status.bytes;
	state.limit_bytes = status.limit_bytes;
	state.lost_seconds = status.lost_seconds;
	state.carry_lost = status.carry_lost;
	state.in_memory = a->no_file && !status.reason;
	if (status.reason || a->no_file)
		snprintf(state.reason, sizeof(state.reason), "%s", status.reason ? status.reason : a->no_file);
	m.size = sizeof(state);
	weir_message_send_with(a->engine_sock, &m, &state, -1);
}

/* --- the engine ---------------------------------------------------------------------------------- */

static void find_serial(void *ctx, const char *feature, uint16_t type, const void *key, size_t key_len, const void *bytes,
			size_t len)
{
	struct weir_carry_serial *found = ctx;

	(void)key;
	(void)key_len;
	if (!strcmp(feature, WEIR_CARRY_OWN) && type == WEIR_CARRY_SERIAL && len == sizeof(*found))
		memcpy(found, bytes, sizeof(*found));
}

static int open_store(struct archive *a, uint64_t real_ns)
{
	const struct weir_store_options o = { .folder = a->folder,
					      .limit_bytes = a->folder ? a->o->limit_bytes : MEMORY_LIMIT,
					      .real_ns = real_ns,
					      .report = report };
	struct weir_carry_serial in_file = {};
	int r = weir_store_open(&o, &a->store);

	if (r < 0)
		return r;
	(void)weir_store_carry_get(a->store, WEIR_CARRY_OWN, find_serial, &in_file); /* a file that cannot be read has none */
	a->taken = in_file;
	return 0;
}

static void take_batch(struct archive *a, int fd, const struct weir_message *m)
{
	uint64_t real_ns = 0;
	int r;

	if (m->count == a->taken.run_id && m->serial <= a->taken.serial)
		return; /* the store before took it, and had no time to say so */
	r = m->size > WEIR_BATCH_MAX ? -EBADMSG : weir_memory_read(fd, a->block, m->size);
	if (r == 0)
		r = weir_batch_decode(a->block, m->size, &real_ns, NULL);
	if (r == 0 && !a->store)
		r = open_store(a, real_ns); /* a recording's history begins where that does */
	if (r == 0)
		r = weir_store_append(a->store, a->block, m->size);
	if (r < 0)
		weir_warning("a second of history could not be read: %s", strerror(-r));
	a->taken = (struct weir_carry_serial){ m->count, m->serial }; /* it would be no better a second time */
	if (real_ns > a->newest_ns)
		a->newest_ns = real_ns;
	if (a->o->newest_ns)
		*a->o->newest_ns = a->newest_ns;
	if (m->size > LARGE_BLOCK)
		madvise(a->block, WEIR_BATCH_MAX, MADV_DONTNEED);
	if (++a->batches % TRIM_BATCHES == 0)
		malloc_trim(0);
}

static void put_carried(void *ctx, const char *feature, uint16_t type, const void *key, size_t key_len, const void *bytes,
			size_t len)
{
	struct weir_carry_sink *sink = weir_batch_carry(ctx, feature);

	sink->put(sink, type, key, key_len, bytes, len);
}

/* Nothing is better than less: the engine would take that for all, and have the rest replaced by it. It asks again. */
static void give_carried(struct archive *a)
{
	struct weir_message m = { .type = WEIR_MESSAGE_CARRIED };
	struct weir_batch *b = weir_batch_new(CARRIED_MAX);
	_cleanup_close_ int fd = -1;
	const void *block = NULL;
	size_t len = 0;
	int r = b ? -EAGAIN : -ENOMEM;

	if (b && a->store) {
		weir_batch_begin(b, weir_clock_ns(CLOCK_REALTIME));
		r = weir_store_carry_get(a->store, NULL, put_carried, b);
	}
	if (r == 0) {
		block = weir_batch_end(b, &len);
		fd = block ? weir_memory_make("weir-carried", block, len) : -ENOMEM;
		r = fd < 0 ? fd : 0;
		m.size = (uint32_t)len;
	}
	if (r == 0)
		weir_message_send(a->engine_sock, &m, fd);
	else if (r != -EAGAIN && !a->carried_unread)
		weir_warning("counters of the daemon before could not be read yet: %s", strerror(-r));
	a->carried_unread |= r < 0 && r != -EAGAIN;
	weir_batch_free(b);
}

static void hear_engine(struct archive *a)
{
	bool taken = false;

	for (unsigned i = 0; i < MESSAGES_PER_TURN && a->engine_sock >= 0; i++) {
		_cleanup_close_ int fd = -1;
		struct weir_message m;
		int r = weir_message_receive(a->engine_sock, &m, &fd);

		if (r == -EBADMSG)
			continue;
		if (r < 0)
			weir_closep(&a->engine_sock);
		if (r <= 0)
			break;
		if (m.type == WEIR_MESSAGE_BATCH) {
			take_batch(a, fd, &m);
			taken = true;
		} else if (m.type == WEIR_MESSAGE_CARRY) {
			give_carried(a);
		}
	}
	if (taken && a->engine_sock >= 0)
		tell_taken(a);
}

/* --- the gate ------------------------------------------------------------------------------------ */

static void refuse(struct archive *a, const struct weir_message *question, int error, const char *why)
{
	struct weir_message m = { .type = WEIR_MESSAGE_NO_PAST, .serial = question->serial, .count = (uint64_t)-error };
	size_t len = strlen(why);

	m.size = (uint32_t)(len < WEIR_PAYLOAD_MAX ? len : WEIR_PAYLOAD_MAX);
	weir_message_send_with(a->gate_sock, &m, why, -1);
}

static const char *words_of(int error)
{
	switch (error) {
	case -ETIMEDOUT:
		return "the answer took too long: ask for less at once, a shorter span or larger steps";
	case -ENOENT:
		return "there is no such table of the past";
	case -ENOMEM:
		return "history has no memory for the answer just now";
	case -EIO:
		return "the file of history could not be read: weir doctor tells more";
	}
	return "history has no answer to that";
}

/* "now" is where the recording is; without one, it is now. */
static void place_question(const struct archive *a, struct weir_past_question *q)
{
	uint64_t now = a->o->played ? a->newest_ns + SECOND_NS : weir_clock_ns(CLOCK_REALTIME);
	uint64_t *times[] = { &q->question.from_ns, &q->question.to_ns, &q->question.from2_ns, &q->question.to2_ns };

	for (unsigned i = 0; i < ARRAY_SIZE(times); i++)
		if (q->before_now & 1u << i)
			*times[i] = now > *times[i] ? now - *times[i] : 0;
	q->question.table[sizeof(q->question.table) - 1] = 0;
	q->question.filter[sizeof(q->question.filter) - 1] = 0;
}

static int answer(struct archive *a, struct weir_past_question *q, struct weir_history_span *span, int *ret_fd, char **ret_error)
{
	struct weir_snapshot_head head = { .number = a->taken.serial + 1, .mono_ns = weir_mono_ns(),
					   .real_ns = a->o->played ? a->newest_ns : weir_clock_ns(CLOCK_REALTIME) };
	size_t size;
	int r;

	memcpy(head.host, a->host, sizeof(head.host));
	if (q->question.to_ns <= q->question.from_ns) {
		*ret_error = strdup("from is not before to: nothing lies between them");
		return -EINVAL;
	}
	a->builder = weir_builder_new();
	if (!a->builder)
		return -ENOMEM;
	r = weir_store_answer(a->store, &q->question, a->builder, span, ret_error);
	if (r == 0)
		r = weir_builder_finish_fd(a->builder, &head, ret_fd, &size);
	a->builder = weir_builder_free(a->builder);
	return r;
}

static void answer_question(struct archive *a, const struct weir_message *m, const void *payload)
{
	struct weir_message past = { .type = WEIR_MESSAGE_PAST, .serial = m->serial, .size = sizeof(struct weir_history_span) };
	struct weir_history_span span = {};
	struct weir_past_question q;
	_cleanup_free_ char *error = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (!a->store) {
		refuse(a, m, -EAGAIN, "nothing has been played yet");
		return;
	}
	if (m->size != sizeof(q)) {
		refuse(a, m, -EINVAL, "the question is of another weir");
		return;
	}
	memcpy(&q, payload, sizeof(q));
	place_question(a, &q);
	r = answer(a, &q, &span, &fd, &error);
	if (r < 0)
		refuse(a, m, r, error ? error : words_of(r));
	else
		weir_message_send_with(a->gate_sock, &past, &span, fd);
}

static void hear_gate(struct archive *a)
{
	char payload[WEIR_PAYLOAD_MAX + 1] __attribute__((aligned(8)));
	_cleanup_close_ int fd = -1;
	struct weir_message m;
	int r = weir_message_receive_with(a->gate_sock, &m, payload, &fd); /* one, then the engine has its turn */

	if (r < 0 && r != -EBADMSG)
		weir_closep(&a->gate_sock);
	if (r > 0 && m.type == WEIR_MESSAGE_QUESTION)
		answer_question(a, &m, payload);
}

/* --- the keeper ---------------------------------------------------------------------------------- */

/* An engine takes the place of one that died. What that had not yet got rid of is gone with it: the second that it was in, or
 * all since this process took something last, if that was slow. */
static void tell_gap(struct archive *a)
{
	uint64_t now = weir_clock_ns(CLOCK_REALTIME);
	char when[WEIR_TIMESTAMP_TEXT], summary[200];
	const struct weir_history_event e = { .real_ns = now, .kind = WEIR_HISTORY_GAP, .uid = WEIR_UID_HOST, .summary = summary };

	if (a->newest_ns + PROMPT_NS > now) {
		snprintf(summary, sizeof(summary),
			 "weir's engine ended without a word and began again: at most one second of what it had seen is missing");
	} else {
		weir_timestamp_format(a->newest_ns ? a->newest_ns : a->began_ns, when);
		snprintf(when + TO_THE_SECOND, 2, "Z");
		snprintf(summary, sizeof(summary),
			 "weir's engine ended without a word and began again: what it had seen after %s may be missing", when);
	}

	if (a->store && !a->o->played)
		(void)weir_store_event(a->store, &e); /* what the disk refuses waits in memory */
}

static void hear_keeper(struct archive *a)
{
	for (;;) {
		_cleanup_close_ int fd = -1;
		struct weir_message m;
		int r = weir_message_receive(a->keeper_sock, &m, &fd);

		if (r == -EBADMSG)
			continue;
		if (r < 0)
			a->stop = true;
		if (r <= 0)
			return;
		if (m.type == WEIR_MESSAGE_ENGINE && fd >= 0) {
			hear_engine(a); /* what the one before had sent */
			if (a->has_engine)
				tell_gap(a);
			a->has_engine = true;
			weir_closep(&a->engine_sock);
			a->engine_sock = TAKE_FD(fd);
			tell_taken(a);
		} else if (m.type == WEIR_MESSAGE_READER && fd >= 0) {
			weir_closep(&a->gate_sock);
			a->gate_sock = TAKE_FD(fd);
		}
	}
}

/* --- life ---------------------------------------------------------------------------------------- */

static volatile sig_atomic_t told_to_end;

static void on_signal(int number)
{
	told_to_end = number;
}

/* A signal is heard while it waits, and nowhere else. */
static void catch_end(sigset_t *ret_waiting)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t block;

	sigaction(SIGTERM, &action, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, ret_waiting);
	sigdelset(ret_waiting, SIGTERM);
}

/* Told to end, it stays for the engine's last second; both may be told at once. */
static bool goes_on(const struct archive *a, uint64_t *until_ns)
{
	uint64_t now = weir_mono_ns();

	if (a->stop)
		return false;
	if (!told_to_end)
		return true;
	if (!*until_ns)
		*until_ns = now + LAST_BATCH_NS;
	return a->engine_sock >= 0 && now < *until_ns;
}

static void serve(struct archive *a, const sigset_t *waiting)
{
	const struct timespec soon = { .tv_nsec = 20000000 };
	uint64_t until_ns = 0;

	while (goes_on(a, &until_ns)) {
		struct pollfd fds[] = { { .fd = a->keeper_sock, .events = POLLIN },
					{ .fd = a->engine_sock, .events = POLLIN },
					{ .fd = a->gate_sock, .events = POLLIN } };

		if (ppoll(fds, ARRAY_SIZE(fds), told_to_end ? &soon : NULL, waiting) < 0)
			continue; /* a signal, or no memory just then */
		if (fds[1].revents)
			hear_engine(a);
		if (fds[2].revents)
			hear_gate(a);
		if (fds[0].revents)
			hear_keeper(a);
	}
}

/* Days are local ones, and the zone's file is out of reach from here on. Without TZ each tzset() reads it again, and days would
 * be those of UTC then; with it, only when TZ has changed. */
static void read_zone(void)
{
	if (access("/etc/localtime", R_OK) == 0)
		setenv("TZ", ":/etc/localtime", 0);
	tzset();
}

static int give_up_rights(struct archive *a)
{
	const char *missing = NULL, *lacks = NULL;
	uid_t uid;
	gid_t gid;
	int r;

	weir_sandbox_identity(&uid, &gid);
	read_zone();
	r = weir_sandbox_enter(&a->folder, &lacks);
	if (r == 0)
		r = weir_sandbox_drop(uid, gid);
	if (r == 0 && a->folder && access(a->folder, R_OK | W_OK | X_OK) < 0) {
		snprintf(a->no_way, sizeof(a->no_way),
			 "history is in memory only, since its process has no way to its folder: give the daemon %s",
			 lacks ? lacks : "CAP_SYS_CHROOT");
		a->no_file = a->no_way;
		weir_warning("%s", a->no_file);
		a->folder = NULL;
	}
	if (r == 0)
		r = weir_sandbox_store(a->folder, &missing);
	if (missing)
		weir_debug("sandbox: %s", missing);
	return r;
}

/* The engine has kept the seconds in which there was no store, and those that the one before did not take: they are told
 * first, and are not from before. */
static uint64_t began_ns(const struct weir_archive_options *o)
{
	uint64_t now = weir_clock_ns(CLOCK_REALTIME), away = o->away_ns ? o->away_ns + 2 * SECOND_NS : 0;
	uint64_t taken = o->away_ns && o->newest_ns ? *o->newest_ns : 0;

	if (taken < now && now - taken < away + (WEIR_FEEDER_WAITING + 2) * SECOND_NS)
		return taken;
	return away < now ? now - away : now;
}

int weir_archive_run(const struct weir_archive_options *o)
{
	struct archive a = { .o = o, .folder = o->folder, .no_file = o->no_file,
			     .keeper_sock = o->keeper_sock, .engine_sock = -1, .gate_sock = -1 };
	sigset_t waiting;
	int r;

	catch_end(&waiting);
	if (o->host)
		snprintf(a.host, sizeof(a.host), "%s", o->host);
	else
		gethostname(a.host, sizeof(a.host) - 1);
	a.block = mmap(NULL, WEIR_BATCH_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	r = a.block == MAP_FAILED ? -errno : give_up_rights(&a);
	if (r < 0) {
		weir_error("history's process could not begin, or give up its rights: %s", strerror(-r));
		return 1;
	}
	a.began_ns = began_ns(o);
	r = o->played ? 0 : open_store(&a, a.began_ns);
	if (r < 0) {
		weir_error("history could not begin: %s", strerror(-r));
		return 1;
	}
	serve(&a, &waiting);
	if (told_to_end && a.store) {
		r = weir_store_end(a.store, o->played ? a.newest_ns : weir_clock_ns(CLOCK_REALTIME));
		if (r < 0)
			weir_warning("the end of history could not be written: %s", strerror(-r));
	}
	weir_store_close(a.store);
	weir_closep(&a.engine_sock);
	weir_closep(&a.gate_sock);
	return 0;
}
