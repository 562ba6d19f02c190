// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/capture_work.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/clock.h"
#include "base/units.h"
#include "frontends/cli/capture_comment.h"
#include "frontends/cli/capture_flows.h"
#include "frontends/cli/capture_hold.h"
#include "frontends/cli/capture_packet.h"
#include "frontends/cli/capture_places.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/output.h"
#include "frontends/export/pcapng.h"

#define MS 1000000ULL

/* Packets of both sources come in blocks, at most 100 ms late; after this time none comes that was earlier. */
#define HOLD_MIN_NS (300 * MS)
/* The daemon has not said in time whose it is. */
#define HOLD_MAX_NS (5000 * MS)
#define HOLD_BYTES_MAX (64UL << 20)

/* At most so often the daemon is asked, and never more than this part of the time. */
#define ASK_INTERVAL_NS (250 * MS)
#define ASK_PART 4
/* A connection that was known does not become another's without a new beginning; other things change. */
#define FLOWS_GOOD_NS (1000 * MS)

/* A daemon that is too busy may answer the next question; of one that is gone nothing is awaited. */
#define UNANSWERED_MAX 4

#define ROUND_NS (50 * MS)
#define FLUSH_NS (250 * MS)
#define FLUSH_BYTES (256UL << 10)
/* After the end, until the last blocks have come. */
#define END_NS (200 * MS)

struct capture_worker {
	const struct capture_work *w;
	struct capture_hold hold;
	struct capture_places places;
	uint32_t live_place, dropped_place;
	struct capture_flows *flows;
	uint64_t flows_mono_ns; /* when they were asked for */
	uint64_t asked_mono_ns, next_ask_mono_ns; /* asked: 0 when no answer is awaited */
	unsigned unanswered; /* questions without an answer, one after the other */
	bool ask_wanted, parent_gone;
	struct weir_buf heard; /* from the other half, not yet a whole message */
	uint64_t real_minus_mono_ns;
	uint64_t start_real_ns, stop_real_ns, stop_mono_ns; /* stop: 0 while it goes on */
	uint64_t flushed_mono_ns;
	struct weir_buf comment;
	uint64_t taken, written, bytes, dropped, attributed, of_kernel, lost;
	int status;
	bool over;
};

/* The calendar's clock may be set while it runs. */
static void place_clocks(struct capture_worker *k)
{
	k->real_minus_mono_ns = weir_clock_ns(CLOCK_REALTIME) - weir_mono_ns();
}

static void stop(struct capture_worker *k)
{
	if (k->stop_mono_ns)
		return;
	k->stop_mono_ns = weir_mono_ns();
	k->stop_real_ns = weir_clock_ns(CLOCK_REALTIME);
}

/* --- whose it is ----------------------------------------------------------------------------- */

static bool same_mac(const struct capture_work *w, const uint8_t *mac)
{
	static const uint8_t none[6];

	return mac && memcmp(w->mac, none, sizeof(none)) != 0 && !memcmp(mac, w->mac, sizeof(w->mac));
}

/* What the link layer does not tell, the device does. */
static enum capture_way way_of(const struct capture_work *w, const struct capture_packet *p)
{
	if (p->way != CAPTURE_WAY_UNKNOWN)
		return p->way;
	if (w->loopback)
		return CAPTURE_WAY_LOCAL;
	if (!p->source_mac || !memcmp(w->mac, (uint8_t[6]){}, 6))
		return CAPTURE_WAY_UNKNOWN;
	return same_mac(w, p->source_mac) ? CAPTURE_WAY_OUT : CAPTURE_WAY_IN;
}

static void look(const struct capture_worker *k, const struct capture_held *h, struct capture_packet *ret_packet,
		 struct capture_owner *ret_from, struct capture_owner *ret_to)
{
	struct capture_question q = {
		.packet = ret_packet,
		.real_ns = h->real_ns,
		.netns = h->netns,
		.cookie = h->cookie,
		.cookie_sends = h->cookie_sends,
	};

	capture_packet_read(k->w->link, h->bytes, h->len, ret_packet);
	ret_packet->way = h->way;
	capture_flows_find(k->flows, &q, ret_from, ret_to);
}

