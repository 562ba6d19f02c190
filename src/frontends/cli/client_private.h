// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <curl/curl.h>

#include "base/buf.h"

/* Shared by client.c, which waits for one answer, and ask.c, which waits for many. */

struct cli_client {
	CURL *curl;
	char *path;
	bool (*interrupted)(void);
	struct weir_buf *body; /* of the question under way */
	bool too_large;
	char detail[CURL_ERROR_SIZE];
};

/* Makes the handle ready to transfer url into *body, which must stay until it is over. -ENOMEM. */
int cli_client_prepare(struct cli_client *c, const char *url, struct weir_buf *body);

/* What a transfer that is over came to: as cli_client_get(). */
int cli_client_result(struct cli_client *c, CURLcode code, char **ret_error);
