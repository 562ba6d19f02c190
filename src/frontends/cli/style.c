// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/style.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* NO_COLOR: present and not empty (no-color.org). */
static bool color_wanted(const struct cli_command *c, bool terminal)
{
	const char *when = cli_value_text(c, CLI_OPTION_COLOR, "auto");
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (!strcmp(when, "always"))
		return true;
	if (!strcmp(when, "never") || (no_color && *no_color))
		return false;
	return terminal && term && strcmp(term, "dumb") != 0;
}

void cli_style_init(struct cli_style *s, const struct cli_command *c)
{
	bool terminal = isatty(STDOUT_FILENO) == 1;
	struct winsize size = {};

	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){};
	*s = (struct cli_style){
		.width = size.ws_col,
		.height = size.ws_row,
		.color = color_wanted(c, terminal),
		.exact = CLI_GIVEN(c, EXACT),
	};
	/* A terminal that does not know its size, such as a serial line. */
	if (terminal && !s->width)
		s->width = 80;
}
