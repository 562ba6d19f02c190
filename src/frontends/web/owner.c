// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/owner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define GROUP "weir"
#define GROUPS_MAX 65536 /* NGROUPS_MAX */

/* --- the group ---------------------------------------------------------------------------- */

static int add_member(struct web_owner *o, uid_t uid)
{
	uid_t *grown = reallocarray(o->members, o->n_members + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	o->members = grown;
	o->members[o->n_members++] = uid;
	return 0;
}

/* A TCP connection tells a user but no groups, so the members are looked up once. */
static int read_members(struct web_owner *o)
{
	struct group *g = getgrnam(GROUP);

	if (!g || g->gr_gid == 0)
		return 0;
	o->group = g->gr_gid;
	o->have_group = true;
	for (char **name = g->gr_mem; name && *name; name++) {
		struct passwd *p = getpwnam(*name);
		if (p && add_member(o, p->pw_uid) < 0)
			return -ENOMEM;
	}
	/* Users whose first group it is; the local file only, a directory could have millions. */
	_cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
	struct passwd *p;
	while (f && (p = fgetpwent(f)))
		if (p->pw_gid == o->group && add_member(o, p->pw_uid) < 0)
			return -ENOMEM;
	return 0;
}

static bool is_member(const struct web_owner *o, uid_t uid)
{
	for (size_t i = 0; i < o->n_members; i++)
		if (o->members[i] == uid)
			return true;
	return false;
}

int web_owner_open(struct web_owner *o, int *ret_error)
{
	*o = (struct web_owner){ 0 };
	*ret_error = 0;
	o->diag = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!o->diag || mnl_socket_bind(o->diag, 0, MNL_SOCKET_AUTOPID) < 0) {
		*ret_error = -errno;
		if (o->diag)
			mnl_socket_close(o->diag);
		o->diag = NULL;
	}
	return read_members(o);
}

void web_owner_close(struct web_owner *o)
{
	if (o->diag)
		mnl_socket_close(o->diag);
	free(o->members);
	*o = (struct web_owner){ 0 };
}

/* --- Unix --------------------------------------------------------------------------------- */

static bool has_group(int fd, gid_t group)
{
	socklen_t size = 0;

	/* The first call tells the size. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
		return false;
	if (size > GROUPS_MAX * sizeof(gid_t))
		return false;
	_cleanup_free_ gid_t *groups = malloc(size);
	if (!groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(gid_t); i++)
		if (groups[i] == group)
			return true;
	return false;
}

int web_owner_of_unix(const struct web_owner *o, int fd, struct weir_viewer *ret)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	if (size != sizeof(peer) || peer.uid == (uid_t)-1)
		return -ENOENT;
	ret->uid = peer.uid;
	ret->sees_all = peer.uid == 0 ||
			(o->have_group && (peer.gid == o->group || has_group(fd, o->group)));
	return 0;
}

/* --- TCP ---------------------------------------------------------------------------------- */

union end {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* IPv4 inside IPv6 becomes IPv4: the kernel finds either kind of socket by it. */
static void unmap(union end *e)
{
	if (e->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&e->v6.sin6_addr))
		return;
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = e->v6.sin6_port };
	memcpy(&v4.sin_addr, &e->v6.sin6_addr.s6_addr[12], sizeof(v4.sin_addr));
	e->v4 = v4;
}

static int ends_of(int fd, union end *ret_ours, union end *ret_theirs)
{
	socklen_t size = sizeof(*ret_ours);

	if (getsockname(fd, &ret_ours->any, &size) < 0)
		return -errno;
	size = sizeof(*ret_theirs);
	if (getpeername(fd, &ret_theirs->any, &size) < 0)
		return -errno;
	unmap(ret_ours);
	unmap(ret_theirs);
	if (ret_ours->any.sa_family != ret_theirs->any.sa_family)
		return -EAFNOSUPPORT;
	return ret_ours->any.sa_family == AF_INET || ret_ours->any.sa_family == AF_INET6
		       ? 0
		       : -EAFNOSUPPORT;
}

