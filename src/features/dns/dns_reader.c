// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "core/record.h"
#include "features/dns/dns_hosts.h"
#include "features/dns/dns_kernel.h"
#include "features/dns/dns_message.h"

struct dns_reader {
	const struct dns_kernel *kernel;
	struct ring_buffer *ring; /* NULL without a kernel half */
	struct weir_sink *sink;   /* while draining */
	struct dns_counts told;
	const char *hosts;
	struct stat hosts_stat; /* of the file as it was read last */
	bool hosts_read;
	unsigned drained;
};

static int on_answer(void *ctx, void *data, size_t len)
{
	const struct dns_head *head = data;
	struct dns_reader *r = ctx;

	/* The kernel reserved room of a fixed size; only so much of it means something. */
	if (len >= sizeof(*head) && head->size >= sizeof(*head) && head->size <= len)
		r->sink->put(r->sink, (uint16_t)head->type, data, head->size);
	r->drained++;
	return 0;
}

int dns_reader_new(struct dns_kernel *k, const char *hosts, struct dns_reader **ret)
{
	struct dns_reader *r = calloc(1, sizeof(*r));
	int fd = dns_kernel_ring(k);

	if (!r)
		return -ENOMEM;
	r->kernel = k;
	r->hosts = hosts;
	if (fd >= 0) {
		r->ring = ring_buffer__new(fd, on_answer, r, NULL);
		if (!r->ring) {
			int e = -errno;

			free(r);
			return e;
		}
	}
	*ret = r;
	return 0;
}

struct dns_reader *dns_reader_free(struct dns_reader *r)
{
	if (!r)
		return NULL;
	ring_buffer__free(r->ring);
	free(r);
	return NULL;
}

int dns_reader_fd(const struct dns_reader *r)
{
	return r->ring ? ring_buffer__epoll_fd(r->ring) : -1;
}

int dns_reader_drain(struct dns_reader *r, struct weir_sink *sink)
{
	int e;

	if (!r->ring)
		return 0;
	r->sink = sink;
	r->drained = 0;
	e = ring_buffer__consume(r->ring);
	r->sink = NULL;
	return e < 0 ? e : (int)r->drained;
}

static void collect_counts(struct dns_reader *r, struct weir_sink *sink)
{
	const struct dns_control *control = dns_kernel_control(r->kernel);
	struct dns_counts now = { .head = { DNS_RECORD_COUNTS, sizeof(now) } };

	if (!control)
		return;
	for (unsigned i = 0; i < _DNS_COUNT_MAX; i++)
		now.by[i] = __atomic_load_n(&control->by[i], __ATOMIC_RELAXED);
	if (!memcmp(&now, &r->told, sizeof(now)))
		return;
	r->told = now;
	sink->put(sink, DNS_RECORD_COUNTS, &now, sizeof(now));
}

/* --- /etc/hosts ------------------------------------------------------------------------------ */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void put_host(void *ctx, const struct weir_addr *a, const char *name)
{
	struct dns_host h = { .head = { DNS_RECORD_HOST, sizeof(h) }, .family = a->family };
	struct weir_sink *sink = ctx;

	memcpy(h.address, a->bytes, sizeof(h.address));
	strncpy(h.name, name, sizeof(h.name) - 1);
	sink->put(sink, DNS_RECORD_HOST, &h, sizeof(h));
}

static void put_hosts(struct weir_sink *sink, enum dns_hosts_event event)
{
	struct dns_hosts h = { .head = { DNS_RECORD_HOSTS, sizeof(h) }, .event = event };
	struct stat st;

	if (stat("/proc/self/ns/net", &st) == 0)
		h.netns = (uint32_t)st.st_ino;
	sink->put(sink, DNS_RECORD_HOSTS, &h, sizeof(h));
}

/* The whole file, up to the bound. NULL when it cannot be read. */
static char *read_file(int fd, size_t size, size_t *ret_len)
{
	size_t room = size < DNS_HOSTS_BYTES_MAX ? size : DNS_HOSTS_BYTES_MAX, len = 0;
	char *text = malloc(room + 1);
	ssize_t n = 1;

	while (text && len < room && n > 0) {
		n = read(fd, text + len, room - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			len += (size_t)n;
	}
	*ret_len = len;
	return text;
}

static void collect_hosts(struct dns_reader *r, struct weir_sink *sink)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	struct stat st = {};
	size_t len = 0;
	bool there = stat(r->hosts, &st) == 0 && S_ISREG(st.st_mode);

	if (!there)
		memset(&st, 0, sizeof(st));
	if (r->hosts_read && same_file(&st, &r->hosts_stat))
		return;
	if (there)
		fd = open(r->hosts, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		text = read_file(fd, (size_t)st.st_size, &len);
	r->hosts_stat = st;
	r->hosts_read = true;
	put_hosts(sink, DNS_HOSTS_BEGIN);
	if (text)
		dns_hosts_parse(text, len, put_host, sink);
	put_hosts(sink, DNS_HOSTS_END);
}

int dns_reader_collect(struct dns_reader *r, struct weir_sink *sink)
{
	int e = dns_reader_drain(r, sink);

	collect_counts(r, sink);
	collect_hosts(r, sink);
	return e < 0 ? e : 0;
}
