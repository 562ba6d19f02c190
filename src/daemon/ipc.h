// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/history.h"

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
	WEIR_MESSAGE_ASK,         /* descriptor: a request that the one-shot helper of feature .serial is to read */
	/* keeper -> engine */
	WEIR_MESSAGE_GATE,        /* descriptor: the engine's end of the pair with a new gate */
	WEIR_MESSAGE_GATE_COST,   /* descriptor: /proc/PID/stat of that gate */
	WEIR_MESSAGE_ANSWER,      /* descriptor: where the helper's answer comes from; .serial: of which feature */
	WEIR_MESSAGE_STORE,       /* descriptor: the engine's end of the pair with a new store */
	WEIR_MESSAGE_GATE_STORE,  /* descriptor: the gate's end of its pair with a new store; the engine passes it on */
	WEIR_MESSAGE_STORE_COST,  /* descriptor: /proc/PID/stat of that store */
	/* keeper -> store */
	WEIR_MESSAGE_ENGINE,      /* descriptor: the store's end of the pair with a new engine */
	WEIR_MESSAGE_READER,      /* descriptor: the same with a new gate */
	/* engine -> store */
	WEIR_MESSAGE_BATCH,       /* descriptor: a block as store/batch.h has it; .size: its bytes; .serial counts up;
				   * .count: which engine's */
	WEIR_MESSAGE_CARRY,       /* asks for all that is carried */
	/* store -> engine */
	WEIR_MESSAGE_CARRIED,     /* descriptor: all that is carried, as a block of store/batch.h; .size: its bytes */
	WEIR_MESSAGE_TAKEN,       /* payload: struct weir_store_state; .serial: the newest batch that is in it; .count: which
				   * engine's. The first after a store began says what the one before left */
	/* gate -> store */
	WEIR_MESSAGE_QUESTION,    /* payload: struct weir_past_question; .serial counts up */
	/* store -> gate */
	WEIR_MESSAGE_PAST,        /* descriptor: a snapshot with the one table; .serial: of the question; payload: struct
				   * weir_history_span; .size is that of the payload */
	WEIR_MESSAGE_NO_PAST,     /* payload: why not, in one line; .serial: of the question; .count: errno, positive */
	_WEIR_MESSAGE_MAX,
};

struct weir_message {
	uint32_t type;
	uint32_t size; /* of what the descriptor holds, or of the payload, in bytes */
	uint64_t serial;
	uint64_t count;
};

#define WEIR_PAYLOAD_MAX 4096u /* that may follow a message in its packet */

/* How the file of history is, with each batch that was taken. */
struct weir_store_state {
	uint64_t bytes, limit_bytes, lost_seconds;
	uint64_t carry_lost; /* grows when carried records were lost: all are to be carried again */
	uint64_t in_memory; /* 1: there should be a file, and .reason says why there is none */
	char reason[256];   /* or why it cannot be written; "": all is well */
};

/* Whose "now" a time counts back from is known in the store alone. */
enum weir_past_time {
	WEIR_PAST_FROM = 1 << 0,
	WEIR_PAST_TO = 1 << 1,
	WEIR_PAST_FROM2 = 1 << 2,
	WEIR_PAST_TO2 = 1 << 3,
};
struct weir_past_question {
	struct weir_history_question question;
	uint64_t before_now; /* enum weir_past_time: this time is so many ns before now */
};

/* Sends without blocking. fd < 0: none rides along. -EAGAIN when the other side does not read. */
int weir_message_send(int sock, const struct weir_message *m, int fd);

/* 1: one message read; 0: none there now; -ECONNRESET: the other side is gone; -EBADMSG: not a message
 * (dropped). *ret_fd is -1 or a descriptor that the caller owns. */
int weir_message_receive(int sock, struct weir_message *ret, int *ret_fd);

/* The same with a payload of m->size bytes behind the message: between the store and the others alone. ret_payload has room
 * for WEIR_PAYLOAD_MAX + 1 bytes; a NUL follows what was received. */
int weir_message_send_with(int sock, const struct weir_message *m, const void *payload, int fd);
int weir_message_receive_with(int sock, struct weir_message *ret, void *ret_payload, int *ret_fd);

/* What rides along where it need not be sealed: a descriptor of memory that holds these bytes. */
int weir_memory_make(const char *name, const void *bytes, size_t len);
/* Reads so many bytes from the beginning of one that was received. -EBADMSG: it is no such thing, which could make us wait,
 * or there are fewer. */
int weir_memory_read(int fd, void *ret, size_t size);
