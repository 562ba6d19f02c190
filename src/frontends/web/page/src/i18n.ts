// SPDX-License-Identifier: GPL-2.0-or-later
// Every word of the page, in each language. They stand in src/frontends/words: page.tsv comes with the first page, each
// other view brings its own (addWords), Map only in English. Titles and help of fields are the daemon's in English; Chinese is loaded
// (useFields) when it is chosen.

import page from "words:page";

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];
export type Words = Record<string, readonly [string, string?]>;
/** A key of one of the tables of words; a test looks whether it is there. */
export type StringKey = string;

const strings: Words = { ...page };
let fields: Record<string, string> = {};
let language: Language = "en";

/** A view's own words. */
export function addWords(words: Words): void {
	Object.assign(strings, words);
}

/** Another object once they are loaded: what keeps titles looks at it. */
export const fieldWords = (): object => fields;

export function setFields(zh: Record<string, string>): void {
	fields = zh;
}

export function setLanguage(l: Language): void {
	language = l;
}

export function currentLanguage(): Language {
	return language;
}

/** The page's language for a browser that prefers these. */
export function chooseLanguage(stored: string | null, preferred: readonly string[]): Language {
	if (stored === "en" || stored === "zh")
		return stored;
	for (const p of preferred) {
		const short = p.toLowerCase().split("-")[0];
		if (short === "en" || short === "zh")
			return short;
	}
	return "en";
}

function text(key: StringKey): string {
	const [en = key, zh = fields[key]] = strings[key] ?? [];
	return (language === "zh" && zh) || en;
}

/** Whether there is such a text by now. */
export function knows(key: StringKey): boolean {
	return key in strings;
}

/* As in tools/words: {name} is filled in, {name|one|many} reads "one" where name is 1. */
const HOLE = /\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}/g;

export function t(key: StringKey, values?: Record<string, string | number>): string {
	return values ? text(key).replace(HOLE, (whole, name, one, many) => (
		name in values ? (many ? (String(values[name]) === "1" ? one : many) : String(values[name])) : whole
	)) : text(key);
}

/** The same cut at its placeholders, so that a value can be an element: ["", {name}, " sends "...]. */
export function pieces(key: StringKey): (string | { name: string })[] {
	return text(key)
		.split(/(\{\w+\})/)
		.filter((s) => s !== "")
		.map((s) => (s.startsWith("{") ? { name: s.slice(1, -1) } : s));
}

export function fieldTitle(table: string, name: string, declared: string): string {
	return (language === "zh" && fields[`${table}.${name}.title`]) || declared;
}

/** What a field holds, where that is one of few words; everything else stays as it is. */
export const fieldValue = (name: string, value: string): string => (language === "zh" && fields[`${name}.${value}`]) || value;

export function fieldHelp(table: string, name: string, declared: string): string {
	return (language === "zh" && fields[`${table}.${name}.help`]) || declared;
}
