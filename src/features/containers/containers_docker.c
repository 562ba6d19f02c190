// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/containers/containers_docker.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "features/containers/containers.h"

#define BODY_MAX (1u << 20)
#define TIMEOUT_MS 700L

struct containers_docker {
	CURL *curl;
	int fd;
	bool used; /* the one connection there is */
};

static curl_socket_t give_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct containers_docker *d = ctx;

	(void)purpose;
	(void)address;
	if (d->used)
		return CURL_SOCKET_BAD;
	d->used = true;
	return d->fd;
}

static int is_connected(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	(void)ctx;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int keep_socket(void *ctx, curl_socket_t fd)
{
	(void)ctx;
	(void)fd;
	return 0;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct weir_buf *b = ctx;

	if (b->len + size * n > BODY_MAX)
		return 0;
	weir_buf_add(b, bytes, size * n);
	return b->error ? 0 : size * n;
}

static bool set_up(struct containers_docker *d)
{
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_TIMEOUT_MS, TIMEOUT_MS },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
	};
	bool ok = true;

	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
		ok &= curl_easy_setopt(d->curl, numbers[i].option, numbers[i].value) == CURLE_OK;
	/* The path is never opened; naming one keeps curl from resolving "localhost". */
	ok &= curl_easy_setopt(d->curl, CURLOPT_UNIX_SOCKET_PATH, "/run/docker.sock") == CURLE_OK;
	ok &= curl_easy_setopt(d->curl, CURLOPT_PROXY, "") == CURLE_OK;
	ok &= curl_easy_setopt(d->curl, CURLOPT_OPENSOCKETFUNCTION, give_socket) == CURLE_OK;
	ok &= curl_easy_setopt(d->curl, CURLOPT_OPENSOCKETDATA, d) == CURLE_OK;
	ok &= curl_easy_setopt(d->curl, CURLOPT_SOCKOPTFUNCTION, is_connected) == CURLE_OK;
	ok &= curl_easy_setopt(d->curl, CURLOPT_CLOSESOCKETFUNCTION, keep_socket) == CURLE_OK;
	ok &= curl_easy_setopt(d->curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK;
	return ok;
}

struct containers_docker *containers_docker_new(int fd)
{
	struct containers_docker *d = calloc(1, sizeof(*d));

	if (!d) {
		close(fd);
		return NULL;
	}
	d->fd = fd;
	d->curl = curl_easy_init();
	if (!d->curl || !set_up(d))
		return containers_docker_free(d);
	return d;
}

struct containers_docker *containers_docker_free(struct containers_docker *d)
{
	if (!d)
		return NULL;
	curl_easy_cleanup(d->curl);
	close(d->fd);
	free(d);
	return NULL;
}

bool containers_docker_get(struct containers_docker *d, const char *id, struct weir_buf *ret)
{
	char url[CONTAINERS_ID + 64];
	long status = 0;

	snprintf(url, sizeof(url), "http://localhost/containers/%s/json", id);
	if (curl_easy_setopt(d->curl, CURLOPT_URL, url) != CURLE_OK ||
	    curl_easy_setopt(d->curl, CURLOPT_WRITEDATA, ret) != CURLE_OK ||
	    curl_easy_perform(d->curl) != CURLE_OK ||
	    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
		return false;
	return status == 200;
}
