// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/finding.h"

#include <string.h>

#include "base/hash.h"
#include "core/feature.h"
#include "core/history.h"
#include "core/run.h"
#include "core/tables.h"

static void put(struct weir_builder *b, const char *feature, const struct weir_finding *f, uint64_t number)
{
	weir_builder_row(b, f->owner, number);
	weir_builder_text(b, FINDINGS_FEATURE, feature);
	weir_builder_text(b, FINDINGS_ID, f->id);
	weir_builder_text(b, FINDINGS_CLASS, f->class);
	weir_builder_text(b, FINDINGS_SUMMARY, f->summary);
	weir_builder_text(b, FINDINGS_ADVICE, f->advice);
	weir_builder_text(b, FINDINGS_OBJECT, f->object);
	weir_builder_text(b, FINDINGS_FILTER, f->filter[0] ? f->filter : NULL);
	weir_builder_time(b, FINDINGS_SINCE, f->since_real_ns);
	if (!f->pid)
		return;
	weir_builder_uint(b, FINDINGS_PID, f->pid);
	weir_builder_text(b, FINDINGS_COMM, f->comm);
}

void weir_findings_snapshot(const struct weir_run *r, struct weir_builder *b, uint64_t number)
{
	struct weir_finding found[WEIR_FINDINGS_MAX];

	weir_builder_table(b, &weir_table_findings);
	for (unsigned i = 0; weir_features[i]; i++) {
		const void *state = weir_run_state(r, i);
		unsigned n = state && weir_features[i]->findings ? weir_features[i]->findings(state, found) : 0;

		for (unsigned k = 0; k < n; k++)
			put(b, weir_features[i]->name, &found[k], number);
	}
}

/* --- events ------------------------------------------------------------------------------------- */

#define PAUSE_NS (600ull * 1000000000ull) /* one that comes back sooner has not begun again */

static uint64_t hash(const char *feature, const char *id)
{
	uint64_t h = weir_hash_fnv1a(WEIR_HASH_FNV1A, feature, strlen(feature) + 1);

	h = weir_hash_fnv1a(h, id, strlen(id) + 1);
	return h ? h : 1;
}

/* Whether it begins now. Where there is no room, the one that was seen longest ago is forgotten. */
static bool begins(struct weir_findings_begun *begun, uint64_t id, uint64_t mono_ns)
{
	unsigned oldest = 0;
	bool paused;

	for (unsigned i = 0; i < WEIR_FINDINGS_BEGUN; i++) {
		if (begun->ids[i] == id) {
			paused = mono_ns > begun->seen_ns[i] && mono_ns - begun->seen_ns[i] > PAUSE_NS;
			begun->seen_ns[i] = mono_ns;
			return paused;
		}
		if (begun->seen_ns[i] < begun->seen_ns[oldest])
			oldest = i;
	}
	begun->ids[oldest] = id;
	begun->seen_ns[oldest] = mono_ns;
	return true;
}

void weir_findings_tell(const struct weir_run *r, struct weir_findings_begun *begun, uint64_t mono_ns,
			struct weir_history_sink *sink)
{
	struct weir_finding found[WEIR_FINDINGS_MAX];

	for (unsigned i = 0; weir_features[i]; i++) {
		const void *state = weir_run_state(r, i);
		unsigned n = state && weir_features[i]->findings ? weir_features[i]->findings(state, found) : 0;

		for (unsigned k = 0; k < n; k++)
			if (begins(begun, hash(weir_features[i]->name, found[k].id), mono_ns))
				sink->event(sink, &(struct weir_history_event){ .kind = WEIR_HISTORY_FINDING,
										.program = found[k].pid ? found[k].comm : NULL,
										.uid = found[k].owner,
										.summary = found[k].summary });
	}
}
