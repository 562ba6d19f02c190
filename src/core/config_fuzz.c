// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"

/* Any bytes as a configuration file, with keys of every type. What is rejected leaves nothing and says so on one
 * line; what is taken can be read and compared. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct weir_hook_set sets[] = { { .name = "fine" }, { .name = "coarse" }, {} };

static const struct weir_key keys[] = {
	{ .name = "rings", .type = WEIR_KEY_COUNT, .min = 1, .max = 64, .otherwise = "4", .help = "Rings." },
	{ .name = "quiet", .type = WEIR_KEY_BOOL, .otherwise = "false", .live = true, .help = "Says less." },
	{ .name = "label", .type = WEIR_KEY_TEXT, .help = "A label." },
	{},
};

static const struct weir_feature demo = { .name = "demo", .hook_sets = sets, .keys = keys };
static const struct weir_feature *const features[] = { &demo, NULL };

static void check_rejected(const struct weir_config *c, const char *error)
{
	for (unsigned i = 0; weir_config_setting(c, i); i++)
		if (weir_config_given(c, weir_config_setting(c, i)->name))
			abort();
	if (!error || strncmp(error, "f:", 2) != 0)
		abort();
	for (; *error; error++)
		if ((unsigned char)*error < ' ' || *error == 0x7f)
			abort();
}

static void check_taken(const struct weir_config *c)
{
	uint64_t rings = weir_config_number(c, "demo.rings");
	const char *state = weir_config_text(c, "state");

	if (rings < 1 || rings > 64 || state[0] != '/')
		abort();
	(void)weir_config_true(c, "demo.quiet");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_config *c = NULL, *defaults = NULL;
	struct weir_buf text = {};
	char *error = NULL;

	if (weir_config_new(features, &c) == 0 && weir_config_new(features, &defaults) == 0) {
		if (weir_config_parse(c, "f", (const char *)data, size, &error) < 0)
			check_rejected(c, error);
		else
			check_taken(c);
		weir_config_changes(defaults, defaults, c, &text);
		weir_config_hooks(c, &text);
	}
	free(error);
	weir_buf_done(&text);
	weir_config_free(c);
	weir_config_free(defaults);
	return 0;
}
