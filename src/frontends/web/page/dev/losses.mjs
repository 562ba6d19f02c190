// SPDX-License-Identifier: GPL-2.0-or-later
// Lost packets of the made-up host: one row a (reason, place, device, owner), as the table "drops" has them.

/* reason, class, place, layer, device, source, packets a second, owner's command, meaning, advice, sample; meaning and advice are
 * the daemon's */
const LOSSES = [
	["SOCKET_RCVBUFF", "tune", "udp_queue_rcv_one_skb+0x1a3", "socket", "lo", "packet", 412, "redis-server",
		"The socket's receive buffer is full, because the program reads more slowly than packets arrive.",
		"Give the program more processor time or readers, or a larger buffer: SO_RCVBUF in the program, " +
			"sysctl net.core.rmem_default and net.core.rmem_max. What is full now: ss -uampn.",
		"udp 10.0.0.8:40312 > 10.0.0.4:8125 len 120"],
	["listen_overflow", "tune", "tcp_conn_request+0x2f1", "socket", null, "socket", 3, "nginx",
		"The queue of connections that the program has not accepted yet is full; clients wait and try again.",
		"Make the program accept faster, or raise its listen() backlog and sysctl net.core.somaxconn " +
			"together. Queues now: ss -lnt (Recv-Q of Send-Q).",
		null],
	["QDISC_DROP", "tune", "__dev_queue_xmit+0x5d2", "queue", "enp3s0", "packet", 0, "rsync",
		"The queue of the sending device is full, or its limit keeps the packet out.",
		"See tc -s qdisc show dev DEVICE. Raise its limit or rate, or txqueuelen, if bursts are the cause; " +
			"else send less.",
		"tcp 10.0.0.4:51200 > 10.0.4.40:873 len 1500"],
	["device_rx_missed_errors", "tune", null, "device", "enp3s0", "device", 18, null,
		"The card had no free place in its receive ring, because the host did not fetch packets fast enough.",
		"Make the ring longer (ethtool -G DEVICE rx N), spread the work over more processors (ethtool -L), " +
			"see /proc/interrupts.",
		null],
	["CPU_BACKLOG", "tune", "enqueue_to_backlog+0x2c8", "queue", "enp3s0", "packet", 0, null,
		"A processor's queue of received packets is full, or one flow takes too much of it.",
		"Raise sysctl net.core.netdev_max_backlog, and spread the work: " +
			"/sys/class/net/DEVICE/queues/rx-*/rps_cpus, ethtool -L. Per processor: /proc/net/softnet_stat.",
		"tcp 192.0.2.31:44112 > 10.0.0.4:443 len 1500"],
	["softnet_dropped", "tune", null, "queue", null, "cpu", 0, null,
		"A processor's queue of received packets is full, or one flow takes too much of it.",
		"Raise sysctl net.core.netdev_max_backlog, and spread the work: " +
			"/sys/class/net/DEVICE/queues/rx-*/rps_cpus, ethtool -L. Per processor: /proc/net/softnet_stat.",
		null, true],
	["UDP_CSUM", "bug", "__udp4_lib_rcv+0x8b4", "transport", "enp3s0", "packet", 1, null,
		"The UDP checksum is wrong: the packet was damaged on its way, or a device computed it wrongly.",
		"Look at the interface's errors (ip -s -s link) and at what changes packets on the way; between " +
			"virtual machines try ethtool -K DEVICE tx off on the sender.",
		"udp 198.51.100.7:3478 > 10.0.0.4:40044 len 92"],
	["IP_RPFILTER", "attack", "ip_rcv_finish_core+0x311", "ip", "enp3s0", "packet", 27, null,
		"No route back to the source leads through this device (rp_filter): a spoofed address, or asymmetric routes.",
		"If the sources are true ones, check ip route get ADDRESS, or loosen it: sysctl " +
			"net.ipv4.conf.DEVICE.rp_filter=2. If not, block the sender.",
		"udp 10.99.0.1:53 > 10.0.0.4:33434 len 64"],
	["TCP_FLAGS", "attack", "tcp_rcv_state_process+0x9c", "transport", "enp3s0", "packet", 0, null,
		"The TCP flags make no sense in this state of the connection, as in port scans and forged packets.",
		"See who sends them: weir drops --sample reason:TCP_FLAGS. A firewall rule can refuse them before " +
			"TCP sees them: nft add rule inet filter input ct state invalid drop.",
		"tcp 203.0.113.64:31337 > 10.0.0.4:22 flags SFPU"],
	["NETFILTER_DROP", "expected", "nft_do_chain+0x3d8 [nf_tables]", "filter", "enp3s0", "packet", 6, null,
		"A firewall rule of this host (nftables, iptables) dropped the packet.",
		"If it should pass, find the rule: nft list ruleset, iptables -vnL; nft monitor trace shows a packet's way.",
		"tcp 198.51.100.66:50211 > 10.0.0.4:23 flags S"],
	["NO_SOCKET", "expected", "tcp_v4_rcv+0x8a1", "transport", "enp3s0", "packet", 2, null,
		"Nobody listens on this port, or the connection is gone; a reset or an ICMP message tells the sender.",
		"Nothing with scans and late packets. Should a service answer here, see whether it runs and on which " +
			"address it listens: ss -lntup.",
		"tcp 192.0.2.18:40912 > 10.0.0.4:8081 flags S"],
	["TCP_OLD_DATA", "expected", "tcp_data_queue+0x5be", "transport", "enp3s0", "packet", 1, "postgres",
		"Data that had arrived before came again; nothing is lost.",
		null,
		"tcp 10.0.0.21:40122 > 10.0.0.4:5432 len 1500"],
	["NEIGH_FAILED", "expected", "neigh_invalidate+0x5a", "ip", "docker0", "packet", 0, "api",
		"The next hop does not answer ARP or neighbour discovery: it is off, unplugged or not on this link.",
		"If it should be there: ip neigh show ADDRESS, its cable or VLAN, and that the netmask and route are right.",
		"icmp 172.18.0.3 > 172.18.0.77 len 84"],
	["MAC80211_UNUSABLE_UNEXPECTED_AMSDU_SUBFRAME_OF_A_LONG_NAME", null, "ieee80211_rx_handlers_result_with_a_long_symbol_name+0x1f04 [mac80211]",
		"other", "wlp0s20f3-very", "packet", 2, null, null, null, null],
];

