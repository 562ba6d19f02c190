// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/web/assets.h"
#include "frontends/web/request.h"

#define WEB_TOKEN_COOKIE "weir_token"

/* Answers with the headers that belong on every one. Each returns what the HTTP library's handler
 * returns: MHD_NO ends the connection. */

/* A short text, which is copied. */
enum MHD_Result web_reply_text(struct web_request *r, unsigned status, const char *type,
			       const char *text, size_t len);

/* {"error": "..."} in one line. */
enum MHD_Result web_reply_error(struct web_request *r, unsigned status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A file of the page, or 304 for who has it. */
enum MHD_Result web_reply_asset(struct web_request *r, const struct web_asset *a);

/* "/" without the token in its address: it moves into a cookie. */
enum MHD_Result web_reply_cookie(struct web_request *r, const char *token, const char *location);

/* The answer that was made while the request waited: shared, not copied. */
enum MHD_Result web_reply_payload(struct web_request *r, const char *type);

/* The stream, which goes on until one side ends it. */
enum MHD_Result web_reply_stream(struct web_request *r);
