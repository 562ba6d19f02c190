// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cases.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

int family_domain(enum family f)
{
	switch (f) {
	case TCP6:
	case MPTCP6:
	case UDP6:
		return AF_INET6;
	case UNIX:
		return AF_UNIX;
	case ANY:
	case TCP4:
	case MPTCP4:
	case UDP4:
	case _FAMILY_MAX:
		break;
	}
	return AF_INET;
}

int net_socket(enum family f, int type)
{
	int protocol = f == MPTCP4 || f == MPTCP6 ? IPPROTO_MPTCP : 0;
	int fd = socket(family_domain(f), type | SOCK_CLOEXEC, protocol);

	if (fd < 0 && (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT || errno == ENOPROTOOPT))
		scene_skip("this kernel has no such socket: %s", strerror(errno));
	return (int)must(fd, "socket");
}

socklen_t net_address(enum family f, uint32_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_un *un = (struct sockaddr_un *)ret;
	int n;

	memset(ret, 0, sizeof(*ret));
	ret->ss_family = (sa_family_t)family_domain(f);
	switch (ret->ss_family) {
	case AF_INET6:
		in6->sin6_addr = in6addr_loopback;
		in6->sin6_port = htons((uint16_t)port);
		return sizeof(*in6);
	case AF_UNIX:
		/* Abstract: leaves nothing behind. The port is only there to tell two apart. */
		n = snprintf(un->sun_path + 1, sizeof(un->sun_path) - 1, "weir-generate-%u", port);
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	default:
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		in->sin_port = htons((uint16_t)port);
		return sizeof(*in);
	}
}

void net_name(const struct sockaddr_storage *a, char *ret, size_t n)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
	char text[INET6_ADDRSTRLEN] = "";

	if (a->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		snprintf(ret, n, "[%s]:%u", text, ntohs(in6->sin6_port));
	} else {
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		snprintf(ret, n, "%s:%u", text, ntohs(in->sin_port));
	}
}

void net_set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		scene_fail("setsockopt %d/%d: %s", level, option, strerror(errno));
}

uint32_t net_bind(int fd, enum family f)
{
	struct sockaddr_storage a;
	socklen_t n;

	if (f == UNIX) { /* the process's own number serves as a port */
		uint32_t port = (uint32_t)getpid() << 8 | (fd & 0xff);

		n = net_address(f, port, &a);
		must(bind(fd, (struct sockaddr *)&a, n), "bind");
		return port;
	}
	n = net_address(f, 0, &a);
	must(bind(fd, (struct sockaddr *)&a, n), "bind");
	n = sizeof(a);
	must(getsockname(fd, (struct sockaddr *)&a, &n), "getsockname");
	return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
					     : ((struct sockaddr_in *)&a)->sin_port);
}

int net_listen(enum family f, unsigned number, int backlog, unsigned posts)
{
	int fd = net_socket(f, SOCK_STREAM);
	uint32_t port = net_bind(fd, f);

	must(listen(fd, backlog), "listen");
	*scene_number(number) = port; /* some connect as soon as they see it */
	for (unsigned i = 0; i < posts; i++)
		scene_post(SEM_LISTENING);
	return fd;
}

void net_connect_fd(int fd, enum family f, unsigned number)
{
	struct sockaddr_storage a;
	socklen_t n = net_address(f, (uint32_t)*scene_number(number), &a);

	must(connect(fd, (struct sockaddr *)&a, n), "connect");
}

int net_connect(enum family f, unsigned number)
{
	int fd = net_socket(f, SOCK_STREAM);

	net_connect_fd(fd, f, number);
	return fd;
}

int net_accept(int listener)
{
	return (int)must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
}

void net_own_namespace(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		scene_skip("a network namespace needs root: %s", strerror(errno));
	fd = (int)must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	must(ioctl(fd, SIOCGIFFLAGS, &r), "SIOCGIFFLAGS");
	r.ifr_flags |= IFF_UP;
	must(ioctl(fd, SIOCSIFFLAGS, &r), "SIOCSIFFLAGS");
	close(fd);
}

uint8_t *buffer(void)
{
	static uint8_t *bytes;

	if (!bytes) {
		bytes = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
		if (bytes == MAP_FAILED)
			scene_fail("mmap: %s", strerror(errno));
		for (size_t i = 0; i < BUFFER; i++)
			bytes[i] = (uint8_t)(i * 131 + (i >> 8));
	}
	return bytes;
}
