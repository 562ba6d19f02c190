// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/tables.h"

#define MAPS_PER_PROGRAM 8

struct attached {
	const char *feature;
	const char *hook;
	const char *bpftrace;
	struct bpf_link *link;
	int program_fd; /* borrowed from the object */
	char name[64];
	const char *type;
	uint32_t instructions;
	uint32_t jit_bytes;
	uint32_t map_ids[MAPS_PER_PROGRAM];
	uint32_t n_maps;
};

struct known_map {
	uint32_t id;
	char name[BPF_OBJ_NAME_LEN];
	const char *type;
	uint32_t key_bytes, value_bytes, capacity;
	uint64_t entries;
	bool counted; /* somebody says how many entries there are */
};

struct weir_attach {
	struct attached *programs;
	unsigned n_programs, room_programs;
	struct known_map *maps;
	unsigned n_maps, room_maps;
};

struct weir_attach *weir_attach_new(void)
{
	return calloc(1, sizeof(struct weir_attach));
}

struct weir_attach *weir_attach_free(struct weir_attach *a)
{
	if (!a)
		return NULL;
	weir_attach_undo(a, 0);
	free(a->programs);
	free(a->maps);
	free(a);
	return NULL;
}

static int grow(void **items, unsigned n, unsigned *room, size_t size)
{
	unsigned want;
	void *more;

	if (n < *room)
		return 0;
	want = *room ? *room * 2 : 16;
	more = reallocarray(*items, want, size);
	if (!more)
		return -ENOMEM;
	*items = more;
	*room = want;
	return 0;
}

static struct known_map *find_map(const struct weir_attach *a, uint32_t id)
{
	for (unsigned i = 0; i < a->n_maps; i++)
		if (a->maps[i].id == id)
			return &a->maps[i];
	return NULL;
}

static int learn_map(struct weir_attach *a, int fd)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	struct known_map *m;
	int r;

	r = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (r < 0)
		return r;
	if (find_map(a, info.id))
		return 0;
	if (memchr(info.name, '.', sizeof(info.name)))
		return 0; /* libbpf's own, for constants and variables */
	r = grow((void **)&a->maps, a->n_maps, &a->room_maps, sizeof(*a->maps));
	if (r < 0)
		return r;
	m = &a->maps[a->n_maps++];
	*m = (struct known_map){
		.id = info.id,
		.type = libbpf_bpf_map_type_str(info.type),
		.key_bytes = info.key_size,
		.value_bytes = info.value_size,
		.capacity = info.max_entries,
	};
	memcpy(m->name, info.name, sizeof(m->name));
	return 0;
}

int weir_attach_maps(struct weir_attach *a, const struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		int fd = bpf_map__fd(map), r;

		if (fd < 0)
			continue; /* not made */
		r = learn_map(a, fd);
		if (r < 0)
			return r;
	}
	return 0;
}

int weir_attach_add(struct weir_attach *a, const char *feature, const struct bpf_program *program,
		    struct bpf_link *link, const char *hook, const char *bpftrace)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	struct attached *p;
	int r;

	r = grow((void **)&a->programs, a->n_programs, &a->room_programs, sizeof(*a->programs));
	if (r < 0)
		return r;
	p = &a->programs[a->n_programs];
	*p = (struct attached){ .feature = feature, .hook = hook, .bpftrace = bpftrace };
	p->program_fd = bpf_program__fd(program);
	strncpy(p->name, bpf_program__name(program), sizeof(p->name) - 1);
	p->type = libbpf_bpf_prog_type_str(bpf_program__type(program));
	info.nr_map_ids = MAPS_PER_PROGRAM;
	info.map_ids = (uint64_t)(uintptr_t)p->map_ids;
	r = bpf_obj_get_info_by_fd(p->program_fd, &info, &len);
	if (r < 0)
		return r;
	p->instructions = info.xlated_prog_len / sizeof(struct bpf_insn);
	p->jit_bytes = info.jited_prog_len;
	p->n_maps = info.nr_map_ids < MAPS_PER_PROGRAM ? info.nr_map_ids : MAPS_PER_PROGRAM;
	p->link = link;
	a->n_programs++;
	return 0;
}

static const char *place_of(const char *hook)
{
	const char *slash = strchr(hook, '/');

	if (!slash || !strncmp(hook, "iter", 4) || !strncmp(hook, "cgroup", 6))
		return hook;
	return slash + 1;
}

