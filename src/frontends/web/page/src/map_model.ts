// SPDX-License-Identifier: GPL-2.0-or-later
// Who talks to whom: flows summed into links program -> container or unit -> peer. Pure.
//
// Incremental: a row that changed moves its difference from what it said before, so that a second costs what changed in
// it and not what exists. What is shown is the mean of the last seconds, so that a width does not flicker; it is a plain
// mean, so that anybody can add it up again.

import { type Row, isRest, numberOf, textOf } from "./model";

/** A width is the mean of so many ticks. */
export const MEAN_TICKS = 5;
/** What a link that moved nothing for so many ticks and has no flow left may still be known. */
const FORGET_TICKS = 30;
/** What is left of a counted second after one more: retransmits are judged over about twenty seconds. */
const DECAY = 0.95;
/** So long what was wrong is still shown when it is not any more: what comes and goes would flicker. */
const HOLD_TICKS = 10;
/** Ticks before a link has a usual round-trip time. */
const USUAL_TICKS = 20;
const SEGMENT_BYTES = 1448;

/** Program, place, peer. */
export type Column = 0 | 1 | 2;
/** What is summed up at the foot of a column. It can not be a node's id: those have a kind before a colon. */
export const OTHER = "other";

/** The fields of flows that a map is made of. */
export const FLOW_FIELDS = [
	"pid", "comm", "unit", "container_id", "container_name", "pod_name", "netns", "role", "state",
	"transport", "local_port",
	"peer_address", "peer_port", "peer_name", "tx_bytes", "rx_bytes", "tx_bytes_per_second", "rx_bytes_per_second",
	"wire_tx_bytes", "retransmits", "retransmitted_bytes", "timeouts", "srtt_us", "reset", "close_reason",
] as const;

export interface Node {
	/** "process:nginx", "unit:nginx.service", "container:web", "host", "to:10.0.0.8:443", "from:10.0.0.9:443", "from::8125". */
	id: string;
	column: Column;
	/** Of a peer "" where several are not told apart. */
	name: string;
	/** Of a peer: the port of the server's side, and on which side that is; 0 and "" elsewhere. */
	port: number;
	role: "client" | "server" | "";
	/** The words of the filter language that select it are made of these. */
	kind: "process" | "unit" | "container" | "pod" | "host" | "peer";
}

export type CauseKind = "refused" | "timed_out" | "unreachable" | "reset" | "timers" | "retransmits" | "again" | "lost" | "slow";

export interface Cause {
	kind: CauseKind;
	/** A number of connections, timers, segments or packets per second, a share in percent, or a time in microseconds. */
	n: number;
	/** What is usual, where that is known. */
	usual: number;
}

/** 0: nothing to say; 1: worse than it should be; 2: something failed. */
export interface Health {
	level: 0 | 1 | 2;
	causes: Cause[];
}

const FAULTS: Record<string, CauseKind> = {
	refused: "refused", timeout: "timed_out", unreachable: "unreachable", reset_sent: "reset", reset_received: "reset",
};

/** One program's traffic with one peer, in one place. */
export class Link {
	/** Bytes per second, or bytes of the span. */
	tx = 0;
	rx = 0;
	flows = 0;
	open = 0;
	/** Counted since weir saw the flows that are there now. */
	tx_bytes = 0;
	rx_bytes = 0;
	retransmits = 0;
	connections = 0;
	faults = new Map<CauseKind, number>();
	pids = new Map<number, number>();

	now_tx = 0;
	now_rx = 0;
	srtt_us = 0;
	srtts = 0;
	again = 0;
	again_bytes = 0;
	wire_bytes = 0;
	timers = 0;
	/** Of a span: what was sent again where that was more than one segment a minute. */
	often = 0;
	/** Packets per second that found no room at the receiver's socket. */
	lost = 0;
	private held: Health = { level: 0, causes: [] };
	private held_ticks = 0;
	private ring: number[][] = [];
	private usual_us = 0;
	private usual_ticks = 0;
	idle_ticks = 0;

	constructor(
		readonly id: string,
		readonly nodes: readonly [Node, Node, Node],
	) {}

