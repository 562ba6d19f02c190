// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_account.bpf.h"

/* The hooks that every set has: lives of sockets and processes, and looking at everything. Each is a few lines; the
 * work stands in the headers above. The hooks that see bytes stand in one file for each set. */

char LICENSE[] SEC("license") = "GPL";

#include "features/traffic/traffic_set_fentry.bpf.h"
#include "features/traffic/traffic_set_kprobe.bpf.h"
#include "features/traffic/traffic_set_sock.bpf.h"

/* --- UDP without connect(): the address of each datagram ------------------------------------- */

static __always_inline struct traffic_storage *note_peer(struct bpf_sock_addr *ctx, int family, int dir)
{
	struct bpf_sock *sk = ctx->sk;
	struct traffic_storage *st;

	if (!sk)
		return NULL;
	st = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!st)
		return NULL;
	st->pending_task = 0;
	barrier();
	__builtin_memset(&st->pending, 0, sizeof(st->pending));
	st->pending.family = family;
	st->pending.port = bpf_ntohs(ctx->user_port);
	st->pending.reserved[0] = dir;
	return st;
}

static __always_inline int note_peer4(struct bpf_sock_addr *ctx, int dir)
{
	struct traffic_storage *st = note_peer(ctx, AF_INET, dir);

	if (!st)
		return 1;
	*(__u32 *)st->pending.address = ctx->user_ip4;
	barrier();
	st->pending_task = bpf_get_current_pid_tgid(); /* whole from now on */
	return 1;
}

static __always_inline int note_peer6(struct bpf_sock_addr *ctx, int dir)
{
	struct traffic_storage *st = note_peer(ctx, AF_INET6, dir);

	if (st) {
		__u32 *to = (__u32 *)st->pending.address;

		to[0] = ctx->user_ip6[0];
		to[1] = ctx->user_ip6[1];
		to[2] = ctx->user_ip6[2];
		to[3] = ctx->user_ip6[3];
		barrier();
		st->pending_task = bpf_get_current_pid_tgid();
	}
	return 1;
}

SEC("cgroup/sendmsg4")
int traffic_sendmsg4(struct bpf_sock_addr *ctx)
{
	return note_peer4(ctx, TRAFFIC_TX);
}

SEC("cgroup/sendmsg6")
int traffic_sendmsg6(struct bpf_sock_addr *ctx)
{
	return note_peer6(ctx, TRAFFIC_TX);
}

SEC("cgroup/recvmsg4")
int traffic_recvmsg4(struct bpf_sock_addr *ctx)
{
	return note_peer4(ctx, TRAFFIC_RX);
}

SEC("cgroup/recvmsg6")
int traffic_recvmsg6(struct bpf_sock_addr *ctx)
{
	return note_peer6(ctx, TRAFFIC_RX);
}

/* --- a socket's life ------------------------------------------------------------------------- */

/* connect() or listen(), in the caller's context: it is the owner until somebody sends or receives. */
static __always_inline void begin(struct sock *sk, int transport, __u8 role)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct traffic_storage *st;

	st = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!st)
		return;
	if (!st->cookie)
		storage_open(sk, st, transport);
	if (tp && st->flags & TRAFFIC_SOCKET_BASED) {
		/* Connected again: what the connection before moved stays counted. */
		struct traffic_sequence now;

		tcp_sequence(sk, tp, sk->__sk_common.skc_state, &now);
		st->tcp_done[TRAFFIC_TX] = tcp_count(st, tp, &now, TRAFFIC_TX);
		st->tcp_done[TRAFFIC_RX] = tcp_count(st, tp, &now, TRAFFIC_RX);
	}
	st->role = role;
	st->error = 0;
	clear_flags(st, TRAFFIC_SOCKET_FINAL | TRAFFIC_SOCKET_BASED | TRAFFIC_SOCKET_REPORTED |
			TRAFFIC_SOCKET_RESET_TX | TRAFFIC_SOCKET_RESET_RX);
	if (!st->owner_start) {
		process_sums(leader_of(task));
		st->owner_start = caller_start();
		st->owner_pid = task->tgid;
		set_flags(st, TRAFFIC_SOCKET_TENTATIVE);
	}
	if (role == TRAFFIC_ROLE_CLIENT) {
		st->syn_ns = bpf_ktime_get_ns();
		/* Not zero when a socket is connected again after a reset. */
		if (tp) {
			st->tcp_base[TRAFFIC_TX] = tp->bytes_sent - tp->bytes_retrans;
			st->tcp_base[TRAFFIC_RX] = tp->bytes_received;
		}
	} else {
		fill_tuple(sk, &st->tuple, transport);
		send_socket(sk, st, TRAFFIC_SOCKET_OPEN, TCP_LISTEN);
	}
}

