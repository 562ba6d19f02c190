// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/archive.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "core/feature.h"
#include "daemon/feeder.h"
#include "daemon/ipc.h"
#include "store/batch.h"

/* History's process, in memory, with the keeper and engines played by the test. */

#define SECOND 1000000000ull
#define ANSWER_MS 5000

static pid_t child;
static int keeper, engine; /* our ends */

static void new_engine(void)
{
	const struct weir_message m = { .type = WEIR_MESSAGE_ENGINE };
	int pair[2];

	weir_closep(&engine);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(weir_message_send(keeper, &m, pair[0]), 0);
	close(pair[0]);
	engine = pair[1];
}

static int begin(void **state)
{
	int pair[2];

	(void)state;
	engine = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		const struct weir_archive_options o = { .keeper_sock = pair[1] };

		close(pair[0]);
		_exit(weir_archive_run(&o));
	}
	close(pair[1]);
	keeper = pair[0];
	return child < 0 ? -1 : 0;
}

static int end(void **state)
{
	int status = -1;

	(void)state;
	weir_closep(&engine);
	close(keeper); /* nobody is left: it ends */
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* What it says next. */
static struct weir_message hear(enum weir_message_type type, int *ret_fd)
{
	char payload[WEIR_PAYLOAD_MAX + 1] __attribute__((aligned(8)));
	struct pollfd p = { .fd = engine, .events = POLLIN };
	struct weir_message m = {};

	assert_int_equal(poll(&p, 1, ANSWER_MS), 1);
	assert_int_equal(weir_message_receive_with(engine, &m, payload, ret_fd), 1);
	assert_int_equal(m.type, type);
	return m;
}

static void hear_taken(uint64_t run_id, uint64_t serial)
{
	_cleanup_close_ int fd = -1;
	struct weir_message m = hear(WEIR_MESSAGE_TAKEN, &fd);

	assert_int_equal(m.count, run_id);
	assert_int_equal(m.serial, serial);
}

static void send_block(const void *block, size_t len, uint64_t run_id, uint64_t serial)
{
	const struct weir_message m = { .type = WEIR_MESSAGE_BATCH, .size = (uint32_t)len, .serial = serial, .count = run_id };
	_cleanup_close_ int fd = memfd_create("batch", MFD_CLOEXEC);

	assert_int_equal(pwrite(fd, block, len, 0), len);
	assert_int_equal(weir_message_send(engine, &m, fd), 0);
}

/* Twice the number: how the block says it, and the message. */
static void send_batch(uint64_t run_id, uint64_t serial, bool with_serial, const char *counter)
{
	struct weir_batch *b = weir_batch_new(WEIR_BATCH_MAX);
	const struct weir_carry_serial own = { run_id, serial };
	struct weir_carry_sink *sink;
	const void *block;
	size_t len;

	assert_non_null(b);
	weir_batch_begin(b, (uint64_t)time(NULL) * SECOND);
	if (with_serial) {
		sink = weir_batch_carry(b, WEIR_CARRY_OWN);
		sink->put(sink, WEIR_CARRY_SERIAL, "", 0, &own, sizeof(own));
	}
	sink = weir_batch_carry(b, "traffic");
	sink->put(sink, 9, "k", 1, counter, strlen(counter));
	block = weir_batch_end(b, &len);
	send_block(block, len, run_id, serial);
	weir_batch_free(b);
}

static void look_at_carry(void *ctx, const char *feature, uint16_t type, const void *key, size_t key_len, const void *bytes,
			  size_t len)
{
	(void)type;
	(void)key;
	(void)key_len;
	if (strcmp(feature, "traffic") != 0)
		return;
	assert_true(len < 16);
	memcpy(ctx, bytes, len);
}

static void assert_carried(const char *counter)
{
	const struct weir_message ask = { .type = WEIR_MESSAGE_CARRY };
	char carried[16] = "", block[4096];
	const struct weir_batch_visitor visitor = { .ctx = carried, .carry = look_at_carry };
	_cleanup_close_ int fd = -1;
	struct weir_message m;

	assert_int_equal(weir_message_send(engine, &ask, -1), 0);
	m = hear(WEIR_MESSAGE_CARRIED, &fd);
	assert_true(m.size <= sizeof(block));
	assert_int_equal(pread(fd, block, m.size, 0), m.size);
	assert_int_equal(weir_batch_decode(block, m.size, NULL, &visitor), 0);
	assert_string_equal(carried, counter);
}

static void a_batch_is_taken_once(void **state)
{
	(void)state;
	new_engine();
	hear_taken(0, 0);
	send_batch(5, 1, true, "one");
	hear_taken(5, 1);
	assert_carried("one");
	send_batch(5, 1, true, "again");
	hear_taken(5, 1);
	assert_carried("one");
	new_engine(); /* counts from 1 again */
	hear_taken(5, 1);
	send_batch(6, 1, true, "two");
	hear_taken(6, 1);
	assert_carried("two");
}

/* One without its number is not taken for one that was taken: the engine would keep it for ever. */
static void a_batch_without_its_number_is_taken(void **state)
{
	(void)state;
	new_engine();
	hear_taken(0, 0);
	send_batch(5, 1, false, "one");
	hear_taken(5, 1);
	assert_carried("one");
	send_batch(5, 2, true, "two");
	hear_taken(5, 2);
	send_batch(5, 3, false, "three");
	hear_taken(5, 3);
	assert_carried("three");
}

/* It would be no better a second time, and others come after it. */
static void a_batch_that_makes_no_sense_is_let_go(void **state)
{
	(void)state;
	new_engine();
	hear_taken(0, 0);
	send_block("nonsense", 8, 5, 1);
	hear_taken(5, 1);
	send_batch(5, 2, true, "two");
	hear_taken(5, 2);
	assert_carried("two");
}

static int reader; /* the gate's end */

static void new_reader(void)
{
	const struct weir_message m = { .type = WEIR_MESSAGE_READER };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(weir_message_send(keeper, &m, pair[0]), 0);
	close(pair[0]);
	reader = pair[1];
}

/* Whether an event says this. */
static bool is_said(const char *text)
{
	struct weir_message m = { .type = WEIR_MESSAGE_QUESTION, .serial = 1, .size = sizeof(struct weir_past_question) };
	struct weir_past_question q = { .question = { .table = "history_events", .to_ns = UINT64_MAX >> 1,
						      .viewer = { .sees_all = true } } };
	char payload[WEIR_PAYLOAD_MAX + 1] __attribute__((aligned(8)));
	struct pollfd p = { .events = POLLIN };
	_cleanup_close_ int fd = -1;
	static char answer[1 << 20];
	ssize_t n;

	new_reader();
	p.fd = reader;
	assert_int_equal(weir_message_send_with(reader, &m, &q, -1), 0);
	assert_int_equal(poll(&p, 1, ANSWER_MS), 1);
	assert_int_equal(weir_message_receive_with(reader, &m, payload, &fd), 1);
	assert_int_equal(m.type, WEIR_MESSAGE_PAST);
	close(reader);
	n = pread(fd, answer, sizeof(answer), 0);
	assert_true(n > 0);
	return memmem(answer, (size_t)n, text, strlen(text));
}

/* What the engine had not got rid of is gone with it: that is a second only where it was taken second by second. */
static void a_gap_is_as_long_as_it_is(void **state)
{
	struct weir_batch *b = weir_batch_new(WEIR_BATCH_MAX);
	uint64_t now = (uint64_t)time(NULL) * SECOND;
	const void *block;
	size_t len;

	(void)state;
	assert_non_null(b);
	new_engine();
	hear_taken(0, 0);
	weir_batch_begin(b, now - 30 * SECOND);
	block = weir_batch_end(b, &len);
	send_block(block, len, 5, 1);
	hear_taken(5, 1);
	new_engine();
	hear_taken(5, 1);
	assert_true(is_said("may be missing"));
	assert_false(is_said("at most one second"));
	weir_batch_begin(b, now);
	block = weir_batch_end(b, &len);
	send_block(block, len, 6, 1);
	hear_taken(6, 1);
	new_engine();
	hear_taken(6, 1);
	assert_true(is_said("at most one second"));
	weir_batch_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_batch_is_taken_once, begin, end),
		cmocka_unit_test_setup_teardown(a_batch_without_its_number_is_taken, begin, end),
		cmocka_unit_test_setup_teardown(a_batch_that_makes_no_sense_is_let_go, begin, end),
		cmocka_unit_test_setup_teardown(a_gap_is_as_long_as_it_is, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