/* Whether it takes newer flows to say whose it is. */
static bool needs_flows(const struct capture_worker *k, const struct capture_held *h)
{
	struct capture_owner from, to;
	struct capture_packet p;

	look(k, h, &p, &from, &to);
	if (!p.protocol && !h->cookie)
		return false;
	if (h->reason || p.syn || k->flows_mono_ns + FLOWS_GOOD_NS < h->taken_mono_ns)
		return true;
	return !from.connected && !to.connected;
}

/* --- taking packets in ----------------------------------------------------------------------- */

/* The packet's bytes are set. Takes it over. */
static void take(struct capture_worker *k, enum capture_lane lane, struct capture_held *h)
{
	k->taken++;
	h->taken_mono_ns = weir_mono_ns();
	capture_hold_add(&k->hold, lane, h);
	if (k->w->knows_flows && !k->ask_wanted)
		k->ask_wanted = needs_flows(k, h);
	if (k->w->packets_max && k->taken == k->w->packets_max)
		stop(k);
}

static bool takes(const struct capture_worker *k, uint64_t real_ns)
{
	if (k->w->packets_max && k->taken >= k->w->packets_max)
		return false;
	return !k->stop_real_ns || real_ns <= k->stop_real_ns;
}

static uint32_t place_of(struct capture_worker *k, uint32_t netns, uint32_t ifindex, const char *name, uint32_t otherwise)
{
	const struct capture_work *w = k->w;
	struct ifreq asked = { .ifr_ifindex = (int)ifindex };
	uint32_t n;

	if (!ifindex)
		return otherwise;
	if (ifindex == w->own_ifindex && netns == w->own_netns && w->live)
		return k->live_place;
	n = capture_places_find(&k->places, netns, ifindex);
	if (n != CAPTURE_PLACE_NONE)
		return n;
	if (!name[0] && netns == w->own_netns && w->names_fd >= 0 && ioctl(w->names_fd, SIOCGIFNAME, &asked) == 0)
		name = asked.ifr_name;
	return capture_places_add_device(&k->places, netns, ifindex, name, otherwise, &w->file->pending);
}

static void on_live(void *ctx, const struct capture_live_packet *p)
{
	struct capture_worker *k = ctx;
	struct capture_packet read;
	struct capture_held *h;

	if (!takes(k, p->real_ns))
		return;
	h = capture_held_new(p->len);
	if (!h) {
		k->lost++;
		return;
	}
	memcpy(h->bytes, p->bytes, p->len);
	h->original_len = p->original_len;
	h->real_ns = p->real_ns;
	capture_packet_read(k->w->link, h->bytes, h->len, &read);
	h->way = way_of(k->w, &read);
	h->interface = place_of(k, k->w->own_netns, read.ifindex, "", k->live_place);
	take(k, CAPTURE_LANE_LIVE, h);
}

/* The packet with a link-layer header of the file's type. NULL: no memory. */
static struct capture_held *held_dropped(const struct capture_worker *k, const struct weir_captured *p)
{
	bool ethernet = p->ethernet && p->len >= CAPTURE_ETHERNET_BYTES;
	const struct capture_link l = {
		.link = k->w->link,
		.ether_type = p->ether_type,
		.ethernet = ethernet ? p->bytes : NULL,
		.ifindex = p->ifindex,
		.incoming = p->incoming,
	};
	uint32_t own = ethernet ? CAPTURE_ETHERNET_BYTES : 0;
	uint8_t head[CAPTURE_LINK_BYTES_MAX];
	uint32_t n = (uint32_t)capture_link_write(&l, head), len = n + p->len - own;
	struct capture_held *h = capture_held_new(len);

	if (!h)
		return NULL;
	memcpy(h->bytes, head, n);
	memcpy(h->bytes + n, p->bytes + own, p->len - own);
	h->original_len = n + p->original_len - own;
	if (h->len > k->w->snap_bytes)
		h->len = k->w->snap_bytes;
	return h;
}

