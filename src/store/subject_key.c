// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "store/batch.h"
#include "store/siphash.h"
#include "store/subjects.h"

/* What tells subjects apart, as a keyed hash. */

#define KEY_ROOM (8 * (WEIR_BATCH_TEXT_MAX + 32))

struct subject_key {
	size_t len;
	uint8_t bytes[KEY_ROOM];
};

static void key_add(struct subject_key *k, const void *bytes, size_t n)
{
	if (n > sizeof(k->bytes) - k->len)
		n = sizeof(k->bytes) - k->len;
	memcpy(k->bytes + k->len, bytes, n);
	k->len += n;
}

/* Texts are bounded by who told them; each ends in its NUL, so that neighbours don't run into each
 * other. */
static void key_text(struct subject_key *k, const char *text)
{
	key_add(k, text ? text : "", (text ? strlen(text) : 0) + 1);
}

/* --- units ----------------------------------------------------------------------------------- */

#define HEX_RUN 12 /* so many digits in a row are no word of a human */

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool has_hex_run(const char *text)
{
	size_t n = 0;

	for (; *text; text++) {
		n = strchr("0123456789abcdef", *text) ? n + 1 : 0;
		if (n == HEX_RUN)
			return true;
	}
	return false;
}

/* As systemd-run names services that were given no name: run-u12, run-r<hex>, run-p<pid>-i<number>, run-<pid>. */
static bool is_run_service(const char *unit)
{
	const char *at = unit + strlen("run-");

	if (*at == 'r')
		return has_hex_run(at);
	if (*at == 'u' || *at == 'p')
		at++;
	if (*at < '0' || *at > '9')
		return false;
	return strspn(at, "0123456789-i") + strlen(".service") == strlen(at);
}

bool store_unit_passes(const char *unit)
{
	if (!unit)
		return false;
	if (ends_in(unit, ".scope"))
		return starts_with(unit, "session-") || starts_with(unit, "run-") || starts_with(unit, "app-") ||
		       has_hex_run(unit);
	if (!ends_in(unit, ".service"))
		return false;
	if (starts_with(unit, "run-"))
		return is_run_service(unit);
	/* A desktop's programs have a number behind the @, but for those it starts by itself. */
	return starts_with(unit, "app-") && strchr(unit, '@') && !ends_in(unit, "@autostart.service");
}

/* --- hashes ---------------------------------------------------------------------------------- */

static void key_container(struct subject_key *k, const struct weir_history_program *p)
{
	bool named = p->container_name && *p->container_name;

	key_text(k, named ? p->container_name : p->container_id);
	if (named) {
		key_text(k, p->pod_namespace);
		key_text(k, p->pod_name);
	}
}

void store_subject_hash_program(const uint8_t key[STORE_HASH_KEY], const struct weir_history_program *p, uint64_t ret[2])
{
	struct subject_key k;

	k.len = 0;
	key_add(&k, "P", 1);
	key_text(&k, p->comm);
	key_text(&k, p->exe);
	key_text(&k, store_unit_passes(p->unit) ? NULL : p->unit);
	key_container(&k, p);
	key_add(&k, &p->uid, sizeof(p->uid));
	store_siphash(key, k.bytes, k.len, ret);
}

uint64_t store_subject_hash_kin(const uint8_t key[STORE_HASH_KEY], const struct weir_history_program *p)
{
	struct weir_history_program kin = *p;
	uint64_t hash[2];

	if (!p->container_id || !*p->container_id || (p->container_name && *p->container_name))
		return 0;
	kin.container_id = NULL;
	store_subject_hash_program(key, &kin, hash);
	return hash[0] ? hash[0] : 1;
}

void store_subject_hash(const uint8_t key[STORE_HASH_KEY], const struct weir_history_sample *t, const uint64_t program[2],
			uint64_t ret[2])
{
	static const uint64_t nobody[2];
	struct subject_key k;

	k.len = 0;
	key_add(&k, t->kind == WEIR_HISTORY_PEER ? "Q" : "L", 1);
	key_add(&k, program ? program : nobody, sizeof(nobody));
	if (t->kind == WEIR_HISTORY_LOSS) {
		key_text(&k, t->reason);
		key_text(&k, t->device);
	} else {
		key_text(&k, t->peer_name);
		if (!t->peer_name || !*t->peer_name)
			key_add(&k, &t->peer_address, sizeof(t->peer_address));
		key_add(&k, &t->port, sizeof(t->port));
		key_text(&k, t->role);
		key_text(&k, t->transport);
	}
	store_siphash(key, k.bytes, k.len, ret);
}
