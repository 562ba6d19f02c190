// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "features/containers/containers.h"
#include "features/containers/containers_files.h"
#include "features/containers/containers_places.h"

/* The helper's work on a root that the test makes, without the sandbox, which daemon/ tests. */

#define ID(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c \
	c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c

static char root[] = "/tmp/weir-containers-test-XXXXXX";

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0755);
		*slash = '/';
	}
}

static char *below_root(const char *path)
{
	char *full;

	assert_true(asprintf(&full, "%s/%s", root, path) > 0);
	make_parents(full);
	return full;
}

static void write_file(const char *path, const char *text)
{
	_cleanup_free_ char *full = below_root(path);
	_cleanup_fclose_ FILE *f = fopen(full, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

struct answers {
	struct weir_sink sink;
	struct containers_name names[CONTAINERS_QUESTIONS_MAX];
	unsigned n;
};

static void take(struct weir_sink *sink, uint16_t type, const void *bytes, size_t len)
{
	struct answers *a = (struct answers *)sink;

	assert_true(a->n < ARRAY_SIZE(a->names));
	assert_int_equal(containers_decode(type, bytes, len, &a->names[a->n++]), 0);
}

/* Asks for one container. */
static const struct containers_name *ask(const char *id, uint32_t uid)
{
	static struct answers a;
	struct weir_help_folder folders[WEIR_HELP_FOLDERS_MAX];
	struct containers_question q = { .uid = uid };
	unsigned n = containers_places_open(root, uid, folders);

	a = (struct answers){ .sink.put = take };
	snprintf(q.id, sizeof(q.id), "%s", id);
	containers_helper.answer(-1, folders, n, &q, sizeof(q), &a.sink);
	for (unsigned i = 0; i < n; i++)
		close(folders[i].fd);
	return a.n ? &a.names[0] : NULL;
}

static void hold(const char *id, uint32_t uid, enum containers_runtime runtime, const char *name)
{
	const struct containers_name *got = ask(id, uid);

	assert_non_null(got);
	if (got->runtime != runtime || strcmp(got->name, name))
		fail_msg("%.4s: runtime %u, name \"%s\"", id, got->runtime, got->name);
}

static void each_layout_is_known(void **unused)
{
	(void)unused;
	write_file("var/lib/docker/containers/" ID("1") "/config.v2.json",
		   "{\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx\"}}");
	write_file("var/lib/containers/storage/overlay-containers/containers.json",
		   "[{\"id\":\"" ID("2") "\",\"names\":[\"pod-man\"],\"metadata\":\"{}\"}]");
	write_file("var/lib/containers/storage/overlay-containers/volatile-containers.json",
		   "[{\"id\":\"" ID("3") "\",\"names\":[\"short\"],\"metadata\":\"{}\"},{\"id\":\"" ID("4")
		   "\",\"names\":[\"k8s_app_p_n_u_0\"],\"metadata\":\"{}\"}]");
	for (unsigned i = 2; i <= 3; i++)
		write_file(i == 2 ? "var/lib/containers/storage/overlay-containers/" ID("2") "/userdata/config.json" :
				    "var/lib/containers/storage/overlay-containers/" ID("3") "/userdata/config.json",
			   "{\"annotations\":{\"io.container.manager\":\"libpod\"}}");
	write_file("var/lib/containers/storage/overlay-containers/" ID("4") "/userdata/x", "");
	write_file("run/containers/storage/overlay-containers/" ID("4") "/userdata/config.json",
		   "{\"annotations\":{\"io.container.manager\":\"cri-o\",\"io.kubernetes.container.name\":\"app\","
		   "\"io.kubernetes.pod.name\":\"p\",\"io.kubernetes.pod.namespace\":\"n\"}}");
	write_file("run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID("5") "/config.json",
		   "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"db\"}}");
	write_file("run/containerd/io.containerd.runtime.v2.task/moby/" ID("6") "/config.json",
		   "{\"annotations\":{\"nerdctl/name\":\"docker's own\"}}");
	hold(ID("1"), 0, CONTAINERS_DOCKER, "web");
	hold(ID("2"), 0, CONTAINERS_PODMAN, "pod-man");
	hold(ID("3"), 0, CONTAINERS_PODMAN, "short");
	hold(ID("4"), 0, CONTAINERS_CRIO, "app");
	assert_string_equal(ask(ID("4"), 0)->pod_namespace, "n");
	hold(ID("5"), 0, CONTAINERS_CONTAINERD, "db");
	hold(ID("6"), 0, CONTAINERS_UNKNOWN, "");
	hold(ID("7"), 0, CONTAINERS_UNKNOWN, "");
}

static void a_users_own_stand_in_the_users_home(void **unused)
{
	_cleanup_free_ char *home = below_root("home/me/");
	uint32_t uid = geteuid() ? geteuid() : 12345;
	char passwd[256];

	(void)unused;
	snprintf(passwd, sizeof(passwd), "root:x:0:0::/root:/bin/sh\nme:x:%u:1::/home/me:/bin/sh\n", uid);
	write_file("etc/passwd", passwd);
	write_file("home/me/.local/share/containers/storage/overlay-containers/containers.json",
		   "[{\"id\":\"" ID("8") "\",\"names\":[\"mine\"]}]");
	write_file("home/me/.local/share/containers/storage/overlay-containers/" ID("8") "/userdata/x", "");
	if (geteuid() == 0) {
		hold(ID("8"), uid, CONTAINERS_UNKNOWN, ""); /* a home that is not the user's */
		assert_int_equal(chown(home, uid, 1), 0);
	}
	hold(ID("8"), uid, CONTAINERS_PODMAN, "mine");
	hold(ID("8"), uid + 1, CONTAINERS_UNKNOWN, "");
	hold(ID("8"), 0, CONTAINERS_UNKNOWN, "");
}

/* Each of these is what a hostile user could put there. */
static void what_is_no_plain_file_is_passed_by(void **unused)
{
	_cleanup_free_ char *secret = below_root("secret.json");
	_cleanup_free_ char *link = below_root("var/lib/docker/containers/" ID("a") "/config.v2.json");
	_cleanup_free_ char *pipe = below_root("var/lib/docker/containers/" ID("b") "/config.v2.json");
	_cleanup_free_ char *folder = below_root("var/lib/docker/containers/" ID("c") "/config.v2.json/x");
	_cleanup_free_ char *huge = below_root("var/lib/docker/containers/" ID("d") "/config.v2.json");
	_cleanup_free_ char *other = below_root("var/lib/docker/containers/" ID("e"));
	_cleanup_close_ int fd = -1;

	(void)unused;
	(void)folder; /* that it is there is what counts */
	write_file("secret.json", "{\"Name\":\"/stolen\",\"Config\":{}}");
	write_file("elsewhere/config.v2.json", "{\"Name\":\"/stolen\",\"Config\":{}}");
	assert_int_equal(symlink(secret, link), 0);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	fd = open(huge, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 8ll << 30), 0);
	assert_int_equal(symlink("../../../../elsewhere", other), 0);
	write_file("var/lib/docker/containers/" ID("f") "/config.v2.json", "{\"Name\":\"/web\", garbage");
	hold(ID("a"), 0, CONTAINERS_UNKNOWN, "");
	hold(ID("b"), 0, CONTAINERS_UNKNOWN, "");
	hold(ID("c"), 0, CONTAINERS_UNKNOWN, "");
	hold(ID("d"), 0, CONTAINERS_UNKNOWN, "");
	hold(ID("e"), 0, CONTAINERS_UNKNOWN, "");
	hold(ID("f"), 0, CONTAINERS_UNKNOWN, "");
}

static void an_id_that_is_a_path_is_no_question(void **unused)
{
	(void)unused;
	assert_null(ask("../../../secret", 0));
	assert_null(ask("", 0));
	assert_null(ask(".", 0));
}

static void paths_lead_nowhere_else(void **unused)
{
	_cleanup_close_ int fd = open(root, O_PATH | O_DIRECTORY);
	struct weir_buf b = {};

	(void)unused;
	write_file("some/file", "text");
	assert_int_equal(containers_file_read(fd, "some/file", 4, &b), 0);
	assert_string_equal(b.data, "text");
	weir_buf_reset(&b);
	assert_true(containers_file_read(fd, "some/file", 3, &b) < 0);
	assert_true(containers_file_read(fd, "some/../some/file", 9, &b) < 0);
	assert_true(containers_file_read(fd, "/some/file", 9, &b) < 0);
	assert_true(containers_file_read(fd, "some", 9, &b) < 0);
	assert_true(containers_file_read(fd, "", 9, &b) < 0);
	assert_true(containers_folder_has(fd, "some"));
	assert_false(containers_folder_has(fd, "some/file"));
	assert_false(containers_folder_has(fd, ".."));
	weir_buf_done(&b);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int make_root(void **unused)
{
	(void)unused;
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **unused)
{
	(void)unused;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_layout_is_known),
		cmocka_unit_test(a_users_own_stand_in_the_users_home),
		cmocka_unit_test(what_is_no_plain_file_is_passed_by),
		cmocka_unit_test(an_id_that_is_a_path_is_no_question),
		cmocka_unit_test(paths_lead_nowhere_else),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
