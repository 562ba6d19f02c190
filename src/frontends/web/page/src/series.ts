// SPDX-License-Identifier: GPL-2.0-or-later
// The last minutes, one sample a second, for the one time axis of the page. Pure.

import { type Row, numberOf, textOf } from "./model";

/** The time axis: it begins at a minute and grows with what was recorded, up to this. */
export const WINDOW_S = 300;
/** Samples nearer than this are one; ticks come once a second, give or take. */
const SAMPLE_MIN_S = 0.5;
/** Further apart than this: something in between was not seen. */
const GAP_S = 2.5;

/** How much of the past the axis shows after so many seconds of recording. */
export function windowFor(recorded_s: number): number {
	return Math.min(WINDOW_S, Math.max(60, Math.ceil(recorded_s / 60) * 60));
}
/** More programs than this at once: those with the least traffic lose their line, never their numbers. */
const PROGRAMS_MAX = 256;
/** Only the first of a tick's programs get a line of their own. */
const BEGUN_MAX = 64;

/** Buckets of a step plot: what each holds on average, and its largest sample beside it. */
export interface Steps {
	/** Seconds since the epoch at which each bucket begins, and where the last one ends. */
	time: number[];
	end: number;
	average: (number | null)[];
	maximum: (number | null)[];
}

/**
 * Puts samples into buckets of span_s seconds that are aligned to the clock, so that a bucket's borders do not move
 * while the window does. A bucket without any sample is a gap (null), not a zero.
 */
export function steps(
	time: readonly number[],
	value: readonly number[],
	end_s: number,
	window_s: number,
	span_s: number,
): Steps {
	const first = Math.floor((end_s - window_s) / span_s) * span_s;
	const n = Math.ceil((end_s - first) / span_s);
	const sum = new Float64Array(n);
	const max = new Float64Array(n);
	const seen = new Uint16Array(n);
	for (let i = 0; i < time.length; i++) {
		/* A sample is about the second that ends with it. */
		const b = Math.ceil((time[i] - first) / span_s) - 1;
		if (b < 0 || b >= n)
			continue;
		sum[b] += value[i];
		max[b] = Math.max(max[b], value[i]);
		seen[b]++;
	}
	const out: Steps = { time: [], end: first + n * span_s, average: [], maximum: [] };
	for (let b = 0; b < n; b++) {
		/* Ticks are not quite a second apart, so that one may miss its bucket: the next one's rate was measured
		 * over that very time. */
		const from = !seen[b] && b > 0 && seen[b - 1] && b + 1 < n && seen[b + 1] && span_s <= 1 ? b + 1 : b;
		out.time.push(first + b * span_s);
		out.average.push(seen[from] ? sum[from] / seen[from] : null);
		out.maximum.push(seen[from] ? max[from] : null);
	}
	return out;
}

/** A line of samples beside History.time; "from" says at which sample it begins. */
interface Line {
	from: number;
	tx: number[];
	rx: number[];
}

/** A program: all processes of one command in one container. */
export interface Talker {
	/** "": the remainder that history could not keep apart, no program. */
	id: string;
	name: string;
	/** What tells it from others of that name: container, pod or unit. */
	place: string;
	pids: number[];
	tx: number;
	rx: number;
	tx_bytes: number;
	rx_bytes: number;
	open: number;
	/** When the first of its processes that are known used a socket first. */
	first_ms: number;
}

export function programOf(row: Row): { id: string; name: string; place: string } {
	const name = textOf(row, "comm");
	const container = textOf(row, "container_name") || textOf(row, "container_id").slice(0, 12);
	const place = textOf(row, "pod_name") || container || textOf(row, "unit");
	return { id: name + "\u0001" + (textOf(row, "container_id") || textOf(row, "unit")), name, place };
}

const NAMES = ["comm", "container_id", "unit"] as const;
const cellsEqual = (a: Row, b: Row) => NAMES.every((n) => a[n] === b[n]);

const byTraffic = (a: Talker, b: Talker) =>
	b.tx + b.rx - (a.tx + a.rx) || b.tx_bytes + b.rx_bytes - (a.tx_bytes + a.rx_bytes) || (a.id < b.id ? -1 : 1);

