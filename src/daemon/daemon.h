// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"

/* What `weir daemon` is told. Strings are borrowed for the call. */
struct weir_daemon_options {
	const char *listen;      /* "127.0.0.1:9474", "[::1]:9474", or "none" */
	const char *socket;      /* Unix socket's path */
	const char *state;       /* folder for the token and what is kept; NULL: keep nothing (private daemon) */
	const char *pins;        /* folder under a bpffs; what must outlive the daemon is pinned there */
	const struct weir_config *config; /* what SIGHUP reads again; NULL: nothing */
	const char *hooks;       /* forced hook set, "traffic:sock"; NULL: the best possible */
	const char *without;     /* act as if the kernel lacked these (weir_probe_pretend()); NULL: nothing */
	bool must_watch;         /* no feature can run: end with status 3 instead of serving what is left */
	const char *replay;      /* recording to play instead of watching the kernel; needs no rights */
	const char *replay_host; /* where it was made */
	double replay_speed;     /* 1: as it was; 0: as fast as possible, then hold the last state */
	int ready_fd;            /* -1, or where one byte is written once the first snapshot can be served */
	int record_fd;           /* -1, or an open file that the engine records to; stays the caller's */
	int alive_fd;            /* stays open for as long as the daemon lives, for its parent to see; 0 or -1: none */
	bool private_use;        /* for the lifetime of its parent only */
	bool no_history;         /* keep none; the configuration may say so, too */
};

/* Runs the daemon in the foreground until SIGTERM or SIGINT: forks engine and gate, restarts what dies, and
 * leaves nothing behind. Returns the exit status of the command (0, 1, 2, 3); what went wrong was said in one
 * line on standard error. */
int weir_daemon_run(const struct weir_daemon_options *o);

/* The gate's process: serves the listening sockets it is given until engine_sock closes. unix_fd or tcp_fd
 * may be -1. token_path: file with the secret for changes over TCP, NULL without one. Called after fork with
 * full rights: its last act before serving gives them up. Returns an exit status. */
struct weir_gate_options {
	int engine_sock;
	int unix_fd;
	int tcp_fd;
	const char *tcp_name;    /* "127.0.0.1:9474": what Host may say, beside localhost */
	const char *token;       /* the secret itself, or NULL */
	int store_sock;          /* to the store, or -1; another one comes from the engine when that begins again */
	const char *no_past;     /* why there is no history, one line; NULL: there is */
};
int weir_gate_run(const struct weir_gate_options *o);
