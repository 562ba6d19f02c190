// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int pair[2];

static int setup(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
	return 0;
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Sends raw bytes with n copies of a descriptor, as a taken-over role could. */
static void send_raw(const void *bytes, size_t len, int fd, unsigned n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec io = { .iov_base = (void *)bytes, .iov_len = len };
	struct msghdr head = { .msg_iov = &io, .msg_iovlen = 1 };

	if (n) {
		head.msg_control = control.bytes;
		head.msg_controllen = CMSG_SPACE(n * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&head);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (unsigned i = 0; i < n; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
	}
	assert_int_equal(sendmsg(pair[0], &head, 0), len);
}

static void a_message_arrives_as_sent(void **state)
{
	(void)state;
	struct weir_message m = { .type = WEIR_MESSAGE_REFRESH, .serial = 7 }, got;
	int fd;

	assert_int_equal(weir_message_receive(pair[1], &got, &fd), 0);
	assert_int_equal(weir_message_send(pair[0], &m, -1), 0);
	assert_int_equal(weir_message_receive(pair[1], &got, &fd), 1);
	assert_memory_equal(&m, &got, sizeof(m));
	assert_int_equal(fd, -1);
	assert_int_equal(weir_message_receive(pair[1], &got, &fd), 0);
}

static void a_descriptor_rides_along_and_is_closed_on_exec(void **state)
{
	(void)state;
	struct weir_message m = { .type = WEIR_MESSAGE_SNAPSHOT,
				  .size = 5,
				  .serial = 1,
				  .count = 1 },
			    got;
	int memfd = memfd_create("test", MFD_CLOEXEC), fd;
	char text[6] = "";

	assert_int_equal(write(memfd, "hello", 5), 5);
	assert_int_equal(weir_message_send(pair[0], &m, memfd), 0);
	close(memfd);
	assert_int_equal(weir_message_receive(pair[1], &got, &fd), 1);
	assert_int_equal(got.size, 5);
	assert_int_equal(pread(fd, text, 5, 0), 5);
	assert_string_equal(text, "hello");
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void a_payload_follows_its_message(void **state)
{
	(void)state;
	struct weir_message m = { .type = WEIR_MESSAGE_NO_PAST, .serial = 3, .size = 5 }, got;
	char payload[WEIR_PAYLOAD_MAX + 1], much[WEIR_PAYLOAD_MAX] = "x";
	int fd;

	assert_int_equal(weir_message_send_with(pair[0], &m, "sorry", -1), 0);
	assert_int_equal(weir_message_receive_with(pair[1], &got, payload, &fd), 1);
	assert_int_equal(got.serial, 3);
	assert_string_equal(payload, "sorry");
	m.size = sizeof(much);
	assert_int_equal(weir_message_send_with(pair[0], &m, much, -1), 0);
	assert_int_equal(weir_message_receive_with(pair[1], &got, payload, &fd), 1);
	m.size++;
	assert_int_equal(weir_message_send_with(pair[0], &m, much, -1), -EMSGSIZE);
}

/* A size that is not the packet's, a payload where none belongs, none where one does: dropped. */
static void payloads_that_do_not_fit_are_dropped(void **state)
{
	(void)state;
	char payload[WEIR_PAYLOAD_MAX + 1];
	struct {
		struct weir_message m;
		char text[8];
	} raw = { .m = { .type = WEIR_MESSAGE_NO_PAST, .size = 9 } };
	struct weir_message got;
	int fd;

	send_raw(&raw, sizeof(raw), -1, 0);
	assert_int_equal(weir_message_receive_with(pair[1], &got, payload, &fd), -EBADMSG);
	raw.m.size = 7;
	send_raw(&raw, sizeof(raw), -1, 0);
	assert_int_equal(weir_message_receive_with(pair[1], &got, payload, &fd), -EBADMSG);
	raw.m = (struct weir_message){ .type = WEIR_MESSAGE_REFRESH, .size = 8 };
	send_raw(&raw, sizeof(raw), -1, 0);
	assert_int_equal(weir_message_receive_with(pair[1], &got, payload, &fd), -EBADMSG);
	raw.m = (struct weir_message){ .type = WEIR_MESSAGE_NO_PAST, .size = 8 };
	send_raw(&raw, sizeof(raw), -1, 0);
	assert_int_equal(weir_message_receive(pair[1], &got, &fd), -EBADMSG); /* nobody there reads one */
	send_raw(&raw, sizeof(raw.m), -1, 0);
	assert_int_equal(weir_message_receive_with(pair[1], &got, payload, &fd), -EBADMSG);
	assert_int_equal(fd, -1);
}

static void a_closed_peer_is_said(void **state)
{
	(void)state;
	struct weir_message m = { .type = WEIR_MESSAGE_READY }, got;
	int fd;

	close(pair[0]);
	pair[0] = -1;
	assert_int_equal(weir_message_receive(pair[1], &got, &fd), -ECONNRESET);
	assert_int_equal(weir_message_send(pair[1], &m, -1), -ECONNRESET);
}

static void a_reader_that_sleeps_does_not_block_the_sender(void **state)
{
	(void)state;
	struct weir_message m = { .type = WEIR_MESSAGE_VIEWERS, .count = 1 };
	int r = 0;

	for (unsigned i = 0; i < 100000 && r == 0; i++)
		r = weir_message_send(pair[0], &m, -1);
	assert_int_equal(r, -EAGAIN);
}

static void malformed_messages_are_dropped_with_their_descriptors(void **state)
{
	(void)state;
	struct weir_message snapshot = { .type = WEIR_MESSAGE_SNAPSHOT },
			    refresh = { .type = WEIR_MESSAGE_REFRESH };
	struct weir_message unknown = { .type = _WEIR_MESSAGE_MAX }, zero = { 0 }, got;
	char big[sizeof(snapshot) + 1] = { WEIR_MESSAGE_REFRESH };
	unsigned before = open_descriptors();
	const struct {
		const void *bytes;
		size_t len;
		unsigned descriptors;
	} rows[] = {
		{ &snapshot, sizeof(snapshot), 0 },   /* a snapshot without one */
		{ &snapshot, sizeof(snapshot), 2 },   /* one too many */
		{ &snapshot, sizeof(snapshot), 8 },   /* more than there is room for */
		{ &refresh, sizeof(refresh), 1 },     /* where none belongs */
		{ &refresh, sizeof(refresh) - 1, 0 }, /* too short */
		{ big, sizeof(big), 0 },	      /* too long */
		{ &unknown, sizeof(unknown), 0 },     /* a type from the future */
		{ &zero, sizeof(zero), 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = 99;
		send_raw(rows[i].bytes, rows[i].len, 0, rows[i].descriptors);
		assert_int_equal(weir_message_receive(pair[1], &got, &fd), -EBADMSG);
		assert_int_equal(fd, -1);
	}
	assert_int_equal(open_descriptors(), before);

	/* And the next good one is read as if nothing had been. */
	int fd;
	assert_int_equal(weir_message_send(pair[0], &refresh, -1), 0);
	assert_int_equal(weir_message_receive(pair[1], &got, &fd), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_message_arrives_as_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(a_descriptor_rides_along_and_is_closed_on_exec,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_payload_follows_its_message, setup, teardown),
		cmocka_unit_test_setup_teardown(payloads_that_do_not_fit_are_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(a_closed_peer_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reader_that_sleeps_does_not_block_the_sender,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			malformed_messages_are_dropped_with_their_descriptors, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
