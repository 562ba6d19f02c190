// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/containers/containers_state.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/identity.h"

/* A runtime may write its state after the first process has begun; what nobody knows after some tries belongs to a
 * runtime that is not known here, and costs one look a minute. */
static const uint64_t again_ns[] = {
	200000000ull, 300000000ull, 500000000ull, 1000000000ull, 3000000000ull, 10000000000ull, 60000000000ull,
};

static const char *const runtime_names[] = {
	[CONTAINERS_UNKNOWN] = NULL,	       [CONTAINERS_DOCKER] = "docker",
	[CONTAINERS_PODMAN] = "podman",	       [CONTAINERS_CONTAINERD] = "containerd",
	[CONTAINERS_CRIO] = "cri-o",
};
_Static_assert(ARRAY_SIZE(runtime_names) == _CONTAINERS_RUNTIME_MAX, "each has its name");

const char *containers_runtime_name(enum containers_runtime r)
{
	return r < _CONTAINERS_RUNTIME_MAX ? runtime_names[r] : NULL;
}

bool containers_id_valid(const char *id)
{
	size_t n = strnlen(id, CONTAINERS_ID);

	if (n == 0 || n >= CONTAINERS_ID || id[0] == '.' || id[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isascii((unsigned char)id[i]) || (!isalnum((unsigned char)id[i]) && !strchr("_.-", id[i])))
			return false;
	return true;
}

/* --- records ------------------------------------------------------------------------------------ */

static bool ends(const char *text, size_t room)
{
	return memchr(text, 0, room) != NULL;
}

int containers_decode(uint16_t type, const void *bytes, size_t len, void *ret_event)
{
	struct containers_name *e = ret_event;

	if (type != CONTAINERS_RECORD_NAME || len != sizeof(*e))
		return -EBADMSG;
	memcpy(e, bytes, len);
	if (e->runtime >= _CONTAINERS_RUNTIME_MAX || e->reserved || !ends(e->id, sizeof(e->id)) ||
	    !ends(e->name, sizeof(e->name)) || !ends(e->image, sizeof(e->image)) ||
	    !ends(e->pod_name, sizeof(e->pod_name)) || !ends(e->pod_namespace, sizeof(e->pod_namespace)) ||
	    !containers_id_valid(e->id))
		return -EBADMSG;
	return 0;
}

static struct containers_container *find(const struct containers_state *s, const char *id)
{
	struct containers_container *c;

	HASH_FIND(hh, s->all, id, strlen(id), c);
	return c;
}

static void ask_at(struct containers_state *s, struct containers_container *c, uint64_t at)
{
	c->ask_mono_ns = at;
	if (at < s->due_mono_ns)
		s->due_mono_ns = at;
}

static struct containers_container *get(struct containers_state *s, const char *id, uint64_t mono_ns)
{
	struct containers_container *c = find(s, id);

	if (c || HASH_COUNT(s->all) >= CONTAINERS_MAX)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	memcpy(c->id, id, strlen(id) + 1);
	c->first_mono_ns = c->lives_mono_ns = c->shown_mono_ns = mono_ns;
	c->dirty = true;
	HASH_ADD(hh, s->all, id[0], (unsigned)strlen(c->id), c);
	if (!c->hh.tbl) {
		free(c);
		return NULL;
	}
	ask_at(s, c, mono_ns);
	return c;
}

static void container_free(struct containers_container *c)
{
	free(c->texts);
	free(c);
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b);
}

static bool same(const struct containers_container *c, const struct containers_name *e)
{
	return c->shown.version && c->runtime == e->runtime && same_text(c->shown.name, e->name) &&
	       same_text(c->shown.image, e->image) && same_text(c->shown.pod_name, e->pod_name) &&
	       same_text(c->shown.pod_namespace, e->pod_namespace);
}

/* As long as the texts, not as their arrays: there may be thousands. */
static int take_texts(struct containers_container *c, const struct containers_name *e, uint64_t version)
{
	const char *from[] = { e->name, e->image, e->pod_name, e->pod_namespace };
	struct weir_container_name now = { .version = version };
	const char **to[] = { &now.name, &now.image, &now.pod_name, &now.pod_namespace };
	size_t size = 0;
	char *texts, *at;

	for (unsigned i = 0; i < ARRAY_SIZE(from); i++)
		size += strlen(from[i]) + 1;
	texts = at = malloc(size);
	if (!texts)
		return -ENOMEM;
	for (unsigned i = 0; i < ARRAY_SIZE(from); i++) {
		size_t n = strlen(from[i]) + 1;

		memcpy(at, from[i], n);
		*to[i] = n > 1 ? at : NULL;
		at += n;
	}
	free(c->texts);
	c->texts = texts;
	c->shown = now;
	return 0;
}

