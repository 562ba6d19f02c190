// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/json.h"

#define NO_STORE "no-store"
#define STREAM_BLOCK 4096 /* for HTTP/1.0; chunks use the connection's own memory */

/* The page needs nothing but its own files and this server. */
static const char *const security[][2] = {
	{ "Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "
				     "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
				     "form-action 'none'; frame-ancestors 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
};

static bool add(struct MHD_Response *response, const char *name, const char *value)
{
	return MHD_add_response_header(response, name, value) == MHD_YES;
}

/* Hands the response over; consumes it. Without its headers nothing is sent at all. */
static enum MHD_Result send_response(struct web_request *r, unsigned status,
				     struct MHD_Response *response, const char *type,
				     const char *cache)
{
	if (!response)
		return MHD_NO;
	bool good = add(response, "Cache-Control", cache) &&
		    (!type || add(response, "Content-Type", type));
	for (size_t i = 0; i < ARRAY_SIZE(security); i++)
		good = good && add(response, security[i][0], security[i][1]);
	enum MHD_Result result = MHD_NO;
	if (good)
		result = MHD_queue_response(r->connection->mhd, status, response);
	MHD_destroy_response(response);
	return result;
}

static struct MHD_Response *copied(const char *text, size_t len)
{
	return MHD_create_response_from_buffer(len, (void *)text, MHD_RESPMEM_MUST_COPY);
}

enum MHD_Result web_reply_text(struct web_request *r, unsigned status, const char *type,
			       const char *text, size_t len)
{
	return send_response(r, status, copied(text, len), type, NO_STORE);
}

enum MHD_Result web_reply_error(struct web_request *r, unsigned status, const char *fmt, ...)
{
	_cleanup_(weir_buf_done) struct weir_buf body = { 0 }, text = { 0 };
	struct weir_json j;
	va_list ap;

	va_start(ap, fmt);
	weir_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	weir_json_init(&j, &body, false);
	weir_json_object(&j);
	weir_json_key(&j, "error");
	weir_json_text(&j, text.data);
	weir_json_object_end(&j);
	weir_buf_char(&body, '\n');
	if (text.error || body.error)
		return MHD_NO;

	struct MHD_Response *response = copied(body.data, body.len);
	bool good = response;
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		good = good && add(response, "Allow", "GET, HEAD");
	if (status == MHD_HTTP_UNAUTHORIZED)
		good = good && add(response, "WWW-Authenticate", "Bearer realm=\"weir\"");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		good = good && add(response, "Retry-After", "1");
	if (!good) {
		if (response)
			MHD_destroy_response(response);
		return MHD_NO;
	}
	return send_response(r, status, response, "application/json", NO_STORE);
}

enum MHD_Result web_reply_asset(struct web_request *r, const struct web_asset *a)
{
	struct MHD_Connection *mhd = r->connection->mhd;
	const char *accepted = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Accept-Encoding");
	const char *known = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "If-None-Match");
	bool gzip = web_asset_takes_gzip(accepted);
	unsigned status = MHD_HTTP_OK;
	struct MHD_Response *response;
	char etag[96], *plain = NULL;

	/* Two encodings are two things to a cache. */
	snprintf(etag, sizeof(etag), "\"%s%s\"", a->etag, gzip ? "-gz" : "");
	if (web_asset_matches(a, known)) {
		status = MHD_HTTP_NOT_MODIFIED;
		response = copied("", 0);
	} else if (gzip) {
		response = MHD_create_response_from_buffer(a->gzip_len, (void *)a->gzip,
							   MHD_RESPMEM_PERSISTENT);
	} else if (web_asset_inflate(a, &plain) == 0) {
		response = MHD_create_response_from_buffer(a->len, plain, MHD_RESPMEM_MUST_FREE);
		if (!response)
			free(plain);
	} else {
		return MHD_NO;
	}
	if (!response)
		return MHD_NO;
	bool good = add(response, "ETag", etag) && add(response, "Vary", "Accept-Encoding");
	if (gzip && status == MHD_HTTP_OK)
		good = good && add(response, "Content-Encoding", "gzip");
	if (!good) {
		MHD_destroy_response(response);
		return MHD_NO;
	}
	return send_response(r, status, response, a->type,
			     a->immutable ? "public, max-age=31536000, immutable" : "no-cache");
}

enum MHD_Result web_reply_cookie(struct web_request *r, const char *token, const char *location)
{
	_cleanup_(weir_buf_done) struct weir_buf cookie = { 0 };
	struct MHD_Response *response = copied("", 0);

	weir_buf_printf(&cookie, WEB_TOKEN_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict", token);
	if (!response || cookie.error || !add(response, "Set-Cookie", cookie.data) ||
	    !add(response, "Location", location)) {
		if (response)
			MHD_destroy_response(response);
		return MHD_NO;
	}
	return send_response(r, MHD_HTTP_SEE_OTHER, response, NULL, NO_STORE);
}

static void let_payload_go(void *payload)
{
	web_payload_unref(payload);
}

enum MHD_Result web_reply_payload(struct web_request *r, const char *type)
{
	struct web_connection *c = r->connection;
	struct weir_buf *text = &r->payload->text;
	struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
		text->len, text->data ? text->data : "", let_payload_go, r->payload);

	if (!response)
		return MHD_NO;
	c->answer_deadline_ns =
		weir_mono_ns() + WEB_READ_NS + text->len / WEB_READ_BYTES_PER_SECOND * WEB_SECOND_NS;
	r->payload = NULL; /* the response has it */
	return send_response(r, r->status, response, type, NO_STORE);
}

static ssize_t read_stream(void *stream, uint64_t position, char *buffer, size_t size)
{
	(void)position;
	ptrdiff_t n = web_stream_read(stream, buffer, size);

	return n < 0 ? MHD_CONTENT_READER_END_WITH_ERROR : n;
}

enum MHD_Result web_reply_stream(struct web_request *r)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, r->stream, NULL);

	/* The library's patience with a reader must be longer than the stream's own. */
	MHD_set_connection_option(r->connection->mhd, MHD_CONNECTION_OPTION_TIMEOUT,
				  (unsigned)WEB_STREAM_IDLE_SECONDS);
	r->queued = true;
	return send_response(r, MHD_HTTP_OK, response, "text/event-stream", NO_STORE);
}