/** The programs of a table of processes, kept up to date row by row: what a tick costs follows what changed in it. */
export class Programs {
	/** In the order of rank(). */
	readonly list: Talker[] = [];
	open = 0;
	/** Processes that have not ended. */
	running = 0;
	private byId = new Map<string, Talker>();

	clear(): void {
		this.list.length = 0;
		this.byId.clear();
		this.open = this.running = 0;
	}

	/** A row came, changed (before is what it was) or went (after is null). */
	change(before: Row | undefined, after: Row | null): void {
		/* A process that took another name is another program from now on. */
		const same = before && after && cellsEqual(before, after);
		if (before)
			this.add(before, -1, !same);
		if (after)
			this.add(after, 1, !same);
	}

	/** Puts those with most traffic first; those whose processes are all gone leave. */
	rank(): readonly Talker[] {
		let n = 0;
		for (const t of this.list)
			if (t.pids.length)
				this.list[n++] = t;
			else
				this.byId.delete(t.id);
		this.list.length = n;
		return this.list.sort(byTraffic);
	}

	private add(row: Row, sign: 1 | -1, pids: boolean): void {
		const p = programOf(row);
		let t = this.byId.get(p.id);
		if (!t) {
			t = { ...p, pids: [], tx: 0, rx: 0, tx_bytes: 0, rx_bytes: 0, open: 0, first_ms: Infinity };
			this.byId.set(p.id, t);
			this.list.push(t);
		}
		const pid = numberOf(row, "pid");
		if (sign > 0 && pids) {
			t.pids.push(pid);
			t.first_ms = Math.min(t.first_ms, Date.parse(textOf(row, "first_seen")) || Infinity);
		} else if (sign < 0 && pids) {
			const at = t.pids.indexOf(pid);
			if (at >= 0)
				t.pids.splice(at, 1);
		}
		const open = numberOf(row, "connections_open");
		t.tx += sign * numberOf(row, "tx_bytes_per_second");
		t.rx += sign * numberOf(row, "rx_bytes_per_second");
		t.tx_bytes += sign * numberOf(row, "tx_bytes");
		t.rx_bytes += sign * numberOf(row, "rx_bytes");
		t.open += sign * open;
		this.open += sign * open;
		this.running += textOf(row, "state") === "exited" ? 0 : sign;
	}
}

export function talkers(rows: Iterable<Row>): Talker[] {
	const programs = new Programs();
	for (const row of rows)
		programs.change(undefined, row);
	return [...programs.rank()];
}

/** What a step of a curve of the past holds (a row of history_rates). */
export interface Step {
	time_s: number;
	seconds: number;
	/** Bytes a second, on average, and in its largest second where that is known. */
	tx: number;
	rx: number;
	tx_max: number | null;
	rx_max: number | null;
}

export function stepOf(row: Row): Step {
	const seconds = Math.max(1, numberOf(row, "seconds"));
	const max = (name: string) => (textOf(row, name) ? numberOf(row, name) : null);
	return {
		time_s: Date.parse(textOf(row, "time")) / 1000,
		seconds,
		tx: numberOf(row, "tx_bytes") / seconds,
		rx: numberOf(row, "rx_bytes") / seconds,
		tx_max: max("tx_bytes_per_second_max"),
		rx_max: max("rx_bytes_per_second_max"),
	};
}

/**
 * A curve of the past in buckets of at least span_s seconds. Where weir did not run there is no step and so a gap. Where
 * the largest second is not known, the largest step stands for it.
 */
export function pastSteps(list: readonly Step[], way: "tx" | "rx", from_s: number, to_s: number, span_s: number): Steps {
	const width = list.length ? Math.max(span_s, list[0].seconds) : span_s;
	const first = Math.floor(from_s / width) * width;
	const n = Math.max(1, Math.ceil((to_s - first) / width));
	const sum = new Float64Array(n);
	const weight = new Float64Array(n);
	const max = new Float64Array(n);
	for (const s of list) {
		const b = Math.floor((s.time_s - first) / width + 1e-6);
		if (b < 0 || b >= n)
			continue;
		sum[b] += s[way] * s.seconds;
		weight[b] += s.seconds;
		max[b] = Math.max(max[b], s[way === "tx" ? "tx_max" : "rx_max"] ?? s[way]);
	}
	const out: Steps = { time: [], end: first + n * width, average: [], maximum: [] };
	for (let b = 0; b < n; b++) {
		out.time.push(first + b * width);
		out.average.push(weight[b] ? sum[b] / weight[b] : null);
		out.maximum.push(weight[b] ? max[b] : null);
	}
	return out;
}