/* Another program of the feature hangs there too, by another way. */
static bool place_is_told(const struct weir_attach *a, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(a->programs[i].feature, a->programs[n].feature) &&
		    !strcmp(place_of(a->programs[i].hook), place_of(a->programs[n].hook)))
			return true;
	return false;
}

void weir_attach_places(const struct weir_attach *a, const char *feature, struct weir_buf *out)
{
	bool any = false;

	for (unsigned i = 0; i < a->n_programs; i++) {
		const struct attached *p = &a->programs[i];

		if (strcmp(p->feature, feature) || !p->link || place_is_told(a, i))
			continue;
		weir_buf_printf(out, "%s%s", any ? ", " : "", place_of(p->hook));
		any = true;
	}
}

unsigned weir_attach_count(const struct weir_attach *a)
{
	return a->n_programs;
}

void weir_attach_undo(struct weir_attach *a, unsigned down_to)
{
	while (a->n_programs > down_to) {
		struct attached *p = &a->programs[--a->n_programs];

		bpf_link__destroy(p->link);
		p->link = NULL;
	}
}

void weir_attach_entries(struct weir_attach *a, const char *map, uint64_t entries)
{
	/* The kernel keeps the first 15 bytes of a map's name. */
	for (unsigned i = 0; i < a->n_maps; i++) {
		if (strncmp(a->maps[i].name, map, BPF_OBJ_NAME_LEN - 1))
			continue;
		a->maps[i].entries = entries;
		a->maps[i].counted = true;
	}
}

static void put_program(const struct attached *p, struct weir_builder *b, uint64_t number)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	weir_builder_row(b, WEIR_UID_HOST, number);
	weir_builder_text(b, HOOKS_FEATURE, p->feature);
	weir_builder_text(b, HOOKS_PROGRAM, p->name);
	weir_builder_text(b, HOOKS_HOOK, p->hook);
	weir_builder_text(b, HOOKS_TYPE, p->type);
	weir_builder_bool(b, HOOKS_ATTACHED, p->link);
	weir_builder_bool(b, HOOKS_ON_DEMAND, false);
	weir_builder_uint(b, HOOKS_INSTRUCTIONS, p->instructions);
	weir_builder_uint(b, HOOKS_JIT_BYTES, p->jit_bytes);
	weir_builder_text(b, HOOKS_BPFTRACE, p->bpftrace);
	if (bpf_obj_get_info_by_fd(p->program_fd, &info, &len) < 0 || !info.run_cnt)
		return; /* the kernel counts only while somebody measures */
	weir_builder_uint(b, HOOKS_RUNS, info.run_cnt);
	weir_builder_uint(b, HOOKS_NS_PER_RUN, info.run_time_ns / info.run_cnt);
}

static void put_map(const struct known_map *m, struct weir_builder *b)
{
	weir_builder_text(b, HOOKS_MAP, m->name);
	weir_builder_text(b, HOOKS_MAP_TYPE, m->type);
	if (m->counted)
		weir_builder_uint(b, HOOKS_ENTRIES, m->entries);
	if (m->capacity)
		weir_builder_uint(b, HOOKS_CAPACITY, m->capacity);
	weir_builder_uint(b, HOOKS_KEY_BYTES, m->key_bytes);
	weir_builder_uint(b, HOOKS_VALUE_BYTES, m->value_bytes);
}

void weir_attach_snapshot(const struct weir_attach *a, struct weir_builder *b, uint64_t number)
{
	weir_builder_table(b, &weir_table_hooks);
	for (unsigned i = 0; i < a->n_programs; i++) {
		const struct attached *p = &a->programs[i];

		bool first = true;

		put_program(p, b, number);
		for (uint32_t m = 0; m < p->n_maps; m++) {
			const struct known_map *map = find_map(a, p->map_ids[m]);

			if (!map)
				continue;
			if (!first)
				put_program(p, b, number);
			first = false;
			put_map(map, b);
		}
	}
	weir_builder_table(b, &weir_table_maps);
	for (unsigned i = 0; i < a->n_maps; i++) {
		const struct known_map *m = &a->maps[i];

		if (!m->counted)
			continue;
		weir_builder_row(b, WEIR_UID_HOST, number);
		weir_builder_text(b, MAPS_MAP, m->name);
		weir_builder_uint(b, MAPS_ENTRIES, m->entries);
		if (m->capacity)
			weir_builder_uint(b, MAPS_CAPACITY, m->capacity);
	}
}

int weir_attach_measure(int *ret_fd)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}
