// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/identity.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define CONTAINER_ID_DIGITS 64

static bool has_suffix(const char *s, size_t n, const char *suffix)
{
	size_t m = strlen(suffix);

	return n > m && !memcmp(s + n - m, suffix, m);
}

static bool is_container_id(const char *s, size_t n)
{
	if (n != CONTAINER_ID_DIGITS)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	return true;
}

static void copy(char *to, size_t room, const char *from, size_t n)
{
	if (n >= room)
		n = room - 1;
	memcpy(to, from, n);
	to[n] = 0;
}

/* "docker-ID.scope", "cri-containerd-ID.scope": the id stands behind the last dash. */
static void parse_scope(const char *part, size_t n, struct weir_identity *ret)
{
	static const char machine[] = "machine-";
	size_t stem = n - strlen(".scope");

	if (stem > CONTAINER_ID_DIGITS && part[stem - CONTAINER_ID_DIGITS - 1] == '-' &&
	    is_container_id(part + stem - CONTAINER_ID_DIGITS, CONTAINER_ID_DIGITS))
		copy(ret->container_id, sizeof(ret->container_id), part + stem - CONTAINER_ID_DIGITS,
		     CONTAINER_ID_DIGITS);
	else if (stem > strlen(machine) && !memcmp(part, machine, strlen(machine)))
		copy(ret->container_id, sizeof(ret->container_id), part + strlen(machine), stem - strlen(machine));
}

/* "pod0f3c...", "kubepods-burstable-pod0f3c_....slice": the uid behind "pod", dashes written as underscores. */
static void parse_pod(const char *part, size_t n, struct weir_identity *ret)
{
	const size_t uid = 36;
	const char *at = NULL;

	if (has_suffix(part, n, ".slice"))
		n -= strlen(".slice");
	for (size_t i = 0; i + 3 + uid <= n; i++)
		if (!memcmp(part + i, "pod", 3) && (i == 0 || part[i - 1] == '-') && i + 3 + uid == n)
			at = part + i + 3;
	if (!at)
		return;
	for (size_t i = 0; i < uid; i++)
		if (!isxdigit((unsigned char)at[i]) && at[i] != '_' && at[i] != '-')
			return;
	copy(ret->pod, sizeof(ret->pod), at, uid);
	for (char *c = ret->pod; *c; c++)
		if (*c == '_')
			*c = '-';
}

/* "user-1000.slice": what a user's own runtime starts stands below it. */
static void parse_user(const char *part, size_t n, struct weir_identity *ret)
{
	static const char user[] = "user-", slice[] = ".slice";
	char digits[11];
	char *end;

	if (!has_suffix(part, n, slice) || n <= strlen(user) + strlen(slice) || memcmp(part, user, strlen(user)))
		return;
	n -= strlen(user) + strlen(slice);
	if (n >= sizeof(digits))
		return;
	copy(digits, sizeof(digits), part + strlen(user), n);
	unsigned long long uid = strtoull(digits, &end, 10);

	if (!isdigit((unsigned char)digits[0]) || *end || uid > UINT32_MAX - 1)
		return;
	ret->user = (uint32_t)uid;
	ret->has_user = true;
}

static void parse_part(const char *part, size_t n, const char *before, size_t before_n, struct weir_identity *ret)
{
	static const char lxc[] = "lxc.payload.", libpod[] = "libpod-";

	if (has_suffix(part, n, ".service") || has_suffix(part, n, ".scope"))
		copy(ret->unit, sizeof(ret->unit), part, n);
	if (has_suffix(part, n, ".scope"))
		parse_scope(part, n, ret);
	else if (is_container_id(part, n))
		copy(ret->container_id, sizeof(ret->container_id), part, n);
	else if (n == strlen(libpod) + CONTAINER_ID_DIGITS && !memcmp(part, libpod, strlen(libpod)) &&
		 is_container_id(part + strlen(libpod), CONTAINER_ID_DIGITS))
		copy(ret->container_id, sizeof(ret->container_id), part + strlen(libpod), CONTAINER_ID_DIGITS);
	else if (n > strlen(lxc) && !memcmp(part, lxc, strlen(lxc)))
		copy(ret->container_id, sizeof(ret->container_id), part + strlen(lxc), n - strlen(lxc));
	else if (before_n == 3 && !memcmp(before, "lxc", 3))
		copy(ret->container_id, sizeof(ret->container_id), part, n);
	parse_pod(part, n, ret);
	parse_user(part, n, ret);
}

void weir_identity_parse(const char *path, struct weir_identity *ret)
{
	const char *before = "";
	size_t before_n = 0;

	*ret = (struct weir_identity){};
	while (*path) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n)
			parse_part(path, n, before, before_n, ret);
		before = path;
		before_n = n;
		path += n;
	}
}
