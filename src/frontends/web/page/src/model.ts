// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon serves, as the page keeps it: declarations, rows, their merging and order. Pure.

import { filterValue } from "./format";

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

/* The terms of a filter, each with the "not" before it. */
function termsOf(filter: string): string[] {
	return filter.match(/(?:not\s+)*(?:"(?:[^"\\]|\\.)*"?|\\.|[^\s"])+/g) ?? [];
}

/* Whether a table has the word of a term, or the names that a word alone is looked for in. What stands after the word is
 * not looked at. */
function knowsTerm(table: Table, term: string): boolean {
	const text = term.replace(/^(?:not\s+)+/, "");
	const word = /^[\da-f]*:[\da-f.:]*:[\da-f.:/]*$/i.test(text) ? undefined : /^([^\s":<>]*)[:<>]/.exec(text)?.[1];
	return table.fields.some((f) => (word === undefined ? f.filter && f.type !== "uint" : f.name === word || f.filter === word));
}

/** Whether a table has every word that a filter uses. */
export function knowsFilter(table: Table, filter: string): boolean {
	return termsOf(filter).every((term) => knowsTerm(table, term));
}

/** What of a filter is asked of a table: terms that others of these tables know and this one does not are left out of it. */
export function fitFilter(table: Table, filter: string, tables: Iterable<Table>): { filter: string; left: string[] } {
	const all = [...tables];
	const left = termsOf(filter).filter((term) => !knowsTerm(table, term) && all.some((o) => knowsTerm(o, term)));
	return { filter: left.length ? termsOf(filter).filter((term) => !left.includes(term)).join(" ") : filter, left };
}

/** A filter, and words that say more exactly what they select: what stands there already, or as a word alone, is replaced. */
export function narrowed(filter: string, words: string): string {
	const added = termsOf(words);
	const values = added.map((term) => term.slice(term.indexOf(":") + 1).toLowerCase());
	const kept = termsOf(filter).filter((term) => !added.includes(term) && !values.includes(filterValue(term.replace(/"/g, "")).toLowerCase()));
	return [...kept, ...added].join(" ");
}

/** Why a filter was refused, without the list of all that could stand there; and the filter that was meant, perhaps. */
export function refusal(filter: string, message: string): { why: string; meant: string } {
	const why = message.replace(/^filter(, column \d+)?: /, "").replace(/(\?|;) \w+ has: .*$/, (_all, mark: string) => (mark === "?" ? "?" : ""));
	const [, word, right] = /unknown word "([^"]*)", did you mean "([^"]+)"/.exec(message) ?? [];
	const at = word ? filter.search(new RegExp(`(?<=^|\\s)${word.replace(/[^\w]/g, "\\$&")}(?=[:<>])`)) : -1;
	return { why, meant: at < 0 ? "" : filter.slice(0, at) + right + filter.slice(at + word.length) };
}

/** What surrounds rows everywhere. */
export interface Envelope {
	snapshot: number;
	time: string;
	lost_events: number;
	host?: string;
	tick?: boolean | number;
	total?: number;
	/** Of the past: the span that was really answered, and how finely. */
	from?: string;
	to?: string;
	step?: number;
	/** When the daemon's local day began, at the end of that span. */
	day_start?: string;
	rows: Row[];
	gone?: Value[][];
}

/** The key fields of the tables that the page holds; the declaration's own flags win over these. */
export const KEYS: Record<string, string[]> = {
	processes: ["pid", "start_time_ns"],
	flows: ["cookie", "peer_address", "peer_port"],
	drops: ["reason", "location", "device", "pid", "start_time_ns", "netns", "source", "port", "cpu", "kernel_reason"],
};

export const keysOf = (table: Table): string[] => table.fields.filter((f) => f.key).map((f) => f.name);

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

/** What history summed up because it could not keep it apart: it has a name like a program's, but is nobody's. */
export const isRest = (row: Row): boolean => textOf(row, "program") === "other" && cell(row, "uid") === null;

/** Separates key values; it occurs in no number and no address, and stays as it is in a URL. */
const KEY_SEPARATOR = "~";

export function keyOf(row: Row, keys: readonly string[]): string {
	let s = "";
	for (const k of keys)
		s += (s ? KEY_SEPARATOR : "") + String(cell(row, k));
	return s;
}

/* A row of the past is about a program, and a peer or a reason of its. */
export function pastSelector(row: Row): string {
	const words = [["program", "process"], ["unit", "unit"], ["container_name", "container"], ["peer_name", "peer"], ["peer_address", "peer"],
		["reason", "reason"], ["device", "device"]];
	return words
		.filter(([name]) => textOf(row, name) && !(name === "peer_address" && textOf(row, "peer_name")))
		.map(([name, word]) => `${word}:${filterValue(textOf(row, name))}`)
		.join(" ");
}

/** Words of the filter language that select this row, or hardly more. */
export function selector(table: string, row: Row): string {
	if (table === "flows")
		return `cookie:${textOf(row, "cookie")}`;
	if (table.startsWith("history"))
		return pastSelector(row);
	if (table !== "drops")
		return `pid:${textOf(row, "pid")}`;
	return KEYS.drops
		.filter((name) => name !== "start_time_ns" && textOf(row, name))
		.map((name) => `${name}:${filterValue(textOf(row, name))}`)
		.join(" ");
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
	keys: readonly string[];
	rows = new Map<string, Row>();
	snapshot = 0;
	time_ms = 0;
	/** Counts up with each change, so that a view knows when to look again. */
	version = 0;

	/** Told of each row before the rows are marked as those of the next snapshot. */
	watcher: { clear(): void; change(before: Row | undefined, after: Row | null): void } | null = null;

	constructor(readonly name: string) {
		this.keys = KEYS[name] ?? [];
	}

	get loaded(): boolean {
		return this.snapshot > 0;
	}

	clear(): void {
		this.rows = new Map();
		this.watcher?.clear();
		this.snapshot = 0;
		this.version++;
	}

	/** Replaces everything. */
	load(e: Envelope): void {
		this.clear();
		for (const row of e.rows)
			this.put(row);
		this.mark(e);
	}

	/** Changed rows replace their former selves, unknown ones are added, gone ones removed. */
	merge(e: Envelope): void {
		for (const row of e.rows)
			this.put(row);
		for (const gone of e.gone ?? []) {
			const key = gone.map(String).join(KEY_SEPARATOR);
			const before = this.rows.get(key);
			if (before)
				this.watcher?.change(before, null);
			this.rows.delete(key);
		}
		this.mark(e);
	}

	private put(row: Row): void {
		const key = keyOf(row, this.keys);
		this.watcher?.change(this.rows.get(key), row);
		this.rows.set(key, row);
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

/** A row's place in the order; kept from one look to the next, so that a tick makes no garbage of the table's size. */
interface Place {
	key: string;
	value: Value;
	rank: number | string | null;
	then: number;
	seen: number;
}

/**
 * Keys of the rows in order. Rows without a value come last in both directions; equal ones are ordered by the number
 * "then", largest first, and keep the order of their keys after that, so that nothing moves without a reason.
 */
export class Order {
	private places = new Map<string, Place>();
	private list: Place[] = [];
	private keys: string[] = [];
	private asked = "";
	private round = 0;
	private sign = 1;
	private compare = (a: Place, b: Place): number => {
		if (a.rank !== b.rank) {
			if (a.rank === null)
				return 1;
			if (b.rank === null)
				return -1;
			return a.rank < b.rank ? -this.sign : this.sign;
		}
		return b.then - a.then || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
	};

	/** The same array each time, in the order as of now. */
	of(rows: Map<string, Row>, sort: Sort, type: string, then = ""): readonly string[] {
		const numeric = type === "uint" || type === "int" || type === "bool";
		const rank = (v: Value) =>
			v === null || v === "" ? null : numeric ? Number(v) : type === "address" ? addressRank(String(v)) : String(v);
		if (this.asked !== sort.field + " " + type) {
			this.asked = sort.field + " " + type;
			this.places.clear();
			this.list.length = 0;
		}
		this.sign = sort.ascending ? 1 : -1;
		this.round++;
		rows.forEach((row, key) => {
			const value = cell(row, sort.field);
			let p = this.places.get(key);
			if (!p) {
				p = { key, value, rank: rank(value), then: 0, seen: 0 };
				this.places.set(key, p);
				this.list.push(p);
			} else if (p.value !== value) {
				p.value = value;
				p.rank = rank(value);
			}
			p.then = then ? numberOf(row, then) : 0;
			p.seen = this.round;
		});
		if (this.list.length !== rows.size)
			this.forget();
		this.list.sort(this.compare);
		this.keys.length = this.list.length;
		for (let i = 0; i < this.list.length; i++)
			this.keys[i] = this.list[i].key;
		return this.keys;
	}

	private forget(): void {
		let n = 0;
		for (const p of this.list)
			if (p.seen === this.round)
				this.list[n++] = p;
			else
				this.places.delete(p.key);
		this.list.length = n;
	}
}

export function sortKeys(rows: Map<string, Row>, sort: Sort, type: string, then = ""): readonly string[] {
	return new Order().of(rows, sort, type, then);
}

/** The former order kept: rows that went are left out, new ones come at the end. */
export function holdKeys(former: readonly string[], rows: Map<string, unknown>): string[] {
	const kept = former.filter((k) => rows.has(k));
	if (kept.length === rows.size)
		return kept;
	const known = new Set(kept);
	for (const k of rows.keys())
		if (!known.has(k))
			kept.push(k);
	return kept;
}

/* --- newcomers ----------------------------------------------------------------------------------------------- */

export interface Newcomer {
	id: string;
	name: string;
	place: string;
	first_ms: number;
	/** How many of this name and place. */
	n: number;
}

/** Those that nothing tells apart, together: the latest of them, and how many they are. */
export function together(list: readonly Omit<Newcomer, "n">[]): Newcomer[] {
	const found = new Map<string, Newcomer>();
	for (const x of list) {
		const id = `${x.name}\u0001${x.place}`;
		const known = found.get(id);
		found.set(id, known ? { ...known, n: known.n + 1, first_ms: Math.max(known.first_ms, x.first_ms) } : { ...x, n: 1 });
	}
	return [...found.values()].sort((a, b) => b.first_ms - a.first_ms);
}