/* An accepted socket begins as a copy of its listener's storage: it has the listener's owner, until the process
 * that accepted it uses it. */
static __always_inline void begin_child(struct sock *sk, struct traffic_storage *st, int transport, int state)
{
	__u64 owner_start = st->owner_start, listeners = st->cookie;
	__u32 owner_pid = st->owner_pid;

	__builtin_memset(st, 0, sizeof(*st));
	st->owner_start = owner_start;
	st->owner_pid = owner_pid;
	st->flags = TRAFFIC_SOCKET_TENTATIVE;
	st->role = TRAFFIC_ROLE_SERVER;
	/* Before 6.13 the clone still has its listener's cookie at this point, and gets its own next. */
	if (state == TCP_SYN_RECV && bpf_get_socket_cookie(sk) == listeners)
		return;
	storage_open(sk, st, transport);
}

static __always_inline void established(struct sock *sk, int transport, int from)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct traffic_storage *st;

	st = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!st)
		return;
	if (st->role == TRAFFIC_ROLE_LISTENER || !st->cookie)
		begin_child(sk, st, transport, TCP_ESTABLISHED);
	fill_tuple(sk, &st->tuple, transport);
	if (st->role == TRAFFIC_ROLE_CLIENT && st->syn_ns)
		st->connect_us = (bpf_ktime_get_ns() - st->syn_ns) / 1000;
	if (tp) {
		struct traffic_sequence now;

		tcp_sequence(sk, tp, TCP_ESTABLISHED, &now);
		tcp_base(st, &now);
	}
	send_socket(sk, st, TRAFFIC_SOCKET_OPEN, TCP_ESTABLISHED);
}

