// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/query.h"
#include "core/snapshot.h"
#include "frontends/web/account.h"

/* What a stream is about: the rows of one table under one filter, for one viewer. All streams that
 * ask the same share a topic, and with it each text that is sent: it is made once. */

struct web_topic {
	LIST_ENTRY(web_topic) link;
	unsigned refs;
	const struct weir_table *table;
	struct web_account *account;
	char *filter_text;
	struct weir_filter *filter;
	uint64_t fields; /* the key fields are among them */
	uint32_t *shown; /* rows of the published snapshot that are in it, ascending */
	size_t n_shown;
	uint32_t *next; /* the same of the one that is being published */
	size_t n_next;
	bool prepared;			    /* next is made */
	bool compared;			    /* changes is made, or is NULL since there are none */
	struct web_payload *full, *changes; /* of the publication under way; NULL: not made yet */
};

LIST_HEAD(web_topics, web_topic);

/* Where a row of the published snapshot stands in the next one. */
struct web_moves {
	const struct weir_table *table;
	uint32_t *to; /* WEB_GONE: nowhere */
	size_t n;
};

#define WEB_GONE UINT32_MAX

/* Two snapshots of one table: from the published one to the next. */
struct web_step {
	const struct weir_snapshot *before; /* NULL: none was published */
	const struct weir_snapshot *now;
	bool tick;
	struct web_moves moves[64]; /* made once for each table that needs it */
	unsigned n_moves;
};

void web_step_done(struct web_step *s);

/* Finds or makes a topic; filter_text may be empty. -EINVAL with one line in *ret_error (caller
 * frees) for a bad filter or field list; -ENOMEM. The caller owns a reference. */
int web_topic_get(struct web_topics *list, const struct weir_table *table, const char *filter_text,
		  const char *fields_text, struct web_account *account, struct web_topic **ret,
		  char **ret_error);
struct web_topic *web_topic_unref(struct web_topic *t); /* accepts NULL, returns NULL */

/* The whole table as `event: snapshot`; kept for the publication. The topic owns *ret. -ENOMEM. */
int web_topic_full(struct web_topic *t, struct web_step *s, struct web_payload **ret);

/* What changed since the published snapshot as `event: rows`; *ret is NULL when nothing did and it
 * is no tick. The topic owns *ret. -ENOMEM. */
int web_topic_changes(struct web_topic *t, struct web_step *s, struct web_payload **ret);

/* The publication is over: what was next is now what is shown. -ENOMEM: that is not known, and who
 * has the topic must start afresh. */
int web_topic_published(struct web_topic *t, struct web_step *s);
