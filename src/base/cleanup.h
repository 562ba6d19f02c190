// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Ownership by scope: a variable declared with one of these is released when it goes out of scope.
 * TAKE_PTR() and TAKE_FD() hand the value on and leave nothing behind to release. */

static inline void weir_freep(void *p)
{
	free(*(void **)p);
}

/* Also by hand, with a descriptor that may be none: it is none afterwards. */
static inline void weir_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void weir_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(weir_freep)
#define _cleanup_close_ _cleanup_(weir_closep)
#define _cleanup_fclose_ _cleanup_(weir_fclosep)

/* Defines a destructor usable with _cleanup_() for a type whose xxx_free() accepts NULL. */
#define WEIR_DEFINE_CLEANUP(type, func)        \
	static inline void func##p(type **p)   \
	{                                      \
		if (*p)                        \
			func(*p);              \
	}

#define TAKE_PTR(p)                            \
	({                                     \
		__typeof__(p) _taken = (p);    \
		(p) = NULL;                    \
		_taken;                        \
	})

#define TAKE_FD(fd)                            \
	({                                     \
		int _taken = (fd);             \
		(fd) = -1;                     \
		_taken;                        \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
