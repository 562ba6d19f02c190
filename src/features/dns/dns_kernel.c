// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/dns/dns_kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "core/attach.h"
#include "core/kept.h"
#include "core/probe.h"
#include "features/dns/dns.skel.h"
#include "features/dns/dns_state.h"

struct dns_kernel {
	struct dns_bpf *bpf; /* NULL: names from /etc/hosts only */
	struct dns_kept *kept; /* shared by the keeper's children */
};

static const enum weir_ability cgroup_needs[] = {
	WEIR_ABILITY_LOAD,    WEIR_ABILITY_BTF,	     WEIR_ABILITY_READ_KERNEL,
	WEIR_ABILITY_RINGBUF, WEIR_ABILITY_TASK_BTF, WEIR_ABILITY_CGROUP,
	_WEIR_ABILITY_MAX,
};

static int cgroup_possible(const struct weir_probe *p, const char **ret_reason)
{
	enum weir_ability lacks = weir_probe_lacks(p, cgroup_needs);

	if (lacks == _WEIR_ABILITY_MAX)
		return 0;
	*ret_reason = weir_probe_reason(p, lacks);
	return -EOPNOTSUPP;
}

static int hosts_possible(const struct weir_probe *p, const char **ret_reason)
{
	(void)p;
	(void)ret_reason;
	return 0;
}

enum { SET_CGROUP, SET_HOSTS };

const struct weir_hook_set dns_hook_sets[] = {
	[SET_CGROUP] = {
		.name = "cgroup",
		.serves = "names of peers, from the DNS answers that programs of this host receive and from /etc/hosts",
		.possible = cgroup_possible,
	},
	[SET_HOSTS] = {
		.name = "hosts",
		.serves = "names of peers from /etc/hosts; nothing runs in the kernel",
		.possible = hosts_possible,
	},
	{},
};

struct dns_hook {
	const char *program;
	const char *hook;
};

/* Who asks is known before the first answer is looked at. */
static const struct dns_hook hooks[] = {
	{ "dns_connect4", "cgroup/connect4" },
	{ "dns_connect6", "cgroup/connect6" },
	{ "dns_sendmsg4", "cgroup/sendmsg4" },
	{ "dns_sendmsg6", "cgroup/sendmsg6" },
	{ "dns_receive", "cgroup_skb/ingress" },
};

static int attach_hooks(struct dns_kernel *k, struct weir_attach *attach, int cgroup_fd, const char **ret_failed)
{
	for (unsigned i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct bpf_program *program = bpf_object__find_program_by_name(k->bpf->obj, hooks[i].program);
		struct bpf_link *link;
		int r;

		*ret_failed = hooks[i].hook;
		if (!program)
			return -ENOENT;
		/* A link of its own beside those of others (BPF_F_ALLOW_MULTI); all of them run. */
		link = bpf_program__attach_cgroup(program, cgroup_fd);
		if (!link)
			return -errno;
		r = weir_attach_add(attach, "dns", program, link, hooks[i].hook, NULL);
		if (r < 0) {
			bpf_link__destroy(link);
			return r;
		}
	}
	return 0;
}

static int load(struct dns_kernel *k, struct weir_attach *attach, struct weir_probe *probe, const char **ret_failed)
{
	unsigned before = weir_attach_count(attach);
	int r;

	*ret_failed = "the object";
	k->bpf = dns_bpf__open_and_load();
	r = k->bpf ? weir_attach_maps(attach, k->bpf->obj) : -errno;
	if (r == 0)
		r = attach_hooks(k, attach, weir_probe_cgroup_fd(probe), ret_failed);
	if (r < 0) {
		weir_attach_undo(attach, before);
		dns_bpf__destroy(k->bpf);
		k->bpf = NULL;
	}
	return r;
}

static void note_limits(struct weir_probe *probe)
{
	weir_probe_note(probe, "dns: answers that are not seen", NULL, WEIR_DOCTOR_DEGRADED, NULL,
			"names learned over TLS or HTTPS, from a resolver's socket of another kind, or before weir "
			"began pass no packet from port 53; such peers are shown by address",
			NULL);
}

