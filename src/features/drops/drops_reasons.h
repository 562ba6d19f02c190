// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What each reason for which a packet is lost means, whether it matters, and what to do. The names are the kernel's own;
 * which number stands for which is read from the running kernel elsewhere. Pure: texts and a lookup. */

#include <stddef.h>

enum drops_class {
	DROPS_UNKNOWN,
	DROPS_EXPECTED, /* happens on a healthy host: nothing is wrong, or the host's own rule did it */
	DROPS_TUNE,     /* a limit that can be raised, or a program that is too slow */
	DROPS_ATTACK,   /* a hostile or broken sender */
	DROPS_BUG,      /* a broken link, driver, packet or configuration */
	_DROPS_CLASS_MAX,
};

enum drops_layer {
	DROPS_LAYER_OTHER,
	DROPS_DEVICE,
	DROPS_QUEUE,
	DROPS_LINK,
	DROPS_FILTER,
	DROPS_IP,
	DROPS_TRANSPORT,
	DROPS_SOCKET,
	_DROPS_LAYER_MAX,
};

/* Bounds of the texts, without the NUL. */
#define DROPS_SENTENCE_MAX 160
#define DROPS_ADVICE_MAX 240
#define DROPS_HEADLINE_MAX 120

/* Stands in a headline where the owner's name belongs, at most once. */
#define DROPS_OWNER_MARK "{owner}"

/* .is of rows that are no loss at all: the kernel has used the packet, and frees it as if it were dropped. */
#define DROPS_IS_CONSUMED "CONSUMED"

struct drops_meaning {
	const char *reason;   /* without SKB_DROP_REASON_; weir's own losses are in lower case: "listen_overflow" */
	const char *place;    /* function in which it has this meaning, "netlink_*" all that begin so; NULL: any */
	const char *is;       /* the name that newer kernels have for this, DROPS_IS_CONSUMED, or NULL: as it is */
	enum drops_class class;
	enum drops_layer layer;
	const char *headline; /* a part of a sentence, may have DROPS_OWNER_MARK; NULL for expected and unknown: .sentence serves */
	const char *sentence; /* why it is lost and whether it matters; ends with a period */
	const char *advice;   /* what to do; NULL only where nothing is to be done */
};

/* The best row: reason and place match, an exact place before the longest prefix; else the reason alone. NULL for a reason
 * that is not known, such as one of a newer kernel. symbol: "function+0x1a3", also with what compilers and modules add
 * ("function.isra.0+0x1a3 [module]"), or NULL. Goes through the whole table: keep what it says. */
const struct drops_meaning *drops_meaning_of(const char *reason, const char *symbol);

/* Row number i of the table, from 0; NULL behind the last. */
const struct drops_meaning *drops_meaning_at(size_t i);

/* As the fields have them; NULL for unknown. */
const char *drops_class_name(enum drops_class c);
const char *drops_layer_name(enum drops_layer l);

/* Writes the headline with the owner's name in its place ("the program" for NULL or ""), without a period; where the row
 * has none, its sentence. Returns the length, or -ENOSPC with *ret unchanged when room does not hold it and the NUL. */
int drops_headline(const struct drops_meaning *m, const char *owner, char *ret, size_t room);
