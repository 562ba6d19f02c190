// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>

/* Sentences that the daemon says in English (meaning, advice, summary, reason, cure), for people in
 * their language. JSON, metrics and plain tables keep the English. The table is said.tsv. */

/* Long enough for all that the daemon says. */
#define WEIR_SAID_ROOM 1024

/* The sentence in the language that is set (words.h). Points to the table, into buf, or is
 * `english` itself: in English, for a sentence that the table does not have, and where room is too
 * small. Names in the sentence may be hostile before and after: escape what comes back as you would
 * have escaped `english`. NULL for NULL. */
const char *weir_said(const char *english, char *buf, size_t room);

/* The text of a table's field: as it is where the field holds names and no sentences. */
const char *weir_said_field(const char *field, const char *english, char *buf, size_t room);