/* Without the kernel half the rest is served; that is a failure only for who insisted on it. */
static int fall_back(struct weir_probe *probe, bool forced, const char *reason, const char *cure, int error)
{
	weir_probe_note(probe, "dns", forced ? "cgroup" : "hosts",
			forced ? WEIR_DOCTOR_UNAVAILABLE : WEIR_DOCTOR_DEGRADED,
			forced ? NULL : dns_hook_sets[SET_HOSTS].serves, reason, cure);
	return forced ? error : 0;
}

static int load_cgroup(struct dns_kernel *k, struct weir_attach *attach, struct weir_probe *probe, bool forced)
{
	enum weir_ability lacks = weir_probe_lacks(probe, cgroup_needs);
	const char *failed = "", *why, *cure = NULL;
	char text[512];
	int r;

	if (lacks != _WEIR_ABILITY_MAX)
		return fall_back(probe, forced, weir_probe_reason(probe, lacks), weir_probe_cure(probe, lacks),
				 -EOPNOTSUPP);
	r = load(k, attach, probe, &failed);
	if (r < 0) {
		why = weir_probe_refusal(probe, r, &cure);
		snprintf(text, sizeof(text), "the kernel refused %s: %s", failed, why);
		return fall_back(probe, forced, text, cure, r);
	}
	weir_probe_note(probe, "dns", "cgroup", WEIR_DOCTOR_ON, dns_hook_sets[SET_CGROUP].serves, NULL, NULL);
	note_limits(probe);
	return 0;
}

int dns_kernel_load(struct weir_attach *attach, struct weir_probe *probe, const char *forced_set, void **ret_kernel)
{
	bool forced = forced_set != NULL;
	struct dns_kernel *k;
	int r = 0;

	if (forced && strcmp(forced_set, "cgroup") && strcmp(forced_set, "hosts")) {
		weir_probe_note(probe, "dns", forced_set, WEIR_DOCTOR_UNAVAILABLE, NULL,
				"there is no hook set of this name", "use dns:cgroup, or dns:hosts for /etc/hosts alone");
		return -EOPNOTSUPP;
	}
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->kept = weir_kept_map(sizeof(*k->kept));
	if (!k->kept) {
		free(k);
		return -ENOMEM;
	}
	if (forced && !strcmp(forced_set, "hosts"))
		weir_probe_note(probe, "dns", "hosts", WEIR_DOCTOR_ON, dns_hook_sets[SET_HOSTS].serves, NULL, NULL);
	else
		r = load_cgroup(k, attach, probe, forced);
	if (r < 0) {
		dns_kernel_unload(k);
		return r;
	}
	*ret_kernel = k;
	return 0;
}

void dns_kernel_leave(void *kernel)
{
	struct dns_kernel *k = kernel;

	munmap(k->kept, sizeof(*k->kept));
	if (k->bpf && k->bpf->bss)
		munmap(k->bpf->bss, sizeof(*k->bpf->bss)); /* with all of its last page */
}

void dns_kernel_unload(void *kernel)
{
	struct dns_kernel *k = kernel;

	if (!k)
		return;
	dns_bpf__destroy(k->bpf);
	munmap(k->kept, sizeof(*k->kept));
	free(k);
}

struct dns_kept *dns_kernel_kept(const struct dns_kernel *k)
{
	return k->kept;
}

struct bpf_program *dns_kernel_program(const struct dns_kernel *k)
{
	return k->bpf ? k->bpf->progs.dns_receive : NULL;
}

int dns_kernel_ring(const struct dns_kernel *k)
{
	return k->bpf ? bpf_map__fd(k->bpf->maps.answers) : -1;
}

const struct dns_control *dns_kernel_control(const struct dns_kernel *k)
{
	return k->bpf ? &k->bpf->bss->control : NULL;
}
