// SPDX-License-Identifier: GPL-2.0-or-later
// Every page of a recording in a real browser: drawn, with the numbers of the command line, at the recording's time.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, shortBytes, until, visit, wait, whileLive } from "./browser.mjs";
import { serveRecording, testdata, weirJson } from "./played.mjs";

const VIEWS = ["now", "map", "processes", "flows", "drops", "history", "doctor"];
const KEYS = { processes: ["pid", "start_time_ns"], flows: ["cookie", "peer_address", "peer_port"] };

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

/* The page says times of day; in this zone they are those of the API. */
const HERE = { timezoneId: "UTC", viewport: { width: 1280, height: 860 } };

async function withPage(url, hash, f) {
	const page = await visit(browser, url, { hash, ...HERE });
	await whileLive(page, f);
}

const plain = (s) => s.replace(/\u00a0/g, " ").trim();
const text = async (page, selector) => plain(await page.locator(selector).first().textContent());
const thousands = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const sum = (rows, field) => rows.reduce((n, r) => n + Number(r[field]), 0);
const timeOfDay = (stamp) => stamp.slice(11, 19);
const cells = (page) =>
	page.evaluate(() => [...document.querySelectorAll('[role="row"][data-key]')].map((r) => ({
		key: r.dataset.key,
		cells: Object.fromEntries([...r.querySelectorAll("[data-f]")].map((c) => [c.dataset.f, c.textContent.replace(/\u00a0/g, " ").trim()])),
	})));
const rowsOf = (page) => page.evaluate(() => Number(document.querySelector(".table-view")?.dataset.rows ?? -1));

/* What shows that a view has drawn what it got. */
const DRAWN = {
	now: ".now .plot canvas",
	map: ".map-view[data-known]",
	processes: '[role="row"][data-key]',
	flows: ".table-view[data-snapshot]",
	drops: ".table-view[data-snapshot]",
	history: '.hist[data-state="there"]',
	doctor: ".doctor-sums table",
};

