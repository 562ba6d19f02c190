// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "frontends/cli/client_private.h"

/* A hundred thousand flows are some 100 MB of JSON; beyond that something is wrong at the other
 * end. */
#define BODY_MAX (512UL << 20)
#define CONNECT_TIMEOUT_MS 3000L
#define ANSWER_TIMEOUT_MS 30000L

/* --- the socket alone ------------------------------------------------------------------------ */

static int socket_connect(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

int cli_client_probe(const char *path)
{
	int fd = socket_connect(path);

	if (fd < 0)
		return fd == -ENOTSOCK || fd == -ENOTDIR ? -ENOENT : fd;
	close(fd);
	return 0;
}

pid_t cli_client_peer(const char *path)
{
	struct ucred who = {};
	socklen_t len = sizeof(who);
	int fd = socket_connect(path);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		who.pid = 0;
	close(fd);
	return who.pid;
}

/* --- HTTP ------------------------------------------------------------------------------------ */

static size_t on_body(char *bytes, size_t size, size_t n, void *user)
{
	struct cli_client *c = user;
	size_t len = size * n;

	if (c->body->len + len > BODY_MAX) {
		c->too_large = true;
		return 0;
	}
	weir_buf_add(c->body, bytes, len);
	return c->body->error ? 0 : len;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t x, curl_off_t y)
{
	struct cli_client *c = user;

	(void)a, (void)b, (void)x, (void)y;
	return c->interrupted && c->interrupted();
}

static int client_setup(struct cli_client *c)
{
	CURL *curl = c->curl;
	int bad = 0;

	bad |= curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, c->path);
	bad |= curl_easy_setopt(curl, CURLOPT_PROXY,
				""); /* the environment's proxies are for the network */
	bad |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	bad |= curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ANSWER_TIMEOUT_MS);
	bad |= curl_easy_setopt(curl, CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
	bad |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->detail);
	bad |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	bad |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
	bad |= curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	bad |= curl_easy_setopt(curl, CURLOPT_XFERINFODATA, c);
	bad |= curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	return bad ? -ENOMEM : 0;
}

int cli_client_new(const char *path, bool (*interrupted)(void), struct cli_client **ret)
{
	_cleanup_(cli_client_freep) struct cli_client *c = NULL;
	struct sockaddr_un to;
	int r;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->interrupted = interrupted;
	c->path = strdup(path);
	c->curl = curl_easy_init();
	if (!c->path || !c->curl)
		return -ENOMEM;
	r = client_setup(c);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

struct cli_client *cli_client_free(struct cli_client *c)
{
	if (!c)
		return NULL;
	if (c->curl)
		curl_easy_cleanup(c->curl);
	free(c->path);
	free(c);
	return NULL;
}

static int fail_connect(const struct cli_client *c, char **ret_error)
{
	int r = cli_client_probe(c->path);

	switch (r) {
	case -EACCES:
	case -EPERM:
		return weir_fail(ret_error, -EACCES, "may not use the socket %s: run it with sudo", c->path);
	case -ENOENT:
		return weir_fail(ret_error, r, "no daemon answers on %s (no such socket): start one with sudo weir daemon",
				 c->path);
	case -ECONNREFUSED:
	case 0: /* gone a moment ago, there again now */
		return weir_fail(ret_error, -ECONNREFUSED, "no daemon answers on %s: start one with sudo weir daemon, or try again",
				 c->path);
	default:
		return weir_fail(ret_error, -EREMOTEIO, "cannot reach the daemon on %s: %s", c->path, strerror(-r));
	}
}

static int fail_transfer(const struct cli_client *c, CURLcode code, char **ret_error)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		return fail_connect(c, ret_error);
	case CURLE_OPERATION_TIMEDOUT:
		return weir_fail(ret_error, -ETIMEDOUT, "the daemon on %s did not answer within %ld s: see its log, or restart it",
				 c->path, ANSWER_TIMEOUT_MS / 1000);
	case CURLE_ABORTED_BY_CALLBACK:
		return -EINTR;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_WRITE_ERROR:
		if (c->too_large)
			return weir_fail(ret_error, -EREMOTEIO,
					 "the answer of the daemon on %s is larger than %lu MB: ask for "
					 "less with --limit",
					 c->path, BODY_MAX >> 20);
		return c->body->error ?: -EREMOTEIO;
	default:
		return weir_fail(ret_error, -EREMOTEIO, "the daemon on %s broke off its answer: %s", c->path,
				 c->detail[0] ? c->detail : curl_easy_strerror(code));
	}
}

/* The reason in {"error":"..."}, or the first line of a plain text. */
static char *error_reason(const struct weir_buf *body)
{
	json_t *root = body->len ? json_loadb(body->data, body->len, 0, NULL) : NULL;
	const char *text = json_string_value(json_object_get(root, "error"));
	char *reason;

	if (text)
		reason = strdup(text);
	else
		reason = body->len && body->data[0] != '{'
				 ? strndup(body->data, strcspn(body->data, "\r\n"))
				 : NULL;
	json_decref(root);
	return reason;
}

static int fail_status(const struct cli_client *c, long status, const struct weir_buf *body,
		       char **ret_error)
{
	_cleanup_free_ char *reason = error_reason(body);
	const char *why = reason && *reason ? reason : "it gave no reason";

	if (status == 401 || status == 403)
		return weir_fail(ret_error, -EPERM, "the daemon on %s refused: %s", c->path, why);
	if (status == 404)
		return weir_fail(ret_error, -EBADRQC,
				 "the daemon on %s does not know this object: %s (an older weir? "
				 "restart it)",
				 c->path, why);
	if (status >= 400 && status < 500)
		return weir_fail(ret_error, -EBADRQC, "%s", why);
	return weir_fail(ret_error, status == 503 ? -EAGAIN : -EREMOTEIO, "the daemon on %s answered with status %ld: %s", c->path,
			 status, why);
}

int cli_client_prepare(struct cli_client *c, const char *url, struct weir_buf *body)
{
	struct weir_buf full = {};
	CURLcode code;

	weir_buf_reset(body);
	weir_buf_printf(&full, "http://localhost%s", url);
	if (full.error) {
		weir_buf_done(&full);
		return -ENOMEM;
	}
	c->body = body;
	c->too_large = false;
	c->detail[0] = '\0';
	code = curl_easy_setopt(c->curl, CURLOPT_URL, full.data);
	weir_buf_done(&full);
	return code == CURLE_OK ? 0 : -ENOMEM;
}

int cli_client_result(struct cli_client *c, CURLcode code, char **ret_error)
{
	long status = 0;

	if (code != CURLE_OK)
		return fail_transfer(c, code, ret_error);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return fail_status(c, status, c->body, ret_error);
	/* libcurl takes a head that is cut off for the whole of it. */
	if (!c->body->len)
		return weir_fail(ret_error, -EREMOTEIO, "the daemon on %s broke off its answer", c->path);
	return 0;
}

int cli_client_get(struct cli_client *c, const char *url, struct weir_buf *ret_body,
		   char **ret_error)
{
	int r = cli_client_prepare(c, url, ret_body);

	return r < 0 ? r : cli_client_result(c, curl_easy_perform(c->curl), ret_error);
}
