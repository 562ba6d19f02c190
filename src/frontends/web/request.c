// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "core/document.h"
#include "core/tables.h"
#include "frontends/export/prometheus.h"
#include "frontends/web/answer.h"
#include "frontends/web/api.h"
#include "frontends/web/assets.h"
#include "frontends/web/past.h"
#include "frontends/web/reply.h"

#define API "/api/v1"

/* --- the head ----------------------------------------------------------------------------- */

/* What is wrong with a head, as a status and one sentence. */
struct verdict {
	unsigned status;
	const char *what;
};

struct headers {
	unsigned hosts, lengths, codings;
	bool malformed;
};

static enum MHD_Result look_at_header(void *to, enum MHD_ValueKind kind, const char *name,
				      size_t name_len, const char *value, size_t value_len)
{
	struct headers *h = to;

	(void)kind;
	if (!web_guard_header_name(name, name_len) ||
	    (value && !web_guard_header_value(value, value_len)))
		h->malformed = true;
	h->hosts += strcasecmp(name, "Host") == 0;
	h->lengths += strcasecmp(name, "Content-Length") == 0;
	h->codings += strcasecmp(name, "Transfer-Encoding") == 0;
	return MHD_YES;
}

static const char *header(const struct web_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection->mhd, MHD_HEADER_KIND, name);
}

static struct verdict check_form(const struct web_request *r, const char *version)
{
	struct headers h = { 0 };
	const char *what = web_guard_uri(r->raw);

	if (what)
		return (struct verdict){ MHD_HTTP_BAD_REQUEST, what };
	/* The library's texts end at the first NUL; the version stands behind the address in its
	 * buffer, so a NUL inside the address shows as a gap between them. */
	if (r->raw_at && (uintptr_t)version - r->raw_at != strlen(r->raw) + 1)
		return (struct verdict){ MHD_HTTP_BAD_REQUEST, "the address holds a NUL byte" };
	MHD_get_connection_values_n(r->connection->mhd, MHD_HEADER_KIND, look_at_header, &h);
	if (h.malformed)
		return (struct verdict){ MHD_HTTP_BAD_REQUEST, "a header field is malformed" };
	if (h.hosts > 1)
		return (struct verdict){ MHD_HTTP_BAD_REQUEST, "more than one Host" };
	if (h.lengths + h.codings > 1)
		return (struct verdict){ MHD_HTTP_BAD_REQUEST,
					 "the body's length is given more than once" };
	return (struct verdict){ 0 };
}

/* Another site's page may make a browser ask here; such requests are turned away, whatever the user
 * of the browser may see. */
static struct verdict check_site(const struct web_request *r)
{
	const struct web_connection *c = r->connection;
	const char *host = header(r, "Host"), *origin = header(r, "Origin");
	const char *site = header(r, "Sec-Fetch-Site"), *mode = header(r, "Sec-Fetch-Mode");

	if (c->tcp && !host)
		return (struct verdict){ MHD_HTTP_BAD_REQUEST, "Host is missing" };
	if (host && !web_guard_host_syntax(host))
		return (struct verdict){ MHD_HTTP_BAD_REQUEST, "Host is malformed" };
	if (c->tcp && !web_guard_host(&c->server->hosts, host))
		return (struct verdict){ MHD_HTTP_FORBIDDEN, "Host is not a name of this server" };
	/* A browser gets to the Unix socket only through a tunnel that ends on its own machine. */
	if (!c->tcp && site && (!host || !web_guard_host_is_loopback(host)))
		return (struct verdict){ MHD_HTTP_FORBIDDEN, "Host is not a name of this server" };
	if (origin && (!host || !web_guard_origin(origin, host)))
		return (struct verdict){ MHD_HTTP_FORBIDDEN, "Origin is another site" };
	bool foreign = site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
	bool navigation = mode && strcmp(mode, "navigate") == 0 && strcspn(r->raw, "?") == 1;
	if (foreign && !navigation)
		return (struct verdict){ MHD_HTTP_FORBIDDEN,
					 "asked for by a page of another site" };
	return (struct verdict){ 0 };
}