/* The last moment at which TCP's counters are there: an abort zeroes them next. */
static __always_inline void closed(struct sock *sk, int from)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct traffic_storage *st = bpf_sk_storage_get(&sockets, sk, 0, 0);

	if (!st || !st->cookie)
		return;
	st->close_state = from;
	st->error = sk->sk_err;
	if (tp && !(st->flags & TRAFFIC_SOCKET_FINAL)) {
		struct traffic_sequence now;

		tcp_sequence(sk, tp, from, &now);
		st->tcp_final[TRAFFIC_TX] = tcp_count(st, tp, &now, TRAFFIC_TX);
		st->tcp_final[TRAFFIC_RX] = tcp_count(st, tp, &now, TRAFFIC_RX);
		st->received_at_end = tp->bytes_received;
		take_wire(st, sk, tp);
		set_flags(st, TRAFFIC_SOCKET_FINAL);
	}
	/* With the program gone too the socket is freed next and says the same then. */
	if (sk->__sk_common.skc_flags & (1 << SOCK_DEAD))
		return;
	if (send_socket(sk, st, TRAFFIC_SOCKET_CLOSE, TCP_CLOSE))
		set_flags(st, TRAFFIC_SOCKET_REPORTED);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(traffic_state, struct sock *sk, int from, int to)
{
	int transport = transport_of(sk);
	struct tcp_sock *tp;

	if ((transport != TRAFFIC_TCP && transport != TRAFFIC_MPTCP) || !end_seen(transport))
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp && bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp)
		return 0; /* a subflow: the program's bytes are counted on the MPTCP socket */
	switch (to) {
	case TCP_SYN_SENT:
		begin(sk, transport, TRAFFIC_ROLE_CLIENT);
		break;
	case TCP_LISTEN:
		begin(sk, transport, TRAFFIC_ROLE_LISTENER);
		break;
	case TCP_SYN_RECV: {
		struct traffic_storage *st = bpf_sk_storage_get(&sockets, sk, 0, 0);

		if (st && st->role == TRAFFIC_ROLE_LISTENER)
			begin_child(sk, st, transport, TCP_SYN_RECV);
		break;
	}
	case TCP_ESTABLISHED:
		established(sk, transport, from);
		break;
	case TCP_CLOSE:
		closed(sk, from);
		break;
	}
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(traffic_destroy, struct sock *sk)
{
	struct traffic_storage *st = bpf_sk_storage_get(&sockets, sk, 0, 0);

	if (!st || !st->cookie)
		return 0;
	send_socket(sk, st, TRAFFIC_SOCKET_GONE, TCP_CLOSE);
	calls_end(st);
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(traffic_receive_reset, struct sock *sk)
{
	struct traffic_storage *st = bpf_sk_storage_get(&sockets, sk, 0, 0);

	if (st)
		set_flags(st, TRAFFIC_SOCKET_RESET_RX);
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(traffic_send_reset, struct sock *sk)
{
	struct traffic_storage *st;

	if (!sk || sk->__sk_common.skc_state == TCP_LISTEN)
		return 0;
	st = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (st)
		set_flags(st, TRAFFIC_SOCKET_RESET_TX);
	return 0;
}

static __always_inline void send_exit(struct task_struct *leader)
{
	struct traffic_exit *e = traffic_reserve(TRAFFIC_RECORD_EXIT, sizeof(*e));

	if (!e)
		return;
	task_key(leader, &e->key);
	e->at_ns = bpf_ktime_get_ns();
	bpf_ringbuf_submit(e, traffic_wakeup());
}

static __always_inline void claim_at_close(struct traffic_storage *st)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool other = st->owner_start != caller_start();

	if (task->flags & PF_KTHREAD)
		return; /* the last reference was dropped for somebody else */
	if (!claim(st, caller_start()) || !other)
		return;
	process_sums(leader_of(task));
	if (task->flags & PF_EXITING)
		send_exit(leader_of(task)); /* its exit was passed over: it was not known then */
}

static __always_inline void fill_gone(struct traffic_socket *r, struct traffic_storage *st)
{
	__builtin_memset(r, 0, sizeof(*r));
	r->head.type = TRAFFIC_RECORD_SOCKET;
	r->head.size = sizeof(*r);
	fill_stored(r, st);
	r->event = TRAFFIC_SOCKET_GONE;
	fill_effective(r, st);
	fold(st, r);
}

/* UDP and MPTCP have no tracepoint at their end; the last close() of an inet socket passes here. */
SEC("cgroup/sock_release")
int traffic_release(struct bpf_sock *ctx)
{
	struct traffic_storage *st;
	struct traffic_socket *r;
	__u64 *taken;

	st = bpf_sk_storage_get(&sockets, ctx, 0, 0);
	if (!st)
		return 1;
	calls_merge(st);
	if (!st->cookie)
		return 1;
	if (ctx->protocol == IPPROTO_TCP) {
		/* Who closes it last, without ever having called send or receive, moved what bypassed them. */
		if (st->flags & TRAFFIC_SOCKET_TENTATIVE)
			claim_at_close(st);
		return 1;
	}
	r = traffic_reserve(TRAFFIC_RECORD_SOCKET, sizeof(*r));
	if (r) {
		fill_gone(r, st);
		bpf_ringbuf_submit(r, traffic_wakeup());
	} else if ((r = spare_take(&taken))) {
		fill_gone(r, st);
		spare_give(taken);
	}
	calls_end(st);
	return 1;
}

/* --- a process's life ------------------------------------------------------------------------- */

static __always_inline struct traffic_sums *known_process(struct task_struct *leader)
{
	struct traffic_key key = {};

	task_key(leader, &key);
	return bpf_map_lookup_elem(&processes, &key);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(traffic_exec, struct task_struct *task)
{
	struct traffic_sums *sums = known_process(task);

	if (sums)
		send_process(task, sums, 0);
	return 0;
}

SEC("tp_btf/task_rename")
int BPF_PROG(traffic_rename, struct task_struct *task, const char *name)
{
	struct traffic_sums *sums;

	if (task->pid != task->tgid)
		return 0;
	sums = known_process(task);
	if (sums)
		send_process(task, sums, (__u64)name);
	return 0;
}

/* Into a container or a unit after its first use of a socket. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(traffic_moved, struct cgroup *to, const char *path, struct task_struct *task)
{
	struct task_struct *leader = leader_of(task);
	struct traffic_sums *sums = known_process(leader);

	if (sums)
		send_process(leader, sums, 0);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(traffic_exit, struct task_struct *task)
{
	struct task_struct *leader = leader_of(task);
	struct traffic_sums *sums;

	__sync_fetch_and_add(&control.exits, 1);
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	sums = known_process(leader);
	if (!sums)
		return 0;
	if (!sums->named)
		send_process(leader, sums, 0);
	send_exit(leader);
	return 0;
}

/* --- looking at everything -------------------------------------------------------------------- */

static __always_inline void note_holder(struct traffic_storage *st, const struct traffic_key *key)
{
	if (st->holder_look != control.look) {
		st->holder_look = control.look;
		st->holder_start = key->start_ns;
		st->holder_pid = key->pid;
		st->n_holders = 1;
	} else if (st->holder_start != key->start_ns) {
		st->n_holders = 2;
	}
}

/* Of several that hold a socket from before, the one that has lived longest: the others are its children, with pids below its
 * own where pids went round. But rather anybody than pid 1: it opens sockets for services and keeps them. */
static __always_inline bool holds_rather(const struct traffic_key *key, const struct traffic_storage *st, __u64 start)
{
	if ((key->pid == 1) != (st->owner_pid == 1))
		return st->owner_pid == 1;
	return key->start_ns < start;
}

static __always_inline void seed_owner(struct traffic_storage *st, const struct traffic_key *key)
{
	__u64 old = st->owner_start;

	if (old && (!(st->flags & TRAFFIC_SOCKET_SEEDED) || !(st->flags & TRAFFIC_SOCKET_TENTATIVE) ||
		    st->bytes[0] | st->bytes[1] | st->folded[0] | st->folded[1] || !holds_rather(key, st, old)))
		return;
	if (!old) {
		st->owner_pid = key->pid;
		set_flags(st, TRAFFIC_SOCKET_TENTATIVE);
	}
	if (__sync_val_compare_and_swap(&st->owner_start, old, key->start_ns) == old)
		st->owner_pid = key->pid;
}

/* At the start: sockets that are open already, and who holds them. Later: who holds those that nobody called. */
SEC("iter/task_file")
int traffic_seed(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct traffic_storage *st;
	struct traffic_key key = {};
	struct socket *socket;
	struct tcp_sock *tp;
	struct sock *sk;
	int transport;
	__u8 state;

	if (!control.began_ns) {
		control.began_jiffies = bpf_jiffies64();
		control.began_ns = bpf_ktime_get_ns();
	}
	if (!file || !task)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	transport = transport_of(sk);
	state = sk->__sk_common.skc_state;
	if (transport < 0 || transport == TRAFFIC_UNIX || transport == TRAFFIC_OTHER || !end_seen(transport))
		return 0;
	if (transport == TRAFFIC_TCP && state == TCP_CLOSE)
		return 0;
	st = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!st)
		return 0;
	if (!st->owner_start || st->flags & TRAFFIC_SOCKET_TENTATIVE) {
		task_key(leader_of(task), &key);
		process_sums_by_key(&key);
		note_holder(st, &key);
		seed_owner(st, &key);
	}
	if (st->cookie)
		return 0;
	storage_open(sk, st, transport);
	set_flags(st, TRAFFIC_SOCKET_SEEDED);
	st->role = transport == TRAFFIC_TCP && state == TCP_LISTEN ? TRAFFIC_ROLE_LISTENER :
								     TRAFFIC_ROLE_UNKNOWN;
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp && state != TCP_LISTEN && state != TCP_SYN_SENT) {
		struct traffic_sequence now;

		tcp_sequence(sk, tp, state, &now);
		for (int dir = 0; dir < _TRAFFIC_DIRECTION_MAX; dir++) {
			__u64 moved = calls_moved(st, dir);

			now.low[dir] -= moved;
			now.about[dir] -= moved;
			st->before[dir] = now.about[dir];
			st->tcp_base[dir] = now.about[dir];
		}
		tcp_base(st, &now);
	}
	return 0;
}

