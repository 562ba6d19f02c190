// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "core/feature.h"
#include "core/recording.h"

#define FLUSH_BYTES (256 * 1024)

struct weir_recorder {
	int fd;
	int error;
	struct weir_buf buf;
};

static int write_all(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t done = write(fd, data, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		n -= (size_t)done;
	}
	return 0;
}

static void put_head(struct weir_recorder *r, const char *host)
{
	struct weir_recording_head head = { .version = WEIR_RECORDING_VERSION, .head_size = sizeof(head) };

	memcpy(head.magic, WEIR_RECORDING_MAGIC, sizeof(head.magic));
	strncpy(head.host, host, sizeof(head.host) - 1);
	for (unsigned i = 0; i < ARRAY_SIZE(head.features) && weir_features[i]; i++)
		strncpy(head.features[i], weir_features[i]->name, sizeof(head.features[i]) - 1);
	weir_buf_add(&r->buf, &head, sizeof(head));
}

int weir_recorder_new(int fd, const char *host, struct weir_recorder **ret)
{
	struct weir_recorder *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->fd = fd;
	put_head(r, host);
	*ret = r;
	return 0;
}

struct weir_recorder *weir_recorder_free(struct weir_recorder *r)
{
	if (!r)
		return NULL;
	weir_recorder_flush(r);
	close(r->fd);
	weir_buf_done(&r->buf);
	free(r);
	return NULL;
}

void weir_recorder_put(struct weir_recorder *r, uint16_t source, uint16_t type, uint64_t mono_ns,
		       const void *bytes, uint32_t len)
{
	static const char padding[8];
	struct weir_record_head head = { .size = len, .source = source, .type = type, .mono_ns = mono_ns };

	if (r->error)
		return;
	weir_buf_add(&r->buf, &head, sizeof(head));
	weir_buf_add(&r->buf, bytes, len);
	weir_buf_add(&r->buf, padding, weir_record_padding(len));
	if (r->buf.len > FLUSH_BYTES)
		weir_recorder_flush(r);
}

int weir_recorder_flush(struct weir_recorder *r)
{
	if (r->error)
		return r->error;
	r->error = r->buf.error ? r->buf.error : write_all(r->fd, r->buf.data, r->buf.len);
	weir_buf_reset(&r->buf);
	return r->error;
}