/* A user's files can be made to take long. */
static void note_answer(struct containers_state *s, const struct containers_container *c, uint64_t mono_ns)
{
	if (!c->uid || !s->asked_user || s->answered || mono_ns < s->asked_mono_ns)
		return;
	s->answered = true;
	s->users_mono_ns = mono_ns + CONTAINERS_USERS_REST * (mono_ns - s->asked_mono_ns);
}

int containers_apply(void *state, uint64_t mono_ns, const void *event)
{
	struct containers_state *s = state;
	const struct containers_name *e = event;
	struct containers_container *c = get(s, e->id, mono_ns);

	if (!c)
		return -ENOMEM;
	note_answer(s, c, mono_ns);
	c->asked = true;
	if (e->runtime == CONTAINERS_UNKNOWN)
		return 0; /* a container that has ended keeps its last name */
	c->tries = 0;
	ask_at(s, c, mono_ns + CONTAINERS_AGAIN_NS);
	if (same(c, e))
		return 0;
	if (take_texts(c, e, s->version + 1) < 0)
		return -ENOMEM;
	s->version++;
	c->runtime = e->runtime;
	c->dirty = true;
	s->news = true;
	return 0;
}

/* --- processes ---------------------------------------------------------------------------------- */

void containers_process_seen(void *state, uint64_t mono_ns, const struct weir_process_seen *p)
{
	struct containers_state *s = state;
	struct containers_container *c;

	if (!p->id->container_id[0] || !containers_id_valid(p->id->container_id))
		return;
	c = p->lives ? get(s, p->id->container_id, mono_ns) : find(s, p->id->container_id);
	if (!c)
		return;
	c->shown_mono_ns = mono_ns;
	if (!p->lives)
		return;
	c->uid = p->id->has_user ? p->id->user : 0;
	c->lives_mono_ns = mono_ns;
	c->dirty = true;
	if (c->ask_mono_ns == CONTAINERS_NEVER)
		ask_at(s, c, mono_ns);
}

const struct weir_container_name *containers_container(void *state, const char *id)
{
	const struct containers_container *c = find(state, id);

	return c && c->shown.version ? &c->shown : NULL;
}

/* --- asking ------------------------------------------------------------------------------------- */

static bool worth_asking(struct containers_container *c, uint64_t now)
{
	/* Whoever looks at the processes tells of all of them at one moment: none of this one's lived at the last. */
	bool ended = c->shown_mono_ns > c->lives_mono_ns;

	if (!c->asked || (!ended && (now - c->lives_mono_ns <= CONTAINERS_LIVES_NS || now < c->lives_mono_ns)))
		return true;
	c->ask_mono_ns = CONTAINERS_NEVER;
	return false;
}

/* The system's before the users' own, then who has waited for longest. One request is about one user's containers, or about
 * those that only the system's state may have: who makes a helper wait by what lies in a home folder waits alone. */
static struct containers_container *most_urgent(struct containers_state *s, uint64_t now)
{
	struct containers_container *c, *next, *first = NULL;

	s->due_mono_ns = CONTAINERS_NEVER;
	HASH_ITER(hh, s->all, c, next) {
		uint64_t due = c->uid && c->ask_mono_ns < s->users_mono_ns ? s->users_mono_ns : c->ask_mono_ns;

		if (due > now) {
			if (due < s->due_mono_ns)
				s->due_mono_ns = due;
			continue;
		}
		if (!worth_asking(c, now))
			continue;
		if (!first || !c->uid > !first->uid ||
		    (!c->uid == !first->uid && c->ask_mono_ns < first->ask_mono_ns))
			first = c;
	}
	if (first)
		s->due_mono_ns = now; /* there may be more */
	return first;
}

/* Questions after the n that q has already: about containers of the user uid that are due, which were asked about
 * before or never were. Returns how many there are then. */
static size_t put_questions(struct containers_state *s, uint64_t now, uint32_t uid, bool asked_before,
			    struct containers_question *q, size_t n, size_t most)
{
	struct containers_container *c, *next;

