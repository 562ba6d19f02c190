// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "frontends/cli/interrupt.h"

/* 0, or -errno. */
static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR && !cli_interrupted())
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int cli_fail(int status, const char *fmt, ...)
{
	struct weir_buf text = {}, line = {};
	va_list ap;

	va_start(ap, fmt);
	weir_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	weir_buf_str(&line, "weir: ");
	if (text.data)
		weir_text_escape_terminal(&line, text.data, WEIR_TEXT_UNLIMITED);
	weir_buf_char(&line, '\n');
	if (line.data)
		(void)write_all(STDERR_FILENO, line.data, line.len);
	weir_buf_done(&text);
	weir_buf_done(&line);
	return status;
}

int cli_fail_error(int error, char *line)
{
	int status = CLI_FAILED;

	if (error == -EINTR) {
		free(line);
		return cli_interrupt_status();
	}
	if (error == -EINVAL || error == -EBADRQC)
		status = CLI_USAGE;
	else if (error == -EACCES || error == -EPERM)
		status = CLI_IMPOSSIBLE;
	if (line)
		cli_fail(status, "%s", line);
	else
		cli_fail(status, "%s", strerror(-error));
	free(line);
	return status;
}

int cli_output(const struct weir_buf *b, bool *ret_end)
{
	int r = b->error;

	if (ret_end)
		*ret_end = true;
	if (r >= 0)
		r = write_all(STDOUT_FILENO, b->data, b->len);
	if (r == -EPIPE)
		return CLI_OK;
	if (r == -EINTR)
		return cli_interrupt_status();
	if (r < 0)
		return cli_fail(CLI_FAILED, "cannot write the output: %s", strerror(-r));
	if (ret_end)
		*ret_end = false;
	return CLI_OK;
}
