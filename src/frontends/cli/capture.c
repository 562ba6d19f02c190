// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/text.h"
#include "core/capture.h"
#include "core/feature.h"
#include "daemon/sandbox.h"
#include "frontends/cli/capture_ask.h"
#include "frontends/cli/capture_live.h"
#include "frontends/cli/capture_work.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/output.h"
#include "frontends/cli/private_daemon.h"
#include "frontends/cli/source.h"
#include "frontends/export/pcapng.h"

#define SNAP_BYTES_DEFAULT 262144 /* as tcpdump: more than any packet has */
#define SNAP_BYTES_MIN 64	  /* headers to find the owner by */

/* All that is open, and the texts that the worker's options point to. */
struct capture {
	struct capture_work work;
	struct capture_file file;
	struct weir_buf filter;
	struct cli_source *daemon;
	char *error;
};

static void capture_done(struct capture *c)
{
	if (c->work.dropped)
		c->work.source->close(c->work.dropped);
	capture_live_free(c->work.live);
	capture_filter_free(c->work.matches);
	if (c->work.names_fd >= 0)
		close(c->work.names_fd);
	capture_file_done(&c->file);
	cli_source_free(c->daemon);
	weir_buf_done(&c->filter);
	free(c->error);
}

/* Takes the error's line along. */
static int fail(struct capture *c, int error)
{
	if (error == -ENOMEM || !c->error)
		return cli_fail_error(error, NULL);
	if (error == -EPERM || error == -EACCES || error == -EOPNOTSUPP)
		return cli_fail(CLI_IMPOSSIBLE, "%s", c->error);
	return cli_fail(error == -EINVAL ? CLI_USAGE : CLI_FAILED, "%s", c->error);
}

/* --- what is asked for ----------------------------------------------------------------------- */

static uint32_t netns_of_self(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 ? (uint32_t)st.st_ino : 0;
}

static int read_options(struct capture *c, const struct cli_command *command)
{
	struct capture_work *w = &c->work;
	double seconds = cli_value_seconds(command, CLI_OPTION_SECONDS, -1);
	uint64_t snap = cli_value_number(command, CLI_OPTION_SNAP, SNAP_BYTES_DEFAULT);

	if (snap < SNAP_BYTES_MIN || snap > SNAP_BYTES_DEFAULT)
		return cli_fail(CLI_USAGE, "--snaplen takes %d to %d bytes, not %llu", SNAP_BYTES_MIN, SNAP_BYTES_DEFAULT,
				(unsigned long long)snap);
	for (unsigned i = 1; i < command->n_words; i++)
		weir_buf_printf(&c->filter, "%s%s", i > 1 ? " " : "", command->words[i]);
	if (c->filter.error)
		return cli_fail_error(-ENOMEM, NULL);
	w->file = &c->file;
	w->device = cli_value_text(command, CLI_OPTION_DEVICE, NULL);
	w->filter = c->filter.data ? c->filter.data : "";
	w->snap_bytes = (uint32_t)snap;
	w->packets_max = cli_value_number(command, CLI_OPTION_COUNT, 0);
	w->until_mono_ns = seconds < 0 ? UINT64_MAX : weir_mono_ns() + (uint64_t)(seconds * 1e9);
	w->own_netns = netns_of_self();
	if (w->device && !strcmp(w->device, "any"))
		w->device = NULL;
	return CLI_OK;
}

/* --- opening --------------------------------------------------------------------------------- */

/* What the device is, and a socket by which names of others can be asked for later. */
static int open_names(struct capture *c)
{
	struct capture_work *w = &c->work;
	struct ifreq asked = {};

	w->names_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (w->names_fd < 0 || !w->device)
		return CLI_OK;
	if (strlen(w->device) >= sizeof(asked.ifr_name))
		return cli_fail(CLI_FAILED, "there is no device %s: ip link lists them", w->device);
	memcpy(asked.ifr_name, w->device, strlen(w->device));
	if (ioctl(w->names_fd, SIOCGIFINDEX, &asked) < 0)
		return cli_fail(CLI_FAILED, "there is no device %s: ip link lists them", w->device);
	w->own_ifindex = (uint32_t)asked.ifr_ifindex;
	if (ioctl(w->names_fd, SIOCGIFHWADDR, &asked) == 0) {
		w->loopback = asked.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
		if (asked.ifr_hwaddr.sa_family == ARPHRD_ETHER)
			memcpy(w->mac, asked.ifr_hwaddr.sa_data, sizeof(w->mac));
	}
	return CLI_OK;
}

static int open_live(struct capture *c)
{
	const struct capture_live_options o = {
		.device = c->work.device,
		.filter = c->work.filter,
		.snap_bytes = c->work.snap_bytes,
	};
	int r = capture_live_open(&o, &c->work.live, &c->error);

	if (r < 0)
		return fail(c, r);
	c->work.link = capture_live_link(c->work.live);
	return CLI_OK;
}

static const struct weir_capture_source *find_source(void)
{
	for (const struct weir_feature *const *f = weir_features; *f; f++)
		if ((*f)->capture)
			return (*f)->capture;
	return NULL;
}

/* A header that can be written for a packet that has none. */
static bool link_is_known(uint16_t link)
{
	return link == WEIR_LINK_SLL2 || link == WEIR_LINK_ETHERNET || link == WEIR_LINK_RAW;
}

