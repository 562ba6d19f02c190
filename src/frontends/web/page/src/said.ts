// SPDX-License-Identifier: GPL-2.0-or-later
// Sentences that the daemon says in English (meaning, advice, summary, reason, cure), in Chinese when that is the page's
// language. The table is src/frontends/words/said.tsv, which says what {name}, {name=} and {name?} stand for; weir_said() in
// C does the same. Pure.

import { currentLanguage } from "./i18n";

/** The files that hold the table. */
export const SAID = ["said_sockets", "said_devices", "said_places", "said_doctor", "said_past"];

/** English to Chinese, in the order of the table. */
export type Sentences = Record<string, string>;

interface Filled {
	english: string;
	/** What stands around the values: one more than there are holes. */
	literals: string[];
	/** "{why?}" */
	holes: string[];
	chinese: string;
}

const HOLE = /\{[a-z]+[=?]?\}/g;
/** A finding's summary has a headline, and that an owner. */
const DEPTH_MAX = 3;
/** A program may have any name as long as this: it is no sentence, and a part only where it stands for one. */
const NAME_MAX_BYTES = 15;
const REMEMBERED = 2000;

const plain = new Map<string, string>();
const filled: Filled[] = [];
const answers = new Map<string, string>();

/** Adds sentences; those that came first are asked first. */
export function learn(sentences: Sentences): void {
	for (const [english, chinese] of Object.entries(sentences)) {
		const holes = english.match(HOLE);
		if (holes)
			filled.push({ english, literals: english.split(HOLE), holes, chinese });
		else
			plain.set(english, chinese);
	}
	answers.clear();
}

/** The values of the holes in their order; null where the text is another one. Each has a character at least. */
function fit(f: Filled, text: string): string[] | null {
	const values: string[] = [];
	const last = f.literals.length - 1;
	let at = f.literals[0].length;
	if (!text.startsWith(f.literals[0]))
		return null;
	for (let i = 1; i <= last; i++) {
		const literal = f.literals[i];
		const end = i < last ? text.indexOf(literal, at + 1) : text.length - literal.length;
		if (end <= at || !text.startsWith(literal, end))
			return null;
		const value = text.slice(at, end);
		if (!/[=?]\}$/.test(f.holes[i - 1]) && value.includes(" "))
			return null;
		values.push(value);
		at = end + literal.length;
	}
	return values;
}

function bytes(text: string): number {
	return new TextEncoder().encode(text).length;
}

/** null where what has to be in the table is not. */
function sayValue(hole: string, value: string, depth: number): string | null {
	const mark = hole[hole.length - 2];
	if (mark !== "=" && mark !== "?")
		return value;
	const name = hole.slice(1, -2) + "=";
	const deeper = depth < DEPTH_MAX && bytes(value) > NAME_MAX_BYTES;
	return plain.get(name + value) ??
		(deeper ? sayFilled(name + value, name, depth + 1) ?? say(value, depth + 1) : null) ??
		(mark === "?" ? value : null);
}

const isWide = (c: string | undefined) => c !== undefined && c > "\x7f";

/** The space beside a value is there for Latin letters: between two Chinese characters it falls away. */
function fill(f: Filled, values: string[], depth: number): string | null {
	const pieces = f.chinese.split(/(\{[a-z]+[=?]?\})/);
	for (let i = 1; i < pieces.length; i += 2) {
		const value = sayValue(pieces[i], values[f.holes.indexOf(pieces[i])], depth);
		if (value === null)
			return null;
		pieces[i] = value;
	}
	for (let i = 0; i < pieces.length; i += 2) {
		const before = i > 0 ? pieces[i - 1][pieces[i - 1].length - 1] : undefined;
		const after = i + 1 < pieces.length ? pieces[i + 1][0] : undefined;
		const text = pieces[i];
		if (text === " ")
			pieces[i] = isWide(before) && isWide(after) ? "" : text;
		else
			pieces[i] = text
				.replace(/^ (?=[^\0-\x7f])/, isWide(before) ? "" : " ")
				.replace(/([^\0-\x7f]) $/, isWide(after) ? "$1" : "$1 ");
	}
	return pieces.join("");
}

/** By the first line that fits, of those that have this beginning. */
function sayFilled(text: string, beginning: string, depth: number): string | null {
	for (const f of filled) {
		const values = f.english.startsWith(beginning) ? fit(f, text) : null;
		const whole = values && fill(f, values, depth);
		if (whole !== null)
			return whole;
	}
	return null;
}

function say(text: string, depth: number): string | null {
	return plain.get(text) ?? sayFilled(text, "", depth);
}

/** The sentence in the page's language; as it is where there is no Chinese for it. Names in it may be hostile before and
 *  after. */
export function said(english: string): string {
	if (currentLanguage() !== "zh" || !english)
		return english;
	let answer = answers.get(english);
	if (answer === undefined) {
		answer = say(english, 0) ?? english;
		if (answers.size >= REMEMBERED)
			answers.clear();
		answers.set(english, answer);
	}
	return answer;
}