	HASH_ITER(hh, s->all, c, next) {
		if (n == most)
			break;
		if (c->ask_mono_ns > now || c->uid != uid || c->asked != asked_before || !worth_asking(c, now))
			continue;
		q[n] = (struct containers_question){ .uid = uid };
		memcpy(q[n++].id, c->id, sizeof(c->id));
		c->asked = true;
		c->ask_mono_ns = now + again_ns[c->tries];
		c->tries += c->tries + 1 < ARRAY_SIZE(again_ns);
	}
	return n;
}

size_t containers_ask(void *state, uint64_t mono_ns, void *ret_request, size_t room)
{
	struct containers_state *s = state;
	struct containers_container *first;
	struct containers_question q[CONTAINERS_QUESTIONS_MAX];
	size_t n, most = room / sizeof(*q) < ARRAY_SIZE(q) ? room / sizeof(*q) : ARRAY_SIZE(q);

	if (!s->asks || mono_ns < s->due_mono_ns ||
	    (s->asked_mono_ns && mono_ns - s->asked_mono_ns < CONTAINERS_PERIOD_NS))
		return 0;
	if (s->asked_user && !s->answered && s->users_mono_ns < s->asked_mono_ns + CONTAINERS_USERS_REST_NS)
		s->users_mono_ns = s->asked_mono_ns + CONTAINERS_USERS_REST_NS;
	first = most_urgent(s, mono_ns);
	if (!first)
		return 0;
	/* New ones first: those that nobody could name must not stand before them, whose state may be gone soon. */
	n = put_questions(s, mono_ns, first->uid, false, q, 0, most);
	n = put_questions(s, mono_ns, first->uid, true, q, n, most);
	memcpy(ret_request, q, n * sizeof(*q));
	s->asked_mono_ns = mono_ns;
	s->asked_user = first->uid != 0;
	s->answered = false;
	return n * sizeof(*q);
}

/* --- time --------------------------------------------------------------------------------------- */

void containers_tick(void *state, uint64_t mono_ns, uint64_t real_ns)
{
	struct containers_state *s = state;
	struct containers_container *c, *next;

	s->real_minus_mono_ns = real_ns - mono_ns;
	if (mono_ns - s->aged_mono_ns < CONTAINERS_KEPT_NS / 8)
		return;
	s->aged_mono_ns = mono_ns;
	HASH_ITER(hh, s->all, c, next) {
		if (mono_ns < c->shown_mono_ns || mono_ns - c->shown_mono_ns <= CONTAINERS_KEPT_NS)
			continue;
		HASH_DEL(s->all, c);
		container_free(c);
	}
}

/* --- rows --------------------------------------------------------------------------------------- */

void containers_snapshot(void *state, struct weir_builder *b, uint64_t number)
{
	struct containers_state *s = state;
	struct containers_container *c, *next;

	weir_builder_table(b, &containers_table);
	HASH_ITER(hh, s->all, c, next) {
		if (c->dirty)
			c->changed = number;
		c->dirty = false;
		weir_builder_row(b, c->uid ? c->uid : WEIR_UID_HOST, c->changed);
		weir_builder_text(b, CONTAINER_ID, c->id);
		weir_builder_text(b, CONTAINER_NAME, c->shown.name);
		weir_builder_text(b, CONTAINER_IMAGE, c->shown.image);
		weir_builder_text(b, CONTAINER_POD_NAME, c->shown.pod_name);
		weir_builder_text(b, CONTAINER_POD_NAMESPACE, c->shown.pod_namespace);
		weir_builder_text(b, CONTAINER_RUNTIME, containers_runtime_name(c->runtime));
		weir_builder_time(b, CONTAINER_FIRST_SEEN, c->first_mono_ns + s->real_minus_mono_ns);
		weir_builder_time(b, CONTAINER_LAST_SEEN, c->lives_mono_ns + s->real_minus_mono_ns);
	}
	s->news = false;
}

/* --- the whole ---------------------------------------------------------------------------------- */

struct containers_state *containers_state_new(void)
{
	return calloc(1, sizeof(struct containers_state));
}

struct containers_state *containers_state_free(struct containers_state *s)
{
	struct containers_container *c, *next;

	if (!s)
		return NULL;
	HASH_ITER(hh, s->all, c, next) {
		HASH_DEL(s->all, c);
		container_free(c);
	}
	free(s);
	return NULL;
}