/* Ordinary packets are worth having without it; only_dropped is not. */
static int open_dropped(struct capture *c, bool only_dropped)
{
	struct capture_work *w = &c->work;
	const struct weir_capture_options o = {
		.snap_bytes = w->snap_bytes,
		.ifindex = w->own_ifindex,
		/* A flood of drops elsewhere must not push out what is looked for here. */
		.netns = only_dropped && !w->device ? 0 : w->own_netns,
	};
	int r = -EOPNOTSUPP;

	w->source = find_source();
	if (w->source && link_is_known(w->link))
		r = w->source->open(&o, &w->dropped, &c->error);
	if (r >= 0)
		return CLI_OK;
	if (only_dropped)
		return c->error ? fail(c, r) : cli_fail(CLI_IMPOSSIBLE, "packets that the kernel drops are not seen here");
	if (r != -EOPNOTSUPP || c->error)
		cli_fail(CLI_FAILED, "dropped packets are not marked: %s", c->error ? c->error : strerror(-r));
	free(c->error);
	c->error = NULL;
	return CLI_OK;
}

static int open_packets(struct capture *c, bool only_dropped)
{
	int r = open_names(c);

	c->work.link = WEIR_LINK_SLL2;
	if (r == CLI_OK && !only_dropped)
		r = open_live(c);
	if (r != CLI_OK)
		return r;
	r = capture_filter_new(c->work.filter, c->work.link, c->work.snap_bytes, &c->work.matches, &c->error);
	return r < 0 ? fail(c, r) : open_dropped(c, only_dropped);
}

/* Without a daemon there are packets all the same; why there is none was said. */
static int open_daemon(struct capture *c, const struct cli_command *command)
{
	int r = cli_source_open(command, &c->daemon);

	if (r == CLI_IMPOSSIBLE) {
		cli_fail(r, "packets are written without their processes");
		r = CLI_OK;
	}
	c->work.knows_flows = c->daemon != NULL;
	return r;
}

static int open_file(struct capture *c, const char *path)
{
	int r;

	if (!strcmp(path, "-") && isatty(STDOUT_FILENO))
		return cli_fail(CLI_USAGE, "a capture is not for a terminal: name a file, or send it on with | tshark -r -");
	r = capture_file_open(&c->file, path);
	if (r == -EINTR)
		return cli_interrupt_status();
	return r < 0 ? cli_fail(CLI_FAILED, "cannot write %s: %s", path, strerror(-r)) : CLI_OK;
}

/* --- the two halves -------------------------------------------------------------------------- */

/* The worker: from here on it has what is open, and no rights. */
static _Noreturn void work(struct capture *c, int fd)
{
	const char *missing = NULL;
	uid_t uid;
	gid_t gid;
	int r;

	cli_interrupt_reset();
	/* A terminal's Ctrl-C and a service manager's signal come to both; the other half tells when to end. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* write() says it too */
	weir_text_init();
	c->work.parent_fd = fd;
	weir_sandbox_identity(&uid, &gid);
	r = weir_sandbox_drop(uid, gid);
	if (r >= 0)
		r = weir_sandbox_capture(&missing);
	if (r < 0)
		_exit(cli_fail(CLI_FAILED, "cannot give up rights before packets are read: %s", strerror(-r)));
	_exit(capture_work_run(&c->work));
}

/* The worker may not ask the kernel. */
static void say_missed(const struct capture *c)
{
	uint64_t n = c->work.dropped ? c->work.source->missed(c->work.dropped) : 0;

	if (n)
		cli_fail(CLI_OK,
			 "%llu more dropped packets are not in the file: each was dropped in the middle of the look at another",
			 (unsigned long long)n);
}

static int run_halves(struct capture *c)
{
	int pair[2], r;
	pid_t worker;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return cli_fail_error(-errno, NULL);
	worker = fork();
	if (worker == 0) {
		close(pair[0]);
		work(c, pair[1]);
	}
	close(pair[1]);
	r = worker < 0 ? cli_fail(CLI_FAILED, "cannot start what captures: %s", strerror(errno))
		       : capture_ask_run(worker, pair[0], c->daemon ? cli_source_socket(c->daemon) : NULL);
	close(pair[0]);
	say_missed(c);
	return r;
}

int cli_capture_run(const struct cli_command *command)
{
	struct capture c = { .work = { .names_fd = -1 }, .file = { .fd = -1 } };
	bool only_dropped = CLI_GIVEN(command, DROPS);
	int r;

	if (!cli_may_load() && geteuid() != 0)
		return cli_fail(CLI_IMPOSSIBLE, "capturing packets needs root: run sudo weir capture %s", command->words[0]);
	r = cli_interrupt_init();
	if (r < 0)
		return cli_fail_error(r, NULL);
	r = read_options(&c, command);
	if (r == CLI_OK)
		r = open_packets(&c, only_dropped);
	if (r == CLI_OK)
		r = open_daemon(&c, command);
	if (r == CLI_OK)
		r = open_file(&c, command->words[0]);
	if (r == CLI_OK && cli_interrupted())
		r = cli_interrupt_status();
	if (r == CLI_OK)
		r = run_halves(&c);
	capture_done(&c);
	return r;
}
