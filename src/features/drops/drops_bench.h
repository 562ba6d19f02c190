// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/bench.h"
#include "features/drops/drops_kernel.h"

/* `weir bench drops`: what a lost packet pays for being counted, and whether each is. */

/* --- drops_bench_make.c: losses, made as cheaply as they can be --------------------------------- */

#define DROPS_PER_CALL 64
#define DROPS_PER_RUN 4096

/* A UDP socket whose receive buffer is full: each datagram for it is lost, and the socket counts it. */
struct drops_full {
	int from, to;
};

int drops_full_open(struct drops_full *ret);
void drops_full_close(struct drops_full *f); /* leaves it ready for another close */
int drops_full_lose(const struct drops_full *f);	  /* one packet */
int drops_full_lose_many(const struct drops_full *f); /* DROPS_PER_CALL of them in one system call */
/* How many it lost so far, by its own counter, which begins anew after 2^32. */
uint32_t drops_full_lost(const struct drops_full *f);

/* DROPS_PER_RUN frames of a protocol that nobody speaks arrive on loopback. program: make_frame, loaded. */
int drops_frames_lose(int program_fd);

/* --- the parts ---------------------------------------------------------------------------------- */

/* weir's program, loaded into this process by the feature itself. */
struct drops_bench_loaded {
	struct weir_probe *probe;
	struct weir_attach *attach;
	void *kernel;
};

/* Each adds its lines; -errno only when going on makes no sense. */
int drops_bench_cost(struct weir_bench *b, const struct drops_bench_loaded *l);	   /* one loss beside an empty program */
int drops_bench_quiet(struct weir_bench *b, const struct drops_bench_loaded *l);   /* work that loses nothing */
int drops_bench_samples(struct weir_bench *b, const struct drops_bench_loaded *l); /* how many are handed over */
int drops_bench_flood(struct weir_bench *b);					   /* the daemon, under all there can be */

/* As weir_feature.bench. */
int drops_bench(struct weir_bench *b);
