// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/field.h"
#include "core/probe.h"
#include "core/record.h"
#include "core/snapshot.h"

/* The contract of a feature. A feature is one folder; core/features.c lists it; nothing else names it.
 *
 *   keeper   load()                 with the rights to load: BPF programs in, hooks attached, maps made
 *   engine   open() collect()       no rights: reads maps, rings and iterators, turns them into records
 *            decode() apply()       pure: bytes -> event -> state; reads no clock, no map, no file
 *            snapshot() audit()     pure: state -> rows
 *
 * A replay runs open(kernel = NULL), decode, apply and snapshot from a file, without rights.
 * A feature without a ring, rates or news leaves wake_fd, drain, tick, has_news and audit NULL; one that reads nothing
 * from the kernel leaves collect NULL too, and is no reason for a daemon to run. */

struct weir_attach;     /* core/attach.h: what is attached, and its undoing */
struct weir_key;        /* core/config.h: a key of the configuration */
struct weir_sink;       /* core/record.h: where collected records go */
struct weir_bench;      /* core/bench.h: measured comparisons */
struct weir_capture_source; /* core/capture.h: packets for `weir capture` */
struct weir_config;     /* core/config.h: what its keys were given */
struct weir_identity;   /* core/identity.h: what a control group tells */
struct weir_peer;       /* core/lookup.h: a question for a peer's name */
struct weir_finding;   /* core/finding.h: a sentence for people */
struct weir_history_sink; /* core/history.h: what moved, for the past */
struct weir_history_program;
struct weir_container_name; /* core/lookup.h: what a container's runtime tells of it */

/* One way to serve a feature, best first. */
struct weir_hook_set {
	const char *name;   /* "sock": forced with --hooks=traffic:sock */
	const char *serves; /* what it is exact for, one sentence */
	/* 0 when this kernel has it; -EOPNOTSUPP and one sentence with the cure otherwise. */
	int (*possible)(const struct weir_probe *p, const char **ret_reason);
};

/* A line of the audit: one way of counting, or a named gap between two. */
struct weir_audit_entry {
	const char *scope;  /* "processes", "in_call" */
	const char *help;   /* one sentence */
	int64_t tx_bytes, rx_bytes;
	uint64_t sockets;
	bool attributed;    /* the bytes are in some process's sum */
	bool ok;            /* needs no attention */
};

#define WEIR_AUDIT_MAX 32

/* A process, as one feature tells the others of it. Borrowed for the call. */
struct weir_process_seen {
	const struct weir_identity *id; /* of its control group */
	bool lives; /* false: rows show it, maybe after its end */
};

typedef void (*weir_process_visit)(void *ctx, const struct weir_process_seen *p);

/* What a listening socket has turned away, as one feature tells the others. Borrowed for the call. */
struct weir_listener_seen {
	uint64_t cookie;
	uint64_t turned_away; /* as the socket has it, since it exists */
	bool all_seen;        /* it is younger than this run: none of them was before */
	uint64_t start_ns;    /* with pid, the process; 0: not known */
	uint32_t pid, uid;
	uint32_t netns;
	uint16_t port;
	const char *comm;     /* NULL: not known */
	const struct weir_identity *id; /* NULL: not known */
};

typedef void (*weir_listener_visit)(void *ctx, const struct weir_listener_seen *l);

#define WEIR_HELP_REQUEST_MAX 16384
#define WEIR_HELP_FOLDERS_MAX 64

/* A folder that a helper may read, opened with O_PATH. */
struct weir_help_folder {
	int fd;
	unsigned tag; /* the feature's own mark */
};

/* What takes a right that the engine does not have is done for it by a one-shot helper: a process that the keeper forks
 * for one request, and that may read files of all users, below the folders that it named before it read anything, and
 * nothing else, for a second or two. The keeper looks neither into the request nor into the answer. */
struct weir_helper {
	/* Still with the keeper's rights: opens what only root may, such as a runtime's socket, and reads nothing from
	 * it. The descriptor, or -1. May be NULL. */
	int (*open)(const struct weir_config *c);
	/* The folders that answering takes; the rest of the file system is gone afterwards. Returns how many. */
	unsigned (*folders)(const struct weir_config *c, const void *request, size_t len,
			    struct weir_help_folder ret[WEIR_HELP_FOLDERS_MAX]);
	/* Answers in records of the feature. opened is what open() gave. */
	void (*answer)(int opened, const struct weir_help_folder *folders, unsigned n_folders, const void *request,
		       size_t len, struct weir_sink *sink);
};

/* Where carry() puts counters that must outlive the daemon. */
struct weir_carry_sink {
	/* The newest record of this type and key, for decode() and apply() of a fresh state. */
	void (*put)(struct weir_carry_sink *sink, uint16_t type, const void *key, size_t key_len, const void *record, size_t len);
	/* What this feature had put before is over: all there is comes now. */
	void (*anew)(struct weir_carry_sink *sink);
};

struct weir_feature {
	const char *name;    /* command, metric prefix, page */
	const char *summary; /* one line of help */
	bool beside;         /* of use to other features only: when nothing else runs, nothing does */
	/* What each of its hook sets needs, ends with _WEIR_ABILITY_MAX: load() is not called where one is missing, and
	 * doctor says which. NULL: nothing. */
	const enum weir_ability *needs;
	const struct weir_hook_set *hook_sets; /* ends with .name = NULL */
	const struct weir_table *const *tables; /* ends with NULL */
	const struct weir_key *keys; /* configuration under the feature's name; ends with .name = NULL; NULL: none */

