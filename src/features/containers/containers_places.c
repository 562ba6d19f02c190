// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/containers/containers_places.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "features/containers/containers_files.h"

struct place {
	const char *runtime; /* for doctor */
	enum containers_layout layout;
	const char *path;
};

#define DOCKER CONTAINERS_LAYOUT_DOCKER
#define CONTAINERD CONTAINERS_LAYOUT_CONTAINERD
#define STORAGE CONTAINERS_LAYOUT_STORAGE
#define BUNDLES CONTAINERS_LAYOUT_BUNDLES

static const struct place of_system[] = {
	{ "docker", DOCKER, "var/lib/docker/containers" },
	{ "docker", DOCKER, "var/snap/docker/common/var-lib-docker/containers" },
	{ "podman or cri-o", STORAGE, "var/lib/containers/storage/overlay-containers" },
	{ "podman or cri-o", STORAGE, "var/lib/containers/storage/vfs-containers" },
	{ "podman or cri-o", STORAGE, "var/lib/containers/storage/btrfs-containers" },
	{ "podman or cri-o", STORAGE, "var/lib/containers/storage/zfs-containers" },
	{ "podman or cri-o", BUNDLES, "run/containers/storage/overlay-containers" },
	{ "podman or cri-o", BUNDLES, "run/containers/storage/vfs-containers" },
	{ "containerd", CONTAINERD, "run/containerd/io.containerd.runtime.v2.task" },
	{ "containerd", CONTAINERD, "run/k3s/containerd/io.containerd.runtime.v2.task" },
	{ "containerd", CONTAINERD, "var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task" },
};

/* Below a user's home. */
static const struct place of_user[] = {
	{ "podman", STORAGE, ".local/share/containers/storage/overlay-containers" },
	{ "podman", STORAGE, ".local/share/containers/storage/vfs-containers" },
	{ "podman", STORAGE, ".local/share/containers/storage/btrfs-containers" },
	{ "docker", DOCKER, ".local/share/docker/containers" },
};
_Static_assert(ARRAY_SIZE(of_system) + ARRAY_SIZE(of_user) <= WEIR_HELP_FOLDERS_MAX, "room for all");

