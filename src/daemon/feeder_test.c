// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/feeder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "store/batch.h"

/* The engine's side of the store, with stores that come, go, and are slow. */

static struct weir_feeder feeder;
static struct weir_self self;
static struct weir_run *run;
static int store; /* its end */

static int new_pair(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	store = pair[1];
	return pair[0];
}

static int setup(void **state)
{
	(void)state;
	self = (struct weir_self){};
	for (unsigned i = 0; i < WEIR_SELF_ROLES; i++)
		self.roles[i].stat_fd = -1;
	if (weir_run_new(NULL, &run) < 0)
		return -1;
	weir_feeder_begin(&feeder, new_pair(), &self);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weir_feeder_end(&feeder);
	run = weir_run_free(run);
	close(store);
	return 0;
}

static uint64_t carry_lost;
static const char *why_not = "";

static void say_taken(uint64_t run_id, uint64_t serial)
{
	struct weir_store_state state = { .bytes = 1000, .carry_lost = carry_lost };
	struct weir_message m = { .type = WEIR_MESSAGE_TAKEN, .serial = serial, .count = run_id, .size = sizeof(state) };

	strncpy(state.reason, why_not, sizeof(state.reason) - 1);
	assert_int_equal(weir_message_send_with(store, &m, &state, -1), 0);
	assert_true(weir_feeder_read(&feeder, run, NULL, NULL));
}

struct looked {
	struct weir_carry_serial serial;
	unsigned items, anews;
	unsigned selves; /* weir's own counters */
};

static void look_at_carry(void *ctx, const char *feature, uint16_t type, const void *key, size_t key_len, const void *bytes,
			  size_t len)
{
	struct looked *l = ctx;

	(void)key;
	(void)key_len;
	if (!strcmp(feature, WEIR_CARRY_OWN) && type == WEIR_CARRY_SERIAL) {
		assert_int_equal(len, sizeof(l->serial));
		assert_int_equal(l->items, 0); /* it comes first: what fills a block leaves it out never */
		memcpy(&l->serial, bytes, len);
	}
	l->selves += !strcmp(feature, WEIR_CARRY_OWN) && type == WEIR_CARRY_SELF;
	l->items++;
}

static void look_at_anew(void *ctx, const char *feature)
{
	struct looked *l = ctx;

	(void)feature;
	l->items++;
	l->anews++;
}

static struct looked last; /* at the batch that came last */
static unsigned asked;     /* how often for the counters of the daemon before */

/* The next batch's number; 0: none was sent. The number stands in the block, too. */
static uint64_t next_batch(void)
{
	const struct weir_batch_visitor visitor = { .ctx = &last, .carry = look_at_carry, .carry_anew = look_at_anew };
	struct weir_message m;
	uint64_t real_ns;
	char block[4096];

	for (;;) {
		_cleanup_close_ int fd = -1;

		if (weir_message_receive(store, &m, &fd) <= 0)
			return 0;
		if (m.type == WEIR_MESSAGE_CARRY) {
			asked++;
			continue;
		}
		last = (struct looked){};
		assert_int_equal(m.type, WEIR_MESSAGE_BATCH);
		assert_int_equal(m.count, feeder.run_id);
		assert_true(m.size <= sizeof(block));
		assert_int_equal(pread(fd, block, m.size, 0), m.size);
		assert_int_equal(weir_batch_decode(block, m.size, &real_ns, &visitor), 0);
		assert_int_equal(last.serial.serial, m.serial);
		assert_int_equal(last.serial.run_id, feeder.run_id);
		return m.serial;
	}
}

static void tick(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		weir_feeder_tick(&feeder, run, (feeder.serial + 1) * 1000000000u, false);
}

static void a_store_says_first_what_it_has(void **state)
{
	(void)state;
	tick(2);
	assert_int_equal(next_batch(), 0);
	say_taken(0, 0);
	assert_int_equal(next_batch(), 1);
	assert_int_equal(next_batch(), 2);
	tick(1);
	assert_int_equal(next_batch(), 3);
	say_taken(feeder.run_id, 3);
	assert_int_equal(feeder.n_waiting, 0);
	assert_int_equal(feeder.state.bytes, 1000);
}