const STACK = "kfree_skb_reason+0x0;udp_queue_rcv_one_skb+0x1a3;udp_unicast_rcv_skb+0x74;__udp4_lib_rcv+0x6f1;" +
	"ip_protocol_deliver_rcu+0xcd;ip_local_deliver_finish+0x76;__netif_receive_skb_one_core+0x85;process_backlog+0x8a;net_rx_action+0x2b0";

/** Rows for a host whose processes those are. The first are the ones above, then variations of them up to n. */
export function makeLosses(n, processes, start_ms, hostile) {
	const rows = [];
	const since = new Date(start_ms - 7200e3).toISOString();
	const owner = (comm) => processes.find((p) => p.comm === comm) ?? null;
	for (let i = 0; i < n; i++) {
		const [reason, klass, location, layer, device, source, rate, comm, meaning, advice, sample, overlaps] = LOSSES[i % LOSSES.length];
		const round = Math.floor(i / LOSSES.length);
		/* The second round's owners have the names that try to be more than names. */
		const p = round === 1 && hostile.length ? owner(hostile[i % hostile.length]) : comm ? owner(comm) : null;
		rows.push({
			reason: round > 1 ? `${reason}_${round}` : reason, kernel_reason: reason === "listen_overflow" ? "NOT_SPECIFIED" : null, class: klass,
			location, layer, device: round ? (device ?? "veth") + round : device, netns: round ? 4026532300 + round : 4026531840,
			pid: p?.pid ?? null, start_time_ns: p?.start_time_ns ?? null, comm: p?.comm ?? null, uid: p?.uid ?? null,
			unit: p?.unit ?? null, container_id: p?.container_id ?? null, container_name: p?.container_name ?? null, pod_name: null,
			pod_namespace: null, source, packets: 40 + rate * 3600, packets_per_second: 0, bytes: source === "packet" ? (40 + rate * 3600) * 148 : 0,
			meaning, advice, first_seen: since, last_seen: since, sample, stack: sample ? STACK : null, overlaps: overlaps ?? false,
			port: source === "socket" ? 443 : null, cpu: source === "cpu" ? 3 : null,
			level: round ? rate / 8 : rate,
		});
	}
	return rows;
}

const findings = [
	["SOCKET_RCVBUFF", (r) => `${r.packets_per_second} packets a second lost on ${r.device}: ` +
		`${r.comm}'s receive buffer is full; the program reads too slowly`],
	["IP_RPFILTER", (r) => `${r.packets_per_second} packets a second lost on ${r.device}: ` +
		"packets arrive by a device that does not lead back to their source: spoofed, or their way back is another"],
	["UDP_CSUM", (r) => `${r.packets} packets lost on ${r.device}: UDP packets arrive with wrong checksums`],
	["device_rx_missed_errors", (r) => `${r.packets_per_second} packets a second lost on ${r.device}: ` +
		"the network card has more packets than the host fetches"],
	["listen_overflow", (r) => `${r.packets_per_second} connections a second turned away: ` +
		`${r.comm} accepts connections too slowly; its listen queue is full`],
];

/** What the host's daemon would say of these rows. */
export function makeFindings(rows) {
	return findings.flatMap(([reason, say]) => {
		const r = rows.find((x) => x.reason === reason);
		return r ? [{
			feature: "drops", id: reason, class: r.class, summary: say(r), advice: r.advice, object: "drops",
			filter: `reason:${reason}${r.pid ? ` pid:${r.pid}` : ""}`, since: r.first_seen, pid: r.pid, comm: r.comm,
		}] : [];
	});
}
