// SPDX-License-Identifier: GPL-2.0-or-later
// The page's state: one object, and one redraw per frame at most.

import { useEffect, useState } from "preact/hooks";
import { Channel, fetchRow } from "./channel";
import { type Language, chooseLanguage, setLanguage } from "./i18n";
import { Dataset, type Envelope, KEYS, type Row, type Table, keyOf, knowsFilter, numberOf } from "./model";
import { type Route, formatRoute, parseRoute } from "./route";
import { History, type Talker, type Verdict, talkers, verdict } from "./series";
import { ApiError, fetchRows, fetchTables } from "./stream";

const PEERS_EVERY_MS = 3000;
const HEALTH_EVERY_MS = 30000;
const UNFOLDED_MAX = 16;
const UNFOLDED_FLOWS = 40;
const RETRY_MS = 1000;

export interface Unfolded {
	pid: number;
	rows: Row[];
	total: number;
}

/** A row whose details are on show. Its id is its key, or "key of a process/key of its socket". */
export interface Detail {
	id: string;
	table: string;
	row: Row;
	snapshot: number;
	/** All fields are there, not only those of the table. */
	full: boolean;
	gone: boolean;
}

/** Where the largest program's bytes go, as far as one answer of the daemon tells. */
export interface Peer {
	who: string;
	direction: "tx" | "rx";
	name: string;
	share: number;
}

export class Store {
	route: Route = parseRoute(location.hash);
	language: Language = "en";
	tables = new Map<string, Table>();
	history = new History();
	talkers: Talker[] = [];
	verdict: Verdict = verdict([]);
	peer: Peer | null = null;
	host = "";
	lost = 0;
	opened_ms = Date.now();
	doctor: Row[] = [];
	audit: Row[] = [];
	unfolded = new Map<string, Unfolded>();
	detail: Detail | null = null;

	private listeners = new Set<() => void>();
	private frame = 0;
	private peers_at = -Infinity;
	private busy = new Set<string>();
	private health_at = -Infinity;
	private channels = {
		processes: new Channel("processes", {
			reset: () => {
				/* What was recorded so far counted something else. */
				this.history.clear();
				this.peer = null;
			},
			update: (e, tick) => {
				this.talkers = talkers(this.processes.rows.values());
				this.verdict = verdict(this.talkers);
				if (tick)
					this.history.push(this.processes.time_ms / 1000, this.talkers);
				this.onUpdate("processes", e, tick);
			},
			changed: () => this.changed(),
		}),
		flows: new Channel("flows", {
			reset: () => undefined,
			update: (e, tick) => this.onUpdate("flows", e, tick),
			changed: () => this.changed(),
		}),
	};

	start(): void {
		this.language = chooseLanguage(storedLanguage(), navigator.languages ?? [navigator.language]);
		setLanguage(this.language);
		window.addEventListener("hashchange", () => this.onAddress());
		window.setInterval(() => this.onSecond(), 1000);
		void this.declare();
	}

	/* --- being watched --- */

	subscribe(f: () => void): () => void {
		this.listeners.add(f);
		return () => this.listeners.delete(f);
	}

	/** Asks for one redraw in the next frame, however often it is called before. */
	changed(): void {
		if (this.frame)
			return;
		this.frame = requestAnimationFrame(() => {
			this.frame = 0;
			for (const f of this.listeners)
				f();
		});
	}

	get processes(): Dataset {
		return this.channels.processes.set;
	}

	/** The channel that the view on show draws. */
	get channel(): Channel {
		return this.channels[this.route.view === "flows" ? "flows" : "processes"];
	}

	dataset(table: string): Dataset {
		return this.channels[table === "flows" ? "flows" : "processes"].set;
	}

	/* --- what the reader does --- */

	/** Changes the address. Without push the back button skips it. */
	go(change: Partial<Route>, push = true): void {
		const hash = formatRoute({ ...this.route, ...change });
		if (hash === formatRoute(this.route))
			return;
		if (push)
			history.pushState(null, "", hash);
		else
			history.replaceState(null, "", hash);
		this.onAddress();
	}

	setLanguage(l: Language): void {
		this.language = l;
		setLanguage(l);
		try {
			localStorage.setItem("weir.language", l);
		} catch {
			/* not stored: the switch still holds for this page */
		}
		this.changed();
	}

	unfold(key: string, pid: number, on: boolean): void {
		if (!on) {
			this.unfolded.delete(key);
		} else {
			this.unfolded.set(key, { pid, rows: [], total: -1 });
			if (this.unfolded.size > UNFOLDED_MAX)
				this.unfolded.delete(this.unfolded.keys().next().value!);
			void this.fetchUnfolded();
		}
		this.changed();
	}

	/* --- what happens --- */

	/* Declarations first: the streams ask for fields by name. */
	private async declare(): Promise<void> {
		try {
			this.tables = await fetchTables();
			this.connect();
		} catch (e) {
			const c = this.channel;
			c.state = e instanceof ApiError && e.status < 500 ? "refused" : "offline";
			c.message = e instanceof ApiError ? e.message : "";
			window.setTimeout(() => void this.declare(), RETRY_MS);
		}
		this.changed();
	}

	private onAddress(): void {
		this.route = parseRoute(location.hash);
		this.connect();
		this.findDetail();
		this.changed();
	}

