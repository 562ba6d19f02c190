// SPDX-License-Identifier: GPL-2.0-or-later
// Routes, the stream's parser, columns, the two languages, and rules that the sources keep.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { addWords, chooseLanguage, fieldValue, knows, pieces, setFields, setLanguage, t } from "./i18n";
import { formatRoute, parseRoute } from "./route";
import { EventParser, errorLine, readTables } from "./stream";

declare const PAGE_ROOT: string;
declare const BUNDLES: string[];
const { readDeclarations } = await import(join(PAGE_ROOT, "dev/declarations.mjs"));
const { hasWords, readWords } = await import(join(PAGE_ROOT, "words.mjs"));
/* Of the page, and of each view that has a file of its own. */
const TABLES = ["page", ...BUNDLES].filter((n) => n !== "fields" && hasWords(n));
const SOURCES = readdirSync(join(PAGE_ROOT, "src")).filter((n) => /\.tsx?$/.test(n) && !n.includes(".test.") && !n.endsWith(".d.ts"));
const read = (name: string) => readFileSync(join(PAGE_ROOT, "src", name), "utf8");

test("an address survives the way there and back", () => {
	for (const filter of ["", "process:nginx port:443", "peer:10.0.0.0/8 not unit:a@b.service", 'x:"a b" & # % + ? = é']) {
		const route = {
			view: "flows", filter, from: "-900", to: "2026-11-23T01:02:03Z", sort: "-tx_bytes", row: "12~10.0.0.1~443",
			more: { pinned: "a b", from2: "-7200" },
		};
		assert.deepEqual(parseRoute(formatRoute(route)), route);
	}
	const now = { view: "now", filter: "process:nginx", from: "", to: "", sort: "", row: "", more: {} };
	assert.equal(formatRoute(now), "#/now?filter=process:nginx");
	assert.equal(formatRoute({ ...now, filter: "", from: "-3600" }), "#/now?from=-3600");
});

test("a broken address is the first view, not an error", () => {
	for (const hash of ["", "#", "#/", "#/nowhere", "#/<svg>?filter", "#/now?filter=%E0%A4%A"])
		assert.equal(parseRoute(hash).view, "now");
	assert.equal(parseRoute("#/now?filter=%E0%A4%A").filter, "");
	assert.equal(parseRoute("#/now?__proto__=1&sort").sort, "");
});

test("events are whole however the bytes are cut", () => {
	const text = ": hello\nretry: 1000\n\nevent: snapshot\ndata: {\"a\":1}\n\n: still here\n\nevent: rows\r\ndata: one\r\ndata: two\r\n\r\n";
	for (let cut = 0; cut <= text.length; cut++) {
		const got: string[][] = [];
		const parser = new EventParser((name, data) => got.push([name, data]));
		parser.push(text.slice(0, cut));
		parser.push(text.slice(cut));
		assert.deepEqual(got, [["snapshot", '{"a":1}'], ["rows", "one\ntwo"]], `cut at ${cut}`);
	}
	const single: string[] = [];
	const parser = new EventParser((_n, data) => single.push(data));
	for (const c of text)
		parser.push(c);
	assert.deepEqual(single, ['{"a":1}', "one\ntwo"]);
});

test("an error is one line", () => {
	assert.equal(errorLine(400, '{"error":"filter, column 1: no"}\n'), "filter, column 1: no");
	assert.equal(errorLine(403, "forbidden\nmore"), "forbidden");
	assert.equal(errorLine(502, "<html>proxy</html>"), "HTTP 502");
	assert.equal(errorLine(500, ""), "HTTP 500");
	assert.equal(errorLine(500, "{broken"), "{broken");
});

test("declarations are read with what is missing filled in", () => {
	const tables = readTables({ tables: [{ name: "x", sort: null, fields: [{ name: "a", key: true, filter: null }] }] });
	assert.deepEqual(tables.get("x"), {
		name: "x", summary: "", sort: "",
		fields: [{ name: "a", title: "a", type: "text", unit: "none", help: "", key: true, column: false, filter: null }],
	});
});

