// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit.h"
#include "core/finding.h"
#include "core/history.h"
#include "core/identity.h"

#define STILL_SHOWN_NS (5ull * 1000000000ull) /* how often it is told which processes have rows */

struct weir_run {
	void *states[WEIR_FEATURES_MAX];
	void *event;
	size_t event_size;
	uint64_t lost;
	uint64_t mono_ns; /* of the last record */
	uint64_t real_minus_mono_ns;
	uint64_t still_shown_ns; /* when it was told last */
	struct weir_findings_begun begun;
};

int weir_run_new(void *const *kernels, struct weir_run **ret)
{
	struct weir_run *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return -ENOMEM;
	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++) {
		const struct weir_feature *f = weir_features[i];

		if (f->event_size > r->event_size)
			r->event_size = f->event_size;
		if (kernels && !kernels[i])
			continue;
		e = f->open(kernels ? kernels[i] : NULL, &r->states[i]);
		if (e < 0) {
			weir_run_free(r);
			return e;
		}
	}
	r->event = calloc(1, r->event_size);
	if (!r->event) {
		weir_run_free(r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}

struct weir_run *weir_run_free(struct weir_run *r)
{
	if (!r)
		return NULL;
	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++)
		if (r->states[i])
			weir_features[i]->close(r->states[i]);
	free(r->event);
	free(r);
	return NULL;
}

void *weir_run_state(const struct weir_run *r, unsigned i)
{
	return i < WEIR_FEATURES_MAX ? r->states[i] : NULL;
}

/* --- what features tell each other of processes ------------------------------------------------- */

struct telling {
	struct weir_run *r;
	uint64_t mono_ns;
};

static void tell_process(void *ctx, const struct weir_process_seen *p)
{
	const struct telling *t = ctx;

	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++)
		if (t->r->states[i] && weir_features[i]->process_seen)
			weir_features[i]->process_seen(t->r->states[i], t->mono_ns, p);
}

static void tell_introduced(struct weir_run *r, const struct weir_feature *f, uint64_t mono_ns)
{
	struct weir_identity id;
	struct weir_process_seen p = { .id = &id, .lives = true };
	const char *cgroup = f->introduces ? f->introduces(r->event) : NULL;

	if (!cgroup)
		return;
	weir_identity_parse(cgroup, &id);
	tell_process(&(struct telling){ r, mono_ns }, &p);
}

static void tell_still_shown(struct weir_run *r, uint64_t mono_ns)
{
	struct telling t = { r, mono_ns };

	if (mono_ns - r->still_shown_ns < STILL_SHOWN_NS)
		return;
	r->still_shown_ns = mono_ns;
	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++)
		if (r->states[i] && weir_features[i]->processes)
			weir_features[i]->processes(r->states[i], tell_process, &t);
}

static void tell_listener(void *ctx, const struct weir_listener_seen *l)
{
	const struct telling *t = ctx;

	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++)
		if (t->r->states[i] && weir_features[i]->listener_seen)
			weir_features[i]->listener_seen(t->r->states[i], t->mono_ns, l);
}

static void tell_listeners(struct weir_run *r, uint64_t mono_ns)
{
	struct telling t = { r, mono_ns };

	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++)
		if (r->states[i] && weir_features[i]->listeners)
			weir_features[i]->listeners(r->states[i], tell_listener, &t);
}

/* --- records ------------------------------------------------------------------------------------ */

static void tick(struct weir_run *r, uint64_t mono_ns, uint64_t real_ns)
{
	r->real_minus_mono_ns = real_ns - mono_ns;
	tell_still_shown(r, mono_ns);
	tell_listeners(r, mono_ns);
	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++)
		if (r->states[i] && weir_features[i]->tick)
			weir_features[i]->tick(r->states[i], mono_ns, real_ns);
}

