// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "features/containers/containers_parse.h"

struct row {
	const char *what, *text;
	int r;
	enum containers_runtime runtime;
	const char *name, *image, *pod, *namespace;
};

static void hold(const struct row *row, int r, const struct containers_name *got)
{
	const char *const want[] = { row->name, row->image, row->pod, row->namespace };
	const char *const have[] = { got->name, got->image, got->pod_name, got->pod_namespace };

	if (r != row->r || got->runtime != row->runtime)
		fail_msg("%s: %d, runtime %u", row->what, r, got->runtime);
	for (unsigned i = 0; i < ARRAY_SIZE(want); i++)
		if (strcmp(want[i] ? want[i] : "", have[i]))
			fail_msg("%s: \"%s\" instead of \"%s\"", row->what, have[i], want[i]);
}

static void what_docker_writes(void **unused)
{
	static const struct row rows[] = {
		{ "a container", "{\"ID\":\"x\",\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx:1.25\",\"Labels\":{}}}", 0,
		  CONTAINERS_DOCKER, "web", "nginx:1.25", NULL, NULL },
		{ "a container of kubelet",
		  "{\"Name\":\"/k8s_app_p_n_u_0\",\"Config\":{\"Image\":\"sha256:1\",\"Labels\":{"
		  "\"io.kubernetes.container.name\":\"app\",\"io.kubernetes.pod.name\":\"p-1\","
		  "\"io.kubernetes.pod.namespace\":\"prod\"}}}",
		  0, CONTAINERS_DOCKER, "app", "sha256:1", "p-1", "prod" },
		{ "labels that are null", "{\"Name\":\"/a\",\"Config\":{\"Image\":\"b\",\"Labels\":null}}", 0,
		  CONTAINERS_DOCKER, "a", "b", NULL, NULL },
		{ "an image that is a number", "{\"Name\":\"/a\",\"Config\":{\"Image\":5}}", 0, CONTAINERS_DOCKER, "a",
		  NULL, NULL, NULL },
		{ "escape sequences stay what they are", "{\"Name\":\"/\\u001b[2J<b>\",\"Config\":{}}", 0,
		  CONTAINERS_DOCKER, "\033[2J<b>", NULL, NULL, NULL },
		{ "a NUL in a name", "{\"Name\":\"/a\\u0000b\",\"Config\":{}}", -EBADMSG },
		{ "no name", "{\"Config\":{\"Image\":\"b\"}}", -EBADMSG },
		{ "docker's answer for an id it does not have", "{\"message\":\"No such container: x\"}", -EBADMSG },
		{ "an array", "[]", -EBADMSG },
		{ "half a file", "{\"Name\":\"/web\",\"Con", -EBADMSG },
		{ "nothing", "", -EBADMSG },
		{ "bytes that are no text", "{\"Name\":\"/\xff\xfe\",\"Config\":{}}", -EBADMSG },
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct containers_name got = {};

		hold(&rows[i], containers_parse_docker(rows[i].text, strlen(rows[i].text), &got), &got);
	}
}

