// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/recorder.h"

#include <errno.h>
#include <stdbool.h>
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
	struct weir_recording_head head;
	bool head_written;
	uint32_t crc32;			 /* of the last block, or the head */
	uint64_t records, records_total; /* in buf; before it */
	struct weir_buf buf;		 /* room for a block's head, then records */
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

static void begin_block(struct weir_recorder *r)
{
	static const struct weir_recording_block later;

	weir_buf_reset(&r->buf);
	weir_buf_add(&r->buf, &later, sizeof(later));
	r->records = 0;
}

/* The head goes into the file with the first records: who waits for the file to begin waits for
 * them. */
static void put_head(struct weir_recorder *r, const char *host)
{
	struct weir_recording_head *head = &r->head;

	*head = (struct weir_recording_head){ .version = WEIR_RECORDING_VERSION,
					      .head_size = sizeof(*head) };
	memcpy(head->magic, WEIR_RECORDING_MAGIC, sizeof(head->magic));
	strncpy(head->host, host, sizeof(head->host) - 1);
	for (unsigned i = 0; i < ARRAY_SIZE(head->features) && weir_features[i]; i++)
		strncpy(head->features[i], weir_features[i]->name, sizeof(head->features[i]) - 1);
	r->crc32 = weir_recording_head_crc32(head);
}

static int write_head(struct weir_recorder *r)
{
	int e = r->head_written ? 0 : write_all(r->fd, (const char *)&r->head, sizeof(r->head));

	r->head_written = true;
	return e;
}

int weir_recorder_new(int fd, const char *host, struct weir_recorder **ret)
{
	struct weir_recorder *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->fd = fd;
	/* Whoever wrote before knew what the records to come build on. */
	if (lseek(fd, 0, SEEK_CUR) > 0)
		r->error = -EOWNERDEAD;
	put_head(r, host);
	begin_block(r);
	*ret = r;
	return 0;
}

static void write_end(struct weir_recorder *r)
{
	struct weir_recording_block end = { .records = r->records_total };

	end.crc32 = weir_recording_block_crc32(r->crc32, end.records, NULL, 0);
	r->error = write_all(r->fd, (const char *)&end, sizeof(end));
}

struct weir_recorder *weir_recorder_free(struct weir_recorder *r)
{
	if (!r)
		return NULL;
	if (weir_recorder_flush(r) == 0)
		write_end(r);
	close(r->fd);
	weir_buf_done(&r->buf);
	free(r);
	return NULL;
}

void weir_recorder_put(struct weir_recorder *r, uint16_t source, uint16_t type, uint64_t mono_ns,
		       const void *bytes, uint32_t len)
{
	static const char padding[8];
	struct weir_record_head head = {
		.size = len, .source = source, .type = type, .mono_ns = mono_ns
	};

	if (r->error)
		return;
	r->records++;
	weir_buf_add(&r->buf, &head, sizeof(head));
	weir_buf_add(&r->buf, bytes, len);
	weir_buf_add(&r->buf, padding, weir_record_padding(len));
	if (r->buf.len > FLUSH_BYTES)
		weir_recorder_flush(r);
}

int weir_recorder_flush(struct weir_recorder *r)
{
	struct weir_recording_block block = { .records = r->records };

	if (!r->error)
		r->error = r->buf.error ? r->buf.error : write_head(r);
	if (r->error || !r->records)
		return r->error;
	block.size = (uint32_t)(r->buf.len - sizeof(block));
	block.crc32 = weir_recording_block_crc32(r->crc32, block.records,
						 r->buf.data + sizeof(block), block.size);
	memcpy(r->buf.data, &block, sizeof(block));
	r->error = write_all(r->fd, r->buf.data, r->buf.len);
	r->crc32 = block.crc32;
	r->records_total += r->records;
	begin_block(r);
	return r->error;
}
