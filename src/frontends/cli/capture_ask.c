// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/capture_ask.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "frontends/cli/capture_flows.h"
#include "frontends/cli/capture_work.h"
#include "frontends/cli/client.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/output.h"

#define ADDRESSES_MAX 65536
/* After the signal the worker asks once more and writes what it holds. */
#define END_NS (15ULL * 1000000000)

struct asker {
	pid_t worker;
	int fd;
	struct cli_client *client; /* NULL: no daemon */
	struct weir_buf url, body, message;
	bool complained;
	uint64_t stopped_mono_ns; /* when the worker was told to end; 0: not yet */
};

/* A signal ends a question that is under way, but not those that the worker asks at its end. */
static bool ending;

static bool give_up(void)
{
	return cli_interrupted() && !ending;
}

/* --- answers --------------------------------------------------------------------------------- */

static bool address_of(const struct sockaddr *from, struct weir_addr *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (from->sa_family == AF_INET)
		memcpy(ret->bytes, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
	else if (from->sa_family == AF_INET6)
		memcpy(ret->bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
	else
		return false;
	ret->family = (uint8_t)from->sa_family;
	return true;
}

/* Appends the addresses of this host; how many. */
static uint32_t add_addresses(struct weir_buf *out)
{
	struct ifaddrs *all = NULL;
	uint32_t n = 0;

	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *i = all; i && n < ADDRESSES_MAX; i = i->ifa_next) {
		struct weir_addr a;

		if (!i->ifa_addr || !address_of(i->ifa_addr, &a))
			continue;
		weir_buf_add(out, &a, sizeof(a));
		n++;
	}
	freeifaddrs(all);
	return n;
}

/* Until all is sent, the worker has ended (-EPIPE), or a signal came (-EINTR). */
static int send_all(const struct asker *a, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(a->fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR && !give_up())
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Without an answer the body stays empty, and is said to be so, once. */
static void fetch(struct asker *a)
{
	char *why = NULL;
	int r;

	weir_buf_reset(&a->body);
	if (!a->client)
		return;
	r = cli_client_get(a->client, a->url.data, &a->body, &why);
	if (r >= 0) {
		a->complained = false;
		return;
	}
	weir_buf_reset(&a->body);
	if (r != -EINTR && !a->complained) {
		a->complained = true;
		cli_fail(CLI_FAILED, "packets are written without their processes: %s", why ? why : strerror(-r));
	}
	free(why);
}

static int answer(struct asker *a)
{
	struct capture_message m = { .type = CAPTURE_MESSAGE_FLOWS };

	fetch(a);
	weir_buf_reset(&a->message);
	weir_buf_add(&a->message, &m, sizeof(m));
	m.n_addresses = add_addresses(&a->message);
	m.len = a->body.len;
	weir_buf_add(&a->message, a->body.data ? a->body.data : "", a->body.len);
	if (a->message.error)
		return a->message.error;
	memcpy(a->message.data, &m, sizeof(m));
	return send_all(a, a->message.data, a->message.len);
}

/* --- until the worker ends ------------------------------------------------------------------- */

static void tell_end(struct asker *a)
{
	const struct capture_message m = { .type = CAPTURE_MESSAGE_STOP };

	ending = true;
	a->stopped_mono_ns = weir_mono_ns();
	(void)send_all(a, (const char *)&m, sizeof(m));
}

/* 1: the worker has something to say; 0: look again; -ETIMEDOUT: it should have ended long ago. */
static int wait_for_worker(struct asker *a)
{
	struct pollfd fd = { .fd = a->fd, .events = POLLIN };
	int r;

	if (!a->stopped_mono_ns) {
		r = cli_wait(UINT64_MAX, a->fd);
		if (r == -EINTR)
			tell_end(a);
		return r > 0;
	}
	if (weir_mono_ns() >= a->stopped_mono_ns + END_NS)
		return -ETIMEDOUT;
	return poll(&fd, 1, 100) > 0;
}

static int serve(struct asker *a)
{
	char byte;

	for (;;) {
		int r = wait_for_worker(a);
		ssize_t n;

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		n = recv(a->fd, &byte, 1, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return 0;
		r = answer(a);
		if (r == -EINTR)
			/* In the middle of a message nothing else can be said but the end. */
			(void)shutdown(a->fd, SHUT_WR), a->stopped_mono_ns = weir_mono_ns(), ending = true;
		else if (r < 0)
			return 0; /* it has ended, its status tells how */
	}
}

static int status_of(pid_t worker)
{
	int status;

	while (waitpid(worker, &status, 0) < 0)
		if (errno != EINTR)
			return CLI_FAILED;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return cli_fail(CLI_FAILED, "what captured was killed by signal %d; the file holds what was written until then",
			WTERMSIG(status));
}

int capture_ask_run(pid_t worker, int fd, const char *socket)
{
	struct asker a = { .worker = worker, .fd = fd };
	int r = 0, status;

	capture_flows_url(&a.url);
	if (socket && a.url.data)
		r = cli_client_new(socket, give_up, &a.client);
	if (r >= 0)
		r = serve(&a);
	if (r < 0) {
		(void)kill(worker, SIGKILL);
		(void)waitpid(worker, NULL, 0);
		status = cli_fail(CLI_FAILED, "the capture did not end in time; the file holds what was written until then");
	} else {
		status = status_of(worker);
	}
	cli_client_free(a.client);
	weir_buf_done(&a.url);
	weir_buf_done(&a.body);
	weir_buf_done(&a.message);
	return status == CLI_OK && cli_interrupted() ? cli_interrupt_status() : status;
}
