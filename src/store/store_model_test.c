// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/store_fixture.h"

#include <time.h>

#include "store/batch.h"

/* Every kind of question against a naive model over random data: a list of all that was ever told.
 */

#define PROGRAMS 40
#define PEERS 3
#define TOLD_MAX 60000

struct told {
	uint64_t time;
	uint8_t kind, program, peer;
	uint64_t tx, rx, connections, retransmits, packets;
};

struct model {
	struct told *told;
	size_t n;
	uint64_t random;
	bool clock_steps;
};

static const char *const reasons[] = { "NO_SOCKET", "SOCKET_RCVBUFF" };

static void sample_of(const struct told *t, struct weir_history_sample *s, char text[4][32])
{
	*s = (struct weir_history_sample){
		.kind = t->kind,
		.tx_bytes = t->tx,
		.rx_bytes = t->rx,
		.connections = t->connections,
		.retransmits = t->retransmits,
		.packets = t->packets,
	};
	snprintf(text[0], 32, "program-%u", t->program);
	snprintf(text[1], 32, "/usr/bin/program-%u", t->program);
	snprintf(text[2], 32, "peer-%u.example", t->peer);
	/* Every fourth loss is nobody's. */
	if (t->kind != WEIR_HISTORY_LOSS || t->program % 4)
		s->program = (struct weir_history_program){ .comm = text[0],
							    .exe = text[1],
							    .uid = 1000u + t->program % 3 };
	if (t->kind == WEIR_HISTORY_PEER) {
		s->peer_name = text[2];
		s->port = 443;
		s->role = "client";
		s->transport = "tcp";
	}
	if (t->kind == WEIR_HISTORY_LOSS) {
		s->reason = reasons[t->peer % 2];
		s->class = "tune";
		s->device = "eth0";
	}
}

static void tell(struct model *m, struct weir_history_sink *sink, struct told t)
{
	struct weir_history_sample s;
	char text[4][32];

	assert_true(m->n < TOLD_MAX);
	sample_of(&t, &s, text);
	sink->sample(sink, &s);
	m->told[m->n++] = t;
}

/* A block, as the engine makes it, or samples one by one: the same. */
static void tell_second(struct model *m, struct weir_store *s, struct weir_batch *batch,
			uint64_t time)
{
	bool blocks = fixture_random(&m->random) % 2;
	unsigned n = fixture_random(&m->random) % 8;
	struct weir_history_sink *sink;

	if (blocks) {
		weir_batch_begin(batch, time * FIXTURE_NS);
		sink = weir_batch_sink(batch);
	} else {
		sink = weir_store_begin(s, time * FIXTURE_NS);
	}
	while (n--) {
		struct told t = {
			.time = time,
			.program = (uint8_t)(fixture_random(&m->random) % PROGRAMS),
			.peer = (uint8_t)(fixture_random(&m->random) % PEERS),
			.tx = fixture_random(&m->random) % 5000,
			.rx = fixture_random(&m->random) % 50000,
			.connections = fixture_random(&m->random) % 2,
			.retransmits = fixture_random(&m->random) % 2,
		};

		tell(m, sink, t);
		t.kind = WEIR_HISTORY_PEER;
		tell(m, sink, t);
		if (fixture_random(&m->random) % 3)
			continue;
		tell(m, sink,
		     (struct told){ .time = time,
				    .kind = WEIR_HISTORY_LOSS,
				    .program = t.program,
				    .peer = t.peer,
				    .packets = 1 + fixture_random(&m->random) % 9 });
	}
	if (blocks) {
		size_t len;
		const void *block = weir_batch_end(batch, &len);

		assert_int_equal(weir_store_append(s, block, len), 0);
	} else {
		assert_int_equal(weir_store_commit(s), 0);
	}
}

/* --- comparing ------------------------------------------------------------------------------- */

static bool within(const struct told *t, const struct weir_history_span *span)
{
	return t->time * FIXTURE_NS >= span->from_ns && t->time * FIXTURE_NS < span->to_ns;
}

