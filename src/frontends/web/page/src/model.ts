// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon serves, as the page keeps it: declarations, rows, their merging and order. Pure.

export type Value = string | number | boolean | null;
export interface Row {
	[name: string]: Value | Row;
}

/** A field as the daemon declares it (GET /api/v1). */
export interface Field {
	name: string;
	title: string;
	type: string;
	unit: string;
	help: string;
	key: boolean;
	column: boolean;
	filter: string | null;
}

export interface Table {
	name: string;
	summary: string;
	sort: string;
	fields: Field[];
}

/** Whether a table has every word that a filter uses; what stands after the colons is not looked at. */
export function knowsFilter(table: Table, filter: string): boolean {
	const words = filter.match(/(?:"(?:[^"\\]|\\.)*"?|\\.|[^\s"])+/g) ?? [];
	return words.every((w) => {
		const name = w.split(":")[0];
		return w === "not" || table.fields.some((f) => f.name === name || f.filter === name);
	});
}

/** What surrounds rows everywhere. */
export interface Envelope {
	snapshot: number;
	time: string;
	lost_events: number;
	host?: string;
	tick?: boolean | number;
	total?: number;
	rows: Row[];
	gone?: Value[][];
}

/** The key fields of the tables that the page holds; the declaration's own flags win over these. */
export const KEYS: Record<string, string[]> = {
	processes: ["pid", "start_time_ns"],
	flows: ["cookie", "peer_address", "peer_port"],
};

/** The member that a dotted name points at; null when any part is absent. */
export function cell(row: Row, name: string): Value {
	const direct = row[name];
	if (direct !== undefined && (direct === null || typeof direct !== "object"))
		return direct;
	let at: Value | Row | undefined = row;
	for (const part of name.split(".")) {
		if (at === null || typeof at !== "object")
			return null;
		at = at[part];
	}
	return at === undefined || (at !== null && typeof at === "object") ? null : at;
}

export function numberOf(row: Row, name: string): number {
	const v = cell(row, name);
	return typeof v === "number" ? v : typeof v === "string" && v !== "" ? Number(v) || 0 : 0;
}

export function textOf(row: Row, name: string): string {
	const v = cell(row, name);
	return v === null ? "" : String(v);
}

/** Separates key values; it occurs in no number and no address, and stays as it is in a URL. */
const KEY_SEPARATOR = "~";

export function keyOf(row: Row, keys: readonly string[]): string {
	let s = "";
	for (const k of keys)
		s += (s ? KEY_SEPARATOR : "") + String(cell(row, k));
	return s;
}

/* Socket cookies use all 64 bits and start times pass 2^53 ns after 104 days: two of them must not become the same
 * double. Inside a JSON string every quote is escaped, so the pattern cannot match there. */
const WIDE = /("(?:cookie|start_time_ns)":)(\d{16,20})(?=[,}])/g;
const WIDE_GONE = /([[,])(\d{16,20})(?=[,\]])/g;

/** Parses a document of the API or an event's data. "gone" lists hold bare key values. */
export function parseEnvelope(text: string): Envelope {
	let body = text.replace(WIDE, '$1"$2"');
	const gone = body.lastIndexOf('"gone":[');
	if (gone >= 0)
		body = body.slice(0, gone) + exactGone(body.slice(gone));
	return JSON.parse(body) as Envelope;
}

/* Only outside of strings: the list is cut at its quotes first. */
function exactGone(tail: string): string {
	const parts = tail.split(/("(?:[^"\\]|\\.)*")/);
	for (let i = 0; i < parts.length; i += 2)
		parts[i] = parts[i].replace(WIDE_GONE, '$1"$2"');
	return parts.join("");
}

/** The rows of one table, kept up to date by a stream. */
export class Dataset {
	readonly keys: readonly string[];
	rows = new Map<string, Row>();
	snapshot = 0;
	time_ms = 0;
	/** Counts up with each change, so that a view knows when to look again. */
	version = 0;

	constructor(readonly name: string) {
		this.keys = KEYS[name] ?? [];
	}

	get loaded(): boolean {
		return this.snapshot > 0;
	}

	/** Replaces everything. */
	load(e: Envelope): void {
		this.rows = new Map();
		for (const row of e.rows)
			this.rows.set(keyOf(row, this.keys), row);
		this.mark(e);
	}

	/** Changed rows replace their former selves, unknown ones are added, gone ones removed. */
	merge(e: Envelope): void {
		for (const row of e.rows)
			this.rows.set(keyOf(row, this.keys), row);
		for (const gone of e.gone ?? [])
			this.rows.delete(gone.map(String).join(KEY_SEPARATOR));
		this.mark(e);
	}

	private mark(e: Envelope): void {
		this.snapshot = e.snapshot;
		this.time_ms = Date.parse(e.time) || this.time_ms;
		this.version++;
	}
}

/* --- order --------------------------------------------------------------------------------------------------- */

export interface Sort {
	field: string;
	ascending: boolean;
}

/** "tx_bytes" is largest first, "-tx_bytes" smallest first, as everywhere in weir. */
export function parseSort(text: string | null | undefined): Sort | null {
	if (!text)
		return null;
	return text.startsWith("-") ? { field: text.slice(1), ascending: true } : { field: text, ascending: false };
}

export function formatSort(s: Sort): string {
	return (s.ascending ? "-" : "") + s.field;
}

/** Something that orders addresses by network and not by spelling. */
export function addressRank(text: string): string {
	if (!text.includes(":")) {
		const parts = text.split(".");
		return parts.length === 4 ? "4" + parts.map((p) => p.padStart(3, "0")).join("") : "9" + text;
	}
	const [head, tail = ""] = text.split("::");
	const left = head ? head.split(":") : [];
	const right = tail ? tail.split(":") : [];
	const zeros = text.includes("::") ? Math.max(0, 8 - left.length - right.length) : 0;
	return "6" + [...left, ...Array<string>(zeros).fill("0"), ...right].map((p) => p.padStart(4, "0")).join("");
}

/**
 * Keys of the rows in order. Rows without a value come last in both directions; equal ones keep the order of
 * their keys, so that nothing moves without a reason.
 */
export function sortKeys(rows: Map<string, Row>, sort: Sort, type: string): string[] {
	const numeric = type === "uint" || type === "int" || type === "bool";
	const items: { key: string; rank: number | string | null }[] = [];
	const addresses = new Map<string, string>(); /* few peers, many sockets */
	const rankOf = (text: string) => {
		let rank = addresses.get(text);
		if (rank === undefined)
			addresses.set(text, (rank = addressRank(text)));
		return rank;
	};
	for (const [key, row] of rows) {
		const v = cell(row, sort.field);
		let rank: number | string | null = null;
		if (v !== null && v !== "")
			rank = numeric ? Number(v) : type === "address" ? rankOf(String(v)) : String(v);
		items.push({ key, rank });
	}
	const sign = sort.ascending ? 1 : -1;
	items.sort((a, b) => {
		if (a.rank !== b.rank) {
			if (a.rank === null)
				return 1;
			if (b.rank === null)
				return -1;
			return a.rank < b.rank ? -sign : sign;
		}
		return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
	});
	return items.map((i) => i.key);
}

/** The former order kept: rows that went are left out, new ones come at the end. */
export function holdKeys(former: readonly string[], rows: Map<string, Row>): string[] {
	const kept = former.filter((k) => rows.has(k));
	if (kept.length === rows.size)
		return kept;
	const known = new Set(kept);
	for (const k of rows.keys())
		if (!known.has(k))
			kept.push(k);
	return kept;
}
