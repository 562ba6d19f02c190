// SPDX-License-Identifier: GPL-2.0-or-later
// Lost packets, second by second, as history keeps them, beside what a page has seen itself. Pure.

import { CLASSES, type Class, type LossHistory } from "./losses";
import { type Row, numberOf, textOf } from "./model";
import { WINDOW_S } from "./series";

/** Packets lost in the second that ended then, class by class. */
export interface LostSecond {
	time_s: number;
	rates: Record<Class, number>;
}

/** What each class's curve of seconds says, as one list. A second that one of them does not have lost none of that. */
export function lostSeconds(curves: Record<Class, readonly Row[]>): LostSecond[] {
	const found = new Map<number, LostSecond>();
	for (const c of CLASSES)
		for (const row of curves[c]) {
			if (numberOf(row, "seconds") !== 1)
				continue;
			const time_s = Date.parse(textOf(row, "time")) / 1000 + 1;
			const second = found.get(time_s) ?? { time_s, rates: { bug: 0, attack: 0, tune: 0, unknown: 0, expected: 0 } };
			second.rates[c] = numberOf(row, "lost_packets");
			found.set(time_s, second);
		}
	return [...found.values()];
}

/** Puts seconds where the page has no look of its own. */
export function fillLosses(own: LossHistory, list: readonly LostSecond[]): void {
	const last = own.time[own.time.length - 1];
	const missed = list.filter((s) => s.time_s < last && s.time_s > last - WINDOW_S - 10 && !own.time.some((at) => Math.abs(at - s.time_s) < 1));
	const all = [
		...own.time.map((time_s, i) => ({ time_s, rates: Object.fromEntries(CLASSES.map((c) => [c, own.rates[c][i]])) as Record<Class, number> })),
		...missed,
	].sort((a, b) => a.time_s - b.time_s);
	own.time = all.map((s) => s.time_s);
	for (const c of CLASSES)
		own.rates[c] = all.map((s) => s.rates[c]);
}