static void compare_programs(struct model *m, struct weir_store *s, uint64_t from, uint64_t to)
{
	struct weir_history_question q = fixture_question("history", from, to);
	uint64_t tx[PROGRAMS] = { 0 }, connections[PROGRAMS] = { 0 }, lost[PROGRAMS] = { 0 },
		 most[PROGRAMS] = { 0 };
	uint64_t second[PROGRAMS] = { 0 }, at[PROGRAMS] = { 0 };
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;

	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	assert_true(span.from_ns <= from * FIXTURE_NS && span.to_ns >= to * FIXTURE_NS);
	for (size_t i = 0; i < m->n; i++) {
		const struct told *t = &m->told[i];

		if (!within(t, &span))
			continue;
		if (t->kind == WEIR_HISTORY_LOSS && t->program % 4)
			lost[t->program] += t->packets;
		if (t->kind != WEIR_HISTORY_PROGRAM)
			continue;
		tx[t->program] += t->tx;
		connections[t->program] += t->connections;
		second[t->program] = at[t->program] == t->time ? second[t->program] + t->tx : t->tx;
		at[t->program] = t->time;
		if (second[t->program] > most[t->program])
			most[t->program] = second[t->program];
	}
	for (size_t i = 0; i < rows.n; i++) {
		const char *name = weir_cell_text(&rows, i, HISTORY_PROGRAM);
		unsigned p;

		assert_int_equal(sscanf(name, "program-%u", &p), 1);
		assert_int_equal(weir_row_uid(&rows, i), 1000 + p % 3);
		assert_int_equal(weir_cell_uint(&rows, i, HISTORY_TX_BYTES), tx[p]);
		assert_int_equal(weir_cell_uint(&rows, i, HISTORY_CONNECTIONS), connections[p]);
		assert_int_equal(weir_cell_uint(&rows, i, HISTORY_LOST_PACKETS), lost[p]);
		if (!m->clock_steps)
			assert_int_equal(weir_cell_uint(&rows, i, HISTORY_TX_MAX), most[p]);
		tx[p] = 0;
	}
	for (unsigned p = 0; p < PROGRAMS; p++)
		assert_int_equal(tx[p], 0); /* no row is missing */
	weir_snapshot_unref(snapshot);
}

static void compare_peers(struct model *m, struct weir_store *s, uint64_t from, uint64_t to)
{
	struct weir_history_question q = fixture_question("history_peers", from, to);
	uint64_t rx[PROGRAMS][PEERS] = { 0 };
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;

	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	for (size_t i = 0; i < m->n; i++)
		if (within(&m->told[i], &span) && m->told[i].kind == WEIR_HISTORY_PEER)
			rx[m->told[i].program][m->told[i].peer] += m->told[i].rx;
	for (size_t i = 0; i < rows.n; i++) {
		unsigned p, peer;

		assert_int_equal(
			sscanf(weir_cell_text(&rows, i, HISTORY_PEERS_PROGRAM), "program-%u", &p),
			1);
		assert_int_equal(
			sscanf(weir_cell_text(&rows, i, HISTORY_PEERS_PEER_NAME), "peer-%u", &peer),
			1);
		assert_int_equal(weir_cell_uint(&rows, i, HISTORY_PEERS_RX_BYTES), rx[p][peer]);
		assert_int_equal(weir_cell_uint(&rows, i, HISTORY_PEERS_PORT), 443);
		rx[p][peer] = 0;
	}
	for (unsigned p = 0; p < PROGRAMS * PEERS; p++)
		assert_int_equal(rx[p / PEERS][p % PEERS], 0);
	weir_snapshot_unref(snapshot);
}

static void compare_losses(struct model *m, struct weir_store *s, uint64_t from, uint64_t to)
{
	struct weir_history_question q = fixture_question("history_losses", from, to);
	uint64_t packets[2] = { 0 }, nobodys = 0;
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;

	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	for (size_t i = 0; i < m->n; i++) {
		if (!within(&m->told[i], &span) || m->told[i].kind != WEIR_HISTORY_LOSS)
			continue;
		packets[m->told[i].peer % 2] += m->told[i].packets;
		nobodys += m->told[i].program % 4 ? 0 : m->told[i].packets;
	}
	for (size_t i = 0; i < rows.n; i++) {
		unsigned reason =
			strcmp(weir_cell_text(&rows, i, HISTORY_LOSSES_REASON), reasons[1]) == 0;

		packets[reason] -= weir_cell_uint(&rows, i, HISTORY_LOSSES_PACKETS);
		if (weir_row_uid(&rows, i) == WEIR_UID_HOST)
			nobodys -= weir_cell_uint(&rows, i, HISTORY_LOSSES_PACKETS);
	}
	assert_int_equal(packets[0], 0);
	assert_int_equal(packets[1], 0);
	assert_int_equal(nobodys, 0);
	weir_snapshot_unref(snapshot);
}

