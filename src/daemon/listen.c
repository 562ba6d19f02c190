// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define BACKLOG 512
#define TOKEN_BYTES 32

static int fail(int *ret_status, char **ret_error, int status, int r, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static int fail(int *ret_status, char **ret_error, int status, int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(ret_error, fmt, ap) < 0)
		*ret_error = NULL;
	va_end(ap);
	*ret_status = status;
	return r;
}

/* --- TCP --------------------------------------------------------------------------------------- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool parse_port(const char *text, in_port_t *ret)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (!*text || *end || *text == '-' || *text == '+' || port > 65535)
		return false;
	*ret = htons((uint16_t)port);
	return true;
}

static bool parse_address(const char *text, union address *ret, socklen_t *ret_len)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t n;

	if (!colon)
		return false;
	n = (size_t)(colon - text);
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = 0;
	*ret = (union address){};
	if (inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1", &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		*ret_len = sizeof(ret->v4);
		return parse_port(colon + 1, &ret->v4.sin_port);
	}
	if (inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1) {
		ret->v6.sin6_family = AF_INET6;
		*ret_len = sizeof(ret->v6);
		return parse_port(colon + 1, &ret->v6.sin6_port);
	}
	return false;
}

static bool is_loopback(const union address *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

static char *bound_name(int fd)
{
	union address a = {};
	socklen_t len = sizeof(a);
	char host[INET6_ADDRSTRLEN], *name = NULL;
	int n;

	if (getsockname(fd, &a.any, &len) < 0)
		return NULL;
	if (a.any.sa_family == AF_INET)
		n = asprintf(&name, "%s:%u", inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof(host)),
			     ntohs(a.v4.sin_port));
	else
		n = asprintf(&name, "[%s]:%u", inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof(host)),
			     ntohs(a.v6.sin6_port));
	return n < 0 ? NULL : name;
}

int weir_listen_tcp(const char *text, int *ret_fd, char **ret_name, int *ret_status, char **ret_error)
{
	_cleanup_close_ int fd = -1;
	union address a;
	socklen_t len;
	int on = 1, r;

	if (!strcmp(text, "none")) {
		*ret_fd = -1;
		*ret_name = NULL;
		return 0;
	}
	if (!parse_address(text, &a, &len))
		return fail(ret_status, ret_error, 2, -EINVAL,
			    "--listen %s: not an address and a port: write it like 127.0.0.1:9474", text);
	if (!is_loopback(&a))
		return fail(ret_status, ret_error, 2, -EINVAL,
			    "--listen %s: weir speaks without encryption, so it listens on loopback only: "
			    "use 127.0.0.1, and ssh -L or a proxy with TLS to reach it", text);
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, &a.any, len) < 0 || listen(fd, BACKLOG) < 0) {
		r = -errno;
		if (r == -EADDRINUSE)
			return fail(ret_status, ret_error, 1, r,
				    "--listen %s: another program has this port: end it, or choose another one with "
				    "--listen 127.0.0.1:PORT", text);
		return fail(ret_status, ret_error, 1, r, "--listen %s: %s", text, strerror(-r));
	}
	*ret_name = bound_name(fd);
	if (!*ret_name)
		return fail(ret_status, ret_error, 1, -ENOMEM, "--listen %s: out of memory", text);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* --- Unix -------------------------------------------------------------------------------------- */

static int make_parent(const char *path)
{
	_cleanup_free_ char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (!folder)
		return -ENOMEM;
	if (!slash || slash == folder)
		return 0;
	*slash = 0;
	return mkdir(folder, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static bool answers(const struct sockaddr_un *a)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && (connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 || errno == EAGAIN);
}

int weir_listen_unix(const char *path, int *ret_fd, int *ret_status, char **ret_error)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;
	int r;

	if (strlen(path) >= sizeof(a.sun_path))
		return fail(ret_status, ret_error, 2, -ENAMETOOLONG,
			    "--socket %s: longer than the %zu bytes that a socket's path may have: choose a shorter one",
			    path, sizeof(a.sun_path) - 1);
	memcpy(a.sun_path, path, strlen(path) + 1);
	r = make_parent(path);
	if (r < 0)
		return fail(ret_status, ret_error, 1, r,
			    "--socket %s: its folder cannot be made: %s: choose another path", path, strerror(-r));
	if (answers(&a))
		return fail(ret_status, ret_error, 1, -EADDRINUSE,
			    "--socket %s: a weir daemon answers here already: use it, or end it first", path);
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return fail(ret_status, ret_error, 1, -EEXIST,
			    "--socket %s: there is a file that is no socket: move it away", path);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || chmod(path, 0666) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		r = -errno;
		return fail(ret_status, ret_error, 1, r, "--socket %s: %s: choose another path with --socket", path,
			    strerror(-r));
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* --- the token --------------------------------------------------------------------------------- */

static int read_token(int dir, char **ret)
{
	_cleanup_close_ int fd = openat(dir, "token", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[2 * TOKEN_BYTES + 1] = "";

	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text) - 1) != sizeof(text) - 1 ||
	    strspn(text, "0123456789abcdef") != sizeof(text) - 1)
		return -ENOENT; /* cut short, or zeros after a power failure: made again */
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static int make_token(int dir, char **ret)
{
	_cleanup_close_ int fd = -1;
	uint8_t secret[TOKEN_BYTES];
	char text[2 * TOKEN_BYTES + 2];

	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		return -errno;
	for (unsigned i = 0; i < TOKEN_BYTES; i++)
		snprintf(text + 2 * i, sizeof(text) - 2 * i, "%02x", secret[i]);
	unlinkat(dir, "token", 0);
	fd = openat(dir, "token", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%s\n", text) < 0)
		return -errno;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

int weir_token_load(const char *state, char **ret_token, int *ret_status, char **ret_error)
{
	_cleanup_close_ int dir = -1;
	int r = 0;

	if (mkdir(state, 0700) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0) {
		dir = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = dir < 0 ? -errno : read_token(dir, ret_token);
	}
	if (dir >= 0 && r == -ENOENT)
		r = make_token(dir, ret_token);
	if (r < 0)
		return fail(ret_status, ret_error, 1, r,
			    "--state %s: cannot be written: %s: make it writable, or choose another folder with --state",
			    state, strerror(-r));
	return 0;
}
