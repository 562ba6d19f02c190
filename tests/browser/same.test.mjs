// SPDX-License-Identifier: GPL-2.0-or-later
// A daemon, its API, its page and its command line say the same: each number in sight, view by view, at the same
// snapshot. Needs WEIR_URL, and WEIR and WEIR_SOCKET for the command line: tools/with-daemon sets them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { launch, parseExact, shortBytes, until, visit, wait, whileLive } from "./browser.mjs";

const URL_OF = (process.env.WEIR_URL ?? "").replace(/\/$/, "");
const BINARY = process.env.WEIR ?? "build/weir";
const run = promisify(execFile);

const ask = async (path) => parseExact(await (await fetch(`${URL_OF}/api/v1${path ? `/${path}` : ""}`)).text());
const thousands = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const plain = (s) => s.replace(/\u00a0/g, " ").trim();

/** How a value stands in a table: the rule written down a second time. null: no number. */
function inTable(field, value) {
	if (field.type !== "uint" && field.type !== "int")
		return null;
	if (value === null)
		return "–";
	switch (field.unit) {
	case "bytes":
		return shortBytes(Number(value));
	case "bytes_per_second":
		return shortBytes(Number(value), "/s");
	case "microseconds": {
		const [n, unit] = value < 1e3 ? [value, "µs"] : value < 999.5e3 ? [value / 1e3, "ms"] : [value / 1e6, "s"];
		return `${Number(Number(n).toPrecision(3))} ${unit}`;
	}
	case "count":
	case "segments":
		return thousands(value);
	default:
		return String(value);
	}
}

/* In the page: the table in sight, read in one go, with the snapshot it belongs to. */
const readTable = () => {
	const view = document.querySelector(".table-view");
	return {
		snapshot: Number(view.dataset.snapshot),
		count: Number(view.dataset.rows),
		lines: [...view.querySelectorAll('[role="row"][data-key]')].map((r) => ({
			key: r.dataset.key,
			cells: Object.fromEntries([...r.querySelectorAll("[data-f]")].map((c) => [c.dataset.f, c.textContent.replace(/\u00a0/g, " ").trim()])),
		})),
	};
};

const keyOf = (table, row) => table.fields.filter((f) => f.key).map((f) => String(row[f.name])).join("~");

function compare(seen, rows, table) {
	const fields = new Map(table.fields.map((f) => [f.name, f]));
	const byKey = new Map(rows.map((r) => [keyOf(table, r), r]));
	let numbers = 0;
	for (const line of seen.lines) {
		const row = byKey.get(line.key);
		assert.ok(row, `${table.name}: ${line.key} is there`);
		for (const [name, text] of Object.entries(line.cells)) {
			const want = fields.has(name) && inTable(fields.get(name), row[name] ?? null);
			if (!want)
				continue;
			assert.equal(text, want, `${table.name}: ${line.key} ${name} of ${JSON.stringify(row)}`);
			numbers++;
		}
	}
	return numbers;
}