/* Which of what was told a filter is to choose. */
enum choice {
	ALL,
	ONE_PROGRAM,
	SOME_PROGRAMS,
	A_PEER,
	A_REASON,
	MY_OWN, /* of a viewer who sees only those of uid 1001 */
	_CHOICE_MAX,
};

static const char *const filters[_CHOICE_MAX] = {
	[ALL] = "",
	[ONE_PROGRAM] = "program:program-7",
	[SOME_PROGRAMS] = "process:program-1* not exe:/usr/bin/program-11",
	[A_PEER] = "peer:peer-1.example",
	[A_REASON] = "reason:NO_SOCKET",
	[MY_OWN] = "",
};

static bool chooses(enum choice choice, const struct told *t)
{
	bool owned = t->kind != WEIR_HISTORY_LOSS || t->program % 4;

	switch (choice) {
	case ALL:
		return t->kind != WEIR_HISTORY_PEER;
	case ONE_PROGRAM:
		return t->kind != WEIR_HISTORY_PEER && owned && t->program == 7;
	case SOME_PROGRAMS:
		return t->kind != WEIR_HISTORY_PEER && owned && t->program != 11 &&
		       (t->program == 1 || t->program / 10 == 1);
	case A_PEER:
		return t->kind == WEIR_HISTORY_PEER && t->peer == 1;
	case A_REASON:
		return t->kind == WEIR_HISTORY_LOSS && t->peer % 2 == 0;
	case MY_OWN:
		return t->kind != WEIR_HISTORY_PEER && owned && t->program % 3 == 1;
	case _CHOICE_MAX:
		break;
	}
	return false;
}

static void compare_rates(struct model *m, struct weir_store *s, uint64_t from, uint64_t to,
			  enum choice choice, uint64_t step)
{
	struct weir_history_question q = fixture_question("history_rates", from, to);
	uint64_t tx = 0, packets = 0, after = 0;
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;

	q.step_ns = step * FIXTURE_NS;
	snprintf(q.filter, sizeof(q.filter), "%s", filters[choice]);
	if (choice == MY_OWN)
		q.viewer = (struct weir_viewer){ .uid = 1001 };
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	assert_true(rows.n <= 5001);
	for (size_t i = 0; i < rows.n; i++) {
		uint64_t time = weir_cell_uint(&rows, i, HISTORY_RATES_TIME);
		uint64_t seconds = weir_cell_uint(&rows, i, HISTORY_RATES_SECONDS);
		struct weir_history_span one = { .from_ns = time,
						 .to_ns = time + seconds * FIXTURE_NS };
		uint64_t step_tx = 0;

		assert_true(time >= after && time >= span.from_ns && one.to_ns <= span.to_ns);
		assert_true(seconds * FIXTURE_NS <= span.step_ns);
		assert_int_equal(weir_row_uid(&rows, i), choice == MY_OWN ? 1001 : WEIR_UID_HOST);
		after = one.to_ns;
		tx += weir_cell_uint(&rows, i, HISTORY_RATES_TX_BYTES);
		packets += weir_cell_uint(&rows, i, HISTORY_RATES_LOST_PACKETS);
		/* A step of its own, but where what is kept is coarser than the step. */
		if (i % 16 || span.step_ns > 60 * FIXTURE_NS || choice == A_REASON)
			continue;
		for (size_t k = 0; k < m->n; k++)
			if (within(&m->told[k], &one) && chooses(choice, &m->told[k]))
				step_tx += m->told[k].tx;
		assert_int_equal(weir_cell_uint(&rows, i, HISTORY_RATES_TX_BYTES), step_tx);
	}
	for (size_t i = 0; i < m->n; i++)
		if (within(&m->told[i], &span) && chooses(choice, &m->told[i])) {
			tx -= m->told[i].tx;
			packets -= m->told[i].packets;
		}
	assert_int_equal(tx, 0);
	assert_int_equal(packets, 0);
	weir_snapshot_unref(snapshot);
}

