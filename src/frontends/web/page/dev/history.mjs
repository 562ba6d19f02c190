// SPDX-License-Identifier: GPL-2.0-or-later
// The past of the made-up host, as the tables "history..." have it: nothing is kept, all follows from the time that is
// asked for, so that the same span always gives the same numbers and sums agree.

const LEVELS = [[1, 3600], [10, 12 * 3600], [60, 14 * 86400], [3600, 400 * 86400]];
const STEPS_MAX = 600;
const DAY_MS = 86400e3;

function instant(text, now_ms, otherwise) {
	if (text === null || text === "")
		return otherwise;
	const ms = /^-\d+$/.test(text) ? now_ms + Number(text) * 1000 : Date.parse(text);
	if (Number.isNaN(ms))
		throw new Error(`from, to: "${text}" is no time; write -3600 or 2026-11-22T14:00:00Z`);
	return ms;
}

/* Something between 0 and 1 that looks random and is the same for the same a and b. */
function noise(a, b) {
	const x = Math.sin(a * 12.9898 + b * 78.233) * 43758.5453;
	return x - Math.floor(x);
}

export class Past {
	constructor(world) {
		this.world = world;
		/* What tests switch on: a remainder "other" that moved most, and packets lost in each step that are nobody's. */
		this.rest = false;
		this.unowned = 0;
		/* So many events, one each second. */
		this.flood = 0;
		this.since_ms = Math.floor((world.now_ms - 40 * DAY_MS) / DAY_MS) * DAY_MS;
	}

	/* One of each program, however many processes it has. */
	subjects() {
		const found = new Map();
		for (const { row, program } of this.world.processes.values()) {
			const id = `${row.comm}\u0001${row.unit}\u0001${row.container_id}`;
			const s = found.get(id);
			if (s)
				s.n++;
			else
				found.set(id, { row, program, n: 1, phase: found.size, first_ms: this.firstSeen(row) });
		}
		return [...found.values()];
	}

	firstSeen(row) {
		const ms = Date.parse(row.first_seen);
		return row.user === "ana" || row.user === "mallory" ? ms : this.since_ms + 3600e3;
	}

	of(s) {
		const { row } = s;
		return {
			program: row.comm, exe: row.exe, uid: row.uid, user: row.user, unit: row.unit, container_id: row.container_id,
			container_name: row.container_name, pod_name: null, pod_namespace: null,
		};
	}

	span(parameters) {
		const now = this.world.now_ms;
		const to = Math.min(now, instant(parameters.get("to"), now, now));
		const from = instant(parameters.get("from"), now, now - 3600e3);
		if (from >= to)
			throw new Error("from, to: the span ends before it begins");
		const age = (now - from) / 1000;
		const wanted = Number(parameters.get("step") ?? 0);
		const length = (to - from) / 1000;
		const level = LEVELS.find(([s, kept]) => age <= kept + 1 && length / s <= 3600) ?? LEVELS[3];
		let step = Math.max(level[0], wanted);
		while (length / step > STEPS_MAX)
			step += level[0];
		return { from, to, step };
	}

	/** What could not be kept apart: "other", with sums and nothing else. */
	withRest(rows, names) {
		if (!this.rest || !rows.length)
			return rows;
		const row = Object.fromEntries(Object.keys(rows[0]).map((n) => [n, null]));
		for (const n of ["tx_bytes", "rx_bytes", "connections", "retransmits"])
			if (n in row)
				row[n] = 3 * rows.reduce((sum, r) => sum + r[n], 0);
		return [...rows, { ...row, program: "other", ...names }];
	}

	/* One program in one step. */
	sample(s, at_ms, step) {
		if (at_ms + step * 1000 <= s.first_ms || at_ms < this.since_ms)
			return null;
		const [tx, rx] = [s.program[9] * s.n, s.program[10] * s.n];
		const hour = new Date(at_ms).getHours();
		const day = 0.35 + 0.65 * Math.max(0, Math.sin(((hour - 5) / 24) * 2 * Math.PI - 0.6) * 0.5 + 0.5);
		const level = day * (0.6 + 0.8 * noise(s.phase + 1, Math.floor(at_ms / 1000 / step))) * (1 - s.program[11] * 0.5);
		const burst = 1.2 + 2 * s.program[11];
		return {
			tx_bytes: Math.round(tx * level * step), rx_bytes: Math.round(rx * level * step),
			tx_bytes_per_second_max: Math.round(tx * level * burst), rx_bytes_per_second_max: Math.round(rx * level * burst),
			connections: Math.round(level * step * 0.4), retransmits: Math.floor(level * step * noise(s.phase, at_ms) * 0.1), lost_packets: s.row.comm === "redis-server" ? Math.round(level * step * 9) : 0,
		};
	}

	steps({ from, to, step }) {
		const out = [];
		for (let at = Math.floor(from / 1000 / step) * step * 1000; at < to; at += step * 1000)
			out.push(at);
		return out;
	}

