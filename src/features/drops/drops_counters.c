// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/drops/drops_counters.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/cleanup.h"
#include "features/drops/drops_abi.h"

#define TOLD_MAX 65536 /* counters of interfaces that went not long ago stand here, too */

/* Offsets into struct rtnl_link_stats64. */
static const struct {
	const char *name;
	size_t at;
} links[] = {
#define LINK(field) { "device_" #field, offsetof(struct rtnl_link_stats64, field) }
	LINK(rx_dropped),	LINK(tx_dropped),	  LINK(rx_missed_errors),    LINK(rx_over_errors),
	LINK(rx_fifo_errors),	LINK(rx_crc_errors),	  LINK(rx_frame_errors),     LINK(rx_length_errors),
	LINK(rx_nohandler),	LINK(tx_aborted_errors),  LINK(tx_carrier_errors),   LINK(tx_fifo_errors),
	LINK(tx_window_errors), LINK(tx_heartbeat_errors),
#undef LINK
};

struct told_key {
	uint32_t number;
	uint32_t counter; /* index in links, or ARRAY_SIZE(links) for a processor's squeezes */
};

struct told {
	UT_hash_handle hh;
	struct told_key key;
	uint64_t total;
	unsigned turn; /* when it was met last */
};

struct drops_counters {
	struct told *told;
	struct mnl_socket *sock;
	struct weir_sink *sink; /* while collecting */
	uint32_t netns;
	bool again;             /* tell all: nobody was told for a while */
	unsigned turns;
	char buffer[32768] __attribute__((aligned(8)));
};

struct drops_counters *drops_counters_new(void)
{
	struct drops_counters *c = calloc(1, sizeof(*c));
	struct stat st;

	if (!c)
		return NULL;
	c->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (c->sock && mnl_socket_bind(c->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(c->sock);
		c->sock = NULL;
	}
	if (stat("/proc/self/ns/net", &st) == 0)
		c->netns = (uint32_t)st.st_ino;
	return c;
}

struct drops_counters *drops_counters_free(struct drops_counters *c)
{
	struct told *t, *next;

	if (!c)
		return NULL;
	HASH_ITER(hh, c->told, t, next) {
		HASH_DEL(c->told, t);
		free(t);
	}
	if (c->sock)
		mnl_socket_close(c->sock);
	free(c);
	return NULL;
}

/* Whether it has changed since it was told. */
static bool is_news(struct drops_counters *c, uint32_t number, uint32_t counter, uint64_t total)
{
	struct told_key key = { number, counter };
	struct told *t;

	HASH_FIND(hh, c->told, &key, sizeof(key), t);
	if (t)
		t->turn = c->turns;
	if (t && t->total == total)
		return c->again;
	if (!t) {
		if (HASH_COUNT(c->told) >= TOLD_MAX)
			return false;
		t = calloc(1, sizeof(*t));
		if (!t)
			return false;
		t->key = key;
		t->turn = c->turns;
		HASH_ADD(hh, c->told, key, sizeof(t->key), t);
		if (!t->hh.tbl) {
			free(t);
			return false;
		}
	}
	t->total = total;
	return true;
}

static void tell(struct drops_counters *c, enum drops_counted_by by, uint32_t number, uint32_t counter, const char *name,
		 const char *device, uint64_t total)
{
	struct drops_counter e = {
		.head = { DROPS_RECORD_COUNTER, sizeof(e) },
		.total = total,
		.by = by,
		.number = number,
		.netns = by == DROPS_BY_DEVICE ? c->netns : 0,
	};

	if (!is_news(c, number, counter, total))
		return;
	snprintf(e.name, sizeof(e.name), "%s", name);
	snprintf(e.device, sizeof(e.device), "%s", device);
	c->sink->put(c->sink, DROPS_RECORD_COUNTER, &e, sizeof(e));
}

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(nlh);
	struct rtnl_link_stats64 stats = {};
	struct drops_counters *c = data;
	const struct nlattr *attr;
	const char *name = "";
	bool has_stats = false;

	mnl_attr_for_each(attr, nlh, sizeof(*link)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			name = mnl_attr_get_str(attr);
		if (mnl_attr_get_type(attr) == IFLA_STATS64) {
			size_t n = mnl_attr_get_payload_len(attr);

			memcpy(&stats, mnl_attr_get_payload(attr), n < sizeof(stats) ? n : sizeof(stats));
			has_stats = true;
		}
	}
	for (unsigned i = 0; has_stats && i < ARRAY_SIZE(links); i++) {
		uint64_t total;

		memcpy(&total, (const char *)&stats + links[i].at, sizeof(total));
		tell(c, DROPS_BY_DEVICE, (uint32_t)link->ifi_index, i, links[i].name, name, total);
	}
	return MNL_CB_OK;
}

static void collect_links(struct drops_counters *c)
{
	struct ifinfomsg *link;
	struct nlmsghdr *nlh;
	unsigned port;
	ssize_t n;

	if (!c->sock)
		return;
	/* What an interrupted answer left behind would be taken for this one's. */
	while (recv(mnl_socket_get_fd(c->sock), c->buffer, sizeof(c->buffer), MSG_DONTWAIT) > 0)
		;
	nlh = mnl_nlmsg_put_header(c->buffer);
	port = mnl_socket_get_portid(c->sock);
	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = c->turns;
	link = mnl_nlmsg_put_extra_header(nlh, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	if (mnl_socket_sendto(c->sock, nlh, nlh->nlmsg_len) < 0)
		return;
	do {
		n = mnl_socket_recvfrom(c->sock, c->buffer, sizeof(c->buffer));
	} while (n > 0 && mnl_cb_run(c->buffer, (size_t)n, c->turns, port, on_link, c) > MNL_CB_STOP);
}

bool drops_softnet_parse(const char *line, unsigned n, uint32_t *ret_cpu, uint64_t *ret_squeezes)
{
	unsigned long value[13] = {};
	unsigned have = 0;
	char *end;

	while (have < ARRAY_SIZE(value)) {
		value[have] = strtoul(line, &end, 16);
		if (end == line)
			break;
		line = end;
		have++;
	}
	if (have < 3)
		return false;
	*ret_cpu = have == ARRAY_SIZE(value) ? (uint32_t)value[12] : n;
	*ret_squeezes = value[2];
	return true;
}

static void collect_softnet(struct drops_counters *c)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/net/softnet_stat", "re");
	char line[256];
	unsigned n = 0;

	while (file && fgets(line, sizeof(line), file)) {
		uint64_t squeezes;
		uint32_t cpu;

		if (drops_softnet_parse(line, n++, &cpu, &squeezes))
			tell(c, DROPS_BY_CPU, cpu, ARRAY_SIZE(links), "softirq_squeeze", "", squeezes);
	}
}

#define TELL_ALL 60 /* every so many turns: a base that is not mentioned is forgotten */

static void forget_gone(struct drops_counters *c)
{
	struct told *t, *next;

	HASH_ITER(hh, c->told, t, next) {
		if (c->turns - t->turn < TELL_ALL)
			continue;
		HASH_DEL(c->told, t);
		free(t);
	}
}

void drops_counters_collect(struct drops_counters *c, struct weir_sink *sink)
{
	c->sink = sink;
	c->turns++;
	c->again = c->turns % TELL_ALL == TELL_ALL - 1;
	collect_links(c);
	collect_softnet(c);
	if (c->again)
		forget_gone(c);
	c->sink = NULL;
}
