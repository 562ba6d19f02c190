// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/capture_live.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "frontends/export/pcapng.h"

#define RING_BYTES (16 << 20)
#define BLOCK_MS 100	/* a block that is not full is handed over after this time */
#define BATCH_PACKETS 4096 /* then it is time to look at other things */

struct capture_live {
	pcap_t *pcap;
	int fd;
	uint64_t received, lost; /* libpcap's own counters have 32 bits */
	struct pcap_stat before;
};

struct capture_filter {
	struct bpf_program program;
};

static int compile(pcap_t *pcap, const char *text, struct bpf_program *ret, char **ret_error)
{
	if (pcap_compile(pcap, ret, text, 1, PCAP_NETMASK_UNKNOWN) == 0)
		return 0;
	return weir_fail(ret_error, -EINVAL, "the filter \"%s\" is not one: %s; man pcap-filter says what there is", text,
			 pcap_geterr(pcap));
}

/* --- a filter for packets from elsewhere ----------------------------------------------------- */

/* Numbers of link types in files are libpcap's own but for a few old ones. */
static int dlt_of(uint16_t link)
{
	return link == WEIR_LINK_RAW ? DLT_RAW : link;
}

int capture_filter_new(const char *text, uint16_t link, uint32_t snap_bytes, struct capture_filter **ret,
		       char **ret_error)
{
	_cleanup_(capture_filter_freep) struct capture_filter *f = NULL;
	pcap_t *dead;
	int r;

	*ret = NULL;
	if (!*text)
		return 0;
	f = calloc(1, sizeof(*f));
	dead = pcap_open_dead(dlt_of(link), (int)snap_bytes);
	if (!f || !dead) {
		if (dead)
			pcap_close(dead);
		return -ENOMEM;
	}
	r = compile(dead, text, &f->program, ret_error);
	pcap_close(dead);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(f);
	return 0;
}

struct capture_filter *capture_filter_free(struct capture_filter *f)
{
	if (!f)
		return NULL;
	pcap_freecode(&f->program);
	free(f);
	return NULL;
}

bool capture_filter_match(const struct capture_filter *f, const uint8_t *bytes, uint32_t len, uint32_t original_len)
{
	const struct pcap_pkthdr head = { .caplen = len, .len = original_len };

	return !f || pcap_offline_filter(&f->program, &head, bytes) > 0;
}

/* --- packets --------------------------------------------------------------------------------- */

static int configure(pcap_t *pcap, const struct capture_live_options *o)
{
	int bad = 0;

	bad |= pcap_set_snaplen(pcap, (int)o->snap_bytes);
	bad |= pcap_set_promisc(pcap, 0);
	bad |= pcap_set_timeout(pcap, BLOCK_MS);
	bad |= pcap_set_buffer_size(pcap, RING_BYTES);
	bad |= pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
	return bad ? -EIO : 0;
}

static int activate(pcap_t *pcap, const struct capture_live_options *o, char **ret_error)
{
	const char *device = o->device ? o->device : "any device";
	int r = pcap_activate(pcap);

	if (r >= 0)
		return 0;
	if (r == PCAP_ERROR_PERM_DENIED || r == PCAP_ERROR_PROMISC_PERM_DENIED)
		return weir_fail(ret_error, -EPERM, "capturing on %s needs root, or CAP_NET_RAW", device);
	if (r == PCAP_ERROR_NO_SUCH_DEVICE)
		return weir_fail(ret_error, -ENODEV, "there is no device %s: ip link lists them", device);
	if (r == PCAP_ERROR_IFACE_NOT_UP)
		return weir_fail(ret_error, -EIO, "the device %s is down: ip link set %s up", device, device);
	return weir_fail(ret_error, -EIO, "cannot capture on %s: %s", device,
			 r == PCAP_ERROR ? pcap_geterr(pcap) : pcap_statustostr(r));
}

