// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/dns/dns_fields.h"

#include "core/declare.h"
#include "core/snapshot.h"
#include "features/dns/dns_state.h"

/* clang-format off */

static const struct weir_field names_fields[] = {
	FIELD(NAMES_ADDRESS, "address", "ADDRESS", ADDRESS, NONE, KEY | COLUMN, "The address."),
	FIELD(NAMES_NAME, "name", "NAME", TEXT, NONE, KEY | COLUMN, "What was asked for, in lower case."),
	FIELD(NAMES_SOURCE, "source", "SOURCE", TEXT, NONE, KEY | COLUMN,
	      "dns: an answer that a program received; hosts: /etc/hosts."),
	FIELD(NAMES_PID, "pid", "PID", UINT, NONE, COLUMN,
	      "The process that asked last; none when its socket is older than weir."),
	FIELD(NAMES_UID, "uid", "UID", UINT, NONE, 0, "That process's user id."),
	FIELD(NAMES_NETNS, "netns", "NETNS", UINT, NONE, 0, "Inode of that process's network namespace."),
	FIELD(NAMES_ANSWERS, "answers", "ANSWERS", UINT, COUNT, COLUMN, "Answers that gave the address this name."),
	FIELD(NAMES_FIRST_SEEN, "first_seen", "FIRST SEEN", TIME, NONE, KEY, "When the first of them came."),
	FIELD(NAMES_LAST_SEEN, "last_seen", "LAST SEEN", TIME, NONE, COLUMN, "When the last of them came."),
	FIELD(NAMES_VALID_UNTIL, "valid_until", "VALID UNTIL", TIME, NONE, 0,
	      "New flows of others get the name until then: ten minutes beyond its time to live."),
};
_Static_assert(ARRAY_SIZE(names_fields) == _NAMES_FIELD_MAX, "each index has its declaration");

static const struct weir_field answers_fields[] = {
	FIELD(ANSWERS_OUTCOME, "outcome", "OUTCOME", TEXT, NONE, KEY | LABEL, "What became of them."),
	FIELD(ANSWERS_TOTAL, "total", "TOTAL", UINT, COUNT, COUNTER,
	      "DNS answers that programs received, and messages read from them.", .metric = "weir_dns_answers_total"),
};
_Static_assert(ARRAY_SIZE(answers_fields) == _ANSWERS_FIELD_MAX, "each index has its declaration");
/* clang-format on */

const struct weir_table dns_table_names = {
	.name = "names",
	.summary = "Names that peers are shown with, used last first.",
	.fields = names_fields,
	.n_fields = ARRAY_SIZE(names_fields),
	.sort_field = WEIR_SORT_NONE,
};

const struct weir_table dns_table_answers = {
	.name = "dns_answers",
	.summary = "DNS answers by what became of them, for metrics.",
	.fields = answers_fields,
	.n_fields = ARRAY_SIZE(answers_fields),
	.sort_field = WEIR_SORT_NONE,
	.internal = true,
};

/* --- state -> rows --------------------------------------------------------------------------- */

static const char *const count_names[] = {
	[DNS_TAKEN] = "taken",
	[DNS_OVER_RATE] = "over_rate",
	[DNS_RING_FULL] = "ring_full",
	[DNS_UNASKED] = "unasked",
};
_Static_assert(ARRAY_SIZE(count_names) == _DNS_COUNT_MAX, "each has its name");

static const char *const reading_names[] = {
	[DNS_NAMED] = "named",
	[DNS_USELESS] = "no_address",
	[DNS_MALFORMED] = "malformed",
	[DNS_SPLIT] = "split",
};
_Static_assert(ARRAY_SIZE(reading_names) == _DNS_READING_MAX, "each has its name");

/* A name belongs to who asked for it; what several users asked for is for those who see everything. */
static uid_t owner_of(const struct dns_name *name)
{
	uid_t uid = name->askers[0].start_ns ? name->askers[0].uid : WEIR_UID_HOST;

	for (unsigned i = 1; i < name->n_askers; i++)
		if (!name->askers[i].start_ns || name->askers[i].uid != uid)
			return WEIR_UID_HOST;
	return uid;
}

static uint64_t changed(bool *dirty, uint64_t *when, uint64_t number)
{
	if (*dirty)
		*when = number;
	*dirty = false;
	return *when;
}

static void put_name(const struct dns_state *s, struct weir_builder *b, const struct weir_addr *addr,
		     struct dns_name *name, uint64_t number)
{
	const struct dns_asker *asker = &name->askers[0];

	weir_builder_row(b, owner_of(name), changed(&name->dirty, &name->changed, number));
	weir_builder_address(b, NAMES_ADDRESS, addr);
	weir_builder_text(b, NAMES_NAME, name->text);
	weir_builder_text(b, NAMES_SOURCE, "dns");
	if (asker->start_ns) {
		weir_builder_uint(b, NAMES_PID, asker->pid);
		weir_builder_uint(b, NAMES_UID, asker->uid);
		weir_builder_uint(b, NAMES_NETNS, asker->netns);
	}
	weir_builder_uint(b, NAMES_ANSWERS, name->answers);
	weir_builder_time(b, NAMES_FIRST_SEEN, name->first_ns + s->real_minus_mono_ns);
	weir_builder_time(b, NAMES_LAST_SEEN, name->last_ns + s->real_minus_mono_ns);
	weir_builder_time(b, NAMES_VALID_UNTIL, name->until_ns + s->real_minus_mono_ns);
}

static void put_names(const struct dns_state *s, struct weir_builder *b, uint64_t number)
{
	const struct dns_names *n = s->names;
	struct dns_host_entry *h;
	struct dns_name *name;
	struct weir_addr addr;
	unsigned rows = 0;

	/* From the end: of a utlist the first's .prev is the last. */
	for (const struct dns_address *a = n->lru ? n->lru->prev : NULL; a && rows < DNS_ROWS_MAX;
	     a = a == n->lru ? NULL : a->prev) {
		dns_names_addr(a->key, &addr);
		for (name = a->names; name; name = name->next, rows++)
			put_name(s, b, &addr, name, number);
	}
	for (h = n->hosts; h && rows < DNS_ROWS_MAX; h = h->hh.next, rows++) {
		dns_names_addr(h->key, &addr);
		weir_builder_row(b, WEIR_UID_HOST, changed(&h->dirty, &h->changed, number));
		weir_builder_address(b, NAMES_ADDRESS, &addr);
		weir_builder_text(b, NAMES_NAME, h->name);
		weir_builder_text(b, NAMES_SOURCE, "hosts");
		weir_builder_uint(b, NAMES_NETNS, n->hosts_netns);
	}
}

static void put_count(struct weir_builder *b, const char *outcome, uint64_t total, uint64_t number)
{
	weir_builder_row(b, WEIR_UID_HOST, number);
	weir_builder_text(b, ANSWERS_OUTCOME, outcome);
	weir_builder_uint(b, ANSWERS_TOTAL, total);
}

void dns_snapshot(void *state, struct weir_builder *b, uint64_t number)
{
	const struct dns_state *s = state;

	weir_builder_table(b, &dns_table_names);
	put_names(s, b, number);
	weir_builder_table(b, &dns_table_answers);
	for (unsigned i = 0; i < _DNS_COUNT_MAX; i++)
		put_count(b, count_names[i], s->counts_before[i] + s->counts.by[i], number);
	for (unsigned i = 0; i < _DNS_READING_MAX; i++)
		put_count(b, reading_names[i], s->readings[i], number);
}
