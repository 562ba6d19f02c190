// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/probe.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "core/probe_ability.h"

#define NESTED_TYPES 16

/* The descriptor, or -1: it is none. */
static int open_cgroup(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs s;

	return fd >= 0 && fstatfs(fd, &s) == 0 && s.f_type == CGROUP2_SUPER_MAGIC ? TAKE_FD(fd)
										  : -1;
}

/* Where it is without /proc to say so. */
static int open_usual_cgroup_root(void)
{
	int fd = open_cgroup("/sys/fs/cgroup");

	return fd >= 0 ? fd : open_cgroup("/sys/fs/cgroup/unified");
}

static int open_cgroup_root(void)
{
	_cleanup_fclose_ FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	int fd = -1;

	if (!mounts)
		return open_usual_cgroup_root();
	/* Something else may be mounted over it. */
	while (fd < 0 && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			fd = open_cgroup(m->mnt_dir);
	return fd;
}

/* WEIR_BTF names another file, so that a kernel without one can be tried. */
static struct btf *load_btf(void)
{
	const char *path = getenv("WEIR_BTF");
	struct btf *btf = path ? btf__parse(path, NULL) : btf__load_vmlinux_btf();

	return libbpf_get_error(btf) ? NULL : btf;
}

int weir_probe_new(struct weir_probe **ret)
{
	struct weir_probe *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->cgroup_fd = -1;
	p->answers = calloc(1, sizeof(*p->answers));
	if (!p->answers) {
		weir_probe_free(p);
		return -ENOMEM;
	}
	p->btf = load_btf();
	p->cgroup_fd = open_cgroup_root();
	*ret = p;
	return 0;
}

static void forget_answers(struct weir_answers *a)
{
	for (unsigned i = 0; i < a->n_looked_up; i++)
		free(a->looked_up[i].type);
	free(a->looked_up);
	*a = (struct weir_answers){};
}

struct weir_probe *weir_probe_free(struct weir_probe *p)
{
	if (!p)
		return NULL;
	weir_probe_notes_done(p);
	if (p->answers)
		forget_answers(p->answers);
	free(p->answers);
	free(p->without);
	btf__free(p->btf);
	weir_closep(&p->cgroup_fd);
	free(p);
	return NULL;
}

/* --- what can be had --------------------------------------------------------------------------- */

#define WITHOUT_REASON "is switched off by --without"
#define WITHOUT_CURE "leave it out of --without"

/* "fentry,tracepoint:x": whether one of the words is "kind:name" (kind NULL: "name"). */
static bool list_names(const char *list, const char *kind, const char *name)
{
	size_t kind_len = kind ? strlen(kind) + 1 : 0, len = kind_len + strlen(name);

	while (list && *list) {
		size_t n = strcspn(list, ",");

		if (n == len &&
		    (!kind || (!memcmp(list, kind, kind_len - 1) && list[kind_len - 1] == ':')) &&
		    !memcmp(list + kind_len, name, len - kind_len))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

bool weir_probe_pretends(const struct weir_probe *p, const char *kind, const char *name)
{
	return list_names(p->without, kind, name);
}

static bool word_is_known(const char *word, size_t len)
{
	static const char *const kinds[] = { "tracepoint:", "function:" };

	if (weir_ability_find(word, len) != _WEIR_ABILITY_MAX)
		return true;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (len > strlen(kinds[i]) && !memcmp(word, kinds[i], strlen(kinds[i])))
			return true;
	return false;
}

static int refuse_word(const char *word, size_t len, char **ret_error)
{
	struct weir_buf b = {};

	weir_buf_printf(&b, "--without %.*s: write tracepoint:NAME, function:NAME or one of",
			(int)len, word);
	for (unsigned i = 0; i < _WEIR_ABILITY_MAX; i++)
		weir_buf_printf(&b, "%s %s", i ? "," : "", weir_ability_name((enum weir_ability)i));
	return weir_buf_error(&b, -EINVAL, ret_error);
}

int weir_probe_pretend(struct weir_probe *p, const char *without, char **ret_error)
{
	char *list;

	for (const char *at = without; at && *at;) {
		size_t n = strcspn(at, ",");

		if (!word_is_known(at, n))
			return refuse_word(at, n, ret_error);
		at += n + (at[n] == ',');
	}
	list = without ? strdup(without) : NULL;
	if (without && !list)
		return -ENOMEM;
	free(p->without);
	p->without = list;
	forget_answers(p->answers);
	if (weir_probe_pretends(p, NULL, weir_ability_name(WEIR_ABILITY_BTF))) {
		btf__free(p->btf);
		p->btf = NULL;
	}
	return 0;
}

static void find_out(const struct weir_probe *p, enum weir_ability a, struct weir_why *ret,
		     bool *ret_has)
{
	struct weir_tries t = { .btf = p->btf, .cgroup_fd = p->cgroup_fd };
	enum weir_ability needs = weir_ability_needs(a);
	int r;

	*ret_has = false;
	if (weir_probe_pretends(p, NULL, weir_ability_name(a))) {
		snprintf(ret->reason, sizeof(ret->reason), "%s " WITHOUT_REASON,
			 weir_ability_name(a));
		snprintf(ret->cure, sizeof(ret->cure), "%s", WITHOUT_CURE);
		return;
	}
	if (needs != _WEIR_ABILITY_MAX && !weir_probe_has(p, needs)) {
		*ret = p->answers->ability[needs].why;
		return;
	}
	r = weir_try(&t, a);
	if (r < 0)
		weir_ability_explain(a, r, ret);
	else
		*ret_has = true;
}

bool weir_probe_has(const struct weir_probe *p, enum weir_ability a)
{
	struct weir_answers *all = p->answers;

	if (!all->ability[a].known) {
		all->ability[a].known = true;
		find_out(p, a, &all->ability[a].why, &all->ability[a].has);
	}
	return all->ability[a].has;
}

const char *weir_probe_reason(const struct weir_probe *p, enum weir_ability a)
{
	return weir_probe_has(p, a) ? NULL : p->answers->ability[a].why.reason;
}

const char *weir_probe_cure(const struct weir_probe *p, enum weir_ability a)
{
	const char *cure = weir_probe_has(p, a) ? "" : p->answers->ability[a].why.cure;

	return *cure ? cure : NULL;
}

enum weir_ability weir_probe_lacks(const struct weir_probe *p, const enum weir_ability *list)
{
	while (*list != _WEIR_ABILITY_MAX && weir_probe_has(p, *list))
		list++;
	return *list;
}

const char *weir_probe_refusal(const struct weir_probe *p, int error, const char **ret_cure)
{
	struct weir_why *why = &p->answers->refusal;

	weir_refusal_explain(error, why);
	*ret_cure = *why->cure ? why->cure : NULL;
	return why->reason;
}

const char *weir_probe_blocker(const struct weir_probe *p, int *ret_errno)
{
	static const enum weir_ability all[] = { WEIR_ABILITY_BTF, WEIR_ABILITY_LOAD,
						 _WEIR_ABILITY_MAX };
	enum weir_ability a = weir_probe_lacks(p, all);
	const char *cure;

	if (a == _WEIR_ABILITY_MAX)
		return NULL;
	*ret_errno = a == WEIR_ABILITY_LOAD ? EPERM : EOPNOTSUPP;
	cure = weir_probe_cure(p, a);
	snprintf(p->answers->blocker, sizeof(p->answers->blocker), "%s%s%s",
		 weir_probe_reason(p, a), cure ? ": " : "", cure ? cure : "");
	return p->answers->blocker;
}

void weir_probe_settle(struct weir_probe *p)
{
	btf__free(p->btf);
	p->btf = NULL;
	weir_closep(&p->cgroup_fd);
	p->cgroup_fd = -1;
}

const struct btf *weir_probe_btf(const struct weir_probe *p)
{
	return p->btf;
}

/* How many parameters the function of this type id (a pointer to one counts as well) has, or -1. */
static int parameters(const struct btf *btf, int id)
{
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	for (unsigned depth = 0; depth < NESTED_TYPES; depth++) {
		if (!t || !(btf_is_typedef(t) || btf_is_ptr(t) || btf_is_func(t)))
			break;
		t = btf__type_by_id(btf, t->type);
	}
	return t && btf_is_func_proto(t) ? (int)btf_vlen(t) : -1;
}

/* A look goes through all types of the kernel, half a millisecond; features ask for the same name
 * again and again. */
static int type_parameters(const struct weir_probe *p, const char *type, uint32_t kind)
{
	struct weir_answers *all = p->answers;
	struct weir_looked_up *l = all->looked_up, *more;
	int n;

	for (unsigned i = 0; i < all->n_looked_up; i++)
		if (l[i].kind == kind && !strcmp(l[i].type, type))
			return l[i].parameters;
	if (!p->btf)
		return -1;
	n = parameters(p->btf, btf__find_by_name_kind(p->btf, type, kind));
	more = reallocarray(l, all->n_looked_up + 1, sizeof(*more));
	if (!more)
		return n;
	all->looked_up = more;
	more[all->n_looked_up] =
		(struct weir_looked_up){ .type = strdup(type), .kind = kind, .parameters = n };
	if (more[all->n_looked_up].type)
		all->n_looked_up++;
	return n;
}

int weir_probe_function_arity(const struct weir_probe *p, const char *name)
{
	if (weir_probe_pretends(p, "function", name))
		return -1;
	return type_parameters(p, name, BTF_KIND_FUNC);
}

bool weir_probe_function(const struct weir_probe *p, const char *name)
{
	return weir_probe_function_arity(p, name) >= 0;
}

/* The first parameter is the registered one's data and not the event's. */
int weir_probe_tracepoint_arity(const struct weir_probe *p, const char *name)
{
	char type[128];
	int n;

	if (weir_probe_pretends(p, "tracepoint", name))
		return -1;
	snprintf(type, sizeof(type), "btf_trace_%s", name);
	n = type_parameters(p, type, BTF_KIND_TYPEDEF);
	return n > 0 ? n - 1 : -1;
}

bool weir_probe_tracepoint(const struct weir_probe *p, const char *name)
{
	return weir_probe_tracepoint_arity(p, name) >= 0;
}

int weir_probe_cgroup_fd(const struct weir_probe *p)
{
	return weir_probe_has(p, WEIR_ABILITY_CGROUP) ? p->cgroup_fd : -1;
}
