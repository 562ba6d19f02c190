// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/asking.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "core/record.h"
#include "daemon/ipc.h"

#define GIVE_UP_NS (5000ull * 1000000ull)
#define RECORDS_MAX 1024 /* of one answer: a helper that was taken over must not go on for ever */
#define RECORDS_PER_TURN 128
#define PACKET_MAX 8192

static bool ask(struct weir_asking *a, unsigned i, void *state, int keeper_sock, uint64_t now_ns)
{
	struct weir_message m = { .type = WEIR_MESSAGE_ASK, .serial = i };
	char request[WEIR_HELP_REQUEST_MAX];
	_cleanup_close_ int fd = -1;
	size_t len = weir_features[i]->ask(state, now_ns, request, sizeof(request));

	if (!len)
		return false;
	fd = weir_memory_make("weir-request", request, len);
	if (fd < 0 || weir_message_send(keeper_sock, &m, fd) < 0)
		return false; /* what was not asked comes again */
	a->waits = true;
	a->feature = i;
	a->asked_ns = now_ns;
	return true;
}

void weir_asking_try(struct weir_asking *a, const struct weir_run *run, int keeper_sock, uint64_t now_ns)
{
	unsigned n = 0;

	if (a->waits && now_ns - a->asked_ns < GIVE_UP_NS)
		return;
	weir_asking_end(a);
	while (weir_features[n])
		n++;
	for (unsigned k = 0; k < n; k++) {
		unsigned i = (a->first + k) % n;
		void *state = weir_run_state(run, i);

		if (state && weir_features[i]->helper && weir_features[i]->ask &&
		    ask(a, i, state, keeper_sock, now_ns)) {
			a->first = i + 1; /* the others come before it the next time */
			return;
		}
	}
}

void weir_asking_begin(struct weir_asking *a, uint64_t feature, int fd)
{
	if (!a->waits || a->fd >= 0 || feature != a->feature) {
		close(fd);
		return; /* too late: another one is out by now */
	}
	a->fd = fd;
	a->records = 0;
}

void weir_asking_end(struct weir_asking *a)
{
	weir_closep(&a->fd);
	a->waits = false;
}

static bool take(struct weir_asking *a, const char *packet, size_t n, weir_asking_feed feed, void *ctx)
{
	struct weir_record_head head;

	if (n < sizeof(head))
		return false;
	memcpy(&head, packet, sizeof(head));
	if (head.size != n - sizeof(head) || ++a->records > RECORDS_MAX)
		return false;
	feed(ctx, (uint16_t)(WEIR_SOURCE_FEATURE + a->feature), head.type, packet + sizeof(head), head.size);
	return true;
}

bool weir_asking_read(struct weir_asking *a, weir_asking_feed feed, void *ctx)
{
	char packet[PACKET_MAX] __attribute__((aligned(8)));

	for (unsigned i = 0; i < RECORDS_PER_TURN; i++) {
		ssize_t n = recv(a->fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
		if (n <= 0 || (size_t)n > sizeof(packet) || !take(a, packet, (size_t)n, feed, ctx)) {
			weir_asking_end(a);
			return false;
		}
	}
	return true;
}
