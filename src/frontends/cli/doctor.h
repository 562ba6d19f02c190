// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>

#include "core/snapshot.h"

/* What `doctor` and `audit` look for: true means exit status 4. */

/* A feature that is switched on and that none of its hook sets can serve. */
bool cli_doctor_found(const struct weir_rows *r);

/* A line of the sums that is not as it must be: a byte without an owner. */
bool cli_audit_found(const struct weir_rows *r);