describe("the same everywhere", { skip: URL_OF ? false : "needs WEIR_URL" }, () => {
	let browser;
	let index;
	let server;
	let client;
	let timer;
	let socket;
	/* Something that moves, and something that is lost. */
	before(async () => {
		browser = await launch();
		index = new Map((await ask("")).tables.map((t) => [t.name, t]));
		server = createServer((s) => s.on("data", () => {}).on("error", () => {})).listen(0, "127.0.0.1");
		await new Promise((done) => server.once("listening", done));
		client = connect(server.address().port, "127.0.0.1");
		await new Promise((done) => client.once("connect", done));
		socket = createSocket("udp4").on("error", () => {});
		timer = setInterval(() => {
			client.write(Buffer.alloc(30011));
			socket.send("nobody listens", 9, "127.0.0.1");
		}, 50);
	});
	after(async () => {
		clearInterval(timer);
		client?.destroy();
		server?.close();
		socket?.close();
		await browser?.close();
	});

	async function withPage(hash, f) {
		const page = await visit(browser, URL_OF, { hash });
		/* What the page itself was told. */
		page.answers = [];
		page.on("response", async (r) => {
			const path = new URL(r.url()).pathname;
			if (path.startsWith("/api/v1/") && path !== "/api/v1/events" && r.ok())
				page.answers.push({ table: path.slice(8), url: r.url(), ...parseExact(await r.text().catch(() => "{}")) });
		});
		await whileLive(page, f);
	}

	/* Where nobody listens a loss is expected, and those are folded until they are asked for. */
	const own = `pid:${process.pid}`;
	for (const [name, filter] of [["processes", ""], ["flows", own], ["drops", "class:expected"]])
		test(`${name}: the page has what weir ${name} -j says`, { skip: process.env.WEIR_SOCKET ? false : "needs WEIR_SOCKET" }, () =>
			withPage(`#/${name}?filter=${filter}`, async (page) => {
				await page.waitForSelector('[role="row"][data-key]');
				let numbers = 0;
				for (let round = 0; round < 3; round++) {
					const { seen, rows } = await until(async () => {
						const { stdout } = await run(BINARY, [name, "-j", ...(filter ? [filter] : [])], { maxBuffer: 1 << 28 });
						const e = parseExact(stdout);
						for (let i = 0; i < 40; i++) {
							const seen = await page.evaluate(readTable);
							if (seen.snapshot === e.snapshot)
								return { seen, rows: e.rows };
							if (seen.snapshot > e.snapshot)
								return null;
						}
						return null;
					}, "a snapshot that both the page and the command line have", 30000);
					assert.equal(seen.count, rows.length, "number of rows");
					numbers += compare(seen, rows, index.get(name));
				}
				assert.ok(numbers > 0, "numbers were compared");
			}));

	for (const name of ["processes", "flows", "drops"])
		test(`${name}: the details have each digit of the API's row at their snapshot`, () =>
			withPage(`#/${name}?filter=${name === "drops" ? "class:expected" : own}`, async (page) => {
				await page.locator('[role="row"][data-key]').first().click();
				await page.waitForSelector(".details .absent");
				const table = index.get(name);
				const fields = new Map(table.fields.map((f) => [f.name, f]));
				const { seen, row } = await until(async () => {
					const seen = await page.evaluate(() => ({
						key: document.querySelector('[role="row"][aria-selected="true"]').dataset.key,
						snapshot: Number(document.querySelector(".details").dataset.snapshot),
						entries: [...document.querySelectorAll(".details .entry")].map((e) => [e.dataset.f, e.querySelector(".value [title]")?.title ?? e.querySelector(".value").textContent]),
					}));
					/* What they ask for may find the row's neighbours, too: one reason of two devices. */
					const row = page.answers.filter((a) => a.table === name && a.snapshot === seen.snapshot)
						.flatMap((a) => a.rows ?? []).find((r) => keyOf(table, r) === seen.key);
					return row && { seen, row };
				}, "the answer that they show", 40000);
				let numbers = 0;
				for (const [f, text] of seen.entries) {
					const field = fields.get(f);
					if (field.type !== "uint" && field.type !== "int")
						continue;
					const value = f.split(".").reduce((o, k) => o?.[k], row);
					assert.equal(text.replace(/[^\d-]/g, ""), String(value), f);
					numbers++;
				}
				assert.ok(numbers > 3, `${numbers} numbers`);
			}));

	test("Now: what is new today is what history says is new since its day began", () =>
		withPage("#/now", async (page) => {
			await until(async () => {
				const shown = await page.locator(".new .count").textContent();
				const answer = page.answers.findLast((a) => a.table === "history" && a.url.includes("new%3Atrue"));
				const names = await page.locator(".new .who-name").allTextContents();
				assert.equal(new URL(answer.url).searchParams.get("from"), answer.day_start);
				assert.equal(shown, thousands(answer.total));
				assert.deepEqual(names.filter((name) => !answer.rows.some((r) => r.program === name)), []);
				assert.equal(names[0], answer.rows[0]?.program);
				return true;
			}, "the number and the names of the last answer");
			assert.equal((await ask("history?limit=1")).day_start, page.answers.findLast((a) => a.day_start).day_start);
		}));

	test("Doctor: what is kept, what adds up and what hooks cost are the API's answers", () =>
		withPage("#/doctor", async (page) => {
			await page.waitForSelector(".doctor-hooks tbody tr");
			await until(async () => {
				const last = (table) => page.answers.findLast((a) => a.table === table).rows;
				const cells = await page.evaluate(() => Object.fromEntries(["kept", "sums", "hooks"].map((id) => [id,
					[...document.querySelectorAll(`.doctor-${id} tbody tr`)]
						.map((tr) => [...tr.children].map((c) => c.textContent.replace(/\u00a0/g, " ").trim()))])));
				const store = last("history_store");
				assert.deepEqual(cells.kept.map((c) => [c[0], c[2]]), store.filter((r) => r.level !== "file").map((r) => [r.level, thousands(r.rows)]));
				const file = store.find((r) => r.level === "file");
				assert.equal(plain(await page.locator(".file b").textContent()), shortBytes(Number(file.bytes)));
				const moved = last("audit").filter((r) => r.ok === false || Number(r.tx_bytes) || Number(r.rx_bytes));
				assert.deepEqual(cells.sums.map((c) => c.slice(1, 3)), moved.map((r) => [shortBytes(Number(r.tx_bytes)), shortBytes(Number(r.rx_bytes))]));
				const runs = new Map(last("hooks").map((r) => [r.program, r.runs]));
				assert.ok(cells.hooks.length > 0);
				for (const [program, , n] of cells.hooks)
					assert.equal(n, Number(runs.get(program)) ? thousands(runs.get(program)) : "–", program);
				return true;
			}, "the numbers of the last answers");
		}));

	describe("over a span that is over", () => {
		let words;
		before(async () => {
			await wait(8000); /* seconds that are over do not change any more */
			const at = (ms) => new Date(ms).toISOString().replace(/\.\d+Z/, "Z");
			const now = Date.parse((await ask("history?limit=1")).time);
			words = `from=${at(now - 60e3)}&to=${at(now - 4e3)}`;
		});
		const sum = (rows, f) => rows.reduce((n, r) => n + Number(r[f]), 0);

		test("Now: sums, programs, peers and losses", () =>
			withPage(`#/now?${words}`, async (page) => {
				await page.waitForSelector(".talkers li");
				const { rows } = await ask(`history?${words}`);
				const lost = sum((await ask(`history_rates?${words}`)).rows, "lost_packets");
				await until(async () => {
					for (const way of ["tx", "rx"])
						assert.equal(plain(await page.textContent(`[data-total="${way}"]`)), shortBytes(sum(rows, `${way}_bytes`)), way);
					const shown = await page.evaluate(() => [...document.querySelectorAll("[data-program]")].map((li) => [li.dataset.program,
						...["tx", "rx"].map((way) => li.querySelector(`[data-f="${way}"] .amount`).textContent.replace(/\u00a0/g, " "))]));
					assert.ok(shown.length > 0);
					for (const [id, tx, rx] of shown) {
						const its = rows.filter((r) => `${r.program}\u0001${r.container_id || r.unit || ""}` === id);
						assert.deepEqual([tx, rx], [shortBytes(sum(its, "tx_bytes")), shortBytes(sum(its, "rx_bytes"))], id);
					}
					if (lost)
						assert.match(plain(await page.textContent(".verdict-sub")), new RegExp(`${thousands(lost)} packets? `));
					const largest = await page.evaluate(() => [...document.querySelectorAll(".largest")].map((ul) =>
						[...ul.querySelectorAll("li")].map((li) => [li.children[0].textContent, li.children[2].textContent.replace(/\u00a0/g, " ")])));
					const peers = (await ask(`history_peers?${words}&sort=tx_bytes&limit=6`)).rows.filter((r) => Number(r.tx_bytes)).slice(0, 5);
					assert.deepEqual(largest[0], peers.map((r) => [r.peer_name || r.peer_address, shortBytes(Number(r.tx_bytes))]));
					return true;
				}, "the numbers of history");
			}));

		for (const [view, table] of [["processes", "history"], ["flows", "history_peers"], ["drops", "history_losses"]])
			test(`${view}: every number in sight is that of ${table}`, () =>
				withPage(`#/${view}?${words}`, async (page) => {
					await page.waitForSelector('[role="row"][data-key]');
					const { rows, total } = await ask(`${table}?${words}`);
					const seen = await page.evaluate(readTable);
					assert.equal(seen.count, total);
					assert.ok(compare(seen, rows, index.get(table)) > 0);
				}));

		test("Map: each program's bytes are those of history_peers", () =>
			withPage(`#/map?${words}`, async (page) => {
				await page.waitForSelector(".map-bar");
				const { rows } = await ask(`history_peers?${words}&limit=5000`);
				const shown = await page.evaluate(() => [...document.querySelectorAll('.map-bar[data-id^="process:"]')]
					.map((e) => [e.dataset.id.slice(8), ...[...e.querySelectorAll(".bar-n text")].map((t) => t.textContent.replace(/\u00a0/g, " "))]));
				assert.ok(shown.length > 0);
				for (const [name, tx, rx] of shown) {
					const its = rows.filter((r) => r.program === name && !(name === "other" && r.uid === null));
					assert.deepEqual([tx, rx], [shortBytes(sum(its, "tx_bytes")), shortBytes(sum(its, "rx_bytes"))], name);
				}
			}));
	});
});
