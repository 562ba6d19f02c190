// SPDX-License-Identifier: GPL-2.0-or-later
// When a process started, by the clock: the kernel counts from the boot. Pure.

import { type Row, numberOf, textOf } from "./model";

/** When the host booted, as nearly as its processes tell: none used a socket before it started, and the youngest of them
 *  (weir's own are among them) did so at once. NaN: none is known. */
export function bootOf(rows: readonly Row[]): number {
	const at = rows.map((r) => Date.parse(textOf(r, "first_seen")) - numberOf(r, "start_time_ns") / 1e6);
	return at.reduce((m, ms) => (ms >= m ? m : ms), NaN);
}

/** What a process moved through sockets that were closed and are no longer kept. */
export interface Past {
	sockets: number;
	/** null: what moves at this moment is more than could be told apart from it. */
	bytes: { tx: number; rx: number } | null;
}

const APART_S = 4; /* a process and its sockets are of two answers */
const SURE = 200;

/** flows: all sockets that are kept of it. */
export function closedBefore(process: Row, flows: readonly Row[]): Past {
	const rest = (way: "tx" | "rx") => Math.max(0, numberOf(process, `${way}_bytes`) - flows.reduce((n, r) => n + numberOf(r, `${way}_bytes`), 0));
	const sure = (way: "tx" | "rx") => rest(way) >= SURE * APART_S * numberOf(process, `${way}_bytes_per_second`);
	return {
		sockets: Math.max(0, numberOf(process, "connections_total") - new Set(flows.map((r) => textOf(r, "cookie"))).size),
		bytes: sure("tx") && sure("rx") ? { tx: rest("tx"), rx: rest("rx") } : null,
	};
}

export const isClosed = (flow: Row): boolean => textOf(flow, "state") === "closed";
