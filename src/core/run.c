// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit.h"

#define FEATURES_MAX 16

struct weir_run {
	void *states[FEATURES_MAX];
	void *event;
	size_t event_size;
	uint64_t lost;
	uint64_t real_minus_mono_ns;
};

int weir_run_new(void *const *kernels, struct weir_run **ret)
{
	struct weir_run *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return -ENOMEM;
	for (unsigned i = 0; i < FEATURES_MAX && weir_features[i]; i++) {
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
	for (unsigned i = 0; i < FEATURES_MAX && weir_features[i]; i++)
		if (r->states[i])
			weir_features[i]->close(r->states[i]);
	free(r->event);
	free(r);
	return NULL;
}

void *weir_run_state(const struct weir_run *r, unsigned i)
{
	return i < FEATURES_MAX ? r->states[i] : NULL;
}

static void tick(struct weir_run *r, uint64_t mono_ns, uint64_t real_ns)
{
	r->real_minus_mono_ns = real_ns - mono_ns;
	for (unsigned i = 0; i < FEATURES_MAX && weir_features[i]; i++)
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

	if (source == WEIR_SOURCE_CORE)
		return apply_core(r, type, mono_ns, bytes, len);
	if (i >= FEATURES_MAX || !r->states[i])
		return -EBADMSG;
	e = weir_features[i]->decode(type, bytes, len, r->event);
	if (e < 0)
		return e;
	return weir_features[i]->apply(r->states[i], mono_ns, r->event);
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

	for (unsigned i = 0; i < FEATURES_MAX && weir_features[i]; i++) {
		const struct weir_feature *f = weir_features[i];

		if (!r->states[i])
			continue;
		f->snapshot(r->states[i], b, number);
		if (f->audit && !n_lines)
			n_lines = f->audit(r->states[i], lines);
	}
	weir_audit_snapshot(b, number, lines, n_lines);
}
