// SPDX-License-Identifier: GPL-2.0-or-later
#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "load.h"
#include "process.h"

static const char usage_text[] =
	"weir-generate moves known bytes over sockets and tells the truth about them, one JSON "
	"object a line.\n"
	"\n"
	"  weir-generate list                 the cases, one a line\n"
	"  weir-generate run CASE...          runs them one after the other; shell patterns, "
	"'all'\n"
	"  weir-generate crowd N              N processes that live a few ms, one connection each\n"
	"  weir-generate hold N               N idle sockets, until a line comes on standard "
	"input\n"
	"  weir-generate churn                connections opened and closed for --seconds\n"
	"  weir-generate pingpong | bulk      speed of one thread with both ends, for --seconds\n"
	"\n"
	"  --bytes N       so many bytes instead of the case's own number\n"
	"  --after N       so many after the pause of --before\n"
	"  --hold          keep the sockets at the end until a line comes on standard input\n"
	"  --linger MS     the same, for so long\n"
	"  --before        move bytes, wait for a line on standard input, move more\n"
	"  --netns         in a network namespace of its own\n"
	"  --name TEXT     the name of every process\n"
	"  --seconds S     1 by default\n"
	"  --jobs N        how many at the same time, 2 by default\n"
	"\n"
	"Exit status: 0 all is as it should be; 1 a case failed; 2 usage.\n";

enum {
	OPT_BYTES = 256,
	OPT_AFTER,
	OPT_HOLD,
	OPT_LINGER,
	OPT_BEFORE,
	OPT_NETNS,
	OPT_NAME,
	OPT_SECONDS,
	OPT_JOBS
};

static const struct option long_options[] = {
	{ "bytes", required_argument, NULL, OPT_BYTES },
	{ "after", required_argument, NULL, OPT_AFTER },
	{ "hold", no_argument, NULL, OPT_HOLD },
	{ "linger", required_argument, NULL, OPT_LINGER },
	{ "before", no_argument, NULL, OPT_BEFORE },
	{ "netns", no_argument, NULL, OPT_NETNS },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "help", no_argument, NULL, 'h' },
	{},
};

static int usage(void)
{
	fputs(usage_text, stderr);
	return 2;
}

static int list(void)
{
	size_t n;
	const struct instance *all = cases_all(&n);

	for (size_t i = 0; i < n; i++)
		printf("%-26s %s\n", all[i].name, all[i].row->help);
	return 0;
}

static int run(char **patterns, int n_patterns)
{
	size_t n, ran = 0;
	const struct instance *all = cases_all(&n);
	int status = 0;

	if (scene_init(1024) < 0) {
		perror("weir-generate: shared memory");
		return 1;
	}
	for (int p = 0; p < n_patterns; p++)
		for (size_t i = 0; i < n; i++) {
			if (strcmp(patterns[p], "all") != 0 &&
			    fnmatch(patterns[p], all[i].name, 0) != 0)
				continue;
			ran++;
			if (cases_run(&all[i]) < 0)
				status = 1;
		}
	if (!ran) {
		fprintf(stderr, "weir-generate: no such case: %s (weir-generate list)\n",
			patterns[0]);
		return 2;
	}
	return status;
}

static int parse(int argc, char **argv, struct load_options *load)
{
	int c;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (c) {
		case OPT_BYTES:
			scene_options.bytes = load->bytes = strtoull(optarg, NULL, 10);
			break;
		case OPT_AFTER:
			scene_options.after_bytes = strtoull(optarg, NULL, 10);
			break;
		case OPT_HOLD:
			scene_options.hold = true;
			break;
		case OPT_LINGER:
			scene_options.hold = true;
			scene_options.linger_ms = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case OPT_BEFORE:
			scene_options.before = true;
			break;
		case OPT_NETNS:
			scene_options.netns = true;
			break;
		case OPT_NAME:
			scene_options.name = optarg;
			break;
		case OPT_SECONDS:
			load->seconds = strtod(optarg, NULL);
			break;
		case OPT_JOBS:
			load->jobs = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		default:
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct load_options load = { .seconds = 1 };
	const char *command;
	char **rest;
	int n;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 6 && strcmp(argv[1], "_exec") == 0)
		return process_after_exec(argv);
	if (parse(argc, argv, &load) < 0 || optind >= argc)
		return usage();
	command = argv[optind];
	rest = argv + optind + 1;
	n = argc - optind - 1;
	if (n > 0)
		load.count = strtoull(rest[0], NULL, 10);
	if (strcmp(command, "list") == 0)
		return list();
	if (strcmp(command, "run") == 0 && n > 0)
		return run(rest, n);
	if (strcmp(command, "crowd") == 0 && load.count)
		return load_crowd(&load);
	if (strcmp(command, "hold") == 0 && load.count)
		return load_hold(&load);
	if (strcmp(command, "churn") == 0)
		return load_churn(&load);
	if (strcmp(command, "pingpong") == 0)
		return load_pingpong(&load);
	if (strcmp(command, "bulk") == 0)
		return load_bulk(&load);
	return usage();
}
