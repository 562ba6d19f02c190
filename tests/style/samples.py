# SPDX-License-Identifier: GPL-2.0-or-later
"""What each rule must catch (BAD) and must let pass (GOOD)."""

SPDX = "// SPDX-License-Identifier: GPL-2.0-or-later\n"
WORD = "TO" + "DO"

BAD = {
	"spdx": [
		("src/base/x.c", "#include <stdio.h>\n"),
		("src/base/x.h", "/* SPDX-License-Identifier: MIT */\n"),
		("tools/x", "#!/bin/sh\necho\n"),
		("src/base/meson.build", "weir_sources += files('x.c')\n"),
	],
	"promises": [
		("src/base/x.c", SPDX + f"/* {WORD}: later */\n"),
		("tools/x.py", f"# {WORD} later\n"),
	],
	"length": [("src/base/x.c", SPDX + "int x;\n" * 801)],
	"pragma_once": [
		("src/base/x.h", SPDX + "#ifndef X_H\n#define X_H\n#endif\n"),
		("src/base/x.h", SPDX + "#include <stdio.h>\n#pragma once\n"),
	],
	"exits": [
		("src/core/x.c", SPDX + "void f(void)\n{\n\texit(1);\n}\n"),
		("src/daemon/x.c", SPDX + "void f(void)\n{\n\terr(1, \"no\");\n}\n"),
	],
	"banned_functions": [
		("src/base/x.c", SPDX + "void f(char *a)\n{\n\tstrcpy(a, \"b\");\n}\n"),
		("src/base/x.c", SPDX + "void f(char *a)\n{\n\tsystem (a);\n}\n"),
		("src/base/x_test.c", SPDX + "void f(char *a)\n{\n\tif (sprintf(a, \"b\"))\n\t\treturn;\n}\n"),
	],
	"indentation": [
		("src/base/x.c", SPDX + "void f(void)\n{\n        g();\n}\n"),
		("src/base/x.c", SPDX + "int x; \n"),
	],
	"line_width": [("src/base/x.c", SPDX + "int x; /* " + "x" * 130 + " */\n")],
	"layers": [
		("src/base/x.c", SPDX + '#include "core/field.h"\n'),
		("src/core/x.c", SPDX + '#include "features/traffic/traffic_fields.h"\n'),
		("src/core/x.c", SPDX + '#include "daemon/daemon.h"\n'),
		("src/frontends/cli/x.c", SPDX + '#include "features/traffic/traffic_fields.h"\n'),
		("src/frontends/cli/x.c", SPDX + '#include "frontends/web/page.h"\n'),
		("src/frontends/cli/x.c", SPDX + '#include "frontends/tui/tui.h"\n'),
		("src/frontends/cli/top_live.c", SPDX + '#include "frontends/tui/list.h"\n'),
		("src/frontends/tui/x.c", SPDX + '#include "frontends/cli/client.h"\n'),
		("src/daemon/x.c", SPDX + '#include "features/traffic/traffic.h"\n'),
		("src/daemon/x.c", SPDX + '# include  "frontends/web/page.h"\n'),
		("src/features/drops/x.c", SPDX + '#include "features/traffic/traffic.h"\n'),
		("src/features/drops/x.c", SPDX + '#include "daemon/ipc.h"\n'),
		("src/bpf/x.h", SPDX + '#pragma once\n#include "base/addr.h"\n'),
		("src/core/x.c", SPDX + '#include "field.h"\n'),
	],
	"own_header_first": [
		("src/core/x.c", SPDX + '#include <stdio.h>\n#include "core/x.h"\n'),
	],
	"documented": [
		("src/core/x.h", SPDX + "#pragma once\n\n#include <stdio.h>\n\nint weir_x_open(int fd);\n"),
		("src/core/x.h", SPDX + "#pragma once\n\nstruct weir_y {\n\tint a; /* one */\n};\n\n"
		 "int weir_x_open(int fd,\n\t\tint b);\n"),
	],
	"one_declaration": [
		{
			"src/core/x.h": SPDX + "#pragma once\nstruct weir_x {\n\tint a;\n};\n",
			"src/daemon/y.c": SPDX + "struct weir_x {\n\tint a;\n};\n",
		},
	],
	"nothing_forgotten": [
		{"src/base/x.c": SPDX, "src/base/meson.build": "weir_sources += files('y.c')\n"},
		{"src/base/x_test.c": SPDX, "src/base/meson.build": "weir_sources += files('x.c')\n"},
		{"src/core/x_fuzz.c": SPDX},
	],
	"e2e_listed": [
		{"src/frontends/web/page_e2e.py": "", "tests/suites.toml": "", "tests/e2e/run.py": ""},
	],
	"fuzzed_has_corpus": [{"src/core/x_fuzz.c": SPDX, "tests/corpus/y/1": ""}],
}

