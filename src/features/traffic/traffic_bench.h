// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/bench.h"

/* `weir bench traffic`: what the feature costs, on this machine, in this minute. Each part below is
 * one file. */

struct weir_attach;
struct weir_probe;
struct traffic_kernel;
struct traffic_reader;

/* --- traffic_bench_load.c: known work of one thread over loopback ---------------------------- */

struct bench_pair {
	int a, b; /* two ends of one connection, both in this process */
};

/* Connected: SOCK_STREAM and SOCK_DGRAM of AF_INET, SOCK_STREAM of AF_UNIX. -errno. */
int bench_pair_open(int family, int type, struct bench_pair *ret);
void bench_pair_close(struct bench_pair *p); /* leaves it ready for another close */

/* Nanoseconds for one call that moves one byte: many sends together, then as many receives. */
int bench_calls_ns(const struct weir_bench *b, const struct bench_pair *p, bool cork,
		   uint64_t for_ns, double *ret_send, double *ret_receive);

/* For one round trip of 32 bytes: two packets, four calls. */
int bench_pingpong_ns(const struct weir_bench *b, const struct bench_pair *p, uint64_t for_ns,
		      double *ret);
int bench_pingpong_once(void *pair); /* a struct bench_pair; for weir_bench_calibrate() */

/* For 64 KB sent and received. */
int bench_bulk_ns(const struct weir_bench *b, const struct bench_pair *p, uint64_t for_ns,
		  double *ret);

struct bench_server {
	int fd;
	uint16_t port;
	uint64_t connections; /* made so far */
};

int bench_server_open(struct bench_server *ret);
void bench_server_close(struct bench_server *s);

/* One connection: made, one byte there, both ends closed. */
int bench_connection(struct bench_server *s);
int bench_churn_ns(const struct weir_bench *b, struct bench_server *s, uint64_t for_ns,
		   double *ret);

/* Processes that hold n idle TCP sockets among them. */
#define BENCH_HOLDERS 16

struct bench_hold {
	pid_t pids[BENCH_HOLDERS];
};

int bench_hold_start(struct weir_bench *b, unsigned n, struct bench_hold *ret);
void bench_hold_end(struct bench_hold *h);

/* --- the parts ------------------------------------------------------------------------------- */

/* weir's programs, loaded into this process by the feature itself. */
struct bench_loaded {
	struct weir_probe *probe;
	struct weir_attach *attach;
	struct traffic_kernel *kernel;
	struct traffic_reader *reader;
	double probe_ms, load_ms;
};

int bench_load(struct bench_loaded *ret);
void bench_unload(struct bench_loaded *l);

/* Takes all hooks off, and puts them on again. */
void bench_detach(struct bench_loaded *l);
int bench_attach(struct bench_loaded *l);

/* How many programs hang on the two hooks of send and receive, of anybody. */
unsigned bench_on_hooks(void);

/* Waits some seconds for nobody to hang there; whether that came. Call it with nothing of one's own attached. */
bool bench_await_alone(const struct weir_bench *b);

/* What was in the ring, counted. */
struct bench_drained {
	uint64_t ours;	 /* records of sockets of this network namespace */
	uint64_t others; /* all other records */
	uint64_t lost;	 /* of all time */
};

/* Empties the ring and adds to *to. */
int bench_drain(struct bench_loaded *l, uint32_t netns, struct bench_drained *to);
uint32_t bench_netns(void); /* this process's, as records name it; 0: not known */

/* Each adds its lines; -errno only when going on makes no sense. */
int bench_hooks(struct weir_bench *b,
		struct bench_loaded *l); /* one call beside an empty program */
int bench_work(struct weir_bench *b,
	       struct bench_loaded *l); /* ping-pong, bulk, churn with and without */
int bench_losses(struct weir_bench *b, struct bench_loaded *l); /* records with a stopped reader */
int bench_talk(struct weir_bench *b);	  /* the functions that other counters hang on */
int bench_watchers(struct weir_bench *b); /* whole programs: weir, bpftrace, nethogs */
int bench_daemon(struct weir_bench *b);	  /* idle cost, start, churn */

int traffic_bench(struct weir_bench *b);
