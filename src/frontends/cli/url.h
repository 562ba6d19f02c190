// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/buf.h"

/* Appends text with every byte but RFC 3986's unreserved ones written as %XX. */
void cli_url_escape(struct weir_buf *out, const char *text);

/* Appends "?name=value", or "&name=value" when out has a query already. A NULL value appends
 * nothing. */
void cli_url_parameter(struct weir_buf *out, const char *name, const char *value);
