// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A scene is one run of one case: some processes that move known bytes over sockets, and the truth
 * about it, which they write into memory that they share. The coordinator (the process that was
 * started) touches no socket itself. The processes agree with each other through that memory and
 * pipes, never through sockets: every byte on a socket is a byte of the case. */

#define SCENE_SEMS 16
#define SCENE_NUMBERS 32
#define SCENE_PROCS 64

/* What one process did with one socket (and one peer of it, where that matters). */
struct truth {
	char role[16];
	char comm[16]; /* the group leader's */
	char transport[8];
	char peer[64];	 /* "127.0.0.1:4711", or empty */
	char expect[32]; /* "exact", "remainder:NAME", or "total": only the sum with before_* is
			    known */
	int32_t pid;
	uint32_t uid;
	uint64_t start_time_ns; /* CLOCK_BOOTTIME, as exact as /proc tells: 10 ms */
	uint64_t cookie;	/* 0: the sum over several sockets of this process */
	_Atomic uint64_t tx_bytes, rx_bytes;
	_Atomic uint64_t before_tx_bytes, before_rx_bytes; /* part of the above, before the pause */
	_Atomic uint64_t sockets;
	_Atomic uint32_t ready;
};

struct scene_options {
	uint64_t bytes;	      /* 0: the case's own */
	uint64_t after_bytes; /* moved after the pause */
	uint32_t linger_ms;
	bool hold;	  /* keep the sockets open at the end until told */
	bool before;	  /* move bytes, wait for a line, move more */
	bool netns;	  /* in a network namespace of its own */
	const char *name; /* replaces every process's name */
};
extern struct scene_options scene_options;

/* --- the coordinator ------------------------------------------------------------------------- */

/* Makes the shared memory with room for n truths. 0 or -errno. */
int scene_init(size_t n_truths);
void scene_reset(void);

/* Waits until every process has gone or stopped at a stage, kills what is late, prints what is
 * asked for. Returns 0, or -1 when the scene failed (scene_failure() says why). */
int scene_direct(const char *case_name);
/* The processes may take as long as they like. */
void scene_no_limit(void);
void scene_print(const char *case_name, const char *phase);
const char *scene_failure(void);
const char *scene_skipped(void);
void scene_kill(void);
/* Waits for a line on standard input (its end counts as one), or for as long as --linger says. */
void scene_wait_for_line(void);

/* --- every process --------------------------------------------------------------------------- */

/* Starts a process with that name; it ends when fn returns. Returns its pid. */
pid_t scene_spawn(const char *name, void (*fn)(void *), void *arg);
/* The same with this very pid, which must be free (needs rights). */
pid_t scene_spawn_pid(const char *name, void (*fn)(void *), void *arg, pid_t pid);
/* Says that this child is expected to be killed. */
void scene_may_die(pid_t pid);
/* Waits for all children of this process. */
void scene_join(void);
/* Waits for this child; its wait status. */
int scene_wait(pid_t pid);

/* Stops here with all others until the line of --before was read. */
void scene_pause(void);
/* Stops here until the hold ends; returns at once when nobody asked for a hold. */
void scene_hold(void);
/* Counts as stopped at every stage while this process is inside a system call that lasts. */
void scene_in_call(bool on);

/* The scene has failed (the first reason stays); ends this process. */
void scene_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* The same, without ending the process: for checks of the coordinator. */
void scene_fault(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* This machine cannot do it; ends this process. */
void scene_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ret as it is, or the end of the scene with errno's text. */
long must(long ret, const char *what);

void scene_post(unsigned sem);
void scene_await(unsigned sem);
_Atomic uint64_t *scene_number(unsigned i);
/* Waits until the number is at least that. */
void scene_await_number(unsigned i, uint64_t at_least);
/* Room for paths and the like. */
char *scene_text(void);
#define SCENE_TEXT 128

/* Keeps the shared memory over an exec: the descriptor and the index of a truth go in argv. */
int scene_memory_fd(void);
int scene_adopt(int fd);
struct truth *scene_truth_new(void);
unsigned scene_truths(void);
struct truth *scene_truth_at(unsigned i);
unsigned scene_truth_index(const struct truth *t);

void sleep_ms(unsigned ms);
uint64_t mono_ns(void);
void set_process_name(const char *name);

/* --- truths ---------------------------------------------------------------------------------- */

struct truth *truth_new(const char *role);
/* Takes the process's present name over, after an exec. */
void truth_rename(struct truth *t);
/* Sums over all truths of the scene (role NULL) or those with that role. */
void truth_sum(const char *role, uint64_t *ret_tx, uint64_t *ret_rx);

/* Prints "key":"text" as JSON; any bytes. */
void print_text(const char *key, const char *text);

/* One end of a socket as this process uses it. */
struct end {
	int fd;
	struct truth *truth;
};

/* Registers the socket: cookie and transport are read from it. */
struct end end_open(int fd, const char *role);
/* The same socket towards one peer (of those that an unconnected socket has). */
struct end end_open_peer(int fd, const char *role, const char *peer);
void end_close(struct end *e);

/* Adds what a system call returned, when it is positive; returns it. */
ssize_t end_sent(struct end *e, ssize_t ret);
ssize_t end_got(struct end *e, ssize_t ret);
