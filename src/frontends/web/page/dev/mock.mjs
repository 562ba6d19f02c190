// SPDX-License-Identifier: GPL-2.0-or-later
// A stand-in for the daemon's HTTP side, for work on the page and for its tests: the same addresses, shapes and
// headers, over a host that is made up (world.mjs).
//   node dev/mock.mjs [--port=9475] [--processes=60] [--flows=400] [--seed=1] [--tick=1000] [--calm]
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { readDeclarations } from "./declarations.mjs";
import { AUDIT, DOCTOR, HOOKS } from "./health.mjs";
import { Past } from "./history.mjs";
import { World } from "./world.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

export const CSP =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"; // as reply.c sends it

const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8" };

const json = (value) => JSON.stringify(value, (_k, v) => (typeof v === "bigint" ? `\u0001${v}` : v)).replace(/"\\u0001(\d+)"/g, "$1");

/* --- the filter language, as far as tests and development need it --- */

const glob = (pattern) =>
	new RegExp("^" + pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, "[^]*").replace(/\?/g, "[^]") + "$", "u");

const units = { "": 1, k: 1e3, M: 1e6, G: 1e9 };

function number(text) {
	const m = /^(\d+(?:\.\d+)?)([kMG]?)$/.exec(text);
	return m ? Number(m[1]) * units[m[2]] : NaN;
}

function network(text) {
	const m = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text);
	if (!m)
		return (a) => a === text;
	const value = (s) => s.split(".").reduce((n, p) => n * 256 + Number(p), 0);
	const size = 2 ** (32 - Number(m[5] ?? 32));
	const want = Math.floor(value(text.split("/")[0]) / size);
	return (a) => a !== null && !a.includes(":") && Math.floor(value(a) / size) === want;
}

function cell(row, name) {
	return name.split(".").reduce((o, k) => (o === null || o === undefined ? null : o[k]), row) ?? null;
}

function compare(field, value) {
	if (field.type === "address")
		return network(value);
	if (field.type !== "uint")
		return ((re) => (v) => v !== null && re.test(v))(glob(value));
	const m = /^(>=|<=|>|<)?(.*)$/.exec(value);
	if (!m[1] && /^\d+$/.test(value))
		return (v) => v !== null && String(v) === value;
	const n = number(m[2]);
	if (Number.isNaN(n))
		throw new Error(`filter: ${field.name}:${value}: not a number; write ${field.name}:443 or ${field.name}:>1M`);
	const tests = { ">": (v) => v > n, "<": (v) => v < n, ">=": (v) => v >= n, "<=": (v) => v <= n };
	return tests[m[1]] ?? ((v) => v === n);
}

/* A word alone is a part of a name, or a port. */
function bare(table, word) {
	const wanted = word.replace(/"/g, "").toLowerCase().split(",");
	const fields = table.fields.filter((f) => /port$/.test(f.name) || (f.filter && (f.type === "text" || f.type === "address")));
	return (row) => fields.some((f) => wanted.some((w) => {
		const v = cell(row, f.name);
		return v !== null && (f.type === "uint" ? String(v) === w : String(v).toLowerCase().includes(w));
	}));
}

function parseFilter(table, text) {
	const terms = [];
	let inverted = false;
	for (const word of text.match(/(?:"[^"]*"|[^\s"])+/g) ?? []) {
		if (word === "not") {
			inverted = true;
			continue;
		}
		const wanted = !inverted;
		const colon = word.replace(/"[^"]*"/g, (x) => "_".repeat(x.length)).search(/[:<>=]/);
		if (colon < 0) {
			const test = bare(table, word);
			terms.push((row) => test(row) === wanted);
			inverted = false;
			continue;
		}
		const name = word.slice(0, colon);
		const fields = table.fields.filter((f) => f.name === name || f.filter === name);
		if (!fields.length)
			throw new Error(`filter, column ${text.indexOf(word) + 1}: unknown word "${name}"; ${table.name} has: ${table.fields.map((f) => f.name).join(", ")}`);
		const values = word.slice(colon + (word[colon] === ":" ? 1 : 0)).replace(/"/g, "").split(",");
		const tests = fields.flatMap((f) => values.map((v) => [f.name, compare(f, v)]));
		terms.push((row) => tests.some(([n, test]) => test(cell(row, n))) === wanted);
		inverted = false;
	}
	return (row) => terms.every((t) => t(row));
}

