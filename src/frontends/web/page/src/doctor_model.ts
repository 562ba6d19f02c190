// SPDX-License-Identifier: GPL-2.0-or-later
// What Doctor shows, out of the tables doctor and hooks. Pure.

import { type Row, numberOf, textOf } from "./model";

/** "traffic: splice" is a limit of "traffic". */
export function features(rows: readonly Row[]): { name: string; sets: Row[]; limits: Row[] }[] {
	const found = new Map<string, { name: string; sets: Row[]; limits: Row[] }>();
	for (const row of rows) {
		const [name, limit] = textOf(row, "feature").split(/: (.*)/s);
		const f = found.get(name) ?? { name, sets: [], limits: [] };
		(limit === undefined ? f.sets : f.limits).push(row);
		found.set(name, f);
	}
	return [...found.values()].filter((f) => f.sets.length);
}

export interface Program {
	name: string;
	hook: string;
	feature: string;
	runs: number;
	ns: number;
}

/** One of each program, the one that used most time first; a program stands there once for each of its maps. */
export function programsOf(rows: readonly Row[]): Program[] {
	const found = new Map<string, Program>();
	for (const r of rows)
		found.set(textOf(r, "program"), {
			name: textOf(r, "program"), hook: textOf(r, "hook"), feature: textOf(r, "feature"), runs: numberOf(r, "runs"), ns: numberOf(r, "ns_per_run"),
		});
	return [...found.values()].sort((a, b) => b.runs * b.ns - a.runs * a.ns || (a.name < b.name ? -1 : 1));
}
