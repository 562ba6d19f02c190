// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/ask.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "frontends/cli/client.h"
#include "frontends/cli/client_private.h"
#include "frontends/cli/interrupt.h"

#define WAIT_FDS 8

struct asker_slot {
	struct cli_client *client;
	struct weir_buf body;
	char *error;
	int result;
	bool under_way, over;
};

struct cli_asker {
	CURLM *multi;
	unsigned n_slots;
	struct asker_slot slots[CLI_ASKER_SLOTS];
};

int cli_asker_new(const char *path, unsigned slots, struct cli_asker **ret)
{
	_cleanup_(cli_asker_freep) struct cli_asker *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->multi = curl_multi_init();
	if (!a->multi)
		return -ENOMEM;
	for (; a->n_slots < slots && a->n_slots < CLI_ASKER_SLOTS; a->n_slots++) {
		r = cli_client_new(path, NULL, &a->slots[a->n_slots].client);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(a);
	return 0;
}

static void slot_stop(struct cli_asker *a, struct asker_slot *s)
{
	if (s->under_way)
		(void)curl_multi_remove_handle(a->multi, s->client->curl);
	s->under_way = s->over = false;
}

struct cli_asker *cli_asker_free(struct cli_asker *a)
{
	if (!a)
		return NULL;
	for (unsigned i = 0; i < a->n_slots; i++) {
		slot_stop(a, &a->slots[i]);
		cli_client_free(a->slots[i].client);
		weir_buf_done(&a->slots[i].body);
		free(a->slots[i].error);
	}
	if (a->multi)
		(void)curl_multi_cleanup(a->multi);
	free(a);
	return NULL;
}

int cli_asker_ask(struct cli_asker *a, unsigned slot, const char *url)
{
	struct asker_slot *s = &a->slots[slot];
	int r;

	slot_stop(a, s);
	free(s->error);
	s->error = NULL;
	r = cli_client_prepare(s->client, url, &s->body);
	if (r < 0)
		return r;
	if (curl_multi_add_handle(a->multi, s->client->curl) != CURLM_OK)
		return -ENOMEM;
	s->under_way = true;
	return 0;
}

static void slot_over(struct cli_asker *a, CURL *curl, CURLcode code)
{
	for (unsigned i = 0; i < a->n_slots; i++) {
		struct asker_slot *s = &a->slots[i];

		if (!s->under_way || s->client->curl != curl)
			continue;
		slot_stop(a, s);
		s->over = true;
		s->result = cli_client_result(s->client, code, &s->error);
	}
}

/* Lets every transfer go as far as it can. */
static void go_on(struct cli_asker *a)
{
	const CURLMsg *message;
	int running, left;

	if (curl_multi_perform(a->multi, &running) != CURLM_OK)
		return;
	while ((message = curl_multi_info_read(a->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			slot_over(a, message->easy_handle, message->data.result);
}

bool cli_asker_take(struct cli_asker *a, unsigned *ret_slot, int *ret_result, const char **ret_text,
		    size_t *ret_len, const char **ret_error)
{
	go_on(a);
	for (unsigned i = 0; i < a->n_slots; i++) {
		struct asker_slot *s = &a->slots[i];

		if (!s->over)
			continue;
		s->over = false;
		*ret_slot = i;
		*ret_result = s->result;
		*ret_text = s->body.data ? s->body.data : "";
		*ret_len = s->body.len;
		*ret_error = s->error;
		return true;
	}
	return false;
}

int cli_asker_wait(struct cli_asker *a, uint64_t until_mono_ns, const int *fds, unsigned n_fds)
{
	struct curl_waitfd wait[WAIT_FDS] = {};
	uint64_t now = weir_mono_ns(), ms;
	unsigned n = 0;

	if (cli_interrupted())
		return -EINTR;
	go_on(a);
	for (unsigned i = 0; i < a->n_slots; i++)
		if (a->slots[i].over)
			return 0;
	for (unsigned i = 0; i < n_fds && n < WAIT_FDS - 1; i++)
		wait[n++] = (struct curl_waitfd){ .fd = fds[i], .events = CURL_WAIT_POLLIN };
	if (cli_interrupt_fd() >= 0)
		wait[n++] = (struct curl_waitfd){ .fd = cli_interrupt_fd(),
						  .events = CURL_WAIT_POLLIN };
	/* Rounded up: a millisecond too early would be a turn for nothing. */
	ms = until_mono_ns > now ? (until_mono_ns - now + 999999) / 1000000 : 0;
	if (curl_multi_poll(a->multi, wait, n, ms > 60000 ? 60000 : (int)ms, NULL) != CURLM_OK)
		return -ENOMEM;
	return cli_interrupted() ? -EINTR : 0;
}