/* Dotted names nest again. */
function pick(row, names) {
	const out = {};
	for (const n of names) {
		const path = n.split(".");
		let at = out;
		for (const part of path.slice(0, -1))
			at = at[part] ??= {};
		at[path[path.length - 1]] = cell(row, n);
	}
	return out;
}

/* --- the server --- */

class Mock {
	constructor(options) {
		this.world = new World(options);
		this.past = new Past(this.world);
		this.tables = readDeclarations();
		this.doctor = DOCTOR;
		this.streams = new Set();
		this.refused = [];
		/** What is answered by 503: a pattern of addresses. */
		this.failing = null;
		this.frozen = false;
		this.log = [];
		this.assets = {};
		for (const name of readdirSync(join(root, "dist"))) {
			const raw = readFileSync(join(root, "dist", name));
			this.assets[name === "index.html" ? "/" : `/${name}`] = { raw, packed: gzipSync(raw, { level: 9 }), type: TYPES[name.split(".").pop()] };
		}
		this.server = createServer((q, a) => this.answer(q, a));
		this.timer = setInterval(() => this.tick(), options.tick ?? 1000);
	}

	table(name) {
		return this.tables.find((t) => t.name === name);
	}

	envelope(rows, more = {}) {
		const w = this.world;
		return { schema_version: 1, host: w.host, time: w.time(), snapshot: w.snapshot, lost_events: w.lost, ...more, rows };
	}

	document(name, parameters) {
		if (name === "doctor")
			return this.envelope(this.doctor, { total: this.doctor.length });
		if (name === "findings")
			return this.envelope(this.world.findings(), {});
		if (name === "audit")
			return this.envelope(AUDIT, { total: AUDIT.length });
		if (name === "hooks")
			return this.envelope(HOOKS, { total: HOOKS.length });
		const table = this.table(name);
		let rows;
		let more = {};
		if (name.startsWith("history")) {
			/* A curve is of the programs that the filter selects. */
			const curve = name === "history_rates";
			const text = parameters.get("filter") ?? "";
			const chosen = curve ? parseFilter(this.table("history"), text.replace(/(?:not )?\b(?:peer|reason|device|class):\S+/g, "")) : parseFilter(table, text);
			({ rows, more } = this.past.answer(name, parameters, chosen, text));
			rows = curve ? rows : rows.filter(chosen);
		} else {
			rows = this.world.rows(name).filter(parseFilter(table, parameters.get("filter") ?? ""));
		}
		const sort = parameters.get("sort") || table.sort;
		if (sort) {
			const field = sort.replace(/^-/, "");
			if (!table.fields.some((f) => f.name === field))
				throw new Error(`sort: ${field}: no such field`);
			const sign = sort.startsWith("-") ? 1 : -1;
			rows.sort((a, b) => sign * (cell(a, field) > cell(b, field) ? 1 : cell(a, field) < cell(b, field) ? -1 : 0));
		}
		const total = rows.length;
		const offset = Number(parameters.get("offset") ?? 0);
		rows = rows.slice(offset, offset + Number(parameters.get("limit") ?? Infinity));
		const fields = parameters.get("fields") ?? table.fields.map((f) => f.name).join();
		if (fields)
			rows = rows.map((r) => pick(r, fields.split(",")));
		return this.envelope(rows, { total, ...more });
	}