const SPARK_BUCKETS = 60;

/** Both directions summed, in few steps: what a program recorded, after what the daemon kept of before. */
export function sparkOf(line: { time: number[]; tx: number[]; rx: number[] }, before: readonly Step[], end_s: number, window_s: number): Steps {
	const first = line.time[0] ?? Infinity;
	/* A step is as many seconds as it is wide, lest it stand in one bucket and leave holes beside it. */
	const old = before.filter((s) => s.time_s + s.seconds <= first)
		.flatMap((s) => Array.from({ length: s.seconds }, (_x, i) => [s.time_s + i + 1, s.tx + s.rx]));
	return steps(
		[...old.map(([at]) => at), ...line.time],
		[...old.map(([, v]) => v), ...line.tx.map((v, i) => v + line.rx[i])],
		end_s,
		window_s,
		window_s / SPARK_BUCKETS,
	);
}

/** A curve of the past in as many steps as a small one has. */
export function spanSteps(list: readonly Step[], way: "tx" | "rx", from_s: number, to_s: number): Steps {
	return pastSteps(list, way, from_s, to_s, (to_s - from_s) / SPARK_BUCKETS);
}

/** What was seen since the page was opened, and what the daemon kept of before; at most the window. */
export class History {
	time: number[] = [];
	tx: number[] = [];
	rx: number[] = [];
	/** Bytes since since_s, when the page was opened or the filter changed. */
	sum_tx = 0;
	sum_rx = 0;
	since_s = 0;
	/** Why they count from there: what this page has not seen they do not hold. */
	why: "opened" | "filter" | "gap" = "opened";
	private lines = new Map<string, Line>();
	private dropped = 0; /* samples that left at the front */

	/** Seconds from the first sample that is kept to the last. */
	get recorded_s(): number {
		return this.time.length ? this.time[this.time.length - 1] - this.time[0] : 0;
	}

	/** One regular tick. A second sample for the same second replaces nothing: it is passed over. True: there was a gap
	 *  before it, which sums do not reach across. */
	push(time_s: number, list: readonly Talker[]): boolean {
		const last = this.time.length ? this.time[this.time.length - 1] : -Infinity;
		if (time_s < last - 5) {
			this.clear(); /* the clock was set back, or another recording began */
			this.why = "gap";
		} else if (time_s < last + SAMPLE_MIN_S)
			return false;
		const gap = this.time.length > 0 && time_s > last + GAP_S;
		if (gap) {
			this.sum_tx = this.sum_rx = this.since_s = 0;
			this.why = "gap";
		}
		const index = this.dropped + this.time.length;
		let tx = 0;
		let rx = 0;
		for (let i = 0; i < list.length; i++) {
			const t = list[i];
			tx += t.tx;
			rx += t.rx;
			let line = this.lines.get(t.id);
			if (!line) {
				if (t.tx + t.rx === 0 || i >= BEGUN_MAX)
					continue;
				line = { from: index, tx: [], rx: [] };
				this.lines.set(t.id, line);
			}
			this.fill(line, index);
			line.tx.push(t.tx);
			line.rx.push(t.rx);
		}
		this.since_s ||= time_s;
		this.time.push(time_s);
		this.tx.push(tx);
		this.rx.push(rx);
		this.sum_tx += tx;
		this.sum_rx += rx;
		this.trim(time_s);
		return gap;
	}

	/** What was before since_s, second by second, oldest first; it stands for what this page has seen before a gap, too.
	 *  Counts for the plot, not for the sums. */
	prepend(list: readonly Step[]): void {
		this.cut(this.time.findIndex((at) => at >= this.since_s));
		const first = this.time.length ? this.time[0] : Infinity;
		const own = this.time.length ? this.time[this.time.length - 1] : list.length ? list[list.length - 1].time_s + 1 : 0;
		const before = list.filter((s) => s.time_s + s.seconds < first - SAMPLE_MIN_S && s.time_s > own - WINDOW_S - 10);
		/* A sample is about the second that ends with it. */
		this.time.unshift(...before.map((s) => s.time_s + s.seconds));
		this.tx.unshift(...before.map((s) => s.tx));
		this.rx.unshift(...before.map((s) => s.rx));
		this.dropped -= before.length;
	}

