// SPDX-License-Identifier: GPL-2.0-or-later
// Values as text. Pure: no DOM, no clock but the one handed in.

/** A number and its unit, apart, so that the unit can be set quieter. */
export interface Quantity {
	value: string;
	unit: string;
}

/* Names come from programs and may carry anything. What a terminal or a browser would act on, or what would make
 * two different names look alike, is shown as an escape: control characters, bidi controls, invisible and
 * line-breaking characters, spaces that are not the plain one, lone surrogates. */
const UNPRINTABLE =
	/[\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]|\p{Cs}|[\u{e0000}-\u{e0fff}]/gu;
/* Plain spaces at an end, where nobody sees them. */
const OUTER_SPACES = /^ +| +$/g;
/* Marks piled on one character beyond what scripts need. */
const PILED_MARKS = /(?<=\p{M}{3})\p{M}/gu;

function escape(c: string): string {
	const code = c.codePointAt(0)!;
	if (code === 0x0a)
		return "\\n";
	if (code === 0x09)
		return "\\t";
	return code < 0x100 ? "\\x" + code.toString(16).padStart(2, "0") : "\\u{" + code.toString(16) + "}";
}

/** The text with everything unprintable written out, e.g. "\u{202e}". Never longer than eight times the input. */
export function visible(text: string): string {
	return text
		.replace(PILED_MARKS, escape)
		.replace(UNPRINTABLE, escape)
		.replace(OUTER_SPACES, (s) => "\\x20".repeat(s.length));
}

/** Three significant digits without trailing zeros, as the command line writes them. */
function significant(n: number): string {
	return String(Number(n.toFixed(n >= 100 ? 0 : n >= 10 ? 1 : 2)));
}

function scaled(n: number, units: readonly string[], step: number): Quantity {
	let i = 0;
	let v = Math.abs(n);
	// 999.5 would be written as 1000: it belongs to the next unit.
	while (i < units.length - 1 && v >= (i === 0 ? step : step - step / 2000)) {
		v /= step;
		i++;
	}
	const digits = i === 0 ? String(Math.round(v)) : significant(v);
	return { value: (n < 0 ? "-" : "") + digits, unit: units[i] };
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

export function bytes(n: number): Quantity {
	return scaled(n, BYTE_UNITS, 1000);
}

export function rate(n: number): Quantity {
	const q = bytes(n);
	return { value: q.value, unit: q.unit + "/s" };
}

/** A number that need not be exact, as short as it can be: 1.23k. */
export function short(n: number): string {
	const q = scaled(n, ["", "k", "M", "G"], 1000);
	return (Math.abs(n) < 10 ? String(Number(n.toFixed(1))) : q.value) + q.unit;
}

/** 1234567 -> "1,234,567". Accepts the text of numbers too large for a double. */
export function count(n: number | string): string {
	return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

const TIME_UNITS = ["ns", "µs", "ms", "s"] as const;

export function nanoseconds(ns: number): Quantity {
	return ns < 60e9 ? scaled(ns, TIME_UNITS, 1000) : { value: significant(ns / 60e9), unit: "min" };
}

/** A span of time given in microseconds. */
export function microseconds(us: number): Quantity {
	return us < 60e6 ? scaled(us, TIME_UNITS.slice(1), 1000) : nanoseconds(us * 1000);
}

/** A share of the whole, in percent; never "100" or "0" for something in between. */
export function percent(part: number, whole: number): string {
	if (whole <= 0)
		return "0";
	const p = (100 * part) / whole;
	if (p > 0 && p < 1)
		return "<1";
	if (p > 99 && p < 100)
		return ">99";
	return p.toFixed(0);
}

export function join(q: Quantity): string {
	return q.unit ? q.value + "\u00a0" + q.unit : q.value;
}

/** Wall-clock time of day, local, seconds kept. */
export function clock(ms: number): string {
	const d = new Date(ms);
	const two = (n: number) => String(n).padStart(2, "0");
	return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** Local date and time down to the millisecond. */
export function moment(ms: number): string {
	const d = new Date(ms);
	const pad = (n: number, w = 2) => String(n).padStart(w, "0");
	return (
		`${pad(d.getFullYear(), 4)}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${clock(ms)}` +
		`.${pad(d.getMilliseconds(), 3)}`
	);
}

/** A time that may lie some days back: today's without its date. */
export function since(ms: number, now_ms: number): string {
	return moment(ms).slice(0, 10) === moment(now_ms).slice(0, 10) ? clock(ms) : moment(ms).slice(0, 16);
}

/** An address and a port as people write them. */
export function endpoint(address: string, port: number | null): string {
	const host = address.includes(":") ? `[${address}]` : address;
	return port === null ? host : `${host}:${port}`;
}

/* --- words for the filter line and the shell ----------------------------------------------------------------- */

/** A value for the filter language that matches exactly this text and needs no quoting: whatever the language
 * or a reader could take for something else becomes a wildcard. */
export function filterValue(text: string): string {
	return text.replace(/[^\x21-\x7e]|[",*?\\[\]!<>=']/gu, "?");
}

/** One word for a POSIX shell; control and invisible characters are written as escapes in bash's $'...' form, so
 * that pasting never runs or hides anything. */
export function shellWord(text: string): string {
	if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text))
		return text;
	if (visible(text) === text)
		return "'" + text.replace(/'/g, "'\\''") + "'";
	const escaped = text.replace(/[\\']/g, "\\$&").replace(UNPRINTABLE, (c) => {
		const code = c.codePointAt(0)!;
		return code < 0x80 ? "\\x" + code.toString(16).padStart(2, "0") : "\\U" + code.toString(16).padStart(8, "0");
	});
	return "$'" + escaped + "'";
}

/** The words of a filter line, each safe for the shell. Text inside double quotes stays one word. */
export function shellWords(filter: string): string {
	const words = filter.match(/(?:"[^"]*"?|[^\s"])+/g) ?? [];
	return words.map(shellWord).join(" ");
}