	tick(): void {
		const { ring } = this;
		if (ring.push([this.now_tx, this.now_rx]) > MEAN_TICKS)
			ring.shift();
		const mean = (i: number) => ring.reduce((n, x) => n + x[i], 0) / ring.length;
		this.tx = mean(0);
		this.rx = mean(1);
		this.idle_ticks = this.tx + this.rx + this.flows ? 0 : this.idle_ticks + 1;
		this.held_ticks++;
		for (const k of COUNTED)
			this[k] *= DECAY;
		/* What is usual is learnt slowly, and not from what is being judged by it. */
		const now = this.rtt_us;
		if (!now)
			return;
		const share = this.usual_ticks < USUAL_TICKS ? 1 / (this.usual_ticks + 1) : this.slow ? 0.002 : 0.02;
		this.usual_us += (now - this.usual_us) * share;
		this.usual_ticks++;
	}

	/** Mean of the smoothed round-trip times of its open connections. */
	get rtt_us(): number {
		return this.srtts > 0 ? this.srtt_us / this.srtts : 0;
	}

	get usual_rtt_us(): number {
		return this.usual_ticks >= USUAL_TICKS ? this.usual_us : 0;
	}

	private get slow(): boolean {
		const usual = this.usual_rtt_us;
		return usual > 0 && this.rtt_us > 2.5 * usual && this.rtt_us > usual + 20000;
	}

	/** Bytes sent again for a hundred sent, of late. */
	get again_percent(): number {
		const all = this.wire_bytes + this.again_bytes;
		return all > 0 ? (100 * this.again_bytes) / all : 0;
	}

	/** As it is, or as it was a moment ago when that was worse. */
	get health(): Health {
		const now = this.judge();
		if (now.level >= this.held.level || this.held_ticks > HOLD_TICKS) {
			this.held = now;
			this.held_ticks = 0;
		}
		return this.held;
	}

	private judge(): Health {
		const { timers, again, again_percent: percent } = this;
		const causes: Cause[] = [];
		let level: Health["level"] = 0;
		const found = (kind: CauseKind, n: number, failed: boolean, usual = 0) => {
			causes.push({ kind, n, usual });
			level = failed ? 2 : level || 1;
		};
		for (const [kind, n] of this.faults)
			if (n)
				found(kind, n, kind !== "reset");
		if (this.lost)
			found("lost", this.lost, true);
		if (timers >= 0.5)
			found("timers", Math.round(timers), timers >= 3);
		/* One lost segment of ten is no news. */
		if (again >= 3 && percent >= 1)
			found("retransmits", percent, percent >= 5 && again >= 10);
		else if (this.often)
			found("again", this.often, false);
		if (this.slow)
			found("slow", this.rtt_us, false, this.usual_rtt_us);
		return { level, causes };
	}
}

/** Several links' health as one: the worst of them, like causes added up. */
export function together(links: Iterable<{ health: Health }>): Health {
	const found = new Map<CauseKind, Cause>();
	let level: 0 | 1 | 2 = 0;
	for (const { health } of links) {
		if (health.level > level)
			level = health.level;
		for (const c of health.causes) {
			const known = found.get(c.kind);
			if (!known)
				found.set(c.kind, { ...c });
			else if (!/retransmits|slow|lost/.test(c.kind))
				known.n += c.n;
			else if (c.n > known.n)
				found.set(c.kind, { ...c });
		}
	}
	return { level, causes: [...found.values()] };
}

/* --- what a row belongs to ----------------------------------------------------------------------------------- */

function place(row: Row): Node {
	const pod = textOf(row, "pod_name");
	const container = textOf(row, "container_name") || textOf(row, "container_id").slice(0, 12);
	const unit = textOf(row, "unit");
	const kind = pod ? "pod" : container ? "container" : unit ? "unit" : "host";
	const name = pod || container || unit;
	return { id: name ? `${kind}:${name}` : "host", column: 1, name, port: 0, role: "", kind };
}

/** Clients are given ports from here on. */
const PORT_OF_CLIENTS = 32768;

/* A connection older than weir has no role: then its ports tell, as they do in history. */
function serves(row: Row): boolean {
	const role = textOf(row, "role");
	if (role)
		return role === "server";
	return numberOf(row, "local_port") < PORT_OF_CLIENTS && (!textOf(row, "peer_address") || numberOf(row, "peer_port") >= PORT_OF_CLIENTS);
}

