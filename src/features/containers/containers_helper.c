// SPDX-License-Identifier: GPL-2.0-or-later
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "core/config.h"
#include "features/containers/containers.h"
#include "features/containers/containers_docker.h"
#include "features/containers/containers_files.h"
#include "features/containers/containers_parse.h"
#include "features/containers/containers_places.h"

/* The one-shot helper: from ids to names, out of what the runtimes have written. It runs without rights but the one to
 * read, with the places' folders as its whole file system, and for a second or two. */

#define CONFIG_MAX (1u << 20) /* a container's own file: labels and the environment are in it */
#define LIST_MAX (32u << 20)  /* of all containers: about 800 bytes each */
#define NAMESPACES_MAX 64     /* of containerd */

struct lookup {
	const struct weir_help_folder *folders;
	unsigned n_folders;
	struct containers_name names[CONTAINERS_QUESTIONS_MAX];
	unsigned n;
	struct weir_buf buf;
	char path[2 * CONTAINERS_ID + 2 * NAME_MAX];
};

static const char *root_of(const struct weir_config *c)
{
	return c ? weir_config_text(c, "containers.root") : "/";
}

static int helper_open(const struct weir_config *c)
{
	int fd = containers_places_docker(root_of(c));

	/* Later there is no file that either could read its entropy or its settings from. */
	json_object_seed(0);
	if (fd >= 0 && curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
		weir_closep(&fd);
	return fd;
}

static unsigned helper_folders(const struct weir_config *c, const void *request, size_t len,
			       struct weir_help_folder ret[WEIR_HELP_FOLDERS_MAX])
{
	struct containers_question q;

	if (len < sizeof(q))
		return 0;
	memcpy(&q, request, sizeof(q)); /* all of one request are about the same user */
	return containers_places_open(root_of(c), q.uid, ret);
}

/* --- the layouts -------------------------------------------------------------------------------- */

static bool read_file(struct lookup *l, int folder, const char *path, size_t max)
{
	weir_buf_reset(&l->buf);
	return containers_file_read(folder, path, max, &l->buf) == 0 && l->buf.len;
}

static const char *path_of(struct lookup *l, const char *before, const char *id, const char *behind)
{
	int n = snprintf(l->path, sizeof(l->path), "%s%s/%s", before, id, behind);

	return n > 0 && (size_t)n < sizeof(l->path) ? l->path : "";
}

static void look_docker(struct lookup *l, int folder)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->names[i].runtime == CONTAINERS_UNKNOWN &&
		    read_file(l, folder, path_of(l, "", l->names[i].id, "config.v2.json"), CONFIG_MAX))
			containers_parse_docker(l->buf.data, l->buf.len, &l->names[i]);
}

/* The folder was opened with O_PATH, which cannot be read from. */
static DIR *open_list(int folder)
{
	_cleanup_close_ int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d)
		(void)TAKE_FD(fd);
	return d;
}

static void look_namespace(struct lookup *l, int folder, const char *name)
{
	char before[NAME_MAX + 2];

	snprintf(before, sizeof(before), "%s/", name);
	for (unsigned i = 0; i < l->n; i++) {
		if (l->names[i].runtime != CONTAINERS_UNKNOWN ||
		    !read_file(l, folder, path_of(l, before, l->names[i].id, "config.json"), CONFIG_MAX))
			continue;
		if (containers_parse_oci(l->buf.data, l->buf.len, &l->names[i]) > 0)
			l->names[i].runtime = CONTAINERS_CONTAINERD;
	}
}

static void look_containerd(struct lookup *l, int folder)
{
	DIR *d = open_list(folder);
	struct dirent *e;

	if (!d)
		return;
	for (unsigned n = 0; n < NAMESPACES_MAX && (e = readdir(d)); n++)
		/* docker's own; it names them itself. */
		if (e->d_name[0] != '.' && strcmp(e->d_name, "moby"))
			look_namespace(l, folder, e->d_name);
	closedir(d);
}

/* The list may be long: it is read only if the container has its folder beside it. */
static bool has_any(const struct lookup *l, int folder)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->names[i].runtime == CONTAINERS_UNKNOWN && containers_folder_has(folder, l->names[i].id))
			return true;
	return false;
}

