// SPDX-License-Identifier: GPL-2.0-or-later
// The one time axis: live, or a span of the past. A span stands in the address as the API takes it: from and to are
// RFC 3339, or seconds before now ("-3600"); no "to" is now. Pure.

import { clock, moment } from "./format";

export interface Span {
	/** As the API is asked. */
	from: string;
	to: string;
	from_ms: number;
	to_ms: number;
	/** Its right edge is now, and moves. */
	sliding: boolean;
}

/** The spans that end now, in seconds. */
export const PRESETS = [900, 3600, 21600, 86400, 604800] as const;

const DAY_MS = 86400e3;
const FIRST_MS = Date.UTC(2000, 0); /* nobody recorded anything before; a clock that was never set says so */

/** A point in time as the address has it; null when it is none. */
export function parseInstant(text: string, now_ms: number): number | null {
	if (/^-\d{1,9}$/.test(text))
		return now_ms + Number(text) * 1000;
	if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text))
		return null;
	const ms = Date.parse(text);
	return Number.isNaN(ms) ? null : ms;
}

/** RFC 3339, whole seconds. */
export function formatInstant(ms: number): string {
	return new Date(Math.round(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/** The span that an address means; null is live. What makes no sense is live too. */
export function spanOf(at: { from: string; to: string }, now_ms: number): Span | null {
	const from_ms = parseInstant(at.from, now_ms);
	const to_ms = at.to ? parseInstant(at.to, now_ms) : now_ms;
	if (from_ms === null || to_ms === null || to_ms - from_ms < 1000 || from_ms < FIRST_MS)
		return null;
	return { from: at.from, to: at.to, from_ms, to_ms, sliding: !at.to };
}

/** What the address says of a brushed span; never shorter than some seconds. */
export function brushed(from_ms: number, to_ms: number): { from: string; to: string } {
	const [a, b] = from_ms < to_ms ? [from_ms, to_ms] : [to_ms, from_ms];
	const short = Math.max(0, 10e3 - (b - a)) / 2;
	return { from: formatInstant(a - short), to: formatInstant(b + short) };
}

/** How often an answer about a sliding span is asked for again: about as often as its curve gains a step. */
export function refreshMs(span: Span): number {
	return Math.min(60e3, Math.max(5e3, (span.to_ms - span.from_ms) / 300));
}

const same = (a: number, b: number) => moment(a).slice(0, 10) === moment(b).slice(0, 10);

/** A point in time as short as it is clear beside now_ms: "14:02:10", "Nov-22 14:02". */
export function when(ms: number, now_ms: number): string {
	if (same(ms, now_ms))
		return clock(ms);
	return Math.abs(now_ms - ms) < 300 * DAY_MS ? moment(ms).slice(5, 16) : moment(ms).slice(0, 16);
}

/** What stands at an axis: times of day, and dates where it is days long. */
export function axisLabel(ms: number, span_ms: number): string {
	/* Where days differ, each begins with its date. */
	if (span_ms > 3 * DAY_MS || (span_ms > DAY_MS && clock(ms).startsWith("00:00")))
		return moment(ms).slice(5, 10);
	return clock(ms).slice(0, span_ms > 600e3 || new Date(ms).getSeconds() === 0 ? 5 : 8);
}

/** "15 min", "1 h", "7 d": a number and the key of its unit's word. */
export function duration(seconds: number): { n: number; unit: "s" | "min" | "h" | "d" } {
	const of = (n: number) => Math.round(n * 10) / 10;
	if (seconds < 120 && seconds % 60 > 0.5)
		return { n: Math.round(seconds), unit: "s" };
	if (seconds < 3600)
		return { n: of(seconds / 60), unit: "min" };
	return seconds < 48 * 3600 ? { n: of(seconds / 3600), unit: "h" } : { n: of(seconds / 86400), unit: "d" };
}
