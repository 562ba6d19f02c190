// SPDX-License-Identifier: GPL-2.0-or-later
// Lost packets: their classes, sums, groups, and what was lost in the last minutes. Pure.

import { type Row, cell, numberOf, textOf } from "./model";
import { WINDOW_S } from "./series";

/** What matters most first. A reason that weir knows nothing of may matter; what is expected does not. */
export const CLASSES = ["bug", "attack", "tune", "unknown", "expected"] as const;
export type Class = (typeof CLASSES)[number];

/** Beside the colour, and before the word. */
export const MARKS: Record<Class, string> = { bug: "✕", attack: "▲", tune: "◆", unknown: "?", expected: "●" };

export function classOf(row: Row): Class {
	const name = textOf(row, "class");
	return (CLASSES as readonly string[]).includes(name) ? (name as Class) : "unknown";
}

export interface Sum {
	rate: number;
	packets: number;
	/** Different reasons, and rows; those that are counted elsewhere too are among them. */
	reasons: number;
	rows: number;
}

export type Sums = Record<Class, Sum>;

const each = <T>(f: (c: Class) => T) => Object.fromEntries(CLASSES.map((c) => [c, f(c)])) as Record<Class, T>;

/** Sums of the classes. What other rows count as well is left out of them. */
export function sumUp(rows: Iterable<Row>): Sums {
	const sums = each((): Sum => ({ rate: 0, packets: 0, reasons: 0, rows: 0 }));
	const reasons = each(() => new Set<string>());
	for (const row of rows) {
		const c = classOf(row);
		sums[c].rows++;
		reasons[c].add(textOf(row, "reason"));
		if (cell(row, "overlaps") === true)
			continue;
		sums[c].rate += numberOf(row, "packets_per_second");
		sums[c].packets += numberOf(row, "packets");
	}
	for (const c of CLASSES)
		sums[c].reasons = reasons[c].size;
	return sums;
}

export function total(sums: Sums, what: "rate" | "packets"): number {
	return CLASSES.reduce((n, c) => n + sums[c][what], 0);
}

export interface Group {
	/** "quiet": of any class that matters, and nothing lost now. */
	class: Class | "quiet";
	keys: string[];
	/** Of rows that came while the order was held: below all others. */
	late?: boolean;
}

/** Keys that are in order already, class by class; a class without rows is left out. live_first: what loses nothing now
 *  stands behind all that does, so that it never hides that. held: the groups of before, in which each row stays. */
export function groupKeys(keys: readonly string[], rows: Map<string, Row>, live_first = false, held?: readonly Group[]): Group[] {
	if (held?.length) {
		const groups = held.map((g) => ({ ...g, keys: g.keys.filter((k) => rows.has(k)) })).filter((g) => g.keys.length);
		const known = new Set(groups.flatMap((g) => g.keys));
		for (const g of groupKeys(keys.filter((k) => !known.has(k)), rows, live_first)) {
			const same = groups.find((h) => h.class === g.class && (h.late || h.class === "expected"));
			if (same)
				same.keys.push(...g.keys);
			else
				groups.push({ ...g, late: true });
		}
		return groups;
	}
	const found = { ...each((): string[] => []), quiet: [] as string[] };
	const matters = (row: Row) => classOf(row) !== "expected";
	const live = (row: Row) => numberOf(row, "packets_per_second") > 0;
	const split = live_first && [...rows.values()].some((row) => matters(row) && live(row));
	for (const key of keys) {
		const row = rows.get(key);
		if (row)
			found[split && matters(row) && !live(row) ? "quiet" : classOf(row)].push(key);
	}
	const order = [...CLASSES.filter((c) => c !== "expected"), "quiet", "expected"] as const;
	return order.filter((c) => found[c].length).map((c) => ({ class: c, keys: found[c] }));
}

/** Looks nearer than this are one; further apart than that, nobody knows what was between them. */
const SAMPLE_MIN_S = 0.5;
const GAP_S = 30;

/** What was lost per second and class since the page was opened, at most the window. */
export class LossHistory {
	time: number[] = [];
	rates = each((): number[] => []);
	last: Sums | null = null;

	get recorded_s(): number {
		return this.time.length ? this.time[this.time.length - 1] - this.time[0] : 0;
	}

	/** A look at the sums. Where some seconds went by since the one before, each gets its part of what they lost. */
	push(time_s: number, sums: Sums): void {
		const before = this.time.length ? this.time[this.time.length - 1] : -Infinity;
		let gap = time_s - before;
		if (gap < -5)
			this.clear(); /* the clock was set back, or another recording began */
		else if (gap < SAMPLE_MIN_S)
			return;
		if (!this.last || gap < 0 || gap > GAP_S)
			gap = 1;
		const n = gap < 1.7 ? 1 : Math.round(gap);
		for (let i = 1; i <= n; i++)
			this.time.push(i < n ? before + (i * gap) / n : time_s);
		for (const c of CLASSES) {
			const lost = n > 1 && this.last ? sums[c].packets - this.last[c].packets : -1;
			/* Rows that left took their packets along: then the rate of the moment stands for all. */
			const rate = lost >= 0 ? lost / gap : sums[c].rate;
			for (let i = 0; i < n; i++)
				this.rates[c].push(rate);
		}
		this.last = sums;
		this.trim(time_s);
	}

	clear(): void {
		this.time = [];
		this.rates = each(() => []);
		this.last = null;
	}

	private trim(now_s: number): void {
		let n = 0;
		while (n < this.time.length && this.time[n] < now_s - WINDOW_S - 10)
			n++;
		if (n < 30)
			return;
		this.time.splice(0, n);
		for (const c of CLASSES)
			this.rates[c].splice(0, n);
	}
}

/* --- findings ------------------------------------------------------------------------------------------------ */

/** What weir found wrong, the worst first, otherwise as the daemon has them. */
export function rankFindings(rows: readonly Row[]): Row[] {
	const rank = (r: Row) => CLASSES.indexOf(classOf(r));
	return rows
		.map((row, i) => ({ row, i }))
		.sort((a, b) => rank(a.row) - rank(b.row) || a.i - b.i)
		.map((x) => x.row);
}
