// SPDX-License-Identifier: GPL-2.0-or-later
// Routes, the stream's parser, columns, the two languages, and rules that the sources keep.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fieldsZh } from "./i18n_fields";
import { chooseLanguage, pieces, setLanguage, strings, t } from "./i18n";
import { formatRoute, parseRoute } from "./route";
import { EventParser, errorLine, readTables } from "./stream";

declare const PAGE_ROOT: string;
const { readDeclarations } = await import(join(PAGE_ROOT, "dev/declarations.mjs"));

test("an address survives the way there and back", () => {
	for (const filter of ["", "process:nginx port:443", "peer:10.0.0.0/8 not unit:a@b.service", 'x:"a b" & # % + ? = é']) {
		const route = { view: "flows", filter, sort: "-tx_bytes", row: "12~10.0.0.1~443" };
		assert.deepEqual(parseRoute(formatRoute(route)), route);
	}
	assert.equal(formatRoute({ view: "now", filter: "process:nginx", sort: "", row: "" }), "#/now?filter=process:nginx");
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

test("every string has both languages with the same placeholders", () => {
	for (const [key, pair] of Object.entries(strings)) {
		assert.equal(pair.length, 2, key);
		for (const text of pair)
			assert.ok(text.trim(), `${key} is empty`);
		const names = pair.map((text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join());
		assert.equal(names[0], names[1], `${key}: placeholders differ`);
	}
});

test("every declared field has a Chinese title and help, and no other", () => {
	const declared = new Set<string>();
	for (const table of readDeclarations())
		for (const f of table.fields)
			declared.add(`${table.name}.${f.name}`);
	assert.ok(declared.size > 80);
	for (const name of declared) {
		assert.ok(fieldsZh[name], `no translation of ${name}`);
		assert.ok(fieldsZh[name].length === 2 && fieldsZh[name].every((s) => s.trim()), name);
	}
	for (const name of Object.keys(fieldsZh))
		assert.ok(declared.has(name), `${name} is translated and not declared`);
});

test("no view writes words outside of the table of strings", () => {
	/* Text between tags that has two letters in a row. */
	for (const file of readdirSync(join(PAGE_ROOT, "src")).filter((n) => n.endsWith(".tsx"))) {
		const source = readFileSync(join(PAGE_ROOT, "src", file), "utf8");
		for (const m of source.matchAll(/<(?:p|span|h[1-6]|a|button|b|li|div)\b[^<>{}]*>\s*([A-Za-z\u4e00-\u9fff]{2}[^<>{}]*)</g))
			assert.equal(m[1].trim(), "weir", `${file}: "${m[1].trim()}"`);
	}
});

test("every string is used", () => {
	const source = readdirSync(join(PAGE_ROOT, "src"))
		.filter((n) => /\.tsx?$/.test(n) && !n.includes(".test.") && n !== "i18n.ts")
		.map((n) => readFileSync(join(PAGE_ROOT, "src", n), "utf8"))
		.join("\n");
	for (const key of Object.keys(strings))
		assert.ok(source.includes(`"${key}"`) || key.startsWith("view_"), `${key} is not used`);
});

test("placeholders are filled, in words and in pieces", () => {
	setLanguage("en");
	assert.equal(t("rows_n", { n: "5" }), "5 rows");
	assert.equal(t("rows_n", {}), "{n} rows");
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
