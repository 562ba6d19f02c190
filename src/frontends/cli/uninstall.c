// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "core/config.h"
#include "core/feature.h"
#include "frontends/cli/client.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/output.h"
#include "frontends/cli/private_daemon.h"
#include "frontends/cli/source.h"

/* Removes what a daemon leaves, by its name: never a folder with whatever is in it. A path that was
 * mistyped, or a link that somebody put there, then costs nothing. */

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

/* An errno as the reason; what is not there is no news. */
static void left_errno(struct uninstall *u, const char *what, const char *path, int error)
{
	if (error == ENOTEMPTY || error == EEXIST)
		left(u, what, path, "it holds what this weir did not make");
	else if (error != ENOENT && error != ENOTDIR)
		left(u, what, path, strerror(error));
}

static void remove_folder(struct uninstall *u, const char *what, const char *path)
{
	if (rmdir(path) == 0)
		removed(u, what, path);
	else
		left_errno(u, what, path, errno);
}

/* --- what there is --------------------------------------------------------------------------- */

static void remove_socket(struct uninstall *u, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		left_errno(u, "socket", path, errno);
	else if (!S_ISSOCK(st.st_mode))
		left(u, "file", path, "it is not a socket");
	else if (unlink(path) < 0)
		left_errno(u, "socket", path, errno);
	else
		removed(u, "socket", path);
}

/* The folder that the daemon made for its usual socket; one that a user named stays. */
static void remove_socket_folder(struct uninstall *u, const char *socket)
{
	char folder[] = WEIR_DEFAULT_SOCKET;

	if (strcmp(socket, WEIR_DEFAULT_SOCKET) != 0)
		return;
	*strrchr(folder, '/') = '\0';
	remove_folder(u, "folder", folder);
}

/* Only on a bpffs: elsewhere a folder of that name is somebody's own. */
static void remove_pins(struct uninstall *u, const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		left_errno(u, "pins", path, errno);
	else if (fs.f_type != BPF_FS_MAGIC)
		left(u, "folder", path, "it is not on a bpffs");
	else
		remove_folder(u, "pins", path);
}

/* History's files: history.db, with -wal, -shm and what was set aside. Whatever else is there stays, and the folder with it. */
static void remove_history(struct uninstall *u, int state, const char *path)
{
	static const char prefix[] = "history.db";
	int fd = openat(state, "history", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!d) {
		left_errno(u, "history", path, errno);
		weir_closep(&fd);
		return;
	}
	while ((entry = readdir(d)))
		if (!strncmp(entry->d_name, prefix, sizeof(prefix) - 1) && unlinkat(dirfd(d), entry->d_name, 0) < 0)
			left_errno(u, entry->d_name, path, errno);
	closedir(d);
	if (unlinkat(state, "history", AT_REMOVEDIR) < 0)
		left_errno(u, "history", path, errno);
}

static void remove_state(struct uninstall *u, const char *path, bool purge)
{
	static const char *const files[] = { "token", "lock" };
	_cleanup_close_ int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (folder < 0) {
		left_errno(u, "state", path, errno);
		return;
	}
	if (!purge) {
		left(u, "state", path, "it is kept; --purge removes it");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (unlinkat(folder, files[i], 0) < 0)
			left_errno(u, files[i], path, errno);
	remove_history(u, folder, path);
	remove_folder(u, "state", path);
}

/* The folder of a private daemon's socket stays when its command was killed by SIGKILL. */
static void remove_private_folder(struct uninstall *u, const char *parent, const char *name)
{
	char folder[512], socket[544];
	struct stat st;

	snprintf(folder, sizeof(folder), "%s/%s", parent, name);
	snprintf(socket, sizeof(socket), "%s/weir.sock", folder);
	if (lstat(folder, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return;
	if (cli_client_probe(socket) == 0) {
		left(u, "private daemon", folder, "its command still runs and ends it");
		return;
	}
	(void)unlink(socket);
	remove_folder(u, "folder", folder);
}

static void remove_private(struct uninstall *u, const char *parent)
{
	DIR *d = opendir(parent);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d)))
		if (!strncmp(e->d_name, CLI_PRIVATE_PREFIX, strlen(CLI_PRIVATE_PREFIX)))
			remove_private_folder(u, parent, e->d_name);
	closedir(d);
}