static void compare_use(struct model *m, struct weir_store *s, const char *table, bool days,
			uint64_t from, uint64_t to)
{
	struct weir_history_question q = fixture_question(table, from, to);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;

	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	assert_true(rows.n > 0);
	for (size_t i = 0; i < rows.n; i++) {
		uint64_t rx = 0;
		unsigned p;

		assert_int_equal(
			sscanf(weir_cell_text(&rows, i, HISTORY_USE_PROGRAM), "program-%u", &p), 1);
		for (size_t k = 0; k < m->n; k++) {
			time_t time = (time_t)m->told[k].time;
			char text[32];
			struct tm tm;

			localtime_r(&time, &tm);
			if (days)
				strftime(text, sizeof(text), "%Y-%m-%d", &tm);
			else
				strftime(text, sizeof(text), "%Y-%m", &tm);
			if (m->told[k].kind == WEIR_HISTORY_PROGRAM && m->told[k].program == p &&
			    strcmp(text, weir_cell_text(&rows, i, HISTORY_USE_WHEN)) == 0)
				rx += m->told[k].rx;
		}
		assert_int_equal(weir_cell_uint(&rows, i, HISTORY_USE_RX_BYTES), rx);
	}
	weir_snapshot_unref(snapshot);
}

static void compare_all(struct model *m, struct weir_store *s, uint64_t first, uint64_t now)
{
	static const uint64_t steps[] = { 0, 1, 7, 10, 60, 100, 3600 };
	/* Where there is something to miss. */
	uint64_t from =
		m->told[fixture_random(&m->random) % m->n].time + fixture_random(&m->random) % 3;
	uint64_t to =
		m->told[fixture_random(&m->random) % m->n].time + fixture_random(&m->random) % 3;

	if (from > to) {
		uint64_t t = from;

		from = to;
		to = t;
	}
	to++;

	compare_programs(m, s, from, to);
	compare_peers(m, s, from, to);
	compare_losses(m, s, from, to);
	compare_rates(m, s, from, to, fixture_random(&m->random) % _CHOICE_MAX,
		      steps[fixture_random(&m->random) % 7]);
	compare_rates(m, s, first, now + 1, fixture_random(&m->random) % _CHOICE_MAX, 0);
}

static void run(struct model *m, unsigned rounds)
{
	uint64_t first = FIXTURE_START - FIXTURE_START % 3600, now = first;
	struct weir_batch *batch = weir_batch_new(WEIR_BATCH_MAX);
	char folder[64];
	struct weir_store *s;

	fixture_folder(folder);
	m->told = calloc(TOLD_MAX, sizeof(*m->told));
	s = fixture_open(folder, now, 0);
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t dice = fixture_random(&m->random) % 1000;

		now += dice < 900 ? 1 : dice < 990 ? dice % 5 : dice < 997 ? 300 : 1500;
		if (m->clock_steps && dice % 101 == 0)
			now -= fixture_random(&m->random) % 200 + (dice % 2 ? 4000 : 0);
		if (now < first)
			now = first;
		tell_second(m, s, batch, now);
		if (dice == 500 || dice == 501) {
			if (dice == 501)
				assert_int_equal(weir_store_end(s, now * FIXTURE_NS), 0);
			weir_store_close(s);
			s = fixture_open(folder, now, 0);
		}
		if (i % 100 == 99)
			compare_all(m, s, first, now);
	}
	compare_use(m, s, "history_days", true, first, now + 1);
	compare_use(m, s, "history_months", false, first, now + 1);
	assert_true(fixture_files(folder, WEIR_STORE_FILE ".") == 0);
	weir_store_close(s);
	weir_batch_free(batch);
	free(m->told);
	fixture_remove(folder);
}

static void answers_are_what_was_told(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < 4; i++) {
		struct model m = { .random = 88172645463325252ull + i };

		run(&m, 1500);
	}
}

static void a_clock_that_is_set_back_loses_no_byte(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < 4; i++) {
		struct model m = { .random = 1234567891011ull + i, .clock_steps = true };

		run(&m, 1500);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_what_was_told),
		cmocka_unit_test(a_clock_that_is_set_back_loses_no_byte),
	};

	/* A place whose midnight is fifteen minutes after the first second, and not at a whole ten
	 * minutes of UTC. */
	setenv("TZ", "LOC-1:45", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
