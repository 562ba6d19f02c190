// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/web/request.h"

/* What can be asked: parameters in, documents out. */

/* Reads the parameters of GET /api/v1/TABLE into the request. -EINVAL with one line in *ret_error
 * (caller frees); -ENOMEM. */
int web_api_read_table(struct web_request *r, char **ret_error);

/* Reads those of GET /api/v1/events and makes the request's stream. Each topic is a table; filter
 * and fields count for all of them, filter.TOPIC and fields.TOPIC for one. Errors as above. */
int web_api_read_events(struct web_request *r, char **ret_error);

/* Makes the answer of a request for a table or for metrics out of a snapshot. -ENOMEM. */
int web_api_render(struct web_request *r, const struct weir_snapshot *s, struct web_payload **ret);

/* Appends the list of tables with their fields. */
void web_api_index(struct weir_buf *out);
