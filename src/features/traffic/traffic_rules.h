// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The arithmetic behind exact bytes: plain inline functions that the kernel half and the unit tests share. */

#ifndef __bpf__
#include <stdbool.h>
#include <linux/types.h>
#endif

/* The 64-bit number that ends in low32 and lies nearest to about: a 32-bit sequence number says exactly how much,
 * a 64-bit counter, which may be read in the middle of an update, says how often the first went round. */
static inline __u64 traffic_extend(__u32 low32, __u64 about)
{
	return about + (__u64)(__s64)(__s32)(low32 - (__u32)about);
}

/* How long a jiffy is: the kernel tells neither its HZ nor needs its configuration file to be there, so the two
 * clocks are compared. 250 is the usual HZ until enough time has passed to tell. */
static inline __u64 traffic_jiffy_us(__u64 jiffies, __u64 ns)
{
	__u64 us = jiffies ? ns / 1000 / jiffies : 0;

	if (jiffies < 16 || !us)
		return 4000;
	if (us < 1600)
		return 1000; /* HZ=1000 */
	if (us < 3600)
		return 3333; /* 300 */
	if (us < 7000)
		return 4000; /* 250 */
	return 10000; /* 100 */
}

/* A call that was under way when weir first saw the socket returns all it moved, also what it had moved before: so
 * much of it is in "before" already. Only while TCP moved too; a socket map carries everything past TCP. */
static inline __u64 traffic_overlap(__u64 hook, __u64 tcp, __u64 before)
{
	return tcp && hook > tcp && hook - tcp <= before ? hook - tcp : 0;
}

/* A FIN takes one sequence number. These states are entered by sending one (tcp_close_state(), net/ipv4/tcp.c);
 * TCP_CLOSE is entered with or without, so the state before it decides. */
static inline bool traffic_fin_sent(__u8 state)
{
	/* TCP_FIN_WAIT1 4, FIN_WAIT2 5, TIME_WAIT 6, LAST_ACK 9, CLOSING 11 */
	return (1u << state) & ((1u << 4) | (1u << 5) | (1u << 6) | (1u << 9) | (1u << 11));
}

/* Whether the sequence numbers of a socket in this state may have a FIN among them. settled: they were taken at its end,
 * with the state before. They were not where the kernel passed over our hook there, since it runs none within itself: then
 * a byte too few is told rather than one too many, and the calls know better. */
static inline bool traffic_fin_possible(__u8 state, bool settled)
{
	return traffic_fin_sent(state) || (state == 7 /* TCP_CLOSE */ && !settled);
}

/* Whether n bytes up to the sequence number end hold the urgent byte at urgent (0: there was none). */
static inline bool traffic_passed(__u32 end, __u32 n, __u32 urgent)
{
	return urgent && end - urgent - 1 < n;
}

/* Bytes that bypassed the calls on a socket that nobody has called yet: that it was connected or accepted by a
 * process, or its listener's, does not make them that one's. */
static inline bool traffic_user_unknown(bool tentative, __u64 hook_tx, __u64 hook_rx, __u64 tx, __u64 rx)
{
	return tentative && !hook_tx && !hook_rx && (tx || rx);
}

/* Takes the first of n things that is free: its number, n if none is. Who takes one may be interrupted by who takes
 * another, and not only in nested order: tasks interrupt each other, too. 0 in taken[] gives it back. */
static inline __u32 traffic_take_free(__u64 *taken, __u32 n)
{
	__u32 i = 0;

	while (i < n && __sync_lock_test_and_set(&taken[i], 1))
		i++;
	return i;
}

/* By how much a is ahead of b. */
static inline __u64 traffic_ahead(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

static inline __u64 traffic_larger(__u64 a, __u64 b)
{
	return a > b ? a : b;
}

/* Bytes of a socket, each once, from what the calls reported and what TCP counted. TCP is ahead while a call is
 * still running, and for good where bytes bypassed the calls (splice, zero-copy receive); it is behind where a
 * socket map carried the bytes past it. Urgent bytes that nobody read leave TCP a little ahead for ever. */
#define TRAFFIC_URGENT_SLACK 64

static inline __u64 traffic_effective(__u64 hook, __u64 tcp, bool based, bool shared, bool urgent)
{
	if (!based || shared || tcp <= hook)
		return hook;
	if (urgent && tcp - hook <= TRAFFIC_URGENT_SLACK)
		return hook;
	return tcp;
}