static void what_bundles_say(void **unused)
{
	static const struct row rows[] = {
		{ "containerd for Kubernetes",
		  "{\"ociVersion\":\"1.1.0\",\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\","
		  "\"io.kubernetes.cri.container-name\":\"app\",\"io.kubernetes.cri.image-name\":\"r.io/app:2\","
		  "\"io.kubernetes.cri.sandbox-name\":\"app-7d9\",\"io.kubernetes.cri.sandbox-namespace\":\"prod\"}}",
		  1, CONTAINERS_UNKNOWN, "app", "r.io/app:2", "app-7d9", "prod" },
		{ "containerd's sandbox",
		  "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\","
		  "\"io.kubernetes.cri.sandbox-name\":\"app-7d9\",\"io.kubernetes.cri.sandbox-namespace\":\"prod\"}}",
		  1, CONTAINERS_UNKNOWN, NULL, NULL, "app-7d9", "prod" },
		{ "nerdctl", "{\"annotations\":{\"nerdctl/name\":\"db\",\"nerdctl/namespace\":\"default\"}}", 1,
		  CONTAINERS_UNKNOWN, "db", NULL, NULL, NULL },
		{ "cri-o",
		  "{\"annotations\":{\"io.container.manager\":\"cri-o\",\"io.kubernetes.container.name\":\"app\","
		  "\"io.kubernetes.pod.name\":\"app-1\",\"io.kubernetes.pod.namespace\":\"prod\","
		  "\"io.kubernetes.cri-o.ImageName\":\"quay.io/app:3\"}}",
		  1, CONTAINERS_CRIO, "app", "quay.io/app:3", "app-1", "prod" },
		{ "podman's has no name in it",
		  "{\"annotations\":{\"io.container.manager\":\"libpod\",\"io.kubernetes.cri-o.Created\":\"now\"}}", 0,
		  CONTAINERS_UNKNOWN, NULL, NULL, NULL, NULL },
		{ "no annotations", "{\"ociVersion\":\"1.1.0\"}", 0 },
		{ "annotations that are an array", "{\"annotations\":[1,2]}", 0 },
		{ "an array", "[1]", -EBADMSG },
		{ "garbage", "\001\002\003", -EBADMSG },
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct containers_name got = {};

		hold(&rows[i], containers_parse_oci(rows[i].text, strlen(rows[i].text), &got), &got);
	}
}

static void what_storage_lists(void **unused)
{
	static const char list[] =
		"[{\"id\":\"a1\",\"names\":[\"front\"],\"image\":\"f00\",\"metadata\":\"{\\\"image-name\\\":"
		"\\\"localhost/web:1\\\",\\\"name\\\":\\\"web\\\"}\"},{\"id\":\"b2\",\"metadata\":\"{\\\"name\\\":"
		"\\\"old\\\"}\"},{\"id\":\"c3\",\"names\":[\"x\"],\"metadata\":\"no JSON\"},{\"id\":7},5,null]";
	struct containers_name names[4] = { { .id = "b2" }, { .id = "a1" }, { .id = "d4" }, { .id = "c3" } };
	static const struct row rows[] = {
		{ "a name of birth", NULL, 0, CONTAINERS_PODMAN, "old", NULL },
		{ "a name that was changed", NULL, 0, CONTAINERS_PODMAN, "front", "localhost/web:1" },
		{ "not in the list", NULL, 0, CONTAINERS_UNKNOWN, NULL, NULL },
		{ "metadata that is no JSON", NULL, 0, CONTAINERS_PODMAN, "x", NULL },
	};

	(void)unused;
	assert_int_equal(containers_parse_storage(list, strlen(list), names, ARRAY_SIZE(names)), 3);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		hold(&rows[i], 0, &names[i]);
	assert_int_equal(containers_parse_storage("{}", 2, names, 4), -EBADMSG);
	assert_int_equal(containers_parse_storage("[", 1, names, 4), -EBADMSG);
	assert_int_equal(containers_parse_storage("[]", 2, names, 4), 0);
}

static void a_long_name_ends_with_a_whole_character(void **unused)
{
	(void)unused;
	for (unsigned n = 240; n < 270; n++) {
		struct containers_name got = {};
		char text[1024];
		int at = snprintf(text, sizeof(text), "{\"Config\":{},\"Name\":\"/%0*d", (int)n, 0);

		for (unsigned i = 0; i < 10; i++)
			at += snprintf(text + at, sizeof(text) - (size_t)at, "\xe2\x82\xac");
		at += snprintf(text + at, sizeof(text) - (size_t)at, "\"}");
		assert_int_equal(containers_parse_docker(text, (size_t)at, &got), 0);
		assert_in_range(strlen(got.name), 240, sizeof(got.name) - 1);
		assert_true(weir_text_utf8_valid(got.name, strlen(got.name)));
	}
}

static void depth_is_bounded(void **unused)
{
	size_t n = 1 << 20;
	char *text = malloc(n);
	struct containers_name got = {};

	(void)unused;
	assert_non_null(text);
	memset(text, '[', n);
	assert_int_equal(containers_parse_storage(text, n, &got, 1), -EBADMSG);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_docker_writes),
		cmocka_unit_test(what_bundles_say),
		cmocka_unit_test(what_storage_lists),
		cmocka_unit_test(a_long_name_ends_with_a_whole_character),
		cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