	/* Loads and attaches the best possible hook set (or the forced one) and registers maps, programs and
	 * links with attach. *ret_kernel is the feature's own view of them. On failure nothing stays attached. */
	int (*load)(struct weir_attach *attach, struct weir_probe *probe, const char *forced_set,
		    void **ret_kernel);
	void (*unload)(void *kernel);
	/* In a process of the daemon that has no part in it: unmaps what engine and kernel write. The rest stays, unused. */
	void (*leave)(void *kernel);

	/* State of one run. kernel is NULL in a replay. Called with the rights to load still there. */
	int (*open)(void *kernel, void **ret_state);
	/* A descriptor that becomes readable when there is much to collect, or -1. */
	int (*wake_fd)(const void *state);
	/* Somebody watches live, or asks, from now on, or nobody any more: whether news is wanted at once, and
	 * whether collect() may leave something that is probably unchanged to a later call. */
	void (*watched)(void *state, bool on);
	/* Reads the ring alone: cheap, called many times a second. */
	int (*drain)(void *state, struct weir_sink *sink);
	/* Reads what is new. full: look at everything, e.g. at the start and after losses. */
	int (*collect)(void *state, struct weir_sink *sink, bool full);

	size_t event_size;
	/* Reads one record into ret_event, which has event_size bytes. -EBADMSG for anything malformed. */
	int (*decode)(uint16_t type, const void *bytes, size_t len, void *ret_event);
	int (*apply)(void *state, uint64_t mono_ns, const void *event);
	/* Clock tick: rates, ageing. real_ns - mono_ns places monotonic times on the calendar. */
	void (*tick)(void *state, uint64_t mono_ns, uint64_t real_ns);
	/* Something was opened or closed since the last snapshot: worth publishing before the tick. */
	bool (*has_news)(const void *state);

	void (*snapshot)(void *state, struct weir_builder *b, uint64_t number);
	unsigned (*audit)(const void *state, struct weir_audit_entry ret[WEIR_AUDIT_MAX]);
	void (*close)(void *state);

	/* Answers to what other features ask while rows are made (core/lookup.h). NULL: it has none to give. A text
	 * lives until the state changes. */
	const char *(*peer_name)(void *state, const struct weir_peer *p);
	const struct weir_container_name *(*container)(void *state, const char *id);
	/* Whose samples those of this process are. False: it is not known here. */
	bool (*program)(void *state, const struct weir_history_sink *sink, uint32_t pid, uint64_t start_ns,
			struct weir_history_program *ret);

	/* What features tell each other of processes, carried by core/run.c. Any may be NULL. */
	/* The control group of the living process that the event introduces; NULL: it introduces none. Pure. */
	const char *(*introduces)(const void *event);
	/* Visits each process that has a row, now and then: what none of them needs may be forgotten. */
	void (*processes)(const void *state, weir_process_visit visit, void *ctx);
	/* Is told of all these. Changes the state, so it is pure but for memory, as apply() is. */
	void (*process_seen)(void *state, uint64_t mono_ns, const struct weir_process_seen *p);

	/* The same for listening sockets, before rows are made and at each tick. */
	void (*listeners)(const void *state, weir_listener_visit visit, void *ctx);
	void (*listener_seen)(void *state, uint64_t mono_ns, const struct weir_listener_seen *l);
	/* What somebody ought to know now, in sentences: the worst first, at most WEIR_FINDINGS_MAX (core/finding.h). Pure. */
	unsigned (*findings)(const void *state, struct weir_finding *ret);

	/* Adds what depends on the configuration to doctor, after load(), in the keeper. c is NULL without a configuration,
	 * and otherwise there for as long as the daemon. May be NULL. */
	void (*configured)(const struct weir_config *c, struct weir_probe *probe);

	/* The feature's one-shot helper, or NULL. ask() is called some times a second and fills in what the helper is asked
	 * now; 0: nothing. Answers come as records, or never. */
	const struct weir_helper *helper;
	size_t (*ask)(void *state, uint64_t mono_ns, void *ret_request, size_t room);

	/* Measures what the feature costs here and adds its lines; runs in namespaces of its own. NULL: nothing to
	 * measure. -EINTR when interrupted; what could not be measured is a line of the report. */
	int (*bench)(struct weir_bench *b);

	/* Called once a second after the tick: visits what moved since the call before, so what did not costs nothing. An
	 * engine that takes the place of one that died gives nothing twice. Pure but for memory. */
	void (*history)(void *state, struct weir_history_sink *sink);
	/* After it: records that bring a fresh state to the same counters, as metrics show them, each that changed since the
	 * call before; all: every one. Pure. */
	void (*carry)(void *state, struct weir_carry_sink *sink, bool all);
	/* Whether the state has the counters of the daemon before; an engine that takes another one's place finds them
	 * without the store. done: all there was has been applied, so it has them from now on. */
	bool (*carried_in)(void *state, bool done);

	/* Packets that it can tell more of than a packet socket can. NULL: none. */
	const struct weir_capture_source *capture;
};

#define WEIR_FEATURES_MAX 16

/* The one visible list; ends with NULL. */
extern const struct weir_feature *const weir_features[];