function recording(name, has) {
	const file = testdata(name);

	describe(`${name}, at its end`, () => {
		let played;
		let told; /* by `weir replay FILE TABLE -j`: no daemon, no page */
		before(async () => {
			played = await serveRecording(file, { speed: 0 });
			const tables = ["processes", "flows", "drops", "audit"];
			told = Object.fromEntries(await Promise.all(tables.map(async (t) => [t, await weirJson("replay", file, t, "--limit", "0")])));
		});
		after(() => played?.close());

		for (const view of VIEWS)
			test(`${view} is drawn, is called a recording, and asks nobody else`, () =>
				withPage(played.url, `#/${view}`, async (page) => {
					await page.waitForSelector(DRAWN[view]);
					await until(async () => (await text(page, "[data-status]")) === "Recording", "its name");
					assert.equal(await text(page, ".host"), told.processes.host);
					assert.ok((await text(page, "h1")).length > 2);
				}));

		test("served, it says what it says without a daemon", async () => {
			for (const t of ["processes", "flows", "drops", "audit"])
				assert.deepEqual((await played.json(t, "--limit", "0")).rows, told[t].rows, t);
		});

		test("Now: sums, processes and its clock are the recording's", () =>
			withPage(played.url, "#/now", async (page) => {
				const { rows, time } = told.processes;
				await until(async () => (await text(page, ".health > p.note")).endsWith(timeOfDay(time)), "the recording's time");
				assert.equal(await text(page, '[data-total="tx"]'), shortBytes(sum(rows, "tx_bytes_per_second"), "/s"));
				assert.equal(await text(page, '[data-total="rx"]'), shortBytes(sum(rows, "rx_bytes_per_second"), "/s"));
				assert.match(await text(page, ".verdict-sub"), new RegExp(`\\b${thousands(rows.filter((r) => r.state !== "exited").length)} processes?\\b`));
				/* A day is named where it is not today's: the recording's day is. */
				const body = await text(page, ".now");
				assert.doesNotMatch(body, new RegExp(time.slice(5, 10)));
			}));

		for (const table of ["processes", "flows"])
			test(`${table}: every number in sight is that of -j`, () =>
				withPage(played.url, `#/${table}`, async (page) => {
					const { rows } = told[table];
					const key = (r) => KEYS[table].map((k) => String(r[k])).join("~");
					/* What an MPTCP listener accepted has its cookie, so two rows may have one key; one of them is shown. */
					await until(async () => (await rowsOf(page)) === new Set(rows.map(key)).size, "all rows");
					const lines = await cells(page);
					assert.ok(lines.length > 0 || !rows.length);
					for (const { key: own, cells: shown } of lines) {
						const fits = (r) => key(r) === own && shown.tx_bytes === shortBytes(r.tx_bytes) && shown.rx_bytes === shortBytes(r.rx_bytes);
						assert.ok(rows.some(fits), `${own} ${shown.tx_bytes} ${shown.rx_bytes}`);
					}
				}));

		test("Drops: sums and rows are those of -j", () =>
			withPage(played.url, "#/drops", async (page) => {
				const { rows } = told.drops;
				await until(async () => (await rowsOf(page)) === rows.length, "all rows");
				const alone = rows.filter((r) => r.overlaps !== true);
				assert.equal(await text(page, '[data-total="packets"]'), thousands(sum(alone, "packets")));
				for (const c of new Set(rows.map((r) => r.class)))
					assert.equal(await text(page, `[data-sum="${c}"]`), thousands(sum(alone.filter((r) => r.class === c), "packets")), c);
			}));

		test("Map: a program's bytes are those of -j", { skip: !has.flows }, () =>
			withPage(played.url, "#/map", async (page) => {
				const bar = page.locator('.map-bar[data-id^="process:"]').first();
				const id = await bar.getAttribute("data-id");
				await bar.click({ force: true });
				await page.waitForSelector(".map-numbers [data-f]");
				const own = told.flows.rows.filter((r) => r.state !== "listen" && r.peer_address && `process:${r.comm}` === id);
				for (const f of ["tx_bytes", "rx_bytes"])
					assert.equal(await text(page, `.map-numbers [data-f="${f}"] dd`), shortBytes(sum(own, f)), `${id} ${f}`);
			}));

		test("History: its span ends with the recording, and holds what -j has", () =>
			withPage(played.url, "#/history", async (page) => {
				await page.waitForSelector(DRAWN.history);
				const seen = await page.evaluate(() => ({ ...document.querySelector(".hist").dataset }));
				const end = Date.parse(told.processes.time);
				assert.ok(Math.abs(Number(seen.to) - end) < 10e3, `${new Date(Number(seen.to)).toISOString()} ${told.processes.time}`);
				const rates = await played.json("history", "rates", "--since", "1h");
				assert.deepEqual([Number(seen.sumTx), Number(seen.sumRx)], [sum(rates.rows, "tx_bytes"), sum(rates.rows, "rx_bytes")]);
				const { rows } = await played.json("history", "programs", "--since", "1h");
				const lines = await page.evaluate(() => [...document.querySelectorAll("[data-program]")].map((e) =>
					[e.dataset.program, ...[...e.querySelectorAll("[data-f]")].map((c) => c.textContent.replace(/\u00a0/g, " ").trim())]));
				for (const [who, tx, rx] of lines)
					assert.ok(rows.some((r) => r.program === who && shortBytes(r.tx_bytes) === tx && shortBytes(r.rx_bytes) === rx), `${who}: ${tx} ${rx}`);
				assert.match(await text(page, "h1"), new RegExp(timeOfDay(told.processes.time).slice(0, 5)));
			}));

		test("Doctor: it is a recording, and its sums are those of -j", () =>
			withPage(played.url, "#/doctor", async (page) => {
				await page.waitForSelector(DRAWN.doctor);
				assert.match(await text(page, "#verdict"), /^This is a recording/);
				const some = told.audit.rows.filter((r) => r.ok === false || r.tx_bytes || r.rx_bytes);
				const lines = await page.evaluate(() => [...document.querySelectorAll(".doctor-sums tbody tr")].map((e) =>
					[...e.children].slice(0, 3).map((c) => c.textContent.replace(/\u00a0/g, " ").trim())));
				assert.deepEqual(lines, some.map((r) => [r.scope, shortBytes(r.tx_bytes), shortBytes(r.rx_bytes)]));
			}));

		test("its end stands: alive for as long as somebody looks", () =>
			withPage(played.url, "#/now", async (page) => {
				await wait(6000);
				assert.equal(await page.locator('[data-status="live"]').count(), 1);
				assert.equal(await text(page, "[data-status]"), "Recording");
			}));
	});
}

recording("cases.events", { flows: true });
recording("losses.events", { flows: false });

test("while it is played its time goes on, second by second, and the page with it", async () => {
	const played = await serveRecording(testdata("cases.events"), { speed: 0.5 });
	try {
		await withPage(played.url, "#/now", async (page) => {
			const first = (await played.json("processes")).time;
			const clock = async () => (await text(page, ".health > p.note")).slice(-8);
			await until(async () => (await clock()) > timeOfDay(first), "a later second of the recording");
			const { time } = await played.json("processes");
			assert.ok((await clock()) <= timeOfDay(time), `${await clock()} ${time}`);
			const kept = await weirJson("replay", testdata("cases.events"), "processes");
			assert.ok(time <= kept.time);
		});
	} finally {
		await played.close();
	}
});
