// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/containers/containers_parse.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static void json_done(json_t **j)
{
	json_decref(*j);
}

#define _cleanup_json_ _cleanup_(json_done)

static int load(const char *text, size_t len, json_t **ret)
{
	json_t *j = json_loadb(text, len, 0, NULL);

	if (!j)
		return -EBADMSG;
	*ret = j;
	return 0;
}

/* A text that is too long ends behind the last whole character that fits. */
static bool take(char *to, size_t room, const char *text)
{
	size_t n = text ? strlen(text) : 0;
	uint32_t character;

	if (!n)
		return false;
	if (n >= room) {
		n = room - 1;
		for (unsigned i = 1; i < 4 && i <= n; i++) {
			const char *at = text + n - i;
			size_t whole = weir_text_utf8_next(at, strnlen(at, 4), &character);

			if (character == WEIR_TEXT_BAD)
				continue;
			if (whole > i)
				n -= i;
			break;
		}
	}
	memcpy(to, text, n);
	to[n] = 0;
	return true;
}

#define TAKE(to, text) take(to, sizeof(to), text)

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static const char *first_of(const json_t *object, const char *const keys[])
{
	const char *text = NULL;

	for (; *keys && !(text && *text); keys++)
		text = text_of(object, *keys);
	return text;
}

/* --- annotations and labels --------------------------------------------------------------------- */

/* containerd: pkg/cri/annotations; kubelet's labels, which docker's shim and cri-o hand on; cri-o: pkg/annotations. */
static const char *const kubernetes_names[] = {
	"io.kubernetes.cri.container-name", "io.kubernetes.container.name", NULL,
};
static const char *const kubernetes_images[] = {
	"io.kubernetes.cri.image-name", "io.kubernetes.cri-o.UserRequestedImage", "io.kubernetes.cri-o.ImageName", NULL,
};
static const char *const kubernetes_pods[] = {
	"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name", "io.kubernetes.cri-o.KubeName", NULL,
};
static const char *const kubernetes_namespaces[] = {
	"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace", "io.kubernetes.cri-o.Namespace", NULL,
};

static bool take_kubernetes(const json_t *object, struct containers_name *ret)
{
	bool found = false;

	found |= TAKE(ret->pod_name, first_of(object, kubernetes_pods));
	found |= TAKE(ret->pod_namespace, first_of(object, kubernetes_namespaces));
	found |= TAKE(ret->name, first_of(object, kubernetes_names));
	found |= TAKE(ret->image, first_of(object, kubernetes_images));
	return found;
}

/* --- the files ---------------------------------------------------------------------------------- */

int containers_parse_docker(const char *text, size_t len, struct containers_name *ret)
{
	_cleanup_json_ json_t *top = NULL;
	const json_t *config;
	const char *name;
	int r = load(text, len, &top);

	if (r < 0)
		return r;
	name = text_of(top, "Name");
	config = json_object_get(top, "Config");
	if (!name || !json_is_object(config))
		return -EBADMSG;
	TAKE(ret->name, name + (name[0] == '/'));
	TAKE(ret->image, text_of(config, "Image"));
	take_kubernetes(json_object_get(config, "Labels"), ret);
	ret->runtime = CONTAINERS_DOCKER;
	return 0;
}

int containers_parse_oci(const char *text, size_t len, struct containers_name *ret)
{
	_cleanup_json_ json_t *top = NULL;
	const json_t *annotations;
	const char *manager;
	bool found;
	int r = load(text, len, &top);

	if (r < 0)
		return r;
	if (!json_is_object(top))
		return -EBADMSG;
	annotations = json_object_get(top, "annotations");
	manager = text_of(annotations, "io.container.manager");
	if (manager && !strcmp(manager, "cri-o"))
		ret->runtime = CONTAINERS_CRIO;
	found = take_kubernetes(annotations, ret);
	if (!ret->name[0])
		found |= TAKE(ret->name, text_of(annotations, "nerdctl/name"));
	return found;
}

/* .metadata is JSON in a text. Its name is that of the container's birth; a rename changes .names. */
static void take_metadata(const char *metadata, struct containers_name *ret)
{
	_cleanup_json_ json_t *top = NULL;

	if (!metadata || load(metadata, strlen(metadata), &top) < 0)
		return;
	TAKE(ret->image, text_of(top, "image-name"));
	if (!ret->name[0])
		TAKE(ret->name, text_of(top, "name"));
}

static struct containers_name *wanted(struct containers_name *names, size_t n, const char *id)
{
	for (size_t i = 0; id && i < n; i++)
		if (names[i].runtime == CONTAINERS_UNKNOWN && !strcmp(names[i].id, id))
			return &names[i];
	return NULL;
}

int containers_parse_storage(const char *text, size_t len, struct containers_name *names, size_t n)
{
	_cleanup_json_ json_t *top = NULL;
	const json_t *item;
	size_t i;
	int r = load(text, len, &top), found = 0;

	if (r < 0)
		return r;
	if (!json_is_array(top))
		return -EBADMSG;
	json_array_foreach(top, i, item) {
		struct containers_name *name = wanted(names, n, text_of(item, "id"));

		if (!name)
			continue;
		TAKE(name->name, json_string_value(json_array_get(json_object_get(item, "names"), 0)));
		take_metadata(text_of(item, "metadata"), name);
		name->runtime = CONTAINERS_PODMAN;
		found++;
	}
	return found;
}