static void a_new_store_gets_what_the_one_before_had_not_written(void **state)
{
	(void)state;
	say_taken(0, 0);
	tick(4);
	while (next_batch())
		;
	say_taken(feeder.run_id, 1);
	assert_int_equal(feeder.n_waiting, 3);
	close(store);
	assert_false(weir_feeder_read(&feeder, run, NULL, NULL));
	tick(2); /* nobody is there: they wait */
	assert_int_equal(feeder.n_waiting, 5);
	weir_feeder_connect(&feeder, new_pair());
	tick(1);
	assert_int_equal(next_batch(), 0);
	say_taken(feeder.run_id, 3); /* it had 2 and 3 in its file, and no time to say so */
	for (uint64_t serial = 4; serial <= 7; serial++)
		assert_int_equal(next_batch(), serial);
	assert_int_equal(next_batch(), 0);
}

static void a_store_of_another_engine_gets_all(void **state)
{
	(void)state;
	tick(2);
	say_taken(feeder.run_id + 1, 77);
	assert_int_equal(feeder.n_waiting, 2);
	assert_int_equal(next_batch(), 1);
}

static void a_slow_store_costs_bounded_memory(void **state)
{
	(void)state;
	say_taken(0, 0);
	tick(3 * WEIR_FEEDER_WAITING);
	assert_int_equal(feeder.n_waiting, WEIR_FEEDER_WAITING);
	assert_int_equal(feeder.serial, WEIR_FEEDER_WAITING); /* the features were not asked any more */
	say_taken(feeder.run_id, 10);
	tick(1);
	assert_int_equal(feeder.serial, WEIR_FEEDER_WAITING + 1);
}

static void say_carried(void)
{
	struct weir_message m = { .type = WEIR_MESSAGE_CARRIED };
	_cleanup_close_ int fd = memfd_create("carried", MFD_CLOEXEC);
	struct weir_batch *b = weir_batch_new(WEIR_BATCH_MAX);
	const void *block;
	size_t len;

	assert_non_null(b);
	block = weir_batch_end(b, &len);
	m.size = (uint32_t)len;
	assert_int_equal(pwrite(fd, block, len, 0), len);
	assert_int_equal(weir_message_send(store, &m, fd), 0);
	assert_true(weir_feeder_read(&feeder, run, NULL, NULL));
	weir_batch_free(b);
}

/* Until the counters of the daemon before are there, nothing takes their place. */
static void what_could_not_be_read_is_asked_for_again(void **state)
{
	(void)state;
	asked = 0;
	feeder.asks_carried = true;
	say_taken(0, 0);
	for (unsigned i = 0; i < 25; i++) {
		tick(1);
		assert_true(next_batch());
		assert_int_equal(last.anews, 0);
		say_taken(feeder.run_id, feeder.serial);
	}
	assert_int_equal(asked, 2);
	why_not = "no space left on device";
	say_taken(feeder.run_id, feeder.serial);
	tick(1);
	assert_true(next_batch());
	why_not = "";
	say_taken(feeder.run_id, feeder.serial); /* it can again: at once */
	tick(1);
	assert_true(next_batch());
	assert_int_equal(asked, 3);
	say_carried();
	assert_true(weir_run_carried_in(run));
	tick(1);
	assert_true(next_batch());
	assert_true(last.anews > 0);
	for (unsigned i = 0; i < 25; i++) {
		tick(1);
		assert_true(next_batch());
		assert_int_equal(last.anews, 0);
		say_taken(feeder.run_id, feeder.serial);
	}
	assert_int_equal(asked, 3);
}

