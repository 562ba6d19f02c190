// SPDX-License-Identifier: GPL-2.0-or-later
// The page's state: one object, and one redraw per frame at most.

import { useEffect, useState } from "preact/hooks";
import { Channel, fetchRow } from "./channel";
import type { Explained } from "./explain";
import { isRecording } from "./health";
import { type Language, chooseLanguage, setFields, setLanguage } from "./i18n";
import { Dataset, type Envelope, KEYS, type Row, type Table, fitFilter, keyOf, knowsFilter, numberOf } from "./model";
import { type Group, LossHistory, classOf, rankFindings, sumUp } from "./losses";
import { type Route, formatRoute, parseRoute } from "./route";
import { SAID, learn } from "./said";
import { History, Programs, type Talker, type Verdict, WINDOW_S, stepOf, verdict } from "./series";
import { ApiError, fetchRows, fetchTables } from "./stream";
import { type Span, brushed, spanOf } from "./time";
import { loadModule } from "./views";

const PEERS_EVERY_MS = 3000;
const HEALTH_EVERY_MS = 30000;
const FINDINGS_EVERY_MS = 2000;
const LOSSES_EVERY_MS = 5000; /* while no view shows them */
const UNFOLDED_MAX = 16;
const UNFOLDED_FLOWS = 40;
const RETRY_MS = 1000;
const CLOCKS_APART_MS = 5000;

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

