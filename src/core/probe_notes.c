// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/probe_private.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/feature.h"
#include "core/tables.h"

/* The lines of `weir doctor`. */

static const char *const state_names[] = {
	[WEIR_DOCTOR_ON] = "on",
	[WEIR_DOCTOR_DEGRADED] = "degraded",
	[WEIR_DOCTOR_OFF] = "off",
	[WEIR_DOCTOR_UNAVAILABLE] = "unavailable",
};
_Static_assert(ARRAY_SIZE(state_names) == _WEIR_DOCTOR_STATE_MAX, "each state has its name");

static void note_done(struct weir_note *n)
{
	free(n->feature);
	free(n->hook_set);
	free(n->serves);
	free(n->places);
	free(n->reason);
	free(n->cure);
}

void weir_probe_notes_done(struct weir_probe *p)
{
	for (unsigned i = 0; i < p->n_notes; i++)
		note_done(&p->notes[i]);
	free(p->notes);
}

static char *text_or_null(const char *s)
{
	return s ? strdup(s) : NULL;
}

static bool is_told(const struct weir_probe *p, const char *feature, const char *reason)
{
	for (unsigned i = 0; i < p->n_notes; i++)
		if (!strcmp(p->notes[i].feature, feature) && p->notes[i].reason &&
		    !strcmp(p->notes[i].reason, reason))
			return true;
	return false;
}

/* Of the ability that has this reason. */
static const char *cure_of(const struct weir_probe *p, const char *reason)
{
	const struct weir_answers *all = p->answers;

	for (unsigned a = 0; a < _WEIR_ABILITY_MAX; a++)
		if (all->ability[a].known && !all->ability[a].has &&
		    !strcmp(all->ability[a].why.reason, reason) && *all->ability[a].why.cure)
			return all->ability[a].why.cure;
	return NULL;
}

void weir_probe_note(struct weir_probe *p, const char *feature, const char *hook_set,
		     enum weir_doctor_state state, const char *serves, const char *reason,
		     const char *cure)
{
	struct weir_note *more;

	/* A set of hooks that was tried and given up may have said the same. */
	if (!hook_set && reason && is_told(p, feature, reason))
		return;
	if (reason && !cure)
		cure = cure_of(p, reason);
	more = reallocarray(p->notes, p->n_notes + 1, sizeof(*more));
	if (!more)
		return; /* a line of advice less */
	p->notes = more;
	p->notes[p->n_notes++] = (struct weir_note){
		.feature = text_or_null(feature),
		.hook_set = text_or_null(hook_set),
		.serves = text_or_null(serves),
		.reason = text_or_null(reason),
		.cure = text_or_null(cure),
		.state = state,
	};
}

bool weir_probe_serves(const struct weir_probe *p, const char *feature, const char *set)
{
	for (unsigned i = 0; i < p->n_notes; i++) {
		const struct weir_note *n = &p->notes[i];

		if (n->hook_set && !strcmp(n->feature, feature) &&
		    (!set || !strcmp(n->hook_set, set)) &&
		    (n->state == WEIR_DOCTOR_ON || n->state == WEIR_DOCTOR_DEGRADED))
			return true;
	}
	return false;
}

void weir_probe_note_sets(struct weir_probe *p, const char *feature,
			  const struct weir_hook_set *sets)
{
	enum weir_doctor_state state =
		weir_probe_serves(p, feature, NULL) ? WEIR_DOCTOR_OFF : WEIR_DOCTOR_UNAVAILABLE;

	for (; sets && sets->name && !weir_probe_serves(p, feature, sets->name); sets++) {
		const char *reason = NULL;

		if (sets->possible(p, &reason) < 0 && reason && !is_told(p, feature, reason))
			weir_probe_note(p, feature, sets->name, state, NULL, reason, NULL);
	}
}

void weir_probe_note_places(struct weir_probe *p, const char *feature, const char *places)
{
	for (unsigned i = 0; i < p->n_notes; i++) {
		struct weir_note *n = &p->notes[i];

		if (!n->hook_set || n->state != WEIR_DOCTOR_ON || strcmp(n->feature, feature))
			continue;
		free(n->places);
		n->places = places && *places ? strdup(places) : NULL;
	}
}