/* Where the link layer is made up by the kernel, in the form that tells the device and the direction. */
static int choose_link(struct capture_live *l, char **ret_error)
{
	int link = pcap_datalink(l->pcap);

	if (link == DLT_LINUX_SLL && pcap_set_datalink(l->pcap, DLT_LINUX_SLL2) < 0)
		return weir_fail(ret_error, -EIO, "cannot capture with the devices' numbers: %s", pcap_geterr(l->pcap));
	return 0;
}

static int set_filter(struct capture_live *l, const char *filter, char **ret_error)
{
	struct bpf_program program;
	int r;

	if (!*filter)
		return 0;
	r = compile(l->pcap, filter, &program, ret_error);
	if (r < 0)
		return r;
	r = pcap_setfilter(l->pcap, &program);
	if (r < 0)
		r = weir_fail(ret_error, -EIO, "the kernel does not take the filter: %s", pcap_geterr(l->pcap));
	pcap_freecode(&program);
	return r;
}

int capture_live_open(const struct capture_live_options *o, struct capture_live **ret, char **ret_error)
{
	_cleanup_(capture_live_freep) struct capture_live *l = calloc(1, sizeof(*l));
	char error[PCAP_ERRBUF_SIZE] = "";
	int r;

	if (!l)
		return -ENOMEM;
	l->pcap = pcap_create(o->device ? o->device : "any", error);
	if (!l->pcap)
		return weir_fail(ret_error, -EIO, "cannot capture: %s", error);
	r = configure(l->pcap, o);
	if (r < 0)
		return weir_fail(ret_error, r, "cannot capture: libpcap refuses the settings");
	r = activate(l->pcap, o, ret_error);
	if (r >= 0)
		r = choose_link(l, ret_error);
	if (r >= 0)
		r = set_filter(l, o->filter, ret_error);
	if (r < 0)
		return r;
	if (pcap_setnonblock(l->pcap, 1, error) < 0)
		return weir_fail(ret_error, -EIO, "cannot capture: %s", error);
	l->fd = pcap_get_selectable_fd(l->pcap);
	*ret = TAKE_PTR(l);
	return 0;
}

struct capture_live *capture_live_free(struct capture_live *l)
{
	if (!l)
		return NULL;
	if (l->pcap)
		pcap_close(l->pcap);
	free(l);
	return NULL;
}

int capture_live_fd(const struct capture_live *l)
{
	return l->fd;
}

uint16_t capture_live_link(const struct capture_live *l)
{
	int link = pcap_datalink(l->pcap);

	return link == DLT_RAW ? WEIR_LINK_RAW : (uint16_t)link;
}

struct live_visit {
	void (*visit)(void *ctx, const struct capture_live_packet *p);
	void *ctx;
};

static void on_packet(u_char *user, const struct pcap_pkthdr *head, const u_char *bytes)
{
	const struct live_visit *v = (const struct live_visit *)(void *)user;
	const struct capture_live_packet p = {
		/* With nanoseconds asked for, that is what the field for microseconds has. */
		.real_ns = (uint64_t)head->ts.tv_sec * 1000000000 + (uint64_t)head->ts.tv_usec,
		.bytes = bytes,
		.len = head->caplen,
		.original_len = head->len,
	};

	v->visit(v->ctx, &p);
}

int capture_live_drain(struct capture_live *l, void (*visit)(void *ctx, const struct capture_live_packet *p), void *ctx,
		       char **ret_error)
{
	struct live_visit v = { visit, ctx };
	int r = pcap_dispatch(l->pcap, BATCH_PACKETS, on_packet, (u_char *)&v);

	if (r >= 0)
		return 0;
	return weir_fail(ret_error, -EIO, "the capture ends here: %s", pcap_geterr(l->pcap));
}

void capture_live_counts(struct capture_live *l, uint64_t *ret_received, uint64_t *ret_lost)
{
	struct pcap_stat now;

	if (pcap_stats(l->pcap, &now) == 0) {
		l->received += now.ps_recv - l->before.ps_recv;
		l->lost += now.ps_drop - l->before.ps_drop;
		l->before = now;
	}
	*ret_received = l->received;
	*ret_lost = l->lost;
}
