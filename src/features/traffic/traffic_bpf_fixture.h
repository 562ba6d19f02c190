// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/attach.h"
#include "core/feature.h"
#include "core/probe.h"
#include "features/traffic/traffic_abi.h"

/* For the tests of the kernel half: it is loaded into the running kernel by the feature's own load(), fed by this
 * process on the loopback of a network namespace of its own, and judged by the records that the reader hands over.
 * The hooks see the whole machine: everything is asked for by cookie or pid. */

extern const struct weir_feature traffic_feature;

struct world {
	struct weir_probe *probe;
	struct weir_attach *attach;
	void *kernel, *state;
	unsigned n_records;  /* of all kinds, since world_forget() */
	unsigned n_final;    /* sockets' last records among them */
	uint64_t lost;       /* as last told by the reader */
	struct book *book;   /* the newest record of each socket, process and peer */
};

extern struct world world;

/* Why this machine cannot load it, or NULL. Enters the namespace and raises the number of files that may be open. */
const char *world_prepare(void);

/* Loads, attaches and opens; nothing was looked at yet. */
void world_begin(void);

/* Whether that loaded this set of hooks: the one of $WEIR_HOOKS, or the best. */
bool world_is(const char *set);

/* Detaches and forgets all; does nothing when nothing was begun. */
void world_end(void);
void world_forget(void); /* the records, not what is loaded */

/* Reads the ring and looks at everything, or with full false at what changed. */
void world_look(bool full);

/* The newest record, NULL without one. */
const struct traffic_socket *world_socket(uint64_t cookie);
const struct traffic_process *world_process(pid_t pid);
unsigned world_peers(uint64_t cookie, uint64_t *ret_tx_bytes); /* how many, and their sum */
uint64_t world_peer_tx(uint64_t cookie, uint16_t port);
uint64_t world_sum(pid_t pid, enum traffic_transport transport, enum traffic_direction direction);
bool world_exited(pid_t pid);
/* Whether the state waits for its last sums. */
bool world_waits(pid_t pid);
/* Fills the kernel's map of processes with others, or takes them out of it. */
void world_crowd(bool crowded);
/* How many records of this socket came since world_forget(). */
unsigned world_count(uint64_t cookie);
unsigned world_told(uint64_t cookie); /* of these: by the ring, not by a sweep */

/* A TCP connection on loopback, both ends in this process. */
struct pair {
	int listener, client, server;
	uint64_t client_cookie, server_cookie;
};

uint64_t cookie_of(int fd);
void pair_open(struct pair *p);
void pair_close(struct pair *p);
int listen_on_loopback(int backlog);     /* an open socket on a port that the kernel chose */
int connect_to(int listener);            /* another one, connected to it */
void move(int from, int to, size_t n);   /* sends and receives; at most 64 KiB */

/* As fork(); the child ends with the test's process. */
pid_t fork_child(void);

/* The same, with a pid below this process's: so it is once pids have gone round. -1: none can be taken. */
pid_t fork_before(void);

/* Runs f(fd) in a process of its own to its end. */
pid_t run_child(void (*f)(int fd), int fd);