HEADER = SPDX + '''#pragma once

#include <stdint.h>

#include "base/addr.h"

/* One thing.
 * Its second line. */
struct weir_x {
	uint32_t a; /* why */
};

/* Opens it. -EINVAL leaves *ret untouched. */
int weir_x_open(const char *path, struct weir_x **ret);
struct weir_x *weir_x_free(struct weir_x *x); /* accepts NULL, returns NULL */

void weir_x_log(const char *format, ...)
	__attribute__((format(printf, 1, 2))); /* like printf */

/* Two of a kind. */
void weir_x_up(struct weir_x *x);
void weir_x_down(struct weir_x *x);

static inline int weir_x_twice(int a)
{
	return 2 * a;
}
'''

SOURCE = SPDX + '''#include "core/x.h"

#include <errno.h>

#include "base/cleanup.h"

/* exit() and strcpy() in a comment or "system()" in a string are no calls. */
static const char *text = "do not system() or exit(1)";

int weir_x_open(const char *path, struct weir_x **ret)
{
	struct ops o = { 0 };

	o.exit(path);
	ret->exit(path);
	_exit(0);
	return weir_exit(text);
}
'''

GOOD_FILES = [
	("src/core/x.h", HEADER),
	("src/core/x.c", SOURCE),
	("src/core/features.c", SPDX + '#include "core/feature.h"\n\n#include "features/traffic/traffic.h"\n'),
	("src/features/traffic/traffic.c", SPDX + '#include "features/traffic/traffic.h"\n\n#include "core/field.h"\n'),
	("src/features/traffic/traffic.bpf.c", SPDX + '#include "bpf/kernel_types.h"\n'),
	("src/frontends/web/gate.c", SPDX + '#include "daemon/ipc.h"\n#include "frontends/web/page.h"\n'),
	("src/frontends/cli/top_live.c", SPDX + '#include "frontends/tui/tui.h"\n'),
	("src/main.c", SPDX + "int main(void)\n{\n\texit(0);\n}\n"),
	("tools/x", "#!/bin/sh\n# SPDX-License-Identifier: GPL-2.0-or-later\n"),
	("src/base/x.c", SPDX + "int x;\n" * 700),
]

GOOD_TREE = {
	"src/core/x.h": HEADER,
	"src/core/x.c": SOURCE,
	"src/core/x_test.c": SPDX + "struct weir_x {\n\tint own;\n};\n",
	"src/core/x_fuzz.c": SPDX,
	"src/core/y.c": SPDX + "struct weir_x;\nstruct weir_z {\n\tstruct weir_x *x;\n};\n",
	"src/core/meson.build": "weir_sources += files('x.c', 'y.c')\n"
	"unit_tests += {'x_test': files('x_test.c')}\nfuzz_targets += {'x_fuzz': files('x_fuzz.c')}\n",
	"src/main.c": SPDX,
	"tests/corpus/x/1": "",
	"src/core/x_e2e.py": "",
	"tests/suites.toml": 'command = ["python3", "src/core/x_e2e.py"]\n',
}
