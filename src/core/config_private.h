// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/config.h"

/* Shared by config.c, config_keys.c and config_parse.c only. */

struct weir_config_value {
	char *text;     /* NULL: not given */
	bool decided;   /* by the command line */
};

struct weir_config {
	const struct weir_feature *const *features;
	struct weir_setting *settings;
	struct weir_config_value *values; /* one for each setting */
	unsigned n;
	const char **choices;             /* the names of hook sets; each list ends with NULL */
	struct weir_buf files;            /* those that were read */
	char *file, *more;                /* the places, for reading them again */
	bool required;
};

/* Fills settings and values from the declarations. -ENOMEM. */
int weir_config_declare(struct weir_config *c);

/* Index of a key in a group (NULL: at the top); -ENOENT. */
int weir_config_find(const struct weir_config *c, const char *group, const char *name);
bool weir_config_group(const struct weir_config *c, const char *name);

/* The name that was probably meant, or NULL. */
const char *weir_config_near(const struct weir_config *c, const char *group, const char *name);

/* Whether the text is a value of this key. plain: it stood without quotes. Otherwise a reason with its cure is
 * appended: "takes true or false, not ...". */
bool weir_key_check(const struct weir_key *k, const char *text, size_t len, bool plain, struct weir_buf *reason);