/* The features of an engine that takes another one's place have theirs from the keeper; weir's own are with the store. */
static void a_new_store_is_asked_for_what_is_missing(void **state)
{
	(void)state;
	asked = 0;
	feeder.asks_carried = true;
	weir_run_carried_end(run);
	say_taken(0, 0);
	tick(1);
	assert_true(next_batch());
	assert_int_equal(last.selves, 0);
	close(store);
	assert_false(weir_feeder_read(&feeder, run, NULL, NULL));
	weir_feeder_connect(&feeder, new_pair());
	assert_int_equal(next_batch(), 0);
	assert_int_equal(asked, 1);
	say_taken(0, 0);
	say_carried();
	for (unsigned i = 0; i < 3; i++) {
		tick(1);
		while (next_batch() && feeder.serial > last.serial.serial)
			;
		assert_int_equal(last.selves, 1);
	}
	close(store);
	weir_feeder_connect(&feeder, new_pair());
	assert_int_equal(next_batch(), 0);
	assert_int_equal(asked, 1);
}

/* A feature tells changes alone; what the store has lost it would never tell again. */
static void what_the_store_lost_is_carried_again(void **state)
{
	(void)state;
	say_taken(0, 0);
	say_carried();
	tick(2);
	while (next_batch())
		;
	assert_int_equal(last.anews, 0);
	carry_lost = 1;
	say_taken(feeder.run_id, feeder.serial);
	tick(1);
	assert_true(next_batch());
	assert_true(last.anews > 0);
	say_taken(feeder.run_id, feeder.serial);
	tick(1);
	assert_true(next_batch());
	assert_int_equal(last.anews, 0);
	carry_lost = 0;
}

static unsigned fed;

static void feed(void *ctx, const char *feature, uint16_t type, const void *bytes, size_t len)
{
	(void)ctx;
	assert_string_equal(feature, "traffic");
	assert_int_equal(type, 9);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "abc", 3);
	fed++;
}

static void what_was_carried_is_fed_once(void **state)
{
	const struct weir_self_carried c = { .lost_before = 5, .lost = 2 };
	struct weir_message m = { .type = WEIR_MESSAGE_CARRIED };
	struct weir_batch *b = weir_batch_new(WEIR_BATCH_MAX);
	struct weir_carry_sink *sink;
	const void *block;
	size_t len;

	(void)state;
	assert_non_null(b);
	fed = 0;
	weir_batch_begin(b, 1);
	sink = weir_batch_carry(b, WEIR_CARRY_OWN);
	sink->put(sink, WEIR_CARRY_SELF, "", 0, &c, sizeof(c));
	sink = weir_batch_carry(b, "traffic");
	sink->put(sink, 9, "k", 1, "abc", 3);
	block = weir_batch_end(b, &len);
	m.size = (uint32_t)len;
	int fd = memfd_create("carried", MFD_CLOEXEC);
	assert_int_equal(pwrite(fd, block, len, 0), len);
	assert_int_equal(weir_message_send(store, &m, fd), 0);
	assert_int_equal(weir_message_send(store, &m, fd), 0);
	assert_false(weir_run_carried_in(run));
	weir_feeder_wait_carried(&feeder, run, feed, NULL);
	assert_true(weir_run_carried_in(run));
	assert_int_equal(self.lost_before, 7);
	weir_feeder_read(&feeder, run, feed, NULL); /* both have come by now */
	assert_int_equal(fed, 1);
	assert_int_equal(self.lost_before, 7);
	/* A block that is none, and one that is longer than its file. */
	m.size = (uint32_t)len + 100;
	assert_int_equal(weir_message_send(store, &m, fd), 0);
	assert_int_equal(pwrite(fd, "nonsense", 8, 0), 8);
	m.size = (uint32_t)len;
	assert_int_equal(weir_message_send(store, &m, fd), 0);
	assert_true(weir_feeder_read(&feeder, run, feed, NULL));
	close(fd);
	weir_batch_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_store_says_first_what_it_has, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_store_gets_what_the_one_before_had_not_written, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_of_another_engine_gets_all, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_store_costs_bounded_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(what_could_not_be_read_is_asked_for_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_store_is_asked_for_what_is_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_store_lost_is_carried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_carried_is_fed_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