/* Of all that a row shows; another owner comes with other flags or with bytes. Most sockets are silent most of the
 * time, and there are many: it reads little. */
static __always_inline __u64 fingerprint(struct sock *sk, const struct traffic_storage *st)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	__u64 h = sk->__sk_common.skc_state ^ ((__u64)st->flags << 32);

	h = h * 31 + st->bytes[0];
	h = h * 31 + st->bytes[1];
	if (st->flags & (TRAFFIC_SOCKET_SHARED | TRAFFIC_SOCKET_CUT))
		h += st->foreign[0] * 31 + st->foreign[1] + st->cut_rx;
	if (sk->__sk_common.skc_state == TCP_LISTEN)
		return h * 31 + sk->sk_ack_backlog + ((__u64)sk->sk_drops.counter << 32);
	if (!tp)
		return h;
	h = h * 31 + tp->write_seq + ((__u64)tp->snd_nxt << 32);
	h = h * 31 + tp->copied_seq + ((__u64)tp->rcv_nxt << 32);
	/* Retransmissions are segments sent; their own counter lies in another cache line. */
	return h * 31 + tp->segs_out + ((__u64)tp->srtt_us << 32);
}

/* A socket that was silent for so many sweeps is then looked at closely in one sweep of so many, unless somebody waits
 * for what it says. Of the ten cache lines that looking takes, which is nearly all of a sweep's time, six are saved.
 * A call on the socket ends that at once; what TCP alone does (acknowledgements, a retransmission, data that arrive
 * and are not read) is seen a few sweeps later. */
