// SPDX-License-Identifier: GPL-2.0-or-later
// The page's state: one object, one stream, one redraw per frame at most.

import { useEffect, useState } from "preact/hooks";
import { type Language, chooseLanguage, setLanguage } from "./i18n";
import { Dataset, type Envelope, type Row, type Table, numberOf } from "./model";
import { type Route, formatRoute, parseRoute } from "./route";
import { History, type Talker, type Verdict, talkers, verdict } from "./series";
import { ApiError, Stream, type StreamState, fetchRows, fetchTables } from "./stream";

const STALLED_MS = 3500;
const PEERS_EVERY_MS = 3000;
const HEALTH_EVERY_MS = 30000;
const UNFOLDED_MAX = 16;
const UNFOLDED_FLOWS = 40;

export interface Unfolded {
	pid: number;
	rows: Row[];
	total: number;
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
	processes = new Dataset("processes");
	flows = new Dataset("flows");
	history = new History();
	talkers: Talker[] = [];
	verdict: Verdict = verdict([]);
	peer: Peer | null = null;
	host = "";
	lost = 0;
	opened_ms = Date.now();
	stream: StreamState = "connecting";
	stream_message = "";
	filter_error = "";
	/** The filter that the rows on show were selected by: the last one that the daemon accepted. */
	filter_shown = "";
	doctor: Row[] = [];
	audit: Row[] = [];
	unfolded = new Map<string, Unfolded>();

	private listeners = new Set<() => void>();
	private frame = 0;
	private alive_at = performance.now();
	private filter_sent = "";
	private topics = "";
	private peers_at = -Infinity;
	private peers_busy = false;
	private unfolded_busy = false;
	private health_at = -Infinity;
	private connection = new Stream({
		event: (whole, topic, e) => this.onEvent(whole, topic, e),
		state: (s, message) => this.onState(s, message),
		alive: () => {
			this.alive_at = performance.now();
		},
	});

	start(): void {
		this.language = chooseLanguage(storedLanguage(), navigator.languages ?? [navigator.language]);
		setLanguage(this.language);
		window.addEventListener("hashchange", () => this.onAddress());
		window.setInterval(() => this.onSecond(), 1000);
		this.connect();
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

	dataset(table: string): Dataset {
		return table === "flows" ? this.flows : this.processes;
	}

	/** Seconds since the daemon was last heard, 0 while it keeps its beat. */
	get silence_s(): number {
		const ms = performance.now() - this.alive_at;
		return ms < STALLED_MS ? 0 : Math.floor(ms / 1000);
	}

	/* --- what the reader does --- */

	/** Changes the address. Without push the back button skips it. */
	go(change: Partial<Route>, push = true): void {
		const next = { ...this.route, ...change };
		const hash = formatRoute(next);
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

	private onAddress(): void {
		this.route = parseRoute(location.hash);
		this.connect();
		this.changed();
	}

	/* Flows are many: they are streamed only while they are on show. */
	private connect(): void {
		const topics = this.route.view === "flows" ? "processes,flows" : "processes";
		if (topics === this.topics && this.route.filter === this.filter_sent)
			return;
		if (this.route.filter !== this.filter_sent)
			this.filter_error = "";
		this.topics = topics;
		this.filter_sent = this.route.filter;
		this.connection.open(topics.split(","), this.route.filter);
	}

	private onState(s: StreamState, message: string): void {
		this.stream = s;
		this.stream_message = message;
		if (s === "live") {
			this.alive_at = performance.now();
			this.filter_error = "";
			void this.fetchDeclarations();
		} else if (s === "rejected") {
			this.filter_error = message;
		}
		this.changed();
	}

	private onEvent(whole: boolean, topic: string, e: Envelope): void {
		if (topic !== "processes" && topic !== "flows")
			return;
		if (this.filter_shown !== this.filter_sent) {
			/* What was recorded so far counted something else. */
			this.filter_shown = this.filter_sent;
			this.history.clear();
			this.peer = null;
			if (topic === "processes")
				this.flows = new Dataset("flows");
		}
		const set = this.dataset(topic);
		if (whole)
			set.load(e);
		else
			set.merge(e);
		this.host = e.host ?? this.host;
		this.lost = e.lost_events;
		if (topic === "processes") {
			this.talkers = talkers(set.rows.values());
			this.verdict = verdict(this.talkers);
			if (whole || e.tick)
				this.onTick();
		}
		this.changed();
	}

	private onTick(): void {
		this.history.push(this.processes.time_ms / 1000, this.talkers);
		if (document.hidden)
			return;
		if (this.route.view === "now") {
			void this.fetchPeers();
			void this.fetchHealth();
		}
		if (this.unfolded.size)
			void this.fetchUnfolded();
	}

	private onSecond(): void {
		if (this.silence_s || this.stream !== "live")
			this.changed();
	}

	/* --- the smaller questions --- */

	private async fetchDeclarations(): Promise<void> {
		if (this.tables.size)
			return;
		try {
			this.tables = await fetchTables();
			this.changed();
		} catch {
			/* asked again with the next connection */
		}
	}

	private async fetchPeers(): Promise<void> {
		const v = this.verdict;
		const now = performance.now();
		const changed = this.peer?.who !== v.who?.id || this.peer?.direction !== v.direction;
		if (!v.who || this.peers_busy || (!changed && now - this.peers_at < PEERS_EVERY_MS))
			return;
		const field = v.direction + "_bytes_per_second";
		const { who, direction } = v;
		this.peers_busy = true;
		this.peers_at = now;
		try {
			const e = await fetchRows("flows", {
				filter: "pid:" + who.pids.slice(0, 32).join(","),
				sort: field,
				limit: 256,
				fields: "peer_address,peer_name," + field,
			});
			this.peer = mostly(e.rows, field, who.id, direction);
		} catch {
			this.peer = null; /* the sentence stands without it */
		}
		this.peers_busy = false;
		this.changed();
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
		if (this.unfolded_busy || !this.unfolded.size)
			return;
		this.unfolded_busy = true;
		await Promise.all(
			[...this.unfolded.values()].map(async (u) => {
				try {
					const e = await fetchRows("flows", { filter: `pid:${u.pid}`, limit: UNFOLDED_FLOWS });
					u.rows = e.rows;
					u.total = e.total ?? e.rows.length;
				} catch (e) {
					if (e instanceof ApiError)
						u.total = 0;
				}
			}),
		);
		this.unfolded_busy = false;
		this.changed();
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