static struct verdict check_method(const struct web_request *r, const char *method)
{
	const char *length = header(r, "Content-Length");

	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return (struct verdict){ MHD_HTTP_METHOD_NOT_ALLOWED,
					 "only GET and HEAD are served" };
	if (header(r, "Transfer-Encoding"))
		return (struct verdict){ MHD_HTTP_BAD_REQUEST, "a GET has no body" };
	if (!length || strspn(length, "0") == strlen(length))
		return (struct verdict){ 0 };
	if (strtoull(length, NULL, 10) > WEB_BODY_TOO_LARGE)
		return (struct verdict){ MHD_HTTP_CONTENT_TOO_LARGE, "a GET has no body" };
	return (struct verdict){ MHD_HTTP_BAD_REQUEST, "a GET has no body" };
}

/* --- who asks ----------------------------------------------------------------------------- */

static const char *bearer_token(const struct web_request *r)
{
	static const char scheme[] = "Bearer ";
	const char *value = header(r, "Authorization");

	if (!value)
		return NULL;
	return strncasecmp(value, scheme, sizeof(scheme) - 1) == 0 ? value + sizeof(scheme) - 1
								   : "";
}

/* Sets the viewer. A wrong token is an error even of a known user; an old cookie is not, since
 * browsers send them without being told. */
static struct verdict identify(struct web_request *r)
{
	struct web_connection *c = r->connection;
	const char *token = c->server->token;
	const char *cookie = MHD_lookup_connection_value(c->mhd, MHD_COOKIE_KIND, WEB_TOKEN_COOKIE);
	const char *given = bearer_token(r);

	if (!given)
		given = MHD_lookup_connection_value(c->mhd, MHD_GET_ARGUMENT_KIND, "token");
	r->viewer = c->viewer;
	if (given && !web_guard_token(given, token))
		return (struct verdict){ MHD_HTTP_UNAUTHORIZED, "the token is wrong" };
	if (given || web_guard_token(cookie, token))
		r->viewer.sees_all = true;
	else if (!c->known)
		return (struct verdict){ MHD_HTTP_UNAUTHORIZED,
					 "the kernel does not tell who asks: give the token "
					 "(Authorization: Bearer TOKEN), or use the Unix socket" };
	r->account = web_account_get(&c->server->accounts, &r->viewer, false);
	if (!r->account)
		return (struct verdict){ MHD_HTTP_SERVICE_UNAVAILABLE, "no memory just now" };
	return (struct verdict){ 0 };
}

/* --- routes ------------------------------------------------------------------------------- */

static enum MHD_Result refuse(struct web_request *r, int e, char *error)
{
	_cleanup_free_ char *text = error;

	if (e == -EINVAL)
		return web_reply_error(r, MHD_HTTP_BAD_REQUEST, "%s",
				       text ? text : "a parameter is wrong");
	return web_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory just now");
}

static enum MHD_Result serve_buffer(struct web_request *r, const struct weir_buf *b,
				    const char *type)
{
	if (b->error)
		return web_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory just now");
	return web_reply_text(r, MHD_HTTP_OK, type, b->data, b->len);
}

static enum MHD_Result serve_healthz(struct web_request *r, const char *name)
{
	(void)name;
	return web_reply_text(r, MHD_HTTP_OK, "text/plain; charset=utf-8", "ok\n", 3);
}

static enum MHD_Result serve_index(struct web_request *r, const char *name)
{
	_cleanup_(weir_buf_done) struct weir_buf b = { 0 };

	(void)name;
	web_api_index(&b);
	return serve_buffer(r, &b, "application/json");
}

static const struct weir_table *public_table(const char *name)
{
	const struct weir_table *t = weir_table_find(name);

	return t && !t->internal ? t : NULL;
}