static bool is_ours(const char *program)
{
	for (const struct weir_feature *const *f = weir_features; *f; f++) {
		size_t n = strlen((*f)->name);

		if (!strncmp(program, (*f)->name, n) && program[n] == '_')
			return true;
	}
	return false;
}

/* Verifies that the kernel has none of weir's programs any more. They go with the last process
 * that holds them, so those that are left belong to a weir that runs still. */
static void look_for_programs(struct uninstall *u)
{
	char first[32] = "", text[64];
	unsigned n = 0;

	for (uint32_t id = 0; bpf_prog_get_next_id(id, &id) == 0;) {
		_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0 || !is_ours(info.name))
			continue;
		if (!n++)
			snprintf(first, sizeof(first), "%.16s", info.name);
	}
	if (!n)
		return;
	snprintf(text, sizeof(text), "%u (%s ...)", n, first);
	left(u, "programs", text,
	     "a weir that runs with another socket, or a private one, holds them");
}

struct places {
	const char *socket, *state, *pins;
};

/* Where a daemon with this configuration has left its things; the command line goes before it. A file that is wrong says
 * nothing, and guessing would say that nothing is left. */
static int find_places(const struct cli_command *c, struct weir_config *config, struct places *ret)
{
	char *error = NULL;
	bool named;
	int r;

	*ret = (struct places){ .socket = cli_socket_path(c, &named),
				.state = c->value[CLI_OPTION_STATE],
				.pins = c->value[CLI_OPTION_PINS] };
	if (named && ret->state && ret->pins)
		return CLI_OK;
	r = weir_config_load(config, c->value[CLI_OPTION_CONFIG], &error);
	if (r < 0)
		return cli_fail_error(r, error);
	if (!named)
		ret->socket = weir_config_text(config, "socket");
	if (!ret->state)
		ret->state = weir_config_text(config, "state");
	if (!ret->pins)
		ret->pins = weir_config_text(config, "pins");
	return CLI_OK;
}

static int uninstall(const struct cli_command *c, const struct places *at)
{
	struct uninstall u = {};
	pid_t pid;
	int r;

	pid = cli_client_peer(at->socket);
	if (pid > 0)
		return cli_fail(CLI_FAILED,
				"a daemon still runs (process %d, socket %s): end it first with "
				"systemctl disable --now weir, or kill %d",
				(int)pid, at->socket, (int)pid);
	remove_socket(&u, at->socket);
	remove_pins(&u, at->pins);
	remove_state(&u, at->state, CLI_GIVEN(c, PURGE));
	remove_private(&u, CLI_PRIVATE_PARENT);
	remove_private(&u, "/tmp");
	remove_socket_folder(&u, at->socket);
	look_for_programs(&u);
	weir_buf_str(&u.out, u.left ? "everything else is gone\n" : "nothing is left\n");
	r = cli_output(&u.out, NULL);
	weir_buf_done(&u.out);
	return r;
}

int cli_uninstall_run(const struct cli_command *c)
{
	struct weir_config *config = NULL;
	struct places at;
	int r;

	if (geteuid() != 0)
		return cli_fail(
			CLI_IMPOSSIBLE,
			"removing what the daemon left needs root: run sudo weir uninstall");
	r = weir_config_new(weir_features, &config);
	if (r < 0)
		return cli_fail_error(r, NULL);
	r = find_places(c, config, &at);
	if (r == CLI_OK)
		r = uninstall(c, &at);
	weir_config_free(config);
	return r;
}
