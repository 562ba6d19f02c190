// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/capture.h"
#include "frontends/cli/capture_file.h"
#include "frontends/cli/capture_live.h"

/* The half of `weir capture` that reads packets: a process without rights, which takes packets from what was opened for it,
 * finds out whose they are, and writes the file. The other half, which kept its rights, asks the daemon for it. */

/* What the halves say to each other over a stream socket. The worker sends CAPTURE_ASK bytes; each is answered by a message
 * of flows that was asked for after the byte came. */
#define CAPTURE_ASK 'a'

enum capture_message_type {
	CAPTURE_MESSAGE_FLOWS = 1, /* n_addresses times struct weir_addr, then a document of len bytes */
	CAPTURE_MESSAGE_STOP,	   /* nothing more is to be captured */
};

struct capture_message {
	uint32_t type;
	uint32_t n_addresses;
	uint64_t len;
};

struct capture_work {
	struct capture_file *file;
	struct capture_live *live; /* NULL: none */
	const struct weir_capture_source *source;
	void *dropped;			/* opened by .source, or NULL */
	struct capture_filter *matches; /* for dropped packets */
	const char *device;		/* NULL: all */
	const char *filter;		/* its text, "" for none */
	uint16_t link;
	uint32_t snap_bytes;
	uint64_t packets_max;	/* 0: any number */
	uint64_t until_mono_ns; /* UINT64_MAX: until it is told */
	int parent_fd;		/* the other half; not blocking */
	int names_fd;		/* a socket to ask the names of devices with; -1: none */
	uint32_t own_ifindex;	/* of .device */
	uint32_t own_netns;
	bool loopback;		/* .device is one */
	uint8_t mac[6];		/* .device's, if it is Ethernet */
	bool knows_flows;	/* there is a daemon to ask */
};

/* Captures until it is told to stop, the time is over, the packets are there, or nothing more can be written; then writes what
 * it holds and says in a line what the file has. Returns the exit status. */
int capture_work_run(const struct capture_work *w);
