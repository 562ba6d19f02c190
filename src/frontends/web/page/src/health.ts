// SPDX-License-Identifier: GPL-2.0-or-later
// What weir can see here, and what it cannot. Pure.

import { type Row, textOf } from "./model";

/** Whether what is shown is a recording, of whatever host. */
export function isRecording(doctor: readonly Row[]): boolean {
	return doctor.some((r) => textOf(r, "feature") === "weir: recording");
}

/** What doctor says in three words: features that are on, those that are not, and lesser limits of this kernel. */
export function diagnosis(doctor: readonly Row[]) {
	const on = new Set<string>();
	const off = new Map<string, Row>();
	const degraded: Row[] = [];
	for (const row of doctor) {
		const state = textOf(row, "state");
		const name = textOf(row, "feature");
		/* "traffic: splice" is a part of "traffic" */
		if (state === "degraded" || (name.includes(": ") && state !== "on"))
			degraded.push(row);
		else if (name.includes(": "))
			continue;
		else if (state === "on")
			on.add(name);
		else if (!off.has(name))
			off.set(name, row); /* the first one is the best set, and says what it would take */
	}
	/* A hook set that is not in use is no loss where another one serves. */
	return { on: [...on], off: [...off].filter(([name]) => !on.has(name)).map(([, row]) => row), degraded };
}

/** Why losses cannot be seen: doctor's row; null where they can; undefined while it is not known. */
export function unseenLosses(doctor: readonly Row[]): Row | null | undefined {
	return doctor.length && !isRecording(doctor) ? diagnosis(doctor).off.find((r) => textOf(r, "feature") === "drops") ?? null : undefined;
}

export interface Cost {
	cpu_s: number;
	memory_bytes: number;
	at_ms: number;
}

/** What the metrics say of weir's own processes, all roles together; null when they say nothing. */
export function costOf(metrics: string, at_ms: number): Cost | null {
	const sum = (name: string) => {
		let n = 0;
		let any = false;
		for (const m of metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+-]+)`, "gm"))) {
			n += Number(m[1]);
			any = true;
		}
		return any ? n : null;
	};
	const cpu_s = sum("weir_self_cpu_seconds_total");
	const memory_bytes = sum("weir_self_memory_bytes");
	return cpu_s === null || memory_bytes === null ? null : { cpu_s, memory_bytes, at_ms };
}
