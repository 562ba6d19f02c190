// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the roles say to each other, over SOCK_SEQPACKET pairs made by the keeper. One message is one packet;
 * a descriptor may ride along. Both ends are weir, but a role may have been taken over: receivers check the
 * size and the type and drop what they do not know. */

enum weir_message_type {
	/* gate -> engine */
	WEIR_MESSAGE_REFRESH = 1, /* .serial: publish a snapshot that is newer than this message */
	WEIR_MESSAGE_VIEWERS,     /* .count: streams that are open now; with any, every tick is published */
	WEIR_MESSAGE_MEASURE,     /* .count: have the kernel time its BPF programs for that many ms from now */
	/* engine -> gate */
	WEIR_MESSAGE_SNAPSHOT,    /* descriptor: the snapshot; .serial: the newest REFRESH it answers;
				   * .count: 1 for the regular tick, 0 in between */
	/* engine -> keeper; MEASURE too is passed on */
	WEIR_MESSAGE_READY,       /* the first snapshot can be served */
	/* keeper -> engine */
	WEIR_MESSAGE_GATE,        /* descriptor: the engine's end of the pair with a new gate */
	WEIR_MESSAGE_GATE_COST,   /* descriptor: /proc/PID/stat of that gate */
	_WEIR_MESSAGE_MAX,
};

struct weir_message {
	uint32_t type;
	uint32_t size; /* of the snapshot in bytes, with WEIR_MESSAGE_SNAPSHOT */
	uint64_t serial;
	uint64_t count;
};

/* Sends without blocking. fd < 0: none rides along. -EAGAIN when the other side does not read. */
int weir_message_send(int sock, const struct weir_message *m, int fd);

/* 1: one message read; 0: none there now; -ECONNRESET: the other side is gone; -EBADMSG: not a message
 * (dropped). *ret_fd is -1 or a descriptor that the caller owns. */
int weir_message_receive(int sock, struct weir_message *ret, int *ret_fd);
