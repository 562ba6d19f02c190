# SPDX-License-Identifier: GPL-2.0-or-later
# A thin front: the build is meson's (meson.build), the tests are tools/test-run's (tests/suites.toml).

PREFIX ?= /usr/local
BUILD = build
TEST_BUILD = build-test

.PHONY: all run demo pictures check test bench-check soak install uninstall clean

# --- build ----------------------------------------------------------------------------------

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/weir: $(BUILD)/build.ninja FORCE
	@[ -e $@ ] || echo "building; the first time takes a minute"
	@ninja -C $(BUILD) --quiet weir > $(BUILD).log 2>&1 || \
		{ cat $(BUILD).log >&2; rm -f $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) --prefix=$(PREFIX) -Dtests=disabled > $(BUILD).log 2>&1 || \
		{ cat $(BUILD).log >&2; rm -f $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

# --- use ------------------------------------------------------------------------------------

# Installs what is missing, builds, and shows the traffic: a table a second and a page.
run: need-root setup $(BUILD)/weir
	@exec $(BUILD)/weir run

# A narrated scene with known load, in under a minute.
demo: need-root setup all
	@tools/setup demo
	@WEIR_BUILD=$(CURDIR)/$(BUILD) exec tools/demo

# The pictures of README.md anew: plays a scene, shows it in a headless browser and a terminal, docs/pictures.
pictures: need-root setup all
	@tools/setup test
	@cd src/frontends/web/page && { [ -d node_modules ] || npm ci --silent; }
	@WEIR_BUILD=$(CURDIR)/$(BUILD) exec tools/pictures

# --- test -----------------------------------------------------------------------------------

# Everything; the last line is "N passed, N failed, N skipped".
test: need-root
	@tools/setup test
	@exec tools/test-run

# Under a minute, while writing: style, words, unit tests, replay.
check:
	@tools/setup test
	@exec tools/test-run --quick

# Do the measured ratios still hold on this machine?
bench-check: need-root
	@tools/setup test
	@exec tools/test-run --only bench,bench-page,bench-map,bench-streams,bench-replay,bench-pixel

# Ten minutes of churn: no growth, no leak, no lost byte.
soak: need-root
	@tools/setup test
	@exec tools/test-run --only soak

# --- install --------------------------------------------------------------------------------

install: need-root setup $(BUILD)/build.ninja
	@meson configure $(BUILD) -Dprefix=$(abspath $(PREFIX)) > /dev/null
	@ninja -C $(BUILD) --quiet
	@meson install -C $(BUILD) --no-rebuild --quiet
	@echo "installed under $(PREFIX); start it with: systemctl enable --now weir"

# Stops and detaches everything first; what `weir uninstall` could not remove it prints.
uninstall: need-root
	-@systemctl disable --now weir 2> /dev/null
	-@! command -v weir > /dev/null || weir uninstall
	@ninja -C $(BUILD) --quiet uninstall

clean:
	rm -rf $(BUILD) $(TEST_BUILD) build-fuzz

# --- below: not for calling -----------------------------------------------------------------

.PHONY: setup need-root FORCE
setup: | $(if $(filter run demo pictures install,$(MAKECMDGOALS)),need-root)
	@tools/setup build

need-root:
	@$(if $(filter 0,$(shell id -u)),:,$(error make $(MAKECMDGOALS) needs root, \
		since it loads programs into the kernel: run sudo make $(MAKECMDGOALS)))