void weir_probe_note_process(struct weir_probe *p)
{
	struct weir_rights rights;

	weir_rights_read(&rights);
	if (!(rights.capabilities & WEIR_RIGHT(CAP_SYS_ADMIN)))
		weir_probe_note(p, "weir: cost of hooks", NULL, WEIR_DOCTOR_DEGRADED,
				"all else in weir hooks",
				"runs and time per run are counted by the kernel only when "
				"CAP_SYS_ADMIN asks for it",
				"run it as root; in a container add CAP_SYS_ADMIN, or do without");
	if (rights.no_proc)
		weir_probe_note(p, "weir: cost of itself", NULL, WEIR_DOCTOR_DEGRADED,
				"all numbers of the features",
				"/proc is not mounted: weir_self_* metrics are missing, and a user "
				"namespace is not "
				"told as a reason in this table",
				"mount -t proc proc /proc");
}

bool weir_probe_first_loss(const struct weir_probe *p, const char **ret_reason,
			   const char **ret_cure)
{
	for (unsigned i = 0; i < p->n_notes; i++) {
		const struct weir_note *n = &p->notes[i];

		if (n->state != WEIR_DOCTOR_UNAVAILABLE || !n->reason)
			continue;
		*ret_reason = n->reason;
		*ret_cure = n->cure;
		return true;
	}
	return false;
}

/* "traffic" of "traffic: UDP". */
static size_t owner_length(const struct weir_note *n)
{
	return strcspn(n->feature, ":");
}

static bool same_owner(const struct weir_note *a, const struct weir_note *b)
{
	size_t n = owner_length(a);

	return owner_length(b) == n && !strncmp(a->feature, b->feature, n);
}

/* What the first note of this owner is: notes are told owner by owner. */
static unsigned first_of_owner(const struct weir_probe *p, unsigned i)
{
	unsigned first = 0;

	while (!same_owner(&p->notes[first], &p->notes[i]))
		first++;
	return first;
}

static void put_note(struct weir_builder *b, const struct weir_note *n, uint64_t number)
{
	weir_builder_row(b, WEIR_UID_HOST, number);
	weir_builder_text(b, DOCTOR_FEATURE, n->feature);
	weir_builder_text(b, DOCTOR_HOOK_SET, n->hook_set);
	weir_builder_text(b, DOCTOR_STATE, state_names[n->state]);
	weir_builder_text(b, DOCTOR_SERVES, n->serves);
	weir_builder_text(b, DOCTOR_HOOKS, n->places);
	weir_builder_text(b, DOCTOR_REASON, n->reason);
	weir_builder_text(b, DOCTOR_CURE, n->cure);
}

/* A feature's sets of hooks first, and then the remarks on it, whatever came up first. */
static void put_notes_of(const struct weir_probe *p, struct weir_builder *b, unsigned owner,
			 uint64_t number)
{
	for (int remarks = 0; remarks <= 1; remarks++)
		for (unsigned i = owner; i < p->n_notes; i++)
			if (same_owner(&p->notes[owner], &p->notes[i]) &&
			    (p->notes[i].hook_set == NULL) == remarks)
				put_note(b, &p->notes[i], number);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Two sets that the kernel refused with the same words are one series of the metric. */
static bool is_counted(const struct weir_probe *p, unsigned n)
{
	const struct weir_note *b = &p->notes[n];

	for (unsigned i = 0; i < n; i++) {
		const struct weir_note *a = &p->notes[i];

		if (a->hook_set && a->state == b->state && same_text(a->feature, b->feature) &&
		    same_text(a->reason, b->reason))
			return true;
	}
	return false;
}

/* The table of doctor comes last: who calls this may have more lines for it. */
void weir_probe_snapshot(const struct weir_probe *p, struct weir_builder *b, uint64_t number)
{
	weir_builder_table(b, &weir_table_features_info);
	for (unsigned i = 0; i < p->n_notes; i++) {
		const struct weir_note *n = &p->notes[i];

		if (!n->hook_set || is_counted(p, i))
			continue; /* remarks on a feature; only the feature itself is a metric */
		weir_builder_row(b, WEIR_UID_HOST, number);
		weir_builder_text(b, FEATURES_INFO_FEATURE, n->feature);
		weir_builder_text(b, FEATURES_INFO_STATE, state_names[n->state]);
		weir_builder_text(b, FEATURES_INFO_REASON, n->reason ? n->reason : "");
		weir_builder_uint(b, FEATURES_INFO_VALUE, 1);
	}
	weir_builder_table(b, &weir_table_doctor);
	for (unsigned i = 0; i < p->n_notes; i++)
		if (first_of_owner(p, i) == i)
			put_notes_of(p, b, i, number);
}