	/* Processes are always streamed, for the axis' sake. Flows are many: only while they are on show. */
	private connect(): void {
		const { processes, flows } = this.channels;
		const tables = [this.tables.get("processes"), this.tables.get("flows")] as const;
		if (!tables[0] || !tables[1])
			return;
		/* Flows have words that processes lack: then these go on under the filter before, and nobody is bothered. */
		if (this.route.view !== "flows" || knowsFilter(tables[0], this.route.filter))
			processes.want(tables[0], this.route.filter);
		if (this.route.view === "flows")
			flows.want(tables[1], this.route.filter);
		else
			flows.close();
	}

	private onUpdate(name: string, e: Envelope, tick: boolean): void {
		this.host = e.host ?? this.host;
		this.lost = e.lost_events;
		if (name === this.channel.name) {
			this.findDetail();
			if (tick && !document.hidden)
				this.onTick();
		}
		this.changed();
	}

	private onTick(): void {
		if (this.route.view === "now") {
			void this.fetchPeers();
			void this.fetchHealth();
		}
		if (this.route.view === "processes" && this.unfolded.size)
			void this.fetchUnfolded();
		if (this.detail)
			void this.fetchDetail();
	}

	private onSecond(): void {
		if (this.channel.silence_s || this.channel.state !== "live")
			this.changed();
	}

	/* --- the smaller questions --- */

	/** Asks one at a time of each kind; the answer to one that nobody waits for any more is dropped by f. */
	private async alone(kind: string, f: () => Promise<void>): Promise<void> {
		if (this.busy.has(kind))
			return;
		this.busy.add(kind);
		try {
			await f();
		} catch {
			/* the page stands without it; asked again with the next tick */
		}
		this.busy.delete(kind);
		this.changed();
	}

	private async fetchPeers(): Promise<void> {
		const { who, direction } = this.verdict;
		const now = performance.now();
		const changed = this.peer?.who !== who?.id || this.peer?.direction !== direction;
		if (!who || (!changed && now - this.peers_at < PEERS_EVERY_MS))
			return;
		this.peers_at = now;
		const field = direction + "_bytes_per_second";
		await this.alone("peers", async () => {
			const e = await fetchRows("flows", {
				filter: "pid:" + who.pids.slice(0, 32).join(","),
				sort: field,
				limit: 256,
				fields: "peer_address,peer_name," + field,
			});
			this.peer = mostly(e.rows, field, who.id, direction);
		});
	}

	private async fetchHealth(): Promise<void> {
		const now = performance.now();
		if (now - this.health_at < HEALTH_EVERY_MS)
			return;
		this.health_at = now;
		const [doctor, audit] = await Promise.allSettled([fetchRows("doctor", {}), fetchRows("audit", {})]);
		this.doctor = doctor.status === "fulfilled" ? doctor.value.rows : [];
		this.audit = audit.status === "fulfilled" ? audit.value.rows : [];
		this.changed();
	}

	private async fetchUnfolded(): Promise<void> {
		await this.alone("unfolded", async () => {
			await Promise.all(
				[...this.unfolded.values()].map(async (u) => {
					const e = await fetchRows("flows", { filter: `pid:${u.pid}`, limit: UNFOLDED_FLOWS });
					u.rows = e.rows;
					u.total = e.total ?? e.rows.length;
				}),
			);
			this.findDetail();
		});
	}

	/* The row that the address means, as the tables have it; its other fields follow with fetchDetail(). */
	private findDetail(): void {
		const id = this.route.row;
		const slash = id.indexOf("/");
		const set = this.dataset(this.route.view);
		const same = this.detail?.id === id ? this.detail : null;
		if (!id || this.route.view === "now") {
			this.detail = null;
			return;
		}
		const row = slash < 0
			? set.rows.get(id)
			: this.unfolded.get(id.slice(0, slash))?.rows.find((r) => keyOf(r, KEYS.flows) === id.slice(slash + 1));
		if (same) {
			same.gone = !row && set.loaded;
			return;
		}
		this.detail = row
			? { id, table: slash < 0 ? set.name : "flows", row, snapshot: set.snapshot, full: false, gone: false }
			: null;
		if (this.detail)
			void this.fetchDetail();
	}

	private async fetchDetail(): Promise<void> {
		const detail = this.detail;
		if (!detail || detail.gone)
			return;
		await this.alone("detail", async () => {
			const e = await fetchRow(this.dataset(detail.table), detail.id.split("/").pop()!);
			if (!e || this.detail !== detail)
				return;
			detail.row = e.rows[0];
			detail.snapshot = e.snapshot;
			detail.full = true;
		});
		/* Another row was chosen while this one's answer was under way. */
		if (this.detail && this.detail !== detail)
			void this.fetchDetail();
	}
}

/** The peer that has more than half of what these flows move, if there is one. */
export function mostly(rows: readonly Row[], field: string, who: string, direction: "tx" | "rx"): Peer {
	const sums = new Map<string, number>();
	let total = 0;
	for (const row of rows) {
		const name = String(row.peer_name || row.peer_address || "");
		const n = numberOf(row, field);
		total += n;
		if (name)
			sums.set(name, (sums.get(name) ?? 0) + n);
	}
	let best = "";
	for (const [name, n] of sums)
		if (!best || n > sums.get(best)!)
			best = name;
	const share = total > 0 && best ? sums.get(best)! / total : 0;
	return { who, direction, name: share > 0.5 ? best : "", share };
}

function storedLanguage(): string | null {
	try {
		return localStorage.getItem("weir.language");
	} catch {
		return null;
	}
}

export const store = new Store();


/** Redraws the component with each change. */
export function useStore(): Store {
	const [, redraw] = useState(0);
	useEffect(() => store.subscribe(() => redraw((n) => n + 1)), []);
	return store;
}
