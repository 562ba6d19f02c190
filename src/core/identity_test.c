// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h wants the headers above first. */
#include <cmocka.h>

#include "base/cleanup.h"
#include "core/identity.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *sentence, *path, *unit, *container, *pod;
} rows[] = {
	{ "the root belongs to nobody", "/", "", "", "" },
	{ "an empty path belongs to nobody", "", "", "", "" },
	{ "a service is its unit", "/system.slice/nginx.service", "nginx.service", "", "" },
	{ "a user's service is the deepest unit",
	  "/user.slice/user-1000.slice/user@1000.service/app.slice/sync.service", "sync.service", "", "" },
	{ "a login is its session's scope", "/user.slice/user-0.slice/session-3.scope", "session-3.scope", "", "" },
	{ "docker with systemd names the container in the scope", "/system.slice/docker-" ID ".scope",
	  "docker-" ID ".scope", ID, "" },
	{ "docker with cgroupfs has a folder per container", "/docker/" ID, "", ID, "" },
	{ "podman's scope names the container", "/machine.slice/libpod-" ID ".scope/container",
	  "libpod-" ID ".scope", ID, "" },
	{ "podman with cgroupfs has a folder with its prefix", "/libpod_parent/libpod-" ID, "", ID, "" },
	{ "containerd under Kubernetes tells container and pod",
	  "/kubepods.slice/kubepods-burstable.slice/"
	  "kubepods-burstable-pod0f3c1a2b_1111_2222_3333_444455556666.slice/cri-containerd-" ID ".scope",
	  "cri-containerd-" ID ".scope", ID, "0f3c1a2b-1111-2222-3333-444455556666" },
	{ "Kubernetes with cgroupfs tells container and pod",
	  "/kubepods/besteffort/pod0f3c1a2b-1111-2222-3333-444455556666/" ID, "", ID,
	  "0f3c1a2b-1111-2222-3333-444455556666" },
	{ "nspawn's machine is the container", "/machine.slice/machine-web.scope/payload", "machine-web.scope", "web",
	  "" },
	{ "lxc's payload is the container", "/lxc.payload.db/init.scope", "init.scope", "db", "" },
	{ "old lxc has a folder", "/lxc/db", "", "db", "" },
	{ "63 digits are no container", "/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde", "",
	  "", "" },
	{ "a name that only looks like a pod is none", "/kubepods/pod-of-whales", "", "", "" },
	{ "slashes in a row do no harm", "///system.slice////cron.service//", "cron.service", "", "" },
	{ "markup is kept as it is, for who shows it to escape", "/system.slice/<svg onload=a>.service",
	  "<svg onload=a>.service", "", "" },
};

static void test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct weir_identity id;

		weir_identity_parse(rows[i].path, &id);
		if (strcmp(id.unit, rows[i].unit) || strcmp(id.container_id, rows[i].container) ||
		    strcmp(id.pod, rows[i].pod))
			fail_msg("%s: unit '%s', container '%s', pod '%s'", rows[i].sentence, id.unit,
				 id.container_id, id.pod);
	}
}

static void test_whose_session_it_is(void **state)
{
	static const struct {
		const char *path;
		bool has;
		uint32_t user;
	} users[] = {
		{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope", true, 1000 },
		{ "/user.slice/user-0.slice/session-3.scope", true, 0 },
		{ "/user.slice/user-4294967294.slice", true, 4294967294u },
		{ "/user.slice/user-4294967295.slice", false, 0 },
		{ "/user.slice/user-99999999999.slice", false, 0 },
		{ "/user.slice/user--1.slice", false, 0 },
		{ "/user.slice/user- 1.slice", false, 0 },
		{ "/user.slice/user-1x.slice", false, 0 },
		{ "/user.slice/user-.slice", false, 0 },
		{ "/docker/" ID, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		struct weir_identity id;

		weir_identity_parse(users[i].path, &id);
		if (id.has_user != users[i].has || id.user != users[i].user)
			fail_msg("%s: user %u", users[i].path, id.user);
	}
}

static void test_a_long_name_is_cut_not_overrun(void **state)
{
	char path[600] = "/";
	struct weir_identity id;

	(void)state;
	memset(path + 1, 'x', 500);
	memcpy(path + 501, ".service", sizeof(".service"));
	weir_identity_parse(path, &id);
	assert_int_equal(strlen(id.unit), sizeof(id.unit) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_whose_session_it_is),
		cmocka_unit_test(test_a_long_name_is_cut_not_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