static void on_dropped(void *ctx, const struct weir_captured *p)
{
	struct capture_worker *k = ctx;
	uint64_t real_ns = p->mono_ns + k->real_minus_mono_ns;
	struct capture_held *h;

	if (!takes(k, real_ns))
		return;
	/* Where a packet has no link layer, it is IP. */
	if (k->w->link == WEIR_LINK_RAW && p->ether_type != CAPTURE_ETHER_IPV4 && p->ether_type != CAPTURE_ETHER_IPV6)
		return;
	h = held_dropped(k, p);
	if (!h) {
		k->lost++;
		return;
	}
	if (!capture_filter_match(k->w->matches, h->bytes, h->len, h->original_len)) {
		free(h);
		return;
	}
	h->real_ns = real_ns;
	h->reason = p->reason;
	h->place = p->place;
	h->cookie = p->cookie;
	h->cookie_sends = !p->incoming;
	h->netns = p->netns;
	h->way = p->incoming ? CAPTURE_WAY_IN : CAPTURE_WAY_OUT;
	if (p->ifindex == CAPTURE_LOOPBACK_IFINDEX)
		h->way = CAPTURE_WAY_LOCAL;
	h->interface = k->dropped_place;
	if (p->netns)
		h->interface = place_of(k, p->netns, p->ifindex, p->device, k->dropped_place);
	take(k, CAPTURE_LANE_DROPPED, h);
}

static void take_in(struct capture_worker *k)
{
	char *why = NULL;

	if (k->w->dropped) {
		place_clocks(k);
		(void)k->w->source->drain(k->w->dropped, on_dropped, k);
	}
	if (k->w->live && capture_live_drain(k->w->live, on_live, k, &why) < 0) {
		if (!k->stop_mono_ns)
			k->status = cli_fail(CLI_FAILED, "%s", why ? why : "the capture ends here");
		stop(k);
	}
	free(why);
}

/* --- the other half -------------------------------------------------------------------------- */

static void ask(struct capture_worker *k)
{
	const char byte = CAPTURE_ASK;
	uint64_t now = weir_mono_ns();

	if (!k->ask_wanted || k->asked_mono_ns || k->parent_gone || now < k->next_ask_mono_ns)
		return;
	if (send(k->w->parent_fd, &byte, 1, MSG_NOSIGNAL) == 1) {
		k->ask_wanted = false;
		k->asked_mono_ns = now;
	}
}

/* body: addresses, then the document; empty when the daemon did not answer. */
static void on_flows(struct capture_worker *k, const struct capture_message *m, const char *body)
{
	size_t skip = m->n_addresses * sizeof(struct weir_addr);
	struct capture_flows *fresh = NULL;
	uint64_t now = weir_mono_ns();
	char *why = NULL;

	k->unanswered++;
	if (m->len && capture_flows_parse(body + skip, m->len, k->w->own_netns, (const struct weir_addr *)(const void *)body,
					  m->n_addresses, &fresh, &why) == 0) {
		capture_flows_free(k->flows);
		k->flows = fresh;
		k->unanswered = 0;
	}
	free(why);
	if (k->unanswered >= UNANSWERED_MAX)
		k->flows = capture_flows_free(k->flows); /* whose it was, not whose it is */
	if (!k->unanswered || k->unanswered >= UNANSWERED_MAX)
		k->flows_mono_ns = k->asked_mono_ns;
	else
		k->ask_wanted = true;
	k->next_ask_mono_ns = weir_mono_ns() + ASK_PART * (weir_mono_ns() - now + (now - k->asked_mono_ns) / 2);
	if (k->next_ask_mono_ns < k->asked_mono_ns + ASK_INTERVAL_NS)
		k->next_ask_mono_ns = k->asked_mono_ns + ASK_INTERVAL_NS;
	k->asked_mono_ns = 0;
}

/* Takes whole messages out of what was heard. */
static void understand(struct capture_worker *k)
{
	struct weir_buf *b = &k->heard;
	struct capture_message m;
	size_t at = 0, whole;

	while (b->len - at >= sizeof(m)) {
		memcpy(&m, b->data + at, sizeof(m));
		whole = sizeof(m) + m.n_addresses * sizeof(struct weir_addr) + m.len;
		if (b->len - at < whole)
			break;
		if (m.type == CAPTURE_MESSAGE_STOP)
			stop(k);
		else
			on_flows(k, &m, b->data + at + sizeof(m));
		at += whole;
	}
	if (!at)
		return;
	memmove(b->data, b->data + at, b->len - at);
	b->len -= at;
}