static void look_storage(struct lookup *l, int folder)
{
	/* What is gone with the next boot stands in a list of its own. */
	static const char *const lists[] = { "containers.json", "volatile-containers.json" };

	if (!has_any(l, folder))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		if (read_file(l, folder, lists[i], LIST_MAX))
			containers_parse_storage(l->buf.data, l->buf.len, l->names, l->n);
}

/* Pods stand in the annotations alone. */
static void look_bundles(struct lookup *l, int folder)
{
	for (unsigned i = 0; i < l->n; i++)
		if ((l->names[i].runtime == CONTAINERS_PODMAN || l->names[i].runtime == CONTAINERS_UNKNOWN) &&
		    read_file(l, folder, path_of(l, "", l->names[i].id, "userdata/config.json"), CONFIG_MAX))
			containers_parse_oci(l->buf.data, l->buf.len, &l->names[i]);
}

static void look_into(struct lookup *l, const struct weir_help_folder *f)
{
	switch ((enum containers_layout)f->tag) {
	case CONTAINERS_LAYOUT_DOCKER:
		look_docker(l, f->fd);
		return;
	case CONTAINERS_LAYOUT_CONTAINERD:
		look_containerd(l, f->fd);
		return;
	case CONTAINERS_LAYOUT_STORAGE:
		look_storage(l, f->fd);
		look_bundles(l, f->fd);
		return;
	case CONTAINERS_LAYOUT_BUNDLES:
		look_bundles(l, f->fd);
		return;
	case _CONTAINERS_LAYOUT_MAX:
		return;
	}
}

/* --- docker's socket ---------------------------------------------------------------------------- */

static bool has_folder(const struct lookup *l, const char *id)
{
	for (unsigned i = 0; i < l->n_folders; i++)
		if (l->folders[i].tag != CONTAINERS_LAYOUT_CONTAINERD && containers_folder_has(l->folders[i].fd, id))
			return true;
	return false;
}

/* The socket is worth as much as root. So it is closed before anything is parsed but HTTP, and what was fetched waits. */
static void fetch(const struct lookup *l, int fd, struct weir_buf bodies[CONTAINERS_QUESTIONS_MAX])
{
	struct containers_docker *d = fd >= 0 ? containers_docker_new(fd) : NULL;

	for (unsigned i = 0; d && i < l->n; i++)
		if (!has_folder(l, l->names[i].id) && !containers_docker_get(d, l->names[i].id, &bodies[i]))
			weir_buf_done(&bodies[i]);
	containers_docker_free(d);
}

static void take_fetched(struct lookup *l, struct weir_buf bodies[CONTAINERS_QUESTIONS_MAX])
{
	for (unsigned i = 0; i < l->n; i++) {
		if (l->names[i].runtime == CONTAINERS_UNKNOWN && bodies[i].len)
			containers_parse_docker(bodies[i].data, bodies[i].len, &l->names[i]);
		weir_buf_done(&bodies[i]);
	}
}

/* --- the whole ---------------------------------------------------------------------------------- */

static void take_questions(struct lookup *l, const char *request, size_t len)
{
	struct containers_question q;

	for (; len >= sizeof(q) && l->n < CONTAINERS_QUESTIONS_MAX; request += sizeof(q), len -= sizeof(q)) {
		memcpy(&q, request, sizeof(q));
		q.id[sizeof(q.id) - 1] = 0;
		if (containers_id_valid(q.id))
			memcpy(l->names[l->n++].id, q.id, sizeof(q.id));
	}
}

static void helper_answer(int opened, const struct weir_help_folder *folders, unsigned n_folders,
			  const void *request, size_t len, struct weir_sink *sink)
{
	struct weir_buf bodies[CONTAINERS_QUESTIONS_MAX] = {};
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l) {
		weir_closep(&opened);
		return;
	}
	l->folders = folders;
	l->n_folders = n_folders;
	take_questions(l, request, len);
	fetch(l, opened, bodies);
	for (unsigned i = 0; i < n_folders; i++)
		look_into(l, &folders[i]);
	take_fetched(l, bodies);
	for (unsigned i = 0; i < l->n; i++)
		sink->put(sink, CONTAINERS_RECORD_NAME, &l->names[i], sizeof(l->names[i]));
	weir_buf_done(&l->buf);
	free(l);
}

const struct weir_helper containers_helper = {
	.open = helper_open,
	.folders = helper_folders,
	.answer = helper_answer,
};