function peer(row: Row, port: number): Node {
	const server = serves(row);
	const address = textOf(row, "peer_address");
	const name = address && (textOf(row, "peer_name") || address);
	const role = server ? "server" : name ? "client" : "";
	return { id: `${server ? "from" : "to"}:${name}:${port}`, column: 2, name, port, role, kind: "peer" };
}

function program(row: Row, field: string): Node {
	const name = textOf(row, field);
	return { id: `process:${name}`, column: 0, name, port: 0, role: "", kind: "process" };
}

/** What of a link is the sum of its flows. */
const SUMS = ["now_tx", "now_rx", "tx_bytes", "rx_bytes", "retransmits", "srtt_us", "srtts", "open", "flows"] as const;
/** What is counted while it is being watched, and fades. */
const COUNTED = ["again", "again_bytes", "wire_bytes", "timers"] as const;

/** What one flow gives to its link. */
interface Part extends Record<(typeof SUMS)[number] | (typeof COUNTED)[number], number> {
	link: Link;
	/** What its nodes are told by and may yet become known. */
	names: string;
	pid: number;
	fault: CauseKind | null;
	/** The socket that hears its packets, by its owner and by where it is. */
	own: string;
	far: string;
}

const namesOf = (row: Row) => `${row.peer_name} ${row.comm} ${row.container_name}`;

/* A socket as lost packets tell of it: whose, and where; each network namespace has a loopback of its own. */
const ownOf = (row: Row, port: unknown) => `${textOf(row, "pid")} ${port}`;
const farOf = (row: Row, address: string, port: unknown) => `${/^(127\.|::1$)/.test(address) ? textOf(row, "netns") : ""} ${address} ${port}`;

const CLOSED = new Set(["close", "closed", "time_wait"]);

export class MapModel {
	links = new Map<string, Link>();
	/** "live": widths are bytes per second; "span": bytes. */
	mode: "live" | "span" = "live";
	ticks = 0;
	private parts = new Map<string, Part>();
	private nodes = new Map<string, Node>();

	clear(): void {
		this.links.clear();
		this.parts.clear();
		this.nodes.clear();
		this.ticks = 0;
	}

	/** A flow's row, new or changed. */
	put(key: string, row: Row): void {
		const former = this.parts.get(key);
		const state = textOf(row, "state");
		/* Who only listens talks to nobody. Whom an unconnected socket talks to may not be known, only that it does. */
		if (state === "listen" || !textOf(row, "peer_address") && !numberOf(row, "tx_bytes") && !numberOf(row, "rx_bytes"))
			return former && this.remove(key);
		const same = former?.names === namesOf(row);
		if (former && !same)
			this.remove(key);
		const link = same ? former!.link : this.linkOf(row, "comm", numberOf(row, serves(row) ? "local_port" : "peer_port"));
		const part = partOf(link, row, state);
		this.parts.set(key, part);
		this.count(part, 1);
		/* Only what happens before the reader's eyes is judged: a socket's past is not its present. */
		if (same) {
			this.count(former!, -1);
			for (const k of COUNTED)
				link[k] += Math.max(0, part[k] - former![k]);
		}
	}

	remove(key: string): void {
		const part = this.parts.get(key);
		if (!part)
			return;
		this.parts.delete(key);
		this.count(part, -1);
	}

	/** Keeps only these flows; for a snapshot of all rows. */
	keep(keys: ReadonlySet<string>): void {
		for (const key of [...this.parts.keys()])
			if (!keys.has(key))
				this.remove(key);
	}

	/** A second passed. */
	tick(): void {
		this.ticks++;
		for (const [id, link] of this.links) {
			link.tick();
			if (link.idle_ticks > FORGET_TICKS)
				this.links.delete(id);
		}
		/* Peers come and go; their names go with their links, now and then. */
		if (this.ticks % 60 === 0)
			this.nodes = new Map([...this.links.values()].flatMap((l) => l.nodes.map((n) => [n.id, n] as const)));
	}

