// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* More than one descriptor is never sent; room for a few lets a stray one be seen and closed. */
#define DESCRIPTORS_MAX 4

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
};

static int send_packet(int sock, const struct weir_message *m, const void *payload, size_t payload_len, int fd)
{
	union control control = { 0 };
	struct iovec io[] = { { .iov_base = (void *)m, .iov_len = sizeof(*m) },
			      { .iov_base = (void *)payload, .iov_len = payload_len } };
	struct msghdr head = { .msg_iov = io, .msg_iovlen = payload_len ? 2 : 1 };

	if (fd >= 0) {
		head.msg_control = control.bytes;
		head.msg_controllen = CMSG_SPACE(sizeof(fd));
		struct cmsghdr *c = CMSG_FIRSTHDR(&head);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	ssize_t n;
	do
		n = sendmsg(sock, &head, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)(sizeof(*m) + payload_len))
		return 0;
	if (n >= 0)
		return -EMSGSIZE;
	switch (errno) {
	case EPIPE:
	case ENOTCONN:
		return -ECONNRESET;
	case ENOBUFS:
	case ETOOMANYREFS: /* too many descriptors on their way: the other side does not read */
		return -EAGAIN;
	default:
		return -errno;
	}
}

int weir_message_send(int sock, const struct weir_message *m, int fd)
{
	return send_packet(sock, m, NULL, 0, fd);
}

int weir_message_send_with(int sock, const struct weir_message *m, const void *payload, int fd)
{
	if (m->size > WEIR_PAYLOAD_MAX)
		return -EMSGSIZE;
	return send_packet(sock, m, payload, m->size, fd);
}

/* Takes the first descriptor out of what arrived and closes all others. *ret_count says how many
 * there were. */
static int take_descriptor(struct msghdr *head, unsigned *ret_count)
{
	int first = -1;

	*ret_count = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if ((*ret_count)++ == 0)
				first = fd;
			else
				close(fd);
		}
	}
	return first;
}

/* ipc.h says of each type whether a descriptor rides along. */
static bool carries_descriptor(uint32_t type)
{
	switch (type) {
	case WEIR_MESSAGE_SNAPSHOT:
	case WEIR_MESSAGE_GATE:
	case WEIR_MESSAGE_GATE_COST:
	case WEIR_MESSAGE_ASK:
	case WEIR_MESSAGE_ANSWER:
	case WEIR_MESSAGE_STORE:
	case WEIR_MESSAGE_GATE_STORE:
	case WEIR_MESSAGE_STORE_COST:
	case WEIR_MESSAGE_ENGINE:
	case WEIR_MESSAGE_READER:
	case WEIR_MESSAGE_BATCH:
	case WEIR_MESSAGE_CARRIED:
	case WEIR_MESSAGE_PAST:
		return true;
	}
	return false;
}

static bool carries_payload(uint32_t type)
{
	switch (type) {
	case WEIR_MESSAGE_TAKEN:
	case WEIR_MESSAGE_QUESTION:
	case WEIR_MESSAGE_PAST:
	case WEIR_MESSAGE_NO_PAST:
		return true;
	}
	return false;
}

static bool well_formed(const struct weir_message *m, const struct msghdr *head, ssize_t n,
			unsigned descriptors)
{
	if (n < (ssize_t)sizeof(*m) || (head->msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return false;
	if (m->type == 0 || m->type >= _WEIR_MESSAGE_MAX)
		return false;
	if ((size_t)n - sizeof(*m) != (carries_payload(m->type) ? m->size : 0))
		return false;
	return descriptors == (carries_descriptor(m->type) ? 1 : 0);
}

static int receive_packet(int sock, struct weir_message *ret, void *ret_payload, int *ret_fd)
{
	union control control;
	struct weir_message m = { 0 };
	struct iovec io[] = { { .iov_base = &m, .iov_len = sizeof(m) },
			      { .iov_base = ret_payload, .iov_len = WEIR_PAYLOAD_MAX } };
	struct msghdr head = {
		.msg_iov = io,
		.msg_iovlen = ret_payload ? 2 : 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	*ret_fd = -1;
	do
		n = recvmsg(sock, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return 0;
		return errno == EPIPE || errno == ENOTCONN ? -ECONNRESET : -errno;
	}

	unsigned descriptors;
	_cleanup_close_ int fd = take_descriptor(&head, &descriptors);
	/* A closed peer and an empty packet look alike; neither end sends empty ones. */
	if (n == 0 && descriptors == 0)
		return -ECONNRESET;
	if (!well_formed(&m, &head, n, descriptors))
		return -EBADMSG;
	if (ret_payload)
		((char *)ret_payload)[(size_t)n - sizeof(m)] = 0;
	*ret = m;
	*ret_fd = TAKE_FD(fd);
	return 1;
}

int weir_message_receive(int sock, struct weir_message *ret, int *ret_fd)
{
	return receive_packet(sock, ret, NULL, ret_fd);
}

int weir_message_receive_with(int sock, struct weir_message *ret, void *ret_payload, int *ret_fd)
{
	return receive_packet(sock, ret, ret_payload, ret_fd);
}

int weir_memory_make(const char *name, const void *bytes, size_t len)
{
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (pwrite(fd, bytes, len, 0) != (ssize_t)len)
		return -EIO;
	return TAKE_FD(fd);
}

int weir_memory_read(int fd, void *ret, size_t size)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EBADMSG;
	return pread(fd, ret, size, 0) == (ssize_t)size ? 0 : -EBADMSG;
}