	answer(q, a) {
		const url = new URL(q.url, "http://mock");
		this.log.push(q.url);
		const head = (status, type, more = {}) =>
			a.writeHead(status, { "Content-Type": type, "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache", ...more });
		const asset = this.assets[url.pathname];
		if (asset) {
			const gzip = /\bgzip\b/.test(q.headers["accept-encoding"] ?? "");
			head(200, asset.type, gzip ? { "Content-Encoding": "gzip", Vary: "Accept-Encoding" } : {});
			return a.end(gzip ? asset.packed : asset.raw);
		}
		if (url.pathname === "/metrics") {
			const s = process.cpuUsage();
			head(200, "text/plain; version=0.0.4");
			return a.end(`weir_self_cpu_seconds_total{role="engine"} ${(s.user + s.system) / 1e6}\nweir_self_memory_bytes{role="engine"} ${process.memoryUsage().rss}\n`);
		}
		try {
			if (this.failing?.test(q.url)) {
				head(503, "application/json");
				return a.end(json({ error: "the store is busy" }));
			}
			if (url.pathname === "/api/v1") {
				const body = json({ schema_version: 1, tables: this.tables });
				head(200, "application/json");
				return a.end(body);
			}
			if (url.pathname === "/api/v1/events")
				return this.events(url.searchParams, q, a, head);
			const m = /^\/api\/v1\/(processes|flows|drops|findings|doctor|audit|hooks|history(?:_\w+)?)$/.exec(url.pathname);
			if (m) {
				const body = json(this.document(m[1], url.searchParams));
				head(200, "application/json");
				return a.end(body);
			}
		} catch (e) {
			head(400, "application/json");
			return a.end(json({ error: e.message }));
		}
		head(404, "application/json");
		return a.end(json({ error: `${url.pathname}: no such page` }));
	}

	/* The fields of a stream: the keys are always among them. */
	fieldsOf(table, text) {
		if (!text)
			return null;
		const names = text.split(",");
		for (const n of names)
			if (!table.fields.some((f) => f.name === n))
				throw new Error(`fields: unknown field "${n}"`);
		return table.fields.filter((f) => f.key || names.includes(f.name)).map((f) => f.name);
	}

	events(parameters, q, a, head) {
		const topics = (parameters.get("topics") ?? "").split(",");
		const fields = Object.fromEntries(topics.map((t) => [t, this.fieldsOf(this.table(t), parameters.get("fields"))]));
		const filters = Object.fromEntries(topics.map((t) => [t, parseFilter(this.table(t), parameters.get("filter") ?? "")]));
		head(200, "text/event-stream", { "Cache-Control": "no-store" });
		const stream = { a, topics, filters, fields, shown: {} };
		for (const t of topics) {
			const rows = this.world.rows(t).filter(filters[t]);
			stream.shown[t] = new Set(rows);
			this.send(stream, "snapshot", { topic: t, ...this.envelope(rows, { total: rows.length }) });
		}
		this.streams.add(stream);
		q.on("close", () => this.streams.delete(stream));
	}

	send(stream, event, data) {
		const fields = stream.fields[data.topic];
		const rows = fields ? data.rows.map((r) => pick(r, fields)) : data.rows;
		stream.a.write(`event: ${event}\ndata: ${json({ ...data, rows })}\n\n`);
	}

	tick() {
		if (this.frozen)
			return;
		this.world.tick();
		this.publish(true);
	}

	/** What opened or closed between two ticks. */
	push() {
		this.world.snapshot++;
		this.publish(false);
	}

	publish(tick) {
		const changes = this.world.settle();
		const { snapshot, lost } = this.world;
		for (const s of this.streams)
			for (const topic of s.topics) {
				const { rows, gone } = changes[topic];
				const out = [];
				const left = [...gone];
				for (const row of rows) {
					if (s.filters[topic](row)) {
						s.shown[topic].add(row);
						out.push(row);
					} else if (s.shown[topic].delete(row)) {
						left.push(this.table(topic).fields.filter((f) => f.key).map((f) => cell(row, f.name)));
					}
				}
				this.send(s, "rows", { snapshot, time: this.world.time(), lost_events: lost, topic, tick, rows: out, gone: left });
			}
	}

	close() {
		clearInterval(this.timer);
		for (const s of this.streams)
			s.a.destroy();
		return new Promise((done) => {
			this.server.close(done);
			this.server.closeAllConnections();
		});
	}
}

/** Serves on 127.0.0.1; port 0 takes a free one. */
export async function startMock(options = {}) {
	const mock = new Mock(options);
	await new Promise((done) => mock.server.listen(options.port ?? 0, "127.0.0.1", done));
	mock.url = `http://127.0.0.1:${mock.server.address().port}`;
	return mock;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const options = { port: 9475 };
	for (const word of process.argv.slice(2)) {
		const m = /^--(\w+)(?:=(.*))?$/.exec(word);
		if (m)
			options[m[1]] = m[2] === undefined ? true : Number(m[2]);
	}
	console.log((await startMock(options)).url);
}
