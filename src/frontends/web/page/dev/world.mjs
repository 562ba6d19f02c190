// SPDX-License-Identifier: GPL-2.0-or-later
// A host that does not exist: processes and sockets with plausible traffic, the same for the same seed.

import { makeFindings, makeLosses } from "./losses.mjs";

const TABLES = ["processes", "flows", "drops"];

function random(seed) {
	let a = seed >>> 0;
	return () => {
		a = (a + 0x6d2b79f5) | 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

const CONTAINER = (n) => (n * 2654435761 >>> 0).toString(16).padStart(8, "0").repeat(8);

/* comm, exe, user, unit, container name, peers, transport, port, role, weight of tx and rx in bytes/s, burstiness */
const PROGRAMS = [
	["nginx", "/usr/sbin/nginx", "www-data", "nginx.service", "", ["10.0.0.8", "10.0.0.9", "192.0.2.31"], "tcp", 443, "server", 24e6, 4e5, 0.3],
	["postgres", "/usr/lib/postgresql/15/bin/postgres", "postgres", "postgresql@15-main.service", "", ["10.0.0.21"], "tcp", 5432, "server", 6e6, 1.1e6, 0.5],
	["curl", "/usr/bin/curl", "ana", "user@1000.service", "", ["2001:db8::1f3", "198.51.100.7"], "tcp", 443, "client", 900, 3.2e6, 0.9],
	["chrome", "/opt/google/chrome/chrome", "ana", "user@1000.service", "", ["203.0.113.64", "2001:db8:1::9"], "udp", 443, "client", 9e4, 1.2e6, 0.8],
	["api", "/app/api", "root", "docker.service", "shop-api", ["172.18.0.5", "172.18.0.2"], "tcp", 8080, "server", 9e5, 4e5, 0.5],
	["redis-server", "/usr/bin/redis-server", "redis", "redis-server.service", "", ["172.18.0.4"], "tcp", 6379, "server", 3e5, 2e5, 0.2],
	["worker", "/usr/bin/python3.11", "app", "docker.service", "shop-worker", ["172.18.0.2"], "tcp", 5672, "client", 6e4, 1.8e5, 0.7],
	["sshd", "/usr/sbin/sshd", "root", "ssh.service", "", ["192.0.2.18"], "tcp", 22, "server", 2400, 900, 0.6],
	["systemd-resolve", "/lib/systemd/systemd-resolved", "systemd-resolve", "systemd-resolved.service", "", ["9.9.9.9"], "udp", 53, "client", 300, 700, 0.8],
	["chronyd", "/usr/sbin/chronyd", "_chrony", "chrony.service", "", ["192.0.2.123"], "udp", 123, "client", 90, 90, 0.97],
	["node_exporter", "/usr/bin/prometheus-node-exporter", "prometheus", "prometheus-node-exporter.service", "", ["10.0.0.2"], "tcp", 9100, "server", 8000, 300, 0.85],
	["rsync", "/usr/bin/rsync", "backup", "backup.service", "", ["10.0.4.40"], "tcp", 873, "client", 2.2e6, 3e4, 0.6],
];

/** Names that try to be more than names. None may do anything but be shown. */
export const HOSTILE = [
	"<svg/onload=document.title='owned'>",
	"\u001b[31;5mred\u001b[0m",
	"a\u202egpj.exe",
	"two\nlines\ttab",
	"\"><img src=x onerror=alert(1)>",
	"{{7*7}}=cmd|' /C calc'!A0",
];

export class World {
	constructor({ seed = 1, processes = 60, flows = 400, drops = 14, hostile = true, start_ms = Date.now(), calm = false, active = 100 } = {}) {
		this.random = random(seed);
		this.host = "spruce";
		this.snapshot = 100;
		this.lost = 0;
		this.calm = calm;
		/* How many processes in a hundred do something in a second. */
		this.active = active;
		this.moving = new Set();
		this.now_ms = start_ms;
		this.next_pid = 400;
		this.next_cookie = 4097;
		this.processes = new Map();
		this.flows = new Map();
		this.drops = new Map();
		this.changed = Object.fromEntries(TABLES.map((t) => [t, new Map()]));
		this.gone = Object.fromEntries(TABLES.map((t) => [t, []]));
		/** What the daemon found wrong; null: what follows from the losses. */
		this.said = null;
		const first = start_ms - 7 * 3600e3;
		for (let i = 0; i < processes; i++)
			this.addProcess(PROGRAMS[this.pick(i, PROGRAMS.length)], first + i * 1000);
		if (hostile)
			HOSTILE.forEach((comm, i) => {
				const p = this.addProcess([comm, "/tmp/" + comm, "mallory", "user@1001.service", "", ["198.51.100.66"],
					"tcp", 4444 + i, "client", 3000 * (i + 1), 1500, 0.4], first + 5e6);
				p.row.cgroup = "/user.slice/" + comm;
				this.addFlow(p);
			});
		const list = [...this.processes.values()];
		for (let i = 0; this.flows.size < flows; i++)
			this.addFlow(list[i % list.length]);
		this.settle();
		/* a past to start from */
		for (const p of list) {
			const past = 400 + this.random() * 20000;
			for (const f of p.flows) {
				this.move(f, Math.round((p.program[9] * past) / 60 / p.flows.length), Math.round((p.program[10] * past) / 60 / p.flows.length));
				f.row.tx_bytes_per_second = f.row.rx_bytes_per_second = 0;
			}
			p.row.tx_bytes_per_second = p.row.rx_bytes_per_second = 0;
		}
		this.moving.clear();
		makeLosses(drops, list.map((p) => p.row), start_ms, hostile ? HOSTILE : []).forEach((row, i) => this.drops.set(i, { row }));
		this.settle();
	}

	findings() {
		return this.said ?? makeFindings(this.rows("drops"));
	}

	/* Few of the large ones, many of the small ones. */
	pick(i, n) {
		return i < n ? i : 2 + Math.floor(this.random() * (n - 2));
	}

	time() {
		return new Date(this.now_ms).toISOString();
	}

	addProcess(program, since_ms = this.now_ms) {
		const [comm, exe, user, unit, container] = program;
		const pid = this.next_pid++ * 3 + 7;
		const id = container ? CONTAINER(container.length * 131 + 7) : null;
		const row = {
			pid, start_time_ns: pid * 1000003, comm, exe, uid: user === "root" ? 0 : 100 + user.length, user,
			cgroup: container ? `/system.slice/docker-${id}.scope` : `/system.slice/${unit}`, unit, container_id: id,
			container_name: container || null, pod_name: null, pod_namespace: null, netns: container ? 4026532301 : 4026531840,
			state: "running", tx_bytes: 0, rx_bytes: 0, tx_bytes_per_second: 0, rx_bytes_per_second: 0,
			before_tx_bytes: 0, before_rx_bytes: 0, connections_open: 0, connections_total: 0, retransmits: 0, srtt_us: null,
			by_transport: {}, first_seen: new Date(since_ms).toISOString(), last_seen: new Date(since_ms).toISOString(),
		};
		const p = { row, program, flows: [], phase: this.random() * 100 };
		this.processes.set(`${pid}`, p);
		this.touch("processes", row);
		return p;
	}

	addFlow(p) {
		const [comm, , user, unit, container, peers, transport, port, role] = p.program;
		const peer = this.random() < 0.7 ? peers[0] : peers[Math.floor(this.random() * peers.length)];
		const far = 32768 + Math.floor(this.random() * 28000);
		/* Every ninth socket number is beyond 2^53, as the kernel gives them inside of interrupts. */
		const n = this.next_cookie++;
		const cookie = n % 9 === 0 ? 18446744073709551615n - BigInt(n) : n;
		const row = {
			cookie, pid: p.row.pid, comm, user, unit, container_id: p.row.container_id, container_name: container || null,
			pod_name: null, pod_namespace: null, netns: p.row.netns, scope: peer.startsWith("172.18") ? "local" : peer.startsWith("10.") ? "east_west" : "north_south",
			transport, type: peer.includes(":") ? "ipv6" : "ipv4", role,
			local_address: peer.includes(":") ? "2001:db8::42" : container ? "172.18.0.3" : "10.0.0.4",
			local_port: role === "server" ? port : far, peer_address: peer, peer_port: role === "server" ? far : port, peer_name: null,
			state: transport === "tcp" ? "established" : "open", tx_bytes: 0, rx_bytes: 0, tx_bytes_per_second: 0, rx_bytes_per_second: 0,
			before_tx_bytes: 0, before_rx_bytes: 0, wire_tx_bytes: 0, wire_rx_bytes: 0, retransmits: 0, retransmitted_bytes: 0, timeouts: 0,
			srtt_us: transport === "tcp" ? Math.round(200 + this.random() * 30000) : null, rtt_min_us: transport === "tcp" ? 180 : null,
			cwnd: transport === "tcp" ? 10 + Math.floor(this.random() * 40) : null, ssthresh: null, rcv_wnd_bytes: 65536, snd_buf_bytes: 87040,
			wmem_queued_bytes: 0, rwnd_limited_us: 0, sndbuf_limited_us: 0, busy_us: 0, reset: null, backlog: null, max_backlog: null,
			listen_drops: null, connect_us: role === "client" ? Math.round(300 + this.random() * 40000) : null,
			first_seen: this.time(), last_seen: this.time(), closed_at: null, close_reason: null, path: "stack",
		};
		const f = { row, process: p, closed_ms: 0 };
		this.flows.set(`${cookie}~${peer}~${row.peer_port}`, f);
		p.flows.push(f);
		p.row.connections_open++;
		p.row.connections_total++;
		this.touch("flows", row);
		this.touch("processes", p.row);
		return f;
	}

	touch(table, row) {
		this.changed[table].set(row, row);
	}

	move(f, tx, rx) {
		const p = f.process.row;
		const kind = (p.by_transport[f.row.transport] ??= { tx_bytes: 0, rx_bytes: 0 });
		for (const row of [f.row, p, kind]) {
			row.tx_bytes += tx;
			row.rx_bytes += rx;
		}
		f.row.tx_bytes_per_second += tx;
		f.row.rx_bytes_per_second += rx;
		p.tx_bytes_per_second += tx;
		p.rx_bytes_per_second += rx;
		f.row.wire_tx_bytes += tx;
		f.row.wire_rx_bytes += rx;
		this.moving.add(f.row);
		this.moving.add(p);
		f.row.last_seen = p.last_seen = this.time();
		if (tx > 1e5 && this.random() < 0.02) {
			f.row.retransmits++;
			f.row.retransmitted_bytes += 1448;
			p.retransmits++;
		}
		if (f.row.srtt_us)
			p.srtt_us = f.row.srtt_us = Math.max(150, Math.round(f.row.srtt_us * (0.9 + this.random() * 0.2)));
		this.touch("flows", f.row);
		this.touch("processes", p);
	}

	/** A second passes. */
	tick() {
		this.now_ms += 1000;
		/* Rates of the second before are over. */
		for (const row of this.moving) {
			row.tx_bytes_per_second = row.rx_bytes_per_second = 0;
			this.touch("cookie" in row ? "flows" : "processes", row);
		}
		this.moving.clear();
		if (!this.calm)
			for (const p of this.processes.values())
				if (this.active >= 100 || this.random() * 100 < this.active)
					this.traffic(p);
		this.churn();
		for (const { row } of this.drops.values())
			this.lose(row);
		this.snapshot++;
	}

	lose(row) {
		const n = this.calm ? 0 : Math.floor(row.level * (0.7 + 0.6 * this.random()) + this.random() * 0.6);
		if (!n && !row.packets_per_second)
			return;
		row.packets += n;
		row.packets_per_second = n;
		row.bytes += row.source === "packet" ? n * 148 : 0;
		if (n)
			row.last_seen = this.time();
		this.touch("drops", row);
	}

	traffic(p) {
		const [, , , , , , , , , tx, rx, burst] = p.program;
		const open = p.flows.filter((f) => !f.closed_ms);
		if (!open.length || p.row.state !== "running")
			return;
		const wave = 0.65 + 0.35 * Math.sin(this.now_ms / 1000 / (11 + (p.phase % 37)) + p.phase);
		const gate = this.random() < burst * 0.5 ? 0.05 : 1;
		const level = wave * gate * (0.75 + this.random() * 0.5);
		const active = Math.max(1, Math.ceil(open.length * 0.12));
		const at = Math.floor(this.random() * open.length);
		for (let i = 0; i < active; i++)
			this.move(open[(at + i) % open.length], Math.round((tx * level) / active), Math.round((rx * level) / active));
	}

	/* Some sockets close, some open, now and then a program that was not there before. */
	churn() {
		const list = [...this.processes.values()];
		if (this.calm)
			return;
		for (let i = 0; i < 2; i++) {
			const p = list[Math.floor(this.random() * list.length)];
			const open = p.flows.filter((f) => !f.closed_ms);
			if (p.row.state === "running" && open.length > 1)
				this.closeFlow(open[0]);
			if (p.row.state === "running")
				this.addFlow(p);
		}
		for (const [key, f] of this.flows)
			if (f.closed_ms && this.now_ms - f.closed_ms > 20000) {
				this.flows.delete(key);
				f.process.flows.splice(f.process.flows.indexOf(f), 1);
				this.gone.flows.push([f.row.cookie, f.row.peer_address, f.row.peer_port]);
			}
		if (this.random() < 0.08) {
			const name = ["apt-get", "git", "dig", "ping", "wget"][Math.floor(this.random() * 5)];
			const p = this.addProcess([name, "/usr/bin/" + name, "ana", "session-4.scope", "", ["203.0.113.9"], "tcp", 443, "client", 4000, 3e5, 0.5]);
			this.addFlow(p);
			p.until_ms = this.now_ms + 15000;
		}
		for (const [key, p] of this.processes)
			if (p.until_ms && this.now_ms > p.until_ms && p.row.state === "running") {
				p.row.state = "exited";
				p.row.connections_open = 0;
				for (const f of p.flows)
					this.closeFlow(f);
				this.touch("processes", p.row);
			} else if (p.until_ms && this.now_ms > p.until_ms + 60000) {
				this.processes.delete(key);
				this.gone.processes.push([p.row.pid, p.row.start_time_ns]);
			}
	}

	closeFlow(f) {
		if (f.closed_ms)
			return;
		f.closed_ms = this.now_ms;
		f.row.state = f.row.transport === "tcp" ? "close" : "closed";
		f.row.closed_at = this.time();
		f.row.close_reason = "normal";
		f.process.row.connections_open = Math.max(0, f.process.row.connections_open - 1);
		this.touch("flows", f.row);
		this.touch("processes", f.process.row);
	}

	/** What changed since the last call. */
	settle() {
		const out = {};
		for (const table of TABLES) {
			out[table] = { rows: [...this.changed[table].keys()], gone: this.gone[table] };
			this.changed[table] = new Map();
			this.gone[table] = [];
		}
		return out;
	}

	rows(table) {
		return [...this[table].values()].map((x) => x.row);
	}
}
