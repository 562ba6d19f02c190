// SPDX-License-Identifier: GPL-2.0-or-later
// The last minutes, one sample a second, for the one time axis of the page. Pure.

import { type Row, numberOf, textOf } from "./model";

/** The time axis: it begins at a minute and grows with what was recorded, up to this. */
export const WINDOW_S = 300;
/** Samples nearer than this are one; ticks come once a second, give or take. */
const SAMPLE_MIN_S = 0.5;

/** How much of the past the axis shows after so many seconds of recording. */
export function windowFor(recorded_s: number): number {
	return Math.min(WINDOW_S, Math.max(60, Math.ceil(recorded_s / 60) * 60));
}
/** More programs than this at once: those with the least traffic lose their line, never their numbers. */
const PROGRAMS_MAX = 256;

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
}

export function programOf(row: Row): { id: string; name: string; place: string } {
	const name = textOf(row, "comm");
	const container = textOf(row, "container_name") || textOf(row, "container_id").slice(0, 12);
	const place = textOf(row, "pod_name") || container || textOf(row, "unit");
	return { id: name + "\u0001" + (textOf(row, "container_id") || textOf(row, "unit")), name, place };
}

export function talkers(rows: Iterable<Row>): Talker[] {
	const found = new Map<string, Talker>();
	for (const row of rows) {
		const p = programOf(row);
		let t = found.get(p.id);
		if (!t) {
			t = { ...p, pids: [], tx: 0, rx: 0, tx_bytes: 0, rx_bytes: 0, open: 0 };
			found.set(p.id, t);
		}
		t.pids.push(numberOf(row, "pid"));
		t.tx += numberOf(row, "tx_bytes_per_second");
		t.rx += numberOf(row, "rx_bytes_per_second");
		t.tx_bytes += numberOf(row, "tx_bytes");
		t.rx_bytes += numberOf(row, "rx_bytes");
		t.open += numberOf(row, "connections_open");
	}
	return [...found.values()].sort(
		(a, b) =>
			b.tx + b.rx - (a.tx + a.rx) ||
			b.tx_bytes + b.rx_bytes - (a.tx_bytes + a.rx_bytes) ||
			(a.id < b.id ? -1 : 1),
	);
}

/** What was seen since the page was opened, at most the window. */
export class History {
	time: number[] = [];
	tx: number[] = [];
	rx: number[] = [];
	/** Bytes since the page was opened: the integral under the plot, all of it. */
	sum_tx = 0;
	sum_rx = 0;
	private lines = new Map<string, Line>();
	private dropped = 0; /* samples that left at the front */

	/** Seconds from the first sample that is kept to the last. */
	get recorded_s(): number {
		return this.time.length ? this.time[this.time.length - 1] - this.time[0] : 0;
	}

	/** One regular tick. A second sample for the same second replaces nothing: it is passed over. */
	push(time_s: number, list: readonly Talker[]): void {
		const last = this.time.length ? this.time[this.time.length - 1] : -Infinity;
		if (time_s < last - 5)
			this.clear(); /* the clock was set back, or another recording began */
		else if (time_s < last + SAMPLE_MIN_S)
			return;
		const index = this.dropped + this.time.length;
		let tx = 0;
		let rx = 0;
		for (const t of list) {
			tx += t.tx;
			rx += t.rx;
			let line = this.lines.get(t.id);
			if (!line) {
				if (t.tx + t.rx === 0)
					continue;
				line = { from: index, tx: [], rx: [] };
				this.lines.set(t.id, line);
			}
			this.fill(line, index);
			line.tx.push(t.tx);
			line.rx.push(t.rx);
		}
		this.time.push(time_s);
		this.tx.push(tx);
		this.rx.push(rx);
		this.sum_tx += tx;
		this.sum_rx += rx;
		this.trim(time_s);
	}

	/** The samples of one program beside the times they belong to. */
	line(id: string): { time: number[]; tx: number[]; rx: number[] } {
		const line = this.lines.get(id);
		if (!line)
			return { time: [], tx: [], rx: [] };
		this.fill(line, this.dropped + this.time.length);
		return { time: this.time.slice(line.from - this.dropped), tx: line.tx, rx: line.rx };
	}

	clear(): void {
		this.time = [];
		this.tx = [];
		this.rx = [];
		this.sum_tx = this.sum_rx = 0;
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

	private trim(now_s: number): void {
		let n = 0;
		while (n < this.time.length && this.time[n] < now_s - WINDOW_S - 10)
			n++;
		/* In batches: moving all lines each second would cost more than the memory is worth. */
		if (n < 30 && this.lines.size <= PROGRAMS_MAX)
			return;
		this.time.splice(0, n);
		this.tx.splice(0, n);
		this.rx.splice(0, n);
		this.dropped += n;
		const weights: { id: string; weight: number }[] = [];
		for (const [id, line] of this.lines) {
			const cut = Math.min(Math.max(0, this.dropped - line.from), line.tx.length);
			line.tx.splice(0, cut);
			line.rx.splice(0, cut);
			line.from = Math.max(line.from, this.dropped);
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

export function verdict(list: readonly Talker[]): Verdict {
	let tx = 0;
	let rx = 0;
	for (const t of list) {
		tx += t.tx;
		rx += t.rx;
	}
	const direction = rx > tx ? "rx" : "tx";
	const total = Math.max(tx, rx);
	if (total === 0)
		return { kind: "quiet", direction, total, who: null, part: 0, programs: 0 };
	let who = list[0];
	let programs = 0;
	for (const t of list) {
		if (t[direction] > 0)
			programs++;
		if (t[direction] > who[direction])
			who = t;
	}
	const kind = who[direction] * 3 >= total || programs < 3 ? "leads" : "spread";
	return { kind, direction, total, who, part: who[direction], programs };
}