static int apply_core(struct weir_run *r, uint16_t type, uint64_t mono_ns, const void *bytes, size_t len)
{
	struct weir_record_tick t;
	struct weir_record_lost l;

	switch (type) {
	case WEIR_RECORD_TICK:
		if (len != sizeof(t))
			return -EBADMSG;
		memcpy(&t, bytes, sizeof(t));
		tick(r, mono_ns, t.real_ns);
		return 0;
	case WEIR_RECORD_LOST:
		if (len != sizeof(l))
			return -EBADMSG;
		memcpy(&l, bytes, sizeof(l));
		r->lost = l.total;
		return 0;
	}
	return -EBADMSG;
}

int weir_run_apply(struct weir_run *r, uint16_t source, uint16_t type, uint64_t mono_ns, const void *bytes,
		   size_t len)
{
	unsigned i = source - WEIR_SOURCE_FEATURE;
	int e;

	r->mono_ns = mono_ns;
	if (source == WEIR_SOURCE_CORE)
		return apply_core(r, type, mono_ns, bytes, len);
	if (i >= WEIR_FEATURES_MAX || !r->states[i])
		return -EBADMSG;
	e = weir_features[i]->decode(type, bytes, len, r->event);
	if (e < 0)
		return e;
	e = weir_features[i]->apply(r->states[i], mono_ns, r->event);
	tell_introduced(r, weir_features[i], mono_ns);
	return e;
}

uint64_t weir_run_lost(const struct weir_run *r)
{
	return r->lost;
}

uint64_t weir_run_real_ns(const struct weir_run *r, uint64_t mono_ns)
{
	return mono_ns + r->real_minus_mono_ns;
}

void weir_run_rows(struct weir_run *r, struct weir_builder *b, uint64_t number)
{
	struct weir_audit_entry lines[WEIR_AUDIT_MAX];
	unsigned n_lines = 0;

	weir_builder_set_run(b, r);
	tell_listeners(r, r->mono_ns);
	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++) {
		const struct weir_feature *f = weir_features[i];

		if (!r->states[i])
			continue;
		f->snapshot(r->states[i], b, number);
		if (f->audit && !n_lines)
			n_lines = f->audit(r->states[i], lines);
	}
	weir_findings_snapshot(r, b, number);
	weir_builder_set_run(b, NULL);
	weir_audit_snapshot(b, number, lines, n_lines);
}

/* --- for the store ------------------------------------------------------------------------------ */

void weir_run_history(struct weir_run *r, struct weir_history_sink *sink)
{
	sink->run = r;
	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++)
		if (r->states[i] && weir_features[i]->history)
			weir_features[i]->history(r->states[i], sink);
	weir_findings_tell(r, &r->begun, r->mono_ns, sink);
	sink->run = NULL;
}

static bool has_carried(const struct weir_run *r, unsigned i)
{
	return !r->states[i] || !weir_features[i]->carried_in || weir_features[i]->carried_in(r->states[i], false);
}

void weir_run_carry(struct weir_run *r, weir_run_carry_to to, void *ctx, bool all)
{
	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++)
		if (r->states[i] && weir_features[i]->carry && has_carried(r, i))
			weir_features[i]->carry(r->states[i], to(ctx, weir_features[i]->name), all);
}

bool weir_run_carried_in(const struct weir_run *r)
{
	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++)
		if (!has_carried(r, i))
			return false;
	return true;
}

int weir_run_carried(struct weir_run *r, const char *feature, uint16_t type, uint64_t mono_ns, const void *bytes, size_t len,
		     uint16_t *ret_source)
{
	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++) {
		if (strcmp(weir_features[i]->name, feature) != 0)
			continue;
		if (has_carried(r, i))
			return -EALREADY;
		*ret_source = (uint16_t)(WEIR_SOURCE_FEATURE + i);
		return weir_run_apply(r, *ret_source, type, mono_ns, bytes, len);
	}
	return -ENOENT;
}

void weir_run_carried_end(struct weir_run *r)
{
	for (unsigned i = 0; i < WEIR_FEATURES_MAX && weir_features[i]; i++)
		if (r->states[i] && weir_features[i]->carried_in)
			weir_features[i]->carried_in(r->states[i], true);
}