#define SILENT_LONG 8
#define SILENT_TURN 4

static __always_inline bool leave_for_later(const struct traffic_storage *st)
{
	return st->silent >= SILENT_LONG && (st->silent + st->swept) % SILENT_TURN && !control.watched &&
	       !control.sweep_all;
}

/* Not the one of the hooks: a softirq that finds the ring full would write into it in the middle of a sweep. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct traffic_socket);
} swept_record SEC(".maps");

/* A socket that was just accepted begins as its listener's copy and is begun anew on another processor while we read.
 * Such a copy has its listener's cookie; the next sweep sees what it has become. (One that MPTCP accepted keeps that
 * cookie, and before 6.13 every copy does for a moment.) */
static __always_inline bool is_own(const struct traffic_storage *st, struct sock *sk)
{
	return st->cookie && (st->tuple.transport == TRAFFIC_MPTCP || st->cookie == bpf_get_socket_cookie(sk));
}

/* What was read is one socket's if it was the same one all the time. */
static __always_inline bool read_whole(const struct traffic_socket *r, const struct traffic_storage *st, struct sock *sk)
{
	barrier();
	return r->cookie == st->cookie && r->opened_ns == st->opened_ns && is_own(st, sk);
}

/* Each tick: sockets whose numbers changed. All of them when control.sweep_all is set, each once as long as that says
 * the same: an iteration that was interrupted can be repeated for what it skipped. */
SEC("iter/bpf_sk_storage_map")
int traffic_sweep(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct traffic_storage *seen = ctx->value;
	struct sock *sk = ctx->sk;
	struct traffic_storage *st;
	struct traffic_socket *r;
	__u32 zero = 0;
	__u64 now;

	if (!sk || !seen)
		return 0;
	calls_merge(seen);
	if (!seen->cookie)
		return 0;
	/* So that a void tag never stays until the count of exits has gone round. */
	if (seen->user_tag && tag_void(seen->user_tag))
		seen->user_tag = 0;
	if (leave_for_later(seen) ||
	    (fingerprint(sk, seen) == seen->swept && !holder_known(seen) &&
	     (!control.sweep_all || control.sweep_all == seen->round))) {
		seen->silent++;
		return 0;
	}
	st = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (!st || !is_own(st, sk))
		return 0;
	adopt_holder(st);
	now = fingerprint(sk, st);
	r = bpf_map_lookup_elem(&swept_record, &zero);
	if (!r)
		return 0;
	if (st->tuple.transport == TRAFFIC_UDP)
		fill_tuple(sk, &st->tuple, TRAFFIC_UDP); /* may have been bound or connected since */
	fill_socket(r, sk, st, TRAFFIC_SOCKET_SWEEP, 0);
	if (!read_whole(r, st, sk))
		return 0;
	if (!bpf_seq_write(ctx->meta->seq, r, sizeof(*r))) {
		st->silent = now == st->swept ? st->silent + 1 : 0;
		st->swept = now;
		if (control.sweep_all)
			st->round = control.sweep_all;
	}
	return 0;
}

/* Names of processes that are in the sums but could not be introduced. */
SEC("iter/task")
int traffic_names(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct traffic_sums *sums;
	struct traffic_process *p;
	__u32 zero = 0;

	if (!task || task->pid != task->tgid)
		return 0;
	sums = known_process(task);
	if (!sums || (sums->named && !control.sweep_all))
		return 0;
	p = bpf_map_lookup_elem(&spare_process, &zero);
	if (!p)
		return 0;
	p->head.type = TRAFFIC_RECORD_PROCESS;
	p->head.size = sizeof(*p);
	fill_process(p, address_of(task), 0);
	if (!bpf_seq_write(ctx->meta->seq, p, sizeof(*p)))
		note_process(sums, p);
	return 0;
}
