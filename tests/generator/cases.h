// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "scene.h"

enum family {
	ANY, /* the case has its own sockets */
	TCP4,
	TCP6,
	MPTCP4,
	MPTCP6,
	UDP4,
	UDP6,
	UNIX, /* stream */
	_FAMILY_MAX,
};

#define IN(f) (1u << (f))
#define IN_TCP (IN(TCP4) | IN(TCP6))
#define IN_MPTCP (IN(MPTCP4) | IN(MPTCP6))
#define IN_UDP (IN(UDP4) | IN(UDP6))
#define IN_STREAMS (IN_TCP | IN(MPTCP4) | IN(UNIX))

enum case_flags {
	NEEDS_ROOT = 1 << 0,
	OWN_NETNS = 1 << 1,
	ONLY_STOPPED = 1 << 2, /* shows its point only with --hold or --before */
	CAN_PAUSE = 1 << 3,    /* knows --before, beside the pairs */
};

struct instance;

/* One row of a table of cases; it is run once for each of its families. */
struct row {
	const char *name, *help;
	unsigned families; /* IN(..); 0: ANY */
	unsigned flags;
	uint64_t bytes;
	void (*run)(const struct instance *i); /* spawns the processes */
	void (*check)(
		const struct instance *i); /* after they have gone; NULL: nothing more to say */
	/* For pairs: moves exactly that many bytes. */
	void (*tx)(struct end *e, size_t n);
	void (*rx)(struct end *e, size_t n);
	const char *tx_expect, *rx_expect; /* NULL: exact */
};

struct instance {
	const struct row *row;
	enum family family;
	char name[48]; /* "tcp4-sendfile" */
};

/* The tables; each ends with a row without name. */
extern const struct row pair_tx_rows[], pair_rx_rows[], uring_rows[], dgram_rows[],
	dgram_peers_rows[], unix_rows[], other_rows[], end_rows[], lost_rows[], share_rows[],
	process_rows[], special_rows[];

/* All instances, in order. */
const struct instance *cases_all(size_t *ret_n);
/* NULL: no such case. */
const struct instance *cases_find(const char *name);
/* Runs one: prints its truth and its result. 0 ok or skipped, -1 failed. */
int cases_run(const struct instance *i);

uint64_t case_bytes(const struct instance *i);

/* --- sockets --------------------------------------------------------------------------------- */

enum {
	SEM_LISTENING, /* the listener stands */
	SEM_A,
	SEM_B,
	SEM_C,
	SEM_D,
	NUM_PORT = 0,
	NUM_ACKED, /* bytes that the receiver has read */
	NUM_A,
	NUM_B,
	NUM_C,
	NUM_PORTS = 8, /* several listeners */
};

int family_domain(enum family f);
/* A socket of the family; skips the scene when this kernel has no such thing. */
int net_socket(enum family f, int type);
/* The loopback address with that port (or the scene's path for Unix sockets). Returns its length.
 */
socklen_t net_address(enum family f, uint32_t port, struct sockaddr_storage *ret);
/* Binds to loopback, any port, and returns the port. */
uint32_t net_bind(int fd, enum family f);
/* A listener, its port published as scene number `number` and SEM_LISTENING posted `posts` times.
 */
int net_listen(enum family f, unsigned number, int backlog, unsigned posts);
/* Connects to the port of that number. Does not wait for SEM_LISTENING. */
int net_connect(enum family f, unsigned number);
void net_connect_fd(int fd, enum family f, unsigned number);
int net_accept(int listener);
/* Enters a network namespace of its own with loopback up. */
void net_own_namespace(void);
void net_set(int fd, int level, int option, int value);
/* "127.0.0.1:4711" of the address. */
void net_name(const struct sockaddr_storage *a, char *ret, size_t n);

/* The usual pair: rx listens, tx connects, both in a process of their own. */
void pair_run(const struct instance *i);
/* tx = rx = what was asked for. */
void pair_check(const struct instance *i);
/* Reads to the end of the stream, which must bring nothing more. */
void expect_end(struct end *e);

/* Plain movers that other cases use. */
void tx_write(struct end *e, size_t n);
void tx_send(struct end *e, size_t n);
void rx_recv(struct end *e, size_t n);
/* Until the end of the stream or an error. */
void rx_drain(struct end *e);

/* A buffer of BUFFER bytes filled with a pattern. */
#define BUFFER (1u << 20)
uint8_t *buffer(void);