test("every string has both languages with the same placeholders, and is there once", () => {
	const all = new Map<string, string>();
	for (const name of [...TABLES, "fields", "values"])
		for (const [key, pair] of Object.entries(readWords(name) as Record<string, string[]>)) {
			assert.ok(!all.has(key), `${key} is in ${all.get(key)} and in ${name}`);
			all.set(key, name);
			for (const text of pair)
				assert.ok(text.trim(), `${name}: ${key} is empty`);
			const names = pair.map((text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join());
			assert.equal(names[0], names[1], `${name}: ${key}: placeholders differ`);
		}
});

test("every declared field has its English as declared and its Chinese, and no other is there", () => {
	const declared = new Set<string>();
	const words = readWords("fields");
	for (const table of readDeclarations())
		for (const f of table.fields)
			for (const what of ["title", "help"]) {
				const key = `${table.name}.${f.name}.${what}`;
				declared.add(key);
				assert.equal(words[key]?.[0], f[what], `${key}: run node dev/fields.mjs`);
			}
	assert.ok(declared.size > 300);
	for (const key of Object.keys(words))
		assert.ok(declared.has(key), `${key} is translated and not declared`);
});

test("values of few words have their Chinese, as it is given for that field alone", () => {
	const declared = new Set<string>();
	for (const table of readDeclarations())
		for (const f of table.fields)
			declared.add(f.name);
	const values = readWords("values") as Record<string, string[]>;
	for (const [key, [english]] of Object.entries(values)) {
		assert.ok(declared.has(key.split(".")[0]), `${key}: no such field`);
		assert.equal(key.slice(key.indexOf(".") + 1), english, key);
	}
	setFields(Object.fromEntries(Object.entries(values).map(([key, pair]) => [key, pair[1]])));
	assert.equal(fieldValue("state", "established"), "established");
	setLanguage("zh");
	assert.equal(fieldValue("state", "established"), "已建立");
	assert.equal(fieldValue("layer", "socket"), "套接字");
	assert.equal(fieldValue("level", "month"), "月");
	assert.equal(fieldValue("comm", "open"), "open", "a name stays what it is");
	assert.equal(fieldValue("state", "constructor"), "constructor");
	setLanguage("en");
	setFields({});
});

test("no view writes words outside of the table of strings", () => {
	/* Text between tags that has two letters in a row. */
	for (const file of SOURCES.filter((n) => n.endsWith(".tsx"))) {
		const source = read(file);
		for (const m of source.matchAll(/<(?:p|span|h[1-6]|a|button|b|li|div)\b[^<>{}]*>\s*([A-Za-z\u4e00-\u9fff]{2}[^<>{}]*)</g))
			assert.equal(m[1].trim(), "weir", `${file}: "${m[1].trim()}"`);
	}
});

/* Keys that are put together from a part that stands there and one that is known when it runs. */
const parts = (source: string) => [...source.matchAll(/`(\w+_)\$\{[^}]*\}`/g)].map((m) => m[1]);

test("every string is used", () => {
	const source = SOURCES.map(read).join("\n");
	const begins = parts(source);
	for (const name of TABLES)
		for (const key of Object.keys(readWords(name)))
			assert.ok(source.includes(`"${key}"`) || begins.some((b) => key.startsWith(b)), `${name}: ${key} is not used`);
});

test("every string that is asked for is there", () => {
	const known = new Set(TABLES.flatMap((name) => Object.keys(readWords(name))));
	for (const file of SOURCES) {
		const source = read(file);
		for (const call of source.matchAll(/\b(?:t|pieces)\(|\bof=\{?(?=")/g)) {
			/* All literals of the first argument: t("a"), t(x ? "a" : "b"). */
			const rest = source.slice(call.index + call[0].length);
			const argument = /^(?:[^"`(),{}]*(?:"\w*"|`[^`]*`))*/.exec(rest)![0];
			for (const m of argument.matchAll(/"(\w+)"/g))
				assert.ok(known.has(m[1]) || !/[?:]\s*$|^$/.test(argument.slice(0, m.index)), `${file}: "${m[1]}" is in no table of words`);
		}
		for (const begin of parts(source).filter((b) => !/^(on|data)_/.test(b)))
			assert.ok([...known].some((k) => k.startsWith(begin)) || /_bytes_/.test(begin), `${file}: no string begins with ${begin}`);
	}
});

test("placeholders are filled, in words and in pieces", () => {
	addWords(readWords("tables"));
	assert.ok(knows("rows_n") && !knows("no_such_word"));
	assert.equal(t("no_such_word"), "no_such_word");
	setLanguage("en");
	assert.equal(t("rows_n", { n: "5" }), "5 rows");
	assert.equal(t("rows_n", { n: "1" }), "1 row");
	assert.equal(t("rows_n", { n: "1,001" }), "1,001 rows");
	assert.equal(t("flows_more", {}), "{n} more: show all");
	assert.equal(t("rows_n", { n: "{n}" }), "{n} rows");
	setLanguage("zh");
	assert.equal(t("rows_n", { n: "5" }), "5 行");
	assert.deepEqual(pieces("sends").filter((p) => typeof p !== "string").map((p) => (p as { name: string }).name).sort(), [
		"share", "total", "who",
	]);
	setLanguage("en");
});

test("the language follows the browser, and the reader's choice before that", () => {
	assert.equal(chooseLanguage(null, ["zh-CN", "en"]), "zh");
	assert.equal(chooseLanguage(null, ["de-DE", "zh"]), "zh");
	assert.equal(chooseLanguage(null, ["de"]), "en");
	assert.equal(chooseLanguage("en", ["zh"]), "en");
	assert.equal(chooseLanguage("xx", []), "en");
});

test("nothing turns text into markup or code, nothing asks another host", () => {
	for (const file of readdirSync(join(PAGE_ROOT, "src")).filter((n) => /\.(tsx?|css|html)$/.test(n) && !n.includes(".test."))) {
		const source = readFileSync(join(PAGE_ROOT, "src", file), "utf8");
		assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|javascript:/, file);
		assert.doesNotMatch(source.replace(/http:\/\/www\.w3\.org\/2000\/svg/g, ""), /https?:\/\/|url\(/, file);
	}
	const html = readFileSync(join(PAGE_ROOT, "dist/index.html"), "utf8");
	assert.doesNotMatch(html, /<style|style=|onload=|<script(?![^>]*src=)/);
});