/* The client's socket seen from its own side: its source is our peer. */
static void identify(struct inet_diag_sockid *id, const union end *ours, const union end *theirs)
{
	*id = (struct inet_diag_sockid){
		.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
	};
	if (ours->any.sa_family == AF_INET) {
		id->idiag_sport = theirs->v4.sin_port;
		id->idiag_dport = ours->v4.sin_port;
		memcpy(id->idiag_src, &theirs->v4.sin_addr, sizeof(theirs->v4.sin_addr));
		memcpy(id->idiag_dst, &ours->v4.sin_addr, sizeof(ours->v4.sin_addr));
	} else {
		id->idiag_sport = theirs->v6.sin6_port;
		id->idiag_dport = ours->v6.sin6_port;
		id->idiag_if = theirs->v6.sin6_scope_id;
		memcpy(id->idiag_src, &theirs->v6.sin6_addr, sizeof(theirs->v6.sin6_addr));
		memcpy(id->idiag_dst, &ours->v6.sin6_addr, sizeof(ours->v6.sin6_addr));
	}
}

/* The kernel looks for listeners too when no connection fits, and reports sockets that no process
 * holds any more (TIME_WAIT, closed in a hurry) with uid 0. Neither may pass for root: such have no
 * inode. A socket never gets its inode back, and the kernel reads it after the uid. */
static bool is_the_clients(const struct inet_diag_msg *m, const struct inet_diag_sockid *asked)
{
	return m->idiag_state != TCP_LISTEN && m->idiag_inode != 0 &&
	       m->id.idiag_sport == asked->idiag_sport && m->id.idiag_dport == asked->idiag_dport &&
	       memcmp(m->id.idiag_dst, asked->idiag_dst, sizeof(asked->idiag_dst)) == 0 &&
	       memcmp(m->id.idiag_src, asked->idiag_src, sizeof(asked->idiag_src)) == 0;
}

/* A socket of the other family reports its addresses in its own form, ::ffff:a.b.c.d. */
static void unmap_answer(struct inet_diag_msg *m)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	__be32 *both[] = { m->id.idiag_src, m->id.idiag_dst };

	if (m->idiag_family != AF_INET6)
		return;
	for (int i = 0; i < 2; i++) {
		if (memcmp(both[i], mapped, sizeof(mapped)) != 0)
			continue;
		both[i][0] = both[i][3];
		both[i][1] = both[i][2] = both[i][3] = 0;
	}
}

static int send_question(struct web_owner *o, sa_family_t family, const struct inet_diag_sockid *id)
{
	char buffer[NLMSG_LENGTH(sizeof(struct inet_diag_req_v2)) + 64];
	struct nlmsghdr *head = mnl_nlmsg_put_header(buffer);

	head->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	head->nlmsg_flags = NLM_F_REQUEST;
	head->nlmsg_seq = ++o->sequence;
	struct inet_diag_req_v2 *q = mnl_nlmsg_put_extra_header(head, sizeof(*q));
	q->sdiag_family = (uint8_t)family;
	q->sdiag_protocol = IPPROTO_TCP;
	q->idiag_states = UINT32_MAX;
	q->id = *id;
	return mnl_socket_sendto(o->diag, head, head->nlmsg_len) < 0 ? -errno : 0;
}

/* The kernel answers before the question's send returns, so what is not there now never comes.
 * Answers to older questions are passed over. */
static int read_answer(struct web_owner *o, const struct inet_diag_sockid *asked, uid_t *ret)
{
	char buffer[8192] __attribute__((aligned(8)));

	for (;;) {
		ssize_t n = mnl_socket_recvfrom(o->diag, buffer, sizeof(buffer));
		if (n < 0)
			return errno == EAGAIN ? -ENOENT : -errno;
		const struct nlmsghdr *head = (const struct nlmsghdr *)buffer;
		int left = (int)n;
		if (!mnl_nlmsg_ok(head, left) || head->nlmsg_seq != o->sequence)
			continue;
		if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		    mnl_nlmsg_get_payload_len(head) < sizeof(struct inet_diag_msg))
			return -ENOENT;
		struct inet_diag_msg m;
		memcpy(&m, mnl_nlmsg_get_payload(head), sizeof(m));
		unmap_answer(&m);
		if (!is_the_clients(&m, asked))
			return -ENOENT;
		*ret = m.idiag_uid;
		return 0;
	}
}

int web_owner_of_tcp(struct web_owner *o, int fd, struct weir_viewer *ret)
{
	union end ours = { 0 }, theirs = { 0 };
	struct inet_diag_sockid id;
	uid_t uid = WEIR_UID_HOST;

	if (!o->diag)
		return -ENOENT;
	int r = ends_of(fd, &ours, &theirs);
	if (r < 0)
		return r;
	identify(&id, &ours, &theirs);
	r = send_question(o, ours.any.sa_family, &id);
	if (r < 0)
		return r;
	r = read_answer(o, &id, &uid);
	if (r < 0)
		return r;
	ret->uid = uid;
	ret->sees_all = uid == 0 || is_member(o, uid);
	return 0;
}
