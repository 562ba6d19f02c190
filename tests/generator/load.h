// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

struct load_options {
	uint64_t count; /* processes, sockets */
	double seconds; /* how long */
	uint64_t bytes; /* a message's size; 0: the usual */
	unsigned jobs;	/* how many at the same time */
};

/* Loads that are made of many processes or sockets, with truth. Each returns an exit status. */
int load_crowd(
	const struct load_options *o); /* count processes that live a few ms, one connection each */
int load_hold(const struct load_options *o); /* count idle sockets, until told to stop */
int load_churn(
	const struct load_options *o); /* connections opened and closed for so many seconds */

/* Speed of one thread with both ends of a connection; prints numbers, no truth. */
int load_pingpong(const struct load_options *o);
int load_bulk(const struct load_options *o);