static enum MHD_Result serve_schema(struct web_request *r, const char *name)
{
	_cleanup_(weir_buf_done) struct weir_buf b = { 0 };
	const struct weir_table *t = public_table(name);

	if (!t)
		return web_reply_error(r, MHD_HTTP_NOT_FOUND,
				       "no such table: GET " API " lists them");
	int e = weir_document_schema(&b, t);
	if (e < 0 && !b.error)
		b.error = e;
	return serve_buffer(r, &b, "application/schema+json");
}

static enum MHD_Result serve_events(struct web_request *r, const char *name)
{
	char *error = NULL;

	(void)name;
	int e = web_api_read_events(r, &error);
	if (e < 0)
		return refuse(r, e, error);
	web_answer_later(r, weir_mono_ns());
	return MHD_YES;
}

static enum MHD_Result serve_past(struct web_request *r)
{
	const char *missing = r->connection->server->past.missing;

	if (missing)
		return web_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", missing);
	web_past_later(r, weir_mono_ns());
	return MHD_YES;
}

static enum MHD_Result serve_table(struct web_request *r, const char *name)
{
	char *error = NULL;

	r->table = public_table(name);
	if (!r->table)
		return web_reply_error(r, MHD_HTTP_NOT_FOUND,
				       "no such table: GET " API " lists them");
	int e = web_api_read_table(r, &error);
	if (e < 0)
		return refuse(r, e, error);
	if (r->table->past)
		return serve_past(r);
	/* Timing its programs costs the kernel a little, so not everybody can have it done. */
	if (r->table == &weir_table_hooks && r->viewer.sees_all)
		r->connection->server->wishes.measure = true;
	web_answer_later(r, weir_mono_ns());
	return MHD_YES;
}

static enum MHD_Result serve_metrics(struct web_request *r, const char *name)
{
	(void)name;
	web_answer_later(r, weir_mono_ns());
	return MHD_YES;
}

/* The token leaves the address, where it would stay in histories and on screens. */
static enum MHD_Result serve_page(struct web_request *r, const char *path)
{
	const char *token =
		MHD_lookup_connection_value(r->connection->mhd, MHD_GET_ARGUMENT_KIND, "token");
	const struct web_asset *a = web_asset_find(path);

	if (!a)
		return web_reply_error(r, MHD_HTTP_NOT_FOUND, "no such page");
	if (token)
		return web_reply_cookie(r, r->connection->server->token, path);
	return web_reply_asset(r, a);
}

struct route {
	const char *path;
	bool prefix; /* what follows is the name */
	bool open;   /* for everybody */
	enum MHD_Result (*serve)(struct web_request *r, const char *name);
};

static const struct route routes[] = {
	{ .path = "/healthz", .open = true, .serve = serve_healthz },
	{ .path = "/metrics", .serve = serve_metrics },
	{ .path = API, .serve = serve_index },
	{ .path = API "/events", .serve = serve_events },
	{ .path = API "/schema/", .prefix = true, .serve = serve_schema },
	{ .path = API "/", .prefix = true, .serve = serve_table },
};

static enum MHD_Result dispatch(struct web_request *r, const char *path)
{
	static const struct route page = { .serve = serve_page };
	const struct route *found = &page;
	const char *name = path;

	for (size_t i = 0; i < ARRAY_SIZE(routes) && found == &page; i++) {
		size_t len = strlen(routes[i].path);
		if (strncmp(path, routes[i].path, len) != 0 || (!routes[i].prefix && path[len]))
			continue;
		found = &routes[i];
		name = path + len;
	}
	if (!found->open) {
		struct verdict v = identify(r);
		if (v.status)
			return web_reply_error(r, v.status, "%s", v.what);
	}
	return found->serve(r, name);
}

/* --- the HTTP library's calls -------------------------------------------------------------- */

static struct web_connection *connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

