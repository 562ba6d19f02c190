// SPDX-License-Identifier: GPL-2.0-or-later
// What the made-up host's daemon says of itself: features, hooks, sums.

const limit = (feature, reason, serves = null) => ({ feature, hook_set: null, state: "degraded", serves, hooks: null, reason, cure: null });

export const DOCTOR = [
	{
		feature: "traffic", hook_set: "sock", state: "on",
		serves: "each byte that a process hands to or takes from a socket, by every call, held against TCP's own counters",
		hooks: "tcp_destroy_sock, tcp_receive_reset, sched_process_exec, sched_process_exit, cgroup/sock_release, cgroup/sendmsg4, iter/task_file, sock_send_length, sock_recv_length, inet_sock_set_state",
		reason: null, cure: null,
	},
	limit("traffic: splice and zero-copy receive", "splice() from a socket passes no hook of this set", "exact per socket by TCP's counters"),
	limit("traffic: MSG_TRUNC on datagrams", "the call returns the datagram's length, not how much was copied"),
	{
		feature: "drops", hook_set: "reasons", state: "on", serves: "each packet that the kernel frees as lost, with its reason, place, device and owner",
		hooks: "kfree_skb, iter/task_file", reason: null, cure: null,
	},
	limit("drops: devices of other namespaces", "the errors that interfaces count themselves are read in the daemon's own network namespace"),
];

const sum = (scope, help, bytes, attributed = true) => ({ scope, help, tx_bytes: bytes, rx_bytes: Math.round(bytes / 3), sockets: bytes ? 402 : 0, attributed, ok: true });

export const AUDIT = [
	sum("processes", "TCP bytes in the sums of processes.", 8123456789),
	sum("sockets", "TCP bytes of all sockets, each byte once.", 8123456789),
	sum("tcp", "What TCP's own sequence numbers counted on these sockets.", 8123457101),
	sum("in_call", "Open sockets: TCP is ahead of the calls, inside one that has not returned.", 312),
	sum("bypass", "Closed sockets: moved past the calls.", 0),
	sum("unattributed", "Bytes that found no process.", 0, false),
];

const PROGRAMS = [
	["traffic", "traffic_send", "tp_btf/sock_send_length", 812345, 611, 2204], ["traffic", "traffic_recv", "tp_btf/sock_recv_length", 901234, 488, 2100],
	["traffic", "traffic_state", "tp_btf/inet_sock_set_state", 4211, 940, 1451], ["traffic", "traffic_exec", "tp_btf/sched_process_exec", 601, 355, 924],
	["traffic", "traffic_exit", "tp_btf/sched_process_exit", 598, 1008, 1009], ["traffic", "traffic_sweep", "iter/bpf_sk_storage_map", 400, 539, 982],
	["drops", "drops_free", "tp_btf/kfree_skb", 30122, 720, 1800], ["drops", "drops_seed", "iter/task_file", null, null, 369],
];
const MAPS = [["sockets", "sk_storage", null, 0], ["processes", "hash", 66, 16384], ["news", "ringbuf", 0, 1048576], ["scratch", "percpu_array", 1, 1]];

export const HOOKS = PROGRAMS.flatMap(([feature, program, hook, runs, ns, instructions]) => MAPS.map(([map, type, entries, capacity]) => ({
	feature, program, hook, type: "tracing", attached: true, on_demand: false, instructions, jit_bytes: instructions * 5, runs, ns_per_run: ns,
	map, map_type: type, entries, capacity, key_bytes: 4, value_bytes: 64, bpftrace: null,
})));
