// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/feature.h"

/* The configuration: /etc/weir/weir.yaml, then the *.yaml in conf.d beside it by their names: of two files that give a
 * key the later one counts. Keys are declared once, here for the daemon and by each feature for itself; the
 * help, the manual page and the reader use these declarations. What is wrong anywhere rejects all of it, with one
 * line: file, line, column, reason, cure. */

#define WEIR_DEFAULT_LISTEN "127.0.0.1:9474"
#define WEIR_DEFAULT_SOCKET "/run/weir/weir.sock"
#define WEIR_DEFAULT_STATE "/var/lib/weir"
#define WEIR_DEFAULT_PINS "/sys/fs/bpf/weir"
#define WEIR_DEFAULT_CONFIG "/etc/weir/weir.yaml"
#define WEIR_DEFAULT_CONFIG_MORE "/etc/weir/conf.d"

#define WEIR_CONFIG_BYTES_MAX (1u << 20) /* of one file */
#define WEIR_CONFIG_FILES_MAX 256        /* in conf.d */
#define WEIR_CONFIG_VALUE_MAX 4096

enum weir_key_type {
	WEIR_KEY_TEXT,
	WEIR_KEY_PATH,   /* from the root */
	WEIR_KEY_LISTEN, /* ADDR:PORT, or none */
	WEIR_KEY_CHOICE, /* one of .choices */
	WEIR_KEY_COUNT,  /* a whole number, decimal */
	WEIR_KEY_BOOL,
	WEIR_KEY_SIZE,   /* bytes, as people write them: 256Mi, 1G */
};

struct weir_key {
	const char *name;
	enum weir_key_type type;
	enum weir_unit unit;
	const char *otherwise;      /* the default, as a file would say it; NULL: none */
	const char *const *choices; /* ends with NULL */
	uint64_t min, max;          /* WEIR_KEY_COUNT, WEIR_KEY_SIZE; max 0: no limit */
	bool live;                  /* SIGHUP is enough for a change; otherwise it takes a restart */
	const char *help;           /* one sentence */
};

/* A key where it stands: alone at the top ("listen"), or in a group ("hooks: {traffic: sock}"). */
struct weir_setting {
	const char *group; /* a feature's name, "hooks", or NULL */
	struct weir_key key;
	char name[64];     /* "listen", "hooks.traffic" */
};

struct weir_config;

/* Knows the daemon's keys, those of the features (an array that ends with NULL, such as weir_features; borrowed for
 * ever) and hooks.FEATURE for each; no value is given yet. -ENOMEM. */
int weir_config_new(const struct weir_feature *const *features, struct weir_config **ret);
struct weir_config *weir_config_free(struct weir_config *c); /* accepts NULL, returns NULL */

/* file NULL: WEIR_DEFAULT_CONFIG and WEIR_DEFAULT_CONFIG_MORE, which may be absent. A named file must be there, and
 * is all that is read. -EINVAL with one line in *ret_error (caller frees), or -ENOMEM; c is unchanged then. */
int weir_config_load(struct weir_config *c, const char *file, char **ret_error);

/* The same with both places named. required: file must be there; more may be NULL. */
int weir_config_load_from(struct weir_config *c, const char *file, bool required, const char *more,
			  char **ret_error);

/* Takes the text of one file; name is for the error. As weir_config_load(). */
int weir_config_parse(struct weir_config *c, const char *name, const char *text, size_t len, char **ret_error);

/* Reads the places of c once more into a new one, with the same keys decided by the command line. c stays. */
int weir_config_reload(const struct weir_config *c, struct weir_config **ret, char **ret_error);

/* The command line decides this key, or all of this group: what files say of it has no effect. */
void weir_config_decide(struct weir_config *c, const char *name);

/* What a file gave for "listen" or "hooks.traffic", else the key's default, which may be NULL. Borrowed from c. */
const char *weir_config_text(const struct weir_config *c, const char *name);
bool weir_config_given(const struct weir_config *c, const char *name);
uint64_t weir_config_number(const struct weir_config *c, const char *name); /* WEIR_KEY_COUNT, WEIR_KEY_SIZE, else 0 */
bool weir_config_true(const struct weir_config *c, const char *name);       /* WEIR_KEY_BOOL, else false */

/* "traffic:sock,..." as --hooks takes it: the group hooks. Appends nothing when none is given. */
void weir_config_hooks(const struct weir_config *c, struct weir_buf *out);

/* One line on what differs: "log_level is now debug; after a restart: listen, hooks.traffic". Appends nothing when
 * nothing does. Live keys are held against those of the last reading, the others against what the daemon began with. */
void weir_config_changes(const struct weir_config *began, const struct weir_config *last,
			 const struct weir_config *now, struct weir_buf *out);

/* The files that were read, separated by blanks; "" when there are none. */
const char *weir_config_files(const struct weir_config *c);

/* All keys, in the order of their declarations; NULL past the last. */
const struct weir_setting *weir_config_setting(const struct weir_config *c, unsigned i);

/* "256Mi" as WEIR_KEY_SIZE takes it; false: it is none. */
bool weir_key_size(const char *text, uint64_t *ret);

/* What the key takes, for help: "ADDR:PORT or none", "error, warning, info or debug". */
void weir_key_takes(const struct weir_key *k, struct weir_buf *out);
