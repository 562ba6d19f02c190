// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

#include "core/config.h"
#include "core/feature.h"

/* Names of containers. The engine meets an id in a control group's path, a one-shot helper looks it up in the state that
 * the runtimes keep on disk, and the answer comes back as a record, so a recording replays with the names. */

#define CONTAINERS_ID 72
#define CONTAINERS_TEXT 256      /* longer names are cut */
#define CONTAINERS_NAMESPACE 64

enum containers_runtime {
	CONTAINERS_UNKNOWN, /* no runtime's state has the id */
	CONTAINERS_DOCKER,
	CONTAINERS_PODMAN,
	CONTAINERS_CONTAINERD,
	CONTAINERS_CRIO,
	_CONTAINERS_RUNTIME_MAX,
};

/* "docker"; NULL for CONTAINERS_UNKNOWN. */
const char *containers_runtime_name(enum containers_runtime r);

/* The one type of record. Texts end inside their arrays, and are empty when not known. */
#define CONTAINERS_RECORD_NAME 1

struct containers_name {
	char id[CONTAINERS_ID];
	uint32_t runtime;
	uint32_t reserved; /* 0 */
	char name[CONTAINERS_TEXT];
	char image[CONTAINERS_TEXT];
	char pod_name[CONTAINERS_TEXT];
	char pod_namespace[CONTAINERS_NAMESPACE];
};

_Static_assert(sizeof(struct containers_name) == CONTAINERS_ID + 8 + 3 * CONTAINERS_TEXT + CONTAINERS_NAMESPACE,
	       "recordings have it");

/* What the helper is asked: an array of these. */
struct containers_question {
	char id[CONTAINERS_ID];
	uint32_t uid; /* in whose session it runs, so that user's state may have it; 0: the system's alone */
	uint32_t reserved; /* 0 */
};

#define CONTAINERS_QUESTIONS_MAX 64

_Static_assert(sizeof(struct containers_question) * CONTAINERS_QUESTIONS_MAX <= WEIR_HELP_REQUEST_MAX,
	       "one request");

/* Whether an id may become part of a path: what runtimes use, no slash, no dot in front. Pure. */
bool containers_id_valid(const char *id);

/* Pure: reads nothing but its arguments. -EBADMSG for a record of another type or length, or with an impossible
 * content. */
int containers_decode(uint16_t type, const void *bytes, size_t len, void *ret_event);

/* The columns of the table. */
enum containers_field {
	CONTAINER_ID,
	CONTAINER_NAME,
	CONTAINER_IMAGE,
	CONTAINER_POD_NAME,
	CONTAINER_POD_NAMESPACE,
	CONTAINER_RUNTIME,
	CONTAINER_FIRST_SEEN,
	CONTAINER_LAST_SEEN,
	_CONTAINER_FIELD_MAX,
};

extern const struct weir_table containers_table;
extern const struct weir_key containers_keys[];
extern const struct weir_helper containers_helper;
