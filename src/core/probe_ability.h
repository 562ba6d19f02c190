// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/probe_private.h"

/* What is known of each ability beside how it is tried. */

/* _WEIR_ABILITY_MAX: none has this name, or it needs none. */
enum weir_ability weir_ability_find(const char *name, size_t len);
enum weir_ability weir_ability_needs(enum weir_ability a);

/* What to say after weir_try() gave `error`, and after the kernel refused something else. */
void weir_ability_explain(enum weir_ability a, int error, struct weir_why *ret);
void weir_refusal_explain(int error, struct weir_why *ret);