	/** Rows of history_peers: bytes of a span that begins there. */
	load(rows: Iterable<Row>, from_ms = 0): void {
		this.clear();
		for (const row of rows) {
			const link = this.linkOf(row, "program", numberOf(row, "port"));
			link.tx = link.tx_bytes += numberOf(row, "tx_bytes");
			link.rx = link.rx_bytes += numberOf(row, "rx_bytes");
			if (!link.id)
				continue;
			link.connections += numberOf(row, "connections");
			const again = numberOf(row, "retransmits");
			link.retransmits += again;
			/* A share of so long a time is small however bad its worst minutes were. */
			const lasted_ms = Date.parse(textOf(row, "last_seen")) - Math.max(from_ms, Date.parse(textOf(row, "first_seen")));
			if (again >= 3 && again * 60e3 >= lasted_ms)
				link.often += again;
			/* Segments are counted and not their bytes: taken for full ones. */
			link.again = link.retransmits;
			link.again_bytes = link.retransmits * SEGMENT_BYTES;
			link.wire_bytes = link.tx_bytes;
		}
	}

	private linkOf(row: Row, field: string, port: number): Link {
		/* What is of nobody belongs to "other" in each column. */
		const rest = isRest(row);
		const nodes = [program(row, field), place(row), peer(row, port)].map((n) => (rest ? { ...n, id: "" } : n)) as [Node, Node, Node];
		const id = rest ? "" : nodes.map((n) => n.id).join("\u0001");
		let link = this.links.get(id);
		if (!link) {
			/* One object for each node, however many links it has. */
			nodes.forEach((n, i) => {
				const known = this.nodes.get(n.id);
				if (rest)
					return;
				if (known)
					nodes[i] = known;
				else
					this.nodes.set(n.id, n);
			});
			this.links.set(id, (link = new Link(id, nodes)));
		}
		return link;
	}

	/** What finds no room at UDP sockets, as rows of drops: both the receiver's links and the senders' are told. A sample names
	 *  the socket; of a program with several it is the one of the latest packet. */
	lose(rows: Iterable<Row>): void {
		const found = new Map<string, number>();
		for (const row of rows) {
			const [, address, port] = /^udp \S+ > \[?([^\]\s]+)\]?:(\d+)/.exec(textOf(row, "sample")) ?? [];
			if (port)
				for (const key of [ownOf(row, port), farOf(row, address, port)])
					found.set(key, (found.get(key) ?? 0) + numberOf(row, "packets_per_second"));
		}
		for (const l of this.links.values())
			l.lost = 0;
		for (const { link, own, far } of this.parts.values())
			link.lost = Math.max(link.lost, found.get(own) ?? 0, found.get(far) ?? 0);
	}

	/** Round trip of the slowest open connection of these links; 0: none has one. */
	slowest(links: readonly Link[]): number {
		const of = new Set(links);
		return [...this.parts.values()].reduce((n, p) => (of.has(p.link) ? Math.max(n, p.srtt_us) : n), 0);
	}

	/* A flow's part of its link's sums comes, or goes. */
	private count(p: Part, sign: 1 | -1): void {
		const l = p.link;
		for (const k of SUMS)
			l[k] += sign * p[k];
		const left = (l.pids.get(p.pid) ?? 0) + sign;
		if (left)
			l.pids.set(p.pid, left);
		else
			l.pids.delete(p.pid);
		if (p.fault)
			l.faults.set(p.fault, (l.faults.get(p.fault) ?? 0) + sign);
	}
}

function partOf(link: Link, row: Row, state: string): Part {
	const open = !CLOSED.has(state) && !textOf(row, "close_reason");
	const n = (name: string) => numberOf(row, name);
	const srtt_us = open ? n("srtt_us") : 0;
	const udp = textOf(row, "transport") === "udp";
	return {
		link,
		names: namesOf(row),
		pid: n("pid"),
		flows: 1,
		open: Number(open),
		now_tx: n("tx_bytes_per_second"),
		now_rx: n("rx_bytes_per_second"),
		tx_bytes: n("tx_bytes"),
		rx_bytes: n("rx_bytes"),
		retransmits: n("retransmits"),
		srtt_us,
		srtts: Number(srtt_us > 0),
		again: n("retransmits"),
		again_bytes: n("retransmitted_bytes"),
		wire_bytes: n("wire_tx_bytes"),
		timers: n("timeouts"),
		fault: FAULTS[textOf(row, "close_reason")] ?? (textOf(row, "reset") ? "reset" : null),
		own: udp ? ownOf(row, row.local_port) : "",
		far: udp ? farOf(row, textOf(row, "peer_address"), row.peer_port) : "",
	};
}
