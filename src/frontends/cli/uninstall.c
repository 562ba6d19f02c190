// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "frontends/cli/client.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/output.h"
#include "frontends/cli/private_daemon.h"
#include "frontends/cli/source.h"

/* Removes what a daemon leaves in the file system, and says what it removed and what is still
 * there. */

#define DEPTH_MAX 16

struct uninstall {
	struct weir_buf out;
	unsigned left; /* things that could not go, or were not to */
};

static void removed(struct uninstall *u, const char *what, const char *path)
{
	weir_buf_printf(&u->out, "removed %s %s\n", what, path);
}

static void left(struct uninstall *u, const char *what, const char *path, const char *why)
{
	weir_buf_printf(&u->out, "left    %s %s: %s\n", what, path, why);
	u->left++;
}

/* --- folders --------------------------------------------------------------------------------- */

static int folder_empty(int fd, dev_t device, unsigned depth);

/* Takes one entry away, whatever it is; a link itself and never what it points to. */
static int entry_remove(int folder, const char *name, dev_t device, unsigned depth)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (unlinkat(folder, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = folder_empty(fd, device, depth);
	if (r < 0)
		return r;
	return unlinkat(folder, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* Stays on the file system it began on. */
static int folder_empty(int fd, dev_t device, unsigned depth)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	struct dirent *e;
	struct stat st;
	DIR *d;

	if (again < 0)
		return -errno;
	if (fstat(again, &st) < 0 || st.st_dev != device || depth == DEPTH_MAX) {
		close(again);
		return -EXDEV;
	}
	d = fdopendir(again);
	if (!d) {
		close(again);
		return -ENOMEM;
	}
	while (r >= 0 && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = entry_remove(fd, e->d_name, device, depth + 1);
	closedir(d);
	return r;
}

/* -ENOENT when there is none. */
static int folder_remove(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	r = folder_empty(fd, st.st_dev, 0);
	if (r < 0)
		return r;
	return rmdir(path) < 0 ? -errno : 0;
}

/* --- what there is --------------------------------------------------------------------------- */

static void remove_socket(struct uninstall *u, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			left(u, "socket", path, strerror(errno));
		return;
	}
	if (!S_ISSOCK(st.st_mode))
		left(u, "file", path, "it is not a socket");
	else if (unlink(path) < 0)
		left(u, "socket", path, strerror(errno));
	else
		removed(u, "socket", path);
}

/* Only on a bpffs: elsewhere a folder of that name is somebody's own. */
static void remove_pins(struct uninstall *u, const char *path)
{
	struct statfs fs;
	int r;

	if (statfs(path, &fs) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			left(u, "pins", path, strerror(errno));
		return;
	}
	if (fs.f_type != BPF_FS_MAGIC) {
		left(u, "folder", path, "it is not on a bpffs");
		return;
	}
	r = folder_remove(path);
	if (r < 0)
		left(u, "pins", path, strerror(-r));
	else
		removed(u, "pins", path);
}

static void remove_state(struct uninstall *u, const char *path, bool purge)
{
	struct stat st;
	int r;

	if (lstat(path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			left(u, "state", path, strerror(errno));
		return;
	}
	if (!purge) {
		left(u, "state", path, "it is kept; remove it with --purge");
		return;
	}
	r = S_ISDIR(st.st_mode) ? folder_remove(path) : -ENOTDIR;
	if (r < 0)
		left(u, "state", path, strerror(-r));
	else
		removed(u, "state", path);
}

/* The folder of a private daemon's socket stays when its command was killed by SIGKILL. */
static void remove_private(struct uninstall *u, const char *parent)
{
	DIR *d = opendir(parent);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		char folder[512], socket[544];
		struct stat st;
		int r;

		if (strncmp(e->d_name, CLI_PRIVATE_PREFIX, strlen(CLI_PRIVATE_PREFIX)) != 0)
			continue;
		snprintf(folder, sizeof(folder), "%s/%s", parent, e->d_name);
		snprintf(socket, sizeof(socket), "%s/weir.sock", folder);
		if (lstat(folder, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
			continue;
		if (cli_client_probe(socket) == 0) {
			left(u, "private daemon", folder, "its command still runs and ends it");
			continue;
		}
		r = folder_remove(folder);
		if (r < 0)
			left(u, "folder", folder, strerror(-r));
		else
			removed(u, "folder", folder);
	}
	closedir(d);
}

/* "/", "/var" and relative paths are not what a daemon was given for itself. */
static bool folder_plausible(const char *path)
{
	const char *slash = path[0] == '/' ? strchr(path + 1, '/') : NULL;

	return slash && slash[1] && slash[1] != '/' && !strstr(path, "/..");
}

int cli_uninstall_run(const struct cli_command *c)
{
	const char *pins = cli_value_text(c, CLI_OPTION_PINS, WEIR_DEFAULT_PINS);
	const char *state = cli_value_text(c, CLI_OPTION_STATE, WEIR_DEFAULT_STATE);
	struct uninstall u = {};
	bool named;
	const char *socket = cli_socket_path(c, &named);
	pid_t pid;
	int r;

	if (!folder_plausible(pins) || !folder_plausible(state))
		return cli_fail(CLI_USAGE,
				"%s is no folder that a daemon was given: name it in full",
				folder_plausible(pins) ? state : pins);
	if (geteuid() != 0)
		return cli_fail(
			CLI_IMPOSSIBLE,
			"removing what the daemon left needs root: run sudo weir uninstall");
	pid = cli_client_peer(socket);
	if (pid > 0)
		return cli_fail(
			CLI_FAILED,
			"a daemon still runs (process %d, socket %s): end it first with systemctl "
			"disable --now weir, or kill %d",
			(int)pid, socket, (int)pid);
	remove_socket(&u, socket);
	remove_pins(&u, pins);
	remove_state(&u, state, CLI_GIVEN(c, PURGE));
	remove_private(&u, CLI_PRIVATE_PARENT);
	remove_private(&u, "/tmp");
	weir_buf_str(&u.out, u.left ? "everything else is gone\n" : "nothing is left\n");
	r = cli_output(&u.out, NULL);
	weir_buf_done(&u.out);
	return r;
}