void *web_request_begin(void *server, const char *uri, struct MHD_Connection *mhd)
{
	struct web_connection *c = connection_of(mhd);
	struct web_request *r = calloc(1, sizeof(*r));

	(void)server;
	if (!r || !c) {
		free(r);
		return NULL;
	}
	r->connection = c;
	r->raw = strdup(uri ? uri : "");
	r->raw_at = (uintptr_t)uri;
	if (!r->raw) {
		free(r);
		return NULL;
	}
	c->request = r;
	return r;
}

static enum MHD_Result check_head(struct web_request *r, const char *method, const char *version)
{
	struct verdict v = check_form(r, version);

	r->connection->head_deadline_ns = 0;
	if (!v.status)
		v = check_site(r);
	if (!v.status)
		v = check_method(r, method);
	if (v.status)
		return web_reply_error(r, v.status, "%s", v.what);
	r->state = WEB_REQUEST_CHECKED;
	return MHD_YES;
}

static enum MHD_Result send_answer(struct web_request *r)
{
	if (r->error)
		return web_reply_error(r, r->status, "%s", r->error);
	return web_reply_payload(r, r->table ? "application/json" : WEIR_PROMETHEUS_CONTENT_TYPE);
}

enum MHD_Result web_request_handle(void *server, struct MHD_Connection *mhd, const char *url,
				   const char *method, const char *version, const char *upload,
				   size_t *upload_size, void **request)
{
	struct web_request *r = *request;

	(void)server;
	(void)mhd;
	(void)upload;
	(void)upload_size;
	if (!r)
		return MHD_NO;
	switch (r->state) {
	case WEB_REQUEST_READING:
		return check_head(r, method, version);
	case WEB_REQUEST_CHECKED:
		return dispatch(r, url);
	case WEB_REQUEST_WAITING:
		return MHD_YES;
	case WEB_REQUEST_READY:
		return send_answer(r);
	case WEB_REQUEST_STREAMING:
		return r->queued ? MHD_YES : web_reply_stream(r);
	case WEB_REQUEST_ABANDONED:
		break;
	}
	return MHD_NO;
}

static void answer_never(struct web_request *r)
{
	if (r->question)
		web_past_never(r);
	else
		web_answer_never(r);
}

uint64_t web_request_rank(const struct web_request *r)
{
	return r->viewer.sees_all ? 0 : 1 + r->account->spent_ns;
}

bool web_request_render(struct web_request *r, const struct weir_snapshot *s)
{
	if (r->account->bytes >= web_account_bytes_max(r->account))
		web_request_finish(r, MHD_HTTP_SERVICE_UNAVAILABLE, "too many answers wait to be read by this user");
	else if (web_api_render(r, s, &r->payload) < 0)
		web_request_finish(r, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory for the answer just now");
	else
		return true;
	return false;
}

void web_request_finish(struct web_request *r, unsigned status, const char *error)
{
	answer_never(r);
	r->state = WEB_REQUEST_READY;
	r->status = status;
	r->error = error;
	web_connection_resume(r->connection);
}

void web_request_end(void *server, struct MHD_Connection *mhd, void **request,
		     enum MHD_RequestTerminationCode why)
{
	struct web_request *r = *request;

	(void)server;
	(void)mhd;
	(void)why;
	if (!r)
		return;
	struct web_connection *c = r->connection;
	if (r->state == WEB_REQUEST_WAITING)
		answer_never(r);
	web_stream_free(r->stream);
	web_payload_unref(r->payload);
	weir_filter_free(r->filter);
	web_account_unref(r->account);
	if (c->request == r)
		c->request = NULL;
	c->answer_deadline_ns = 0;
	c->head_deadline_ns = weir_mono_ns() + WEB_NEXT_HEAD_NS;
	free(r->question);
	free(r->own_error);
	free(r->raw);
	free(r);
	*request = NULL;
}

void web_request_abandon(struct web_request *r)
{
	if (r->state != WEB_REQUEST_WAITING)
		return;
	answer_never(r);
	r->state = WEB_REQUEST_ABANDONED;
	web_connection_resume(r->connection);
}