/** What each view asks, live and of the past. */
const ASKED: Record<string, readonly [string, string]> = {
	now: ["processes", "history"],
	map: ["flows", "history_peers"],
	processes: ["processes", "history"],
	flows: ["flows", "history_peers"],
	drops: ["drops", "history_losses"],
	history: ["history_rates", "history_rates"],
};

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
	losses = new LossHistory();
	/** undefined: not asked yet; null: asked in vain so far, or there are none to ask for. */
	findings?: Row[] | null;
	/** Classes of losses whose rows are hidden. */
	folded = new Set<Group["class"]>(["expected"]);
	programs = new Programs();
	talkers: readonly Talker[] = [];
	/** What a number is, while somebody asks. */
	explained: Explained | null = null;
	verdict: Verdict = verdict([]);
	peer: Peer | null = null;
	host = "";
	lost = 0;
	opened_ms = Date.now();
	/** When the daemon spoke last, by its own clock. */
	private heard_ms = 0;
	private apart = false; /* that clock is not this one */
	doctor: Row[] = [];
	audit: Row[] = [];
	unfolded = new Map<string, Unfolded>();
	detail: Detail | null = null;

	/** Why the filter of the address cannot be read; null: it can, as far as is known. */
	wrong: string | null = null;
	/** The last one that could. */
	good: string | null = null;

	private lent: Channel | null = null;
	private translated = false;
	private listeners = new Set<() => void>();
	private frame = 0;
	private peers_at = -Infinity;
	private busy = new Set<string>();
	private health_at = -Infinity;
	private findings_at = -Infinity;
	private losses_at = -Infinity;
	/** What losses were selected by. */
	losses_filter = "";
	private past_at = 0;
	private channels = {
		processes: new Channel("processes", {
			reset: () => {
				/* What was recorded so far counted something else. */
				this.history.clear();
				this.peer = null;
				this.past_at = 0;
			},
			update: (e, tick) => {
				this.talkers = this.programs.rank();
				this.verdict = verdict(this.talkers, this.verdict);
				if (tick) {
					if (this.history.push(this.processes.time_ms / 1000, this.talkers))
						this.past_at = 0;
					void this.fetchPast();
				}
				this.onUpdate("processes", e, tick);
			},
			refused: (filter, message) => this.refuse("processes", filter, message),
			changed: () => this.changed(),
		}),
		flows: new Channel("flows", {
			reset: () => undefined,
			update: (e, tick) => this.onUpdate("flows", e, tick),
			refused: (filter, message) => this.refuse("flows", filter, message),
			changed: () => this.changed(),
		}),
		drops: new Channel("drops", {
			reset: () => undefined,
			update: (e, tick) => {
				if (tick)
					this.pushLosses(this.channels.drops.shown ?? "", this.dataset("drops").time_ms, this.dataset("drops").rows.values());
				this.onUpdate("drops", e, tick);
			},
			refused: (filter, message) => this.refuse("drops", filter, message),
			changed: () => this.changed(),
		}),
	};

	start(): void {
		this.channels.processes.set.watcher = this.programs;
		this.language = chooseLanguage(storedLanguage(), navigator.languages ?? [navigator.language]);
		this.speak();
		window.addEventListener("hashchange", () => this.onAddress());
		this.unfoldClasses();
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

	/** A view that has a channel of its own says so while it is on show. */
	lend(channel: Channel | null): void {
		this.lent = channel;
		this.changed();
	}

	/** The filter that what is on show was selected by. */
	get filter(): string {
		return this.span ? this.filterFor(this.asked) : (this.channel.shown ?? "");
	}

	/** The address's filter while it can be read, otherwise the last one that could; null: nothing may be shown. */
	get inForce(): string | null {
		return this.wrong === null ? this.route.filter : this.good;
	}

	/** What of that a table is asked. */
	filterFor(table: string): string {
		const filter = this.inForce ?? "";
		const declared = this.declared(table);
		return declared ? fitFilter(declared, filter, this.tables.values()).filter : filter;
	}

	/** Terms of the filter that mean nothing to the view on show. */
	get leftOut(): string[] {
		const table = this.declared(this.asked);
		return table ? fitFilter(table, this.inForce ?? "", this.tables.values()).left : [];
	}

	private get asked(): string {
		return ASKED[this.route.view]?.[this.span ? 1 : 0] ?? "";
	}

	/* Curves and changes are chosen by what all tables of the past have. */
	private declared(table: string): Table | undefined {
		if (table !== "history_rates" && table !== "history_changes")
			return this.tables.get(table);
		const fields = ["history", "history_peers", "history_losses"].flatMap((n) => this.tables.get(n)?.fields ?? []);
		return fields.length ? { name: table, summary: "", sort: "", fields } : undefined;
	}

	/** A table answered a filter. */
	accept(table: string, filter: string): void {
		if (this.wrong === null && table === this.asked && filter === this.filterFor(table))
			this.good = this.route.filter;
	}

	/** It could not be read: the last good one stands in on all views, or nothing. */
	refuse(table: string, filter: string, message: string): void {
		const { processes } = this.channels;
		if (this.wrong === null && table === this.asked && filter === this.filterFor(table)) {
			this.wrong = message;
			/* Good elsewhere is not good here. */
			if (this.good === this.route.filter)
				this.good = null;
			this.connect();
			this.changed();
		} else if (table === "processes" && processes.state === "rejected") {
			processes.want(this.tables.get(table)!, processes.shown ?? "");
		}
	}

	/** The channel that the view on show draws. */
	get channel(): Channel {
		const { view } = this.route;
		if (this.lent)
			return this.lent;
		return this.channelOf(this.tables.size && !this.tables.has(view) ? "processes" : view);
	}

	dataset(table: string): Dataset {
		return this.channelOf(table).set;
	}

	private channelOf(name: string): Channel {
		return this.channels[name === "flows" || name === "drops" ? name : "processes"];
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
		this.speak();
		try {
			localStorage.setItem("weir.language", l);
		} catch {
			/* not stored: the switch still holds for this page */
		}
		this.changed();
	}

	/* What the daemon says is English as declared; Chinese is loaded when it is wanted first. */
	private speak(): void {
		setLanguage(this.language);
		if (this.language === "zh" && !this.translated) {
			this.translated = true;
			Promise.all(["fields", ...SAID].map(loadModule<Record<string, string>>)).then(
				([zh, ...sentences]) => {
					setFields(zh);
					sentences.forEach(learn);
					this.changed();
				},
				() => {
					this.translated = false; /* English stands in; asked for with the next switch */
				},
			);
		}
		this.changed();
	}

	/** The span of the past that all views show; null: live. */
	get span(): Span | null {
		return spanOf(this.route, this.now_ms);
	}

	/** What the daemon calls now: in a recording that is where it is played. */
	get now_ms(): number {
		return this.apart ? this.heard_ms : Date.now();
	}

	/** What is shown is a recording: doctor says so. */
	get recording(): boolean {
		return isRecording(this.doctor);
	}

	/** Shows the past: a brushed span. */
	setSpan(from_ms: number, to_ms: number): void {
		this.go({ ...brushed(from_ms, to_ms), row: "" });
	}

	/** Shows the last seconds, whatever they are by then; 0: live. */
	setLast(seconds: number): void {
		this.go({ from: seconds ? `-${seconds}` : "", to: "", row: "" });
	}

	explain(of: Explained | null): void {
		this.explained = of;
		if (of)
			void this.fetchHealth();
		this.changed();
	}

	/** Whether a table of the past can be asked under this filter. Curves and changes are chosen by what all of them have. */
	knowsPast(filter: string, table = "history_rates"): boolean {
		const declared = this.declared(table);
		return declared !== undefined && knowsFilter(declared, filter);
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

	fold(c: Group["class"], on: boolean): void {
		if (on)
			this.folded.add(c);
		else
			this.folded.delete(c);
		this.changed();
	}

	/* --- what happens --- */

	/* Declarations first: the streams ask for fields by name. */
	private async declare(): Promise<void> {
		try {
			this.tables = await fetchTables();
			this.connect();
			void this.fetchFindings();
		} catch (e) {
			const c = this.channel;
			this.findings ??= null;
			c.state = e instanceof ApiError && e.status < 500 ? "refused" : "offline";
			c.message = e instanceof ApiError ? e.message : "";
			window.setTimeout(() => void this.declare(), RETRY_MS);
		}
		this.changed();
	}

	/* Who asks for a class wants to see its rows. */
	private unfoldClasses(): void {
		if (/\bclass:\S*expected/.test(this.route.filter))
			this.folded.delete("expected");
	}

	private onAddress(): void {
		const { view, filter, from, to } = this.route;
		this.route = parseRoute(location.hash);
		const now = this.route;
		if (now.view !== view || now.filter !== filter || now.from !== from || now.to !== to)
			this.wrong = null; /* other tables, or another question: asked anew */
		this.unfoldClasses();
		this.connect();
		this.findDetail();
		this.changed();
	}

	/* Processes are always streamed, for the axis' sake. The others only while they are on show: flows are many, and a
	 * browser has six connections for all of its tabs. */
	private connect(): void {
		const { processes, flows, drops } = this.channels;
		const tables = [this.tables.get("processes"), this.tables.get("flows")] as const;
		if (!tables[0] || !tables[1])
			return;
		const show = (view: string) => this.route.view === view && this.inForce !== null;
		if (this.inForce === null && this.asked === "processes")
			processes.close();
		else
			processes.want(tables[0], this.filterFor("processes"));
		if (show("flows"))
			flows.want(tables[1], this.filterFor("flows"));
		else
			flows.close();
		const table = this.tables.get("drops");
		if (show("drops") && table) {
			drops.want(table, this.filterFor("drops"));
			void this.fetchHealth();
		} else {
			drops.close();
		}
	}

	private onUpdate(name: string, e: Envelope, tick: boolean): void {
		this.accept(name, this.channelOf(name).shown ?? "");
		this.host = e.host ?? this.host;
		this.hearTime(Date.parse(e.time) || Date.now());
		this.lost = e.lost_events;
		if (name === "processes" && tick && !document.hidden)
			void this.fetchLosses();
		if (name === this.channel.name) {
			this.findDetail();
			if (tick && !document.hidden)
				this.onTick();
		}
		this.changed();
	}

	private hearTime(ms: number): void {
		const first = !this.heard_ms;
		this.heard_ms = ms;
		this.apart = Math.abs(Date.now() - ms) > CLOCKS_APART_MS;
		if (!this.apart)
			return;
		if (first)
			this.opened_ms = ms;
		void this.fetchHealth();
	}

	private onTick(): void {
		if (this.route.view === "now") {
			void this.fetchPeers();
			void this.fetchFindings();
		}
		if (this.route.view === "now" || this.route.view === "drops")
			void this.fetchHealth();
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

	/* The plot is full when the page opens, and after a gap: the daemon's history has what this page has not seen. Asked
	 * until there is an answer to what is on show. */
	private async fetchPast(): Promise<void> {
		const filter = this.processesFilter;
		const now = performance.now();
		if (now < this.past_at || !this.tables.has("history_rates") || !this.knowsPast(filter))
			return;
		this.past_at = now + PEERS_EVERY_MS;
		await this.alone("past", async () => {
			const e = await fetchRows("history_rates", { filter, from: -WINDOW_S - 5, step: 1 });
			const list = e.rows.map(stepOf).filter((s) => s.seconds === 1);
			if (this.processesFilter !== filter)
				return;
			this.past_at = Infinity;
			this.history.prepend(list);
		});
	}

	private get processesFilter(): string {
		return this.channels.processes.shown ?? "";
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

	private async fetchFindings(): Promise<void> {
		const now = performance.now();
		if (now - this.findings_at < FINDINGS_EVERY_MS)
			return;
		this.findings_at = now;
		if (this.tables.has("findings"))
			await this.alone("findings", async () => {
				this.findings = rankFindings((await fetchRows("findings", {})).rows);
			});
		this.findings ??= null;
	}

	/* So that the plot has a past when somebody comes to look at it. */
	private async fetchLosses(): Promise<void> {
		const table = this.tables.get("drops");
		const { view } = this.route;
		const filter = this.filterFor("drops");
		const now = performance.now();
		if (!table || view === "drops" || now - this.losses_at < LOSSES_EVERY_MS)
			return;
		this.losses_at = now;
		await this.alone("losses", async () => {
			const e = await fetchRows("drops", { filter, fields: "class,reason,packets,packets_per_second,overlaps" });
			if (this.route.view !== "drops" && this.filterFor("drops") === filter)
				this.pushLosses(filter, Date.parse(e.time), e.rows);
		});
	}

	private pushLosses(filter: string, time_ms: number, rows: Iterable<Row>): void {
		if (filter !== this.losses_filter) {
			/* What was recorded so far counted something else. */
			this.losses.clear();
			this.losses_filter = filter;
		}
		this.losses.push(time_ms / 1000, sumUp(rows));
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
		const slash = this.route.view === "processes" ? id.indexOf("/") : -1;
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
		if (!this.detail)
			return;
		if (this.detail.table === "drops")
			this.folded.delete(classOf(this.detail.row));
		void this.fetchDetail();
	}

	private async fetchDetail(): Promise<void> {
		const detail = this.detail;
		if (!detail || detail.gone)
			return;
		await this.alone("detail", async () => {
			const e = await fetchRow(this.dataset(detail.table), detail.row);
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
		/* "other" without an address: peers that were not kept apart. */
		const name = String((row.peer_name !== "other" && row.peer_name) || row.peer_address || "");
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

/** An address in this page: under the filter and the time of now, if nothing else is said. */
export function linkTo(change: Partial<Route>): string {
	return formatRoute({ ...store.route, sort: "", row: "", more: {}, ...change });
}

/** Redraws the component with each change. */
export function useStore(): Store {
	const [, redraw] = useState(0);
	useEffect(() => store.subscribe(() => redraw((n) => n + 1)), []);
	return store;
}