	/** The samples of one program beside the times they belong to. */
	line(id: string): { time: number[]; tx: number[]; rx: number[] } {
		const line = this.lines.get(id);
		if (!line)
			return { time: [], tx: [], rx: [] };
		this.fill(line, this.dropped + this.time.length);
		return { time: this.time.slice(line.from - this.dropped), tx: line.tx, rx: line.rx };
	}

	/** Another filter. */
	clear(): void {
		if (this.time.length)
			this.why = "filter";
		this.time = [];
		this.tx = [];
		this.rx = [];
		this.sum_tx = this.sum_rx = this.since_s = 0;
		this.lines.clear();
		this.dropped = 0;
	}

	/* A program that was not there for some ticks moved nothing in them. */
	private fill(line: Line, until: number): void {
		while (line.from + line.tx.length < until) {
			line.tx.push(0);
			line.rx.push(0);
		}
	}

	/* The first samples leave. */
	private cut(n: number): void {
		if (n <= 0)
			return;
		this.time.splice(0, n);
		this.tx.splice(0, n);
		this.rx.splice(0, n);
		this.dropped += n;
		for (const line of this.lines.values()) {
			const old = Math.min(Math.max(0, this.dropped - line.from), line.tx.length);
			line.tx.splice(0, old);
			line.rx.splice(0, old);
			line.from = Math.max(line.from, this.dropped);
		}
	}

	private trim(now_s: number): void {
		let n = 0;
		while (n < this.time.length && this.time[n] < now_s - WINDOW_S - 10)
			n++;
		/* In batches: moving all lines each second would cost more than the memory is worth. */
		if (n < 30 && this.lines.size <= PROGRAMS_MAX)
			return;
		this.cut(n);
		const weights: { id: string; weight: number }[] = [];
		for (const [id, line] of this.lines) {
			let weight = 0;
			for (let i = 0; i < line.tx.length; i++)
				weight += line.tx[i] + line.rx[i];
			weights.push({ id, weight });
		}
		weights.sort((a, b) => b.weight - a.weight);
		weights.forEach(({ id, weight }, i) => {
			if (weight === 0 || i >= PROGRAMS_MAX / 2)
				this.lines.delete(id);
		});
	}
}

/* --- the sentence -------------------------------------------------------------------------------------------- */

/** Who moves most of what moves, in the direction in which more moves. */
export interface Verdict {
	kind: "quiet" | "leads" | "spread";
	direction: "tx" | "rx";
	total: number;
	who: Talker | null;
	part: number;
	programs: number;
}

/* Live it says what it said while it is about as true: another direction, program or kind has to be clearly more. */
const CLEARLY = 1.1;

/** before: what was said last; without one, whatever is most. */
export function verdict(list: readonly Talker[], before?: Partial<Verdict>): Verdict {
	let tx = 0;
	let rx = 0;
	for (const t of list) {
		tx += t.tx;
		rx += t.rx;
	}
	const direction = rx > tx * (before?.direction === "tx" ? CLEARLY : 1) ? "rx" : "tx";
	const total = direction === "rx" ? rx : tx;
	if (total === 0)
		return { kind: "quiet", direction, total, who: null, part: 0, programs: 0 };
	let who = list.find((t) => !t.id) ?? list[0];
	let programs = 0;
	for (const t of list) {
		/* The remainder leads only where there is nobody else. */
		if (t[direction] > 0 && t.id)
			programs++;
		if (t.id && t[direction] > (who.id ? who[direction] : 0))
			who = t;
	}
	const said = list.find((t) => t.id && t.id === before?.who?.id);
	if (said && said[direction] * CLEARLY >= who[direction] && who.id)
		who = said;
	const kind = who[direction] * (said === who && before?.kind === "leads" ? 3 * CLEARLY : 3) >= total || programs < 3 ? "leads" : "spread";
	return { kind, direction, total, who, part: who[direction], programs };
}