static int open_root(const char *root)
{
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Paths that root alone decides may have links in them, but none leads out of the root that was named. */
static int open_trusted(int root, const char *path, uint64_t flags)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS)
		fd = openat(root, path, (int)flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The file alone: name services would talk to the network. */
static int open_home(int root, uint32_t uid)
{
	_cleanup_close_ int fd = open_trusted(root, "etc/passwd", O_RDONLY);
	_cleanup_close_ int home = -1;
	_cleanup_fclose_ FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct passwd *entry;
	struct stat st;

	if (!file)
		return -ENOENT;
	(void)TAKE_FD(fd);
	while ((entry = fgetpwent(file)) && entry->pw_uid != uid)
		;
	if (!entry || entry->pw_dir[0] != '/')
		return -ENOENT;
	home = open_trusted(root, entry->pw_dir, O_PATH | O_DIRECTORY);
	if (home < 0)
		return home;
	if (fstat(home, &st) < 0 || st.st_uid != uid)
		return -EPERM; /* "/" or "/nonexistent": nobody's home */
	return TAKE_FD(home);
}

static unsigned open_of_user(int root, uint32_t uid, struct weir_help_folder *ret)
{
	_cleanup_close_ int home = open_home(root, uid);
	unsigned n = 0;

	for (unsigned i = 0; home >= 0 && i < ARRAY_SIZE(of_user); i++) {
		int fd = containers_folder_open(home, of_user[i].path);

		if (fd >= 0)
			ret[n++] = (struct weir_help_folder){ .fd = fd, .tag = of_user[i].layout };
	}
	return n;
}

unsigned containers_places_open(const char *path, uint32_t uid, struct weir_help_folder ret[WEIR_HELP_FOLDERS_MAX])
{
	_cleanup_close_ int root = open_root(path);
	unsigned n = 0;

	if (root < 0)
		return 0;
	if (uid)
		n = open_of_user(root, uid, ret);
	for (unsigned i = 0; i < ARRAY_SIZE(of_system); i++) {
		int fd = open_trusted(root, of_system[i].path, O_PATH | O_DIRECTORY);

		if (fd >= 0)
			ret[n++] = (struct weir_help_folder){ .fd = fd, .tag = of_system[i].layout };
	}
	return n;
}

/* --- docker's socket ---------------------------------------------------------------------------- */

static bool docker_has_folder(int root)
{
	for (unsigned i = 0; i < ARRAY_SIZE(of_system); i++) {
		_cleanup_close_ int fd = -1;

		if (of_system[i].layout == DOCKER)
			fd = open_trusted(root, of_system[i].path, O_PATH | O_DIRECTORY);
		if (fd >= 0)
			return true;
	}
	return false;
}

/* Only a socket that root owns is docker's. */
static bool socket_path(const char *path, struct sockaddr_un *ret)
{
	struct stat st;
	int n;

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/run/docker.sock", strcmp(path, "/") ? path : "");
	return n > 0 && (size_t)n < sizeof(ret->sun_path) && lstat(ret->sun_path, &st) == 0 &&
	       S_ISSOCK(st.st_mode) && st.st_uid == 0;
}

int containers_places_docker(const char *path)
{
	_cleanup_close_ int root = open_root(path), fd = -1;
	struct sockaddr_un a;

	if (root < 0 || docker_has_folder(root) || !socket_path(path, &a))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return -1;
	return TAKE_FD(fd);
}

/* --- doctor ------------------------------------------------------------------------------------- */

static bool may_read_all(void)
{
	cap_flag_value_t has = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	if (caps && cap_get_flag(caps, CAP_DAC_READ_SEARCH, CAP_EFFECTIVE, &has) < 0)
		has = CAP_CLEAR;
	cap_free(caps);
	return has == CAP_SET;
}

static void add_word(struct weir_buf *b, const char *word)
{
	if (!b->data || !strstr(b->data, word))
		weir_buf_printf(b, "%s%s", b->len ? ", " : "", word);
}

static void look(int root, const char *path, struct weir_buf *found, struct weir_buf *unreadable)
{
	struct sockaddr_un a;

	for (unsigned i = 0; i < ARRAY_SIZE(of_system); i++) {
		const struct place *p = &of_system[i];
		_cleanup_close_ int fd = open_trusted(root, p->path, O_RDONLY | O_DIRECTORY);

		if (fd >= 0)
			add_word(found, p->runtime);
		else if (fd == -EACCES || fd == -EPERM)
			add_word(unreadable, p->runtime);
	}
	if (!docker_has_folder(root) && socket_path(path, &a))
		add_word(found, "docker (by its socket)");
}

void containers_places_note(const char *path, struct weir_probe *probe)
{
	_cleanup_(weir_buf_done) struct weir_buf found = {}, unreadable = {}, serves = {}, reason = {};
	_cleanup_close_ int root = open_root(path);

	if (root < 0)
		weir_buf_printf(&reason, "containers.root %s: %s", path, strerror(-root));
	else
		look(root, path, &found, &unreadable);
	weir_buf_printf(&serves, "names of containers, images and pods; state of: %s", found.len ? found.data : "no runtime");
	if (unreadable.len)
		weir_buf_printf(&reason, "no right to read the state of %s", unreadable.data);
	else if (root >= 0 && !may_read_all())
		weir_buf_str(&reason, "users' own containers stay without names: CAP_DAC_READ_SEARCH is missing");
	weir_probe_note(probe, "containers", "state", reason.len ? WEIR_DOCTOR_DEGRADED : WEIR_DOCTOR_ON, serves.data,
			reason.data,
			root < 0 ? "name the folder that is the host's root" :
			reason.len ? "add CAP_DAC_READ_SEARCH to the daemon's capabilities" : NULL);
}