	programs(parameters) {
		const span = this.span(parameters);
		const at = this.steps(span);
		return this.subjects().flatMap((s) => {
			const row = { ...this.of(s), tx_bytes: 0, rx_bytes: 0, tx_bytes_per_second_max: 0, rx_bytes_per_second_max: 0, connections: 0, retransmits: 0, lost_packets: 0 };
			let last = 0;
			for (const t of at) {
				const x = this.sample(s, t, span.step);
				if (!x)
					continue;
				last = t;
				for (const name of Object.keys(x))
					row[name] = name.endsWith("max") ? Math.max(row[name], x[name]) : row[name] + x[name];
			}
			return last ? [{ ...row, first_seen: new Date(s.first_ms).toISOString(), last_seen: new Date(last).toISOString(), new: s.first_ms >= span.from }] : [];
		});
	}

	/* Packets a second that a filter of classes chooses; null: it says nothing of classes. */
	lostOf(text) {
		const m = /(not )?\bclass:(\S+)/.exec(text);
		return m && this.world.rows("drops").filter((r) => !r.overlaps && m[2].split(",").includes(r.class) !== Boolean(m[1])).reduce((n, r) => n + r.level, 0);
	}

	rates(parameters, chosen, text) {
		const span = this.span(parameters);
		const lost = this.lostOf(text);
		const all = this.subjects();
		const list = all.filter((s) => chosen(this.of(s)));
		return this.steps(span).flatMap((t) => {
			const row = { time: new Date(t).toISOString(), seconds: span.step };
			let any = false;
			for (const s of list) {
				const x = this.sample(s, t, span.step);
				if (!x)
					continue;
				any = true;
				for (const name of Object.keys(x))
					row[name] = (row[name] ?? 0) + x[name];
			}
			if (list.length !== all.length && list.length > 1)
				row.tx_bytes_per_second_max = row.rx_bytes_per_second_max = null;
			row.lost_packets = lost === null ? row.lost_packets + this.unowned : Math.round(lost * span.step);
			return any ? [row] : [];
		});
	}

	peers(parameters) {
		return this.programs(parameters).flatMap((p) => {
			const s = this.subjects().find((x) => x.row.comm === p.program && x.row.unit === p.unit);
			const peers = s.program[5];
			return peers.map((address, i) => {
				const part = peers.length === 1 ? 1 : i === 0 ? 0.75 : 0.25 / (peers.length - 1);
				const of = (n) => Math.round(n * part);
				return {
					program: p.program, uid: p.uid, user: p.user, unit: p.unit, container_name: p.container_name, role: s.program[8], transport: s.program[6],
					peer_name: i ? null : { "9.9.9.9": "dns.quad9.net", "198.51.100.7": "cdn.example.net", "203.0.113.64": "video.example.com" }[address] ?? null,
					peer_address: address, port: s.program[7], tx_bytes: of(p.tx_bytes), rx_bytes: of(p.rx_bytes), connections: of(p.connections),
					retransmits: of(p.retransmits), first_seen: p.first_seen, last_seen: p.last_seen,
				};
			});
		});
	}

	losses(parameters) {
		const { from, to } = this.span(parameters);
		return this.world.rows("drops").flatMap((r) => {
			const packets = Math.round((r.level * (to - from)) / 4000);
			return packets ? [{
				reason: r.reason, class: r.class, device: r.device, program: r.comm, uid: r.uid, user: r.user, unit: r.unit, container_name: r.container_name, packets,
				first_seen: new Date(from + 5000).toISOString(), last_seen: new Date(to - 1000).toISOString(),
			}] : [];
		});
	}

	per(parameters, length, label) {
		const now = this.world.now_ms;
		const to = Math.min(now, instant(parameters.get("to"), now, now));
		const from = Math.max(this.since_ms, instant(parameters.get("from"), now, now - 30 * DAY_MS));
		const found = new Map();
		for (let day = Math.floor(from / DAY_MS) * DAY_MS; day <= to; day += DAY_MS)
			for (const s of this.subjects()) {
				const x = this.sample(s, day, 86400);
				const name = new Date(day).toISOString().slice(0, length);
				const id = `${name} ${s.row.comm} ${s.row.unit}`;
				if (!x)
					continue;
				const row = found.get(id) ?? { [label]: name, program: s.row.comm, uid: s.row.uid, user: s.row.user, unit: s.row.unit, container_name: s.row.container_name, tx_bytes: 0, rx_bytes: 0, connections: 0 };
				for (const n of ["tx_bytes", "rx_bytes", "connections"])
					row[n] += x[n];
				found.set(id, row);
			}
		return [...found.values()];
	}