static void listen_to_parent(struct capture_worker *k)
{
	while (!k->parent_gone) {
		char *room = weir_buf_room(&k->heard, 65536);
		ssize_t n = room ? recv(k->w->parent_fd, room, 65536, MSG_DONTWAIT) : 0;

		if (n > 0) {
			k->heard.len += (size_t)n;
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		/* It has ended, or cannot be listened to: so does this. */
		k->parent_gone = true;
		stop(k);
	}
	understand(k);
}

/* --- writing --------------------------------------------------------------------------------- */

static void flush(struct capture_worker *k)
{
	int r;

	if (k->over)
		return;
	k->flushed_mono_ns = weir_mono_ns();
	r = capture_file_flush(k->w->file);
	if (r == 0)
		return;
	k->over = true;
	if (r == -EPIPE)
		return;
	k->status = cli_fail(CLI_FAILED, "the capture ends here, %s cannot be written further: %s", k->w->file->path,
			     strerror(-r));
}

static void write_packet(struct capture_worker *k, const struct capture_held *h)
{
	static const enum weir_pcapng_way ways[] = {
		[CAPTURE_WAY_IN] = WEIR_PCAPNG_WAY_IN,
		[CAPTURE_WAY_OUT] = WEIR_PCAPNG_WAY_OUT,
		[CAPTURE_WAY_OTHER] = WEIR_PCAPNG_WAY_IN,
	};
	struct capture_said said = { .way = h->way, .reason = h->reason, .place = h->place };
	struct weir_pcapng_packet out = {
		.interface = h->interface,
		.real_ns = h->real_ns,
		.bytes = h->bytes,
		.len = h->len,
		.original_len = h->original_len,
		.way = h->way < ARRAY_SIZE(ways) ? ways[h->way] : WEIR_PCAPNG_WAY_UNKNOWN,
	};
	struct capture_packet p;

	look(k, h, &p, &said.from, &said.to);
	said.of_kernel = p.of_kernel;
	weir_buf_reset(&k->comment);
	capture_comment_write(&k->comment, &said);
	out.comment = k->comment.error ? NULL : k->comment.data;
	weir_pcapng_packet(&k->w->file->pending, &out);
	k->written++;
	k->bytes += h->len;
	k->dropped += h->reason != NULL;
	if (said.from.pid || said.to.pid)
		k->attributed++;
	else
		k->of_kernel += said.of_kernel;
}

static bool may_leave(const struct capture_worker *k, const struct capture_held *h, uint64_t now)
{
	uint64_t age = now - h->taken_mono_ns;

	if (k->hold.bytes > HOLD_BYTES_MAX || age >= HOLD_MAX_NS)
		return true;
	if (age < HOLD_MIN_NS && !k->parent_gone)
		return false;
	if (!k->w->knows_flows || k->parent_gone || k->flows_mono_ns > h->taken_mono_ns)
		return true;
	return !needs_flows(k, h);
}

static void release(struct capture_worker *k)
{
	struct capture_held *h = NULL;
	uint64_t now = weir_mono_ns();

	while (!k->over && (h = capture_hold_first(&k->hold)) && may_leave(k, h, now)) {
		h = capture_hold_take(&k->hold);
		write_packet(k, h);
		free(h);
		if (k->w->file->pending.len >= FLUSH_BYTES)
			flush(k);
	}
	if (!k->over && h && k->w->knows_flows && now - h->taken_mono_ns >= HOLD_MIN_NS)
		k->ask_wanted = true;
	/* Standard output is read while it is written. */
	if (k->w->file->pending.len && (!k->w->file->regular || k->flushed_mono_ns + FLUSH_NS <= now))
		flush(k);
}

static void begin_file(struct capture_worker *k)
{
	const struct capture_work *w = k->w;
	struct weir_buf *out = &w->file->pending;
	struct weir_buf os = {}, about = {};
	struct utsname host;

	if (uname(&host) < 0)
		memset(&host, 0, sizeof(host));
	weir_buf_printf(&os, "%s %s", host.sysname, host.release);
	weir_buf_printf(&about, "captured on %s", host.nodename);
	weir_pcapng_section(out, &(struct weir_pcapng_origin){
					 .hardware = host.machine,
					 .os = os.data,
					 .application = "weir " WEIR_VERSION,
					 .comment = about.data,
				 });
	weir_buf_done(&os);
	weir_buf_done(&about);
	if (w->live)
		k->live_place = capture_places_add(&k->places, w->device ? w->device : "any", NULL, out);
	if (w->dropped)
		k->dropped_place = capture_places_add(&k->places, "dropped", "dropped by the kernel, without a device", out);
}

static void end_file(struct capture_worker *k, uint64_t live_received, uint64_t live_lost, uint64_t dropped_lost)
{
	struct weir_pcapng_statistics s = {
		.interface = k->live_place,
		.start_ns = k->start_real_ns,
		.end_ns = weir_clock_ns(CLOCK_REALTIME),
		.received = live_received,
		.dropped = live_lost,
		.delivered = k->written - k->dropped,
	};

	if (k->w->live)
		weir_pcapng_statistics(&k->w->file->pending, &s);
	s.interface = k->dropped_place;
	s.received = k->dropped + dropped_lost;
	s.dropped = dropped_lost;
	s.delivered = k->dropped;
	if (k->w->dropped)
		weir_pcapng_statistics(&k->w->file->pending, &s);
	flush(k);
}

/* Of the packets whose writing was begun; the last may have been cut off by a full disk. */
static void print_summary(const struct capture_worker *k, uint64_t lost)
{
	struct weir_buf out = {};
	char bytes[WEIR_UNITS_TEXT];
	uint64_t unknown = k->written - k->attributed - k->of_kernel;

	weir_buf_printf(&out, "%s: %llu packets, %s", k->w->file->path, (unsigned long long)k->written,
			weir_units_bytes(k->bytes, bytes));
	if (k->w->dropped)
		weir_buf_printf(&out, ", %llu of them dropped by the kernel", (unsigned long long)k->dropped);
	weir_buf_printf(&out, "; %llu of known processes, %llu of the kernel itself, %llu unattributed; %llu lost by the capture\n",
			(unsigned long long)k->attributed, (unsigned long long)k->of_kernel, (unsigned long long)unknown,
			(unsigned long long)lost);
	/* Standard output may be the file. */
	if (out.data && !out.error && write(STDERR_FILENO, out.data, out.len) < 0)
		out.error = -errno; /* nobody is there to be told */
	weir_buf_done(&out);
}

static void finish(struct capture_worker *k)
{
	uint64_t received = 0, live_lost = 0, dropped_lost = 0;

	if (k->w->live)
		capture_live_counts(k->w->live, &received, &live_lost);
	if (k->w->dropped)
		dropped_lost = k->w->source->lost(k->w->dropped);
	end_file(k, received, live_lost, dropped_lost);
	print_summary(k, live_lost + dropped_lost + k->lost);
}

/* --- the loop -------------------------------------------------------------------------------- */

static void wait_for_packets(const struct capture_worker *k)
{
	struct pollfd fds[] = {
		{ .fd = k->parent_gone ? -1 : k->w->parent_fd, .events = POLLIN },
		{ .fd = k->w->live ? capture_live_fd(k->w->live) : -1, .events = POLLIN },
		{ .fd = k->w->dropped ? k->w->source->fd(k->w->dropped) : -1, .events = POLLIN },
	};

	(void)poll(fds, ARRAY_SIZE(fds), (int)(ROUND_NS / MS));
}

static bool is_over(const struct capture_worker *k)
{
	if (k->over)
		return true;
	return k->stop_mono_ns && weir_mono_ns() >= k->stop_mono_ns + END_NS && !capture_hold_first(&k->hold);
}

int capture_work_run(const struct capture_work *w)
{
	struct capture_worker *k = calloc(1, sizeof(*k));
	int status;

	if (!k)
		return cli_fail_error(-ENOMEM, NULL);
	k->w = w;
	k->places = (struct capture_places){
		.link = w->link,
		.snap_bytes = w->snap_bytes,
		.own_netns = w->own_netns,
		.filter = w->filter,
	};
	k->start_real_ns = weir_clock_ns(CLOCK_REALTIME);
	k->ask_wanted = w->knows_flows;
	begin_file(k);
	flush(k);
	while (!is_over(k)) {
		wait_for_packets(k);
		if (weir_mono_ns() >= w->until_mono_ns)
			stop(k);
		take_in(k);
		listen_to_parent(k);
		ask(k);
		release(k);
	}
	finish(k);
	status = k->status;
	capture_hold_done(&k->hold);
	capture_flows_free(k->flows);
	weir_buf_done(&k->heard);
	weir_buf_done(&k->comment);
	free(k);
	return status;
}