	events(parameters) {
		const { from, to } = this.span(parameters);
		const out = this.subjects().map((s) => ({ time: s.first_ms, kind: "first_seen", program: s.row.comm, uid: s.row.uid, summary: `${s.row.comm} used the network for the first time` }));
		out.push({ time: this.since_ms, kind: "started", program: null, uid: null, summary: "weir began to keep history" });
		out.push({ time: this.world.now_ms - 9000e3, kind: "killed", program: null, uid: null, summary: "weir was killed: at most one second is missing" });
		out.push({ time: this.world.now_ms - 2400e3, kind: "listening", program: "nginx", uid: 108, summary: "nginx listens on port 8443" });
		for (let i = 0; i < this.flood; i++)
			out.push({ time: this.world.now_ms - 1000 * i, kind: "first_seen", program: "python3", uid: 0, summary: "python3 was seen for the first time" });
		if (this.flood)
			out.push({ time: this.world.now_ms - 60e3, kind: "first_seen", program: null, uid: 0, summary: "and 42 more programs were seen for the first time, or began to listen" });
		const list = out.filter((e) => e.time >= from && e.time <= to).sort((a, b) => b.time - a.time).map((e) => ({ ...e, count: 1 }));
		const step = 1000 * Number(parameters.get("step") ?? 0);
		const found = new Map();
		for (const e of list) {
			const id = step ? JSON.stringify([Math.floor(e.time / step), e.kind, e.program, e.uid, e.kind === "finding" ? e.summary : ""]) : found.size;
			if (found.has(id))
				found.get(id).count++;
			else
				found.set(id, e);
		}
		return [...found.values()].map((e) => ({ ...e, time: new Date(e.time).toISOString() }));
	}

	changes(parameters) {
		const { from, to } = this.span(parameters);
		const earlier = new URLSearchParams({
			from: parameters.get("from2") ?? new Date(2 * from - to).toISOString(), to: parameters.get("to2") ?? new Date(from).toISOString(),
		});
		const before = new Map(this.programs(earlier).map((p) => [`${p.program} ${p.unit}`, p]));
		const rows = this.programs(parameters).map((p) => {
			const b = before.get(`${p.program} ${p.unit}`)?.tx_bytes ?? 0;
			return {
				kind: "program", program: p.program, peer_name: null, reason: null, before: b, after: p.tx_bytes, unit_name: "bytes", factor: b ? Math.round((100 * p.tx_bytes) / b) : null,
				new: b === 0, gone: false, filter: `process:${p.program}`,
				summary: b === 0 ? `${p.program} is new: it sent ${p.tx_bytes} bytes` : `${p.program} sent ${(p.tx_bytes / b).toFixed(1)} times as much`,
			};
		});
		rows.push({ kind: "peer", program: "nginx", role: "client", peer_name: "db.example", port: 5432, reason: null, before: 0, after: 9e13, unit_name: "bytes", factor: null, new: true, gone: false,
			filter: "process:nginx port:5432", summary: "nginx to db.example, port 5432, moved 90 B/s, and nothing before: it is new" });
		rows.push({ kind: "loss", program: "redis-server", peer_name: null, reason: "SOCKET_RCVBUFF", before: 0, after: 41200, unit_name: "packets", factor: null, new: true, gone: false,
			filter: "process:redis-server", summary: "redis-server began to lose packets: its receive buffer is full" });
		rows.sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
		return rows.slice(0, 20).map((r, i) => ({ rank: i + 1, ...r }));
	}

	store() {
		const iso = (ms) => new Date(ms).toISOString();
		const now = this.world.now_ms;
		const level = (name, seconds, kept, rows) => ({
			level: name, seconds, kept_seconds: kept, rows, oldest: iso(Math.max(this.since_ms, now - kept * 1000)), newest: iso(now), bytes: null, limit_bytes: null, lost_seconds: null, reason: null,
		});
		return [
			level("1 s", 1, 3600, 61233), level("10 s", 10, 43200, 81002), level("1 min", 60, 14 * 86400, 402113), level("1 h", 3600, 400 * 86400, 20411),
			level("day", 86400, 400 * 86400, 611), level("month", 2678400, 1826 * 86400, 41), level("event", null, 400 * 86400, 77),
			{ level: "file", seconds: null, kept_seconds: null, rows: null, oldest: null, newest: null, bytes: 41500672, limit_bytes: 268435456, lost_seconds: 0, reason: null },
		];
	}

	/** {rows, more}: unfiltered but for the curve, whose filter chooses the programs; more goes into the envelope. */
	answer(name, parameters, chosen, text) {
		const kinds = {
			history: () => this.withRest(this.programs(parameters), { lost_packets: 0 }), history_rates: () => this.rates(parameters, chosen, text), history_peers: () => this.withRest(this.peers(parameters)),
			history_losses: () => this.losses(parameters), history_days: () => this.withRest(this.per(parameters, 10, "day"), { day: new Date(this.world.now_ms).toISOString().slice(0, 10) }), history_months: () => this.per(parameters, 7, "month"),
			history_events: () => this.events(parameters), history_changes: () => this.changes(parameters), history_store: () => this.store(),
		};
		const { from, to, step } = this.span(parameters);
		const more = { from, to, day_start: Math.floor(to / DAY_MS) * DAY_MS };
		for (const what in more)
			more[what] = new Date(more[what]).toISOString();
		return { rows: kinds[name](), more: { ...more, step, utc_offset_seconds: 0 } };
	}
}
