// SPDX-License-Identifier: GPL-2.0-or-later
// What the page says to who reads it for the first time: times, counts, sentences under a filter, where links lead. On the
// mock server.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PAGE, launch, until, visit, whileLive } from "./browser.mjs";

const { startMock } = await import(`${PAGE}/dev/mock.mjs`);

let browser;
let mock;
before(async () => {
	browser = await launch();
	mock = await startMock({ tick: 1000 });
});
after(async () => {
	await mock?.close();
	await browser?.close();
});

const withPage = async (options, f) => whileLive(await visit(browser, mock.url, options), f);

const text = (page, selector) => page.evaluate((s) => (document.querySelector(s)?.textContent ?? "").replace(/\u00a0/g, " "), selector);
const firstRow = '[role="row"][data-key]';

describe("the details of a process", () => {
	test("its start is a time of the clock, and how long ago that was", () =>
		withPage({ hash: "#/processes" }, async (page) => {
			await page.locator(firstRow).first().click();
			const value = '.entry[data-f="start_time_ns"] .value';
			await until(async () => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(await text(page, value)), "a start by the clock");
			assert.match(await text(page, '.entry[data-f="start_time_ns"] .also'), /^[\d.]+ (s|min|h|d) ago$/);
			assert.match(await page.getAttribute(`${value} bdi`, "title"), /^[\d,]+ ns$/, "the kernel's number where it is pointed at");
			assert.match(await text(page, '.entry[data-f="first_seen"] .also'), / ago$/);
		}));

	test("open connections stand first, and those that are no longer kept are counted", () => {
		const p = [...mock.world.processes.values()][0];
		p.row.connections_total += 70;
		return withPage({ hash: `#/processes?filter=pid:${p.row.pid}` }, async (page) => {
			await page.locator(firstRow).first().click();
			await until(async () => /7\d more sockets were closed and are no longer kept/.test(await text(page, ".gone-before")), "what is missing");
			assert.match(await text(page, ".details .part h3"), /^\d+ connections?, \d+ open/);
			const states = await page.locator(".connections .quality").allTextContents();
			const closed = states.map((s) => s.endsWith("closed"));
			assert.deepEqual(closed, [...closed].sort(), states.join());
		});
	});
});

test("a value of few words is Chinese there, with the kernel's word where it is pointed at", () =>
	withPage({ hash: "#/flows", locale: "zh-CN" }, async (page) => {
		await until(async () => (await text(page, `${firstRow} [data-f="state"]`)) !== "established", "a Chinese state");
		const states = await page.evaluate(() => [...document.querySelectorAll('[role="row"][data-key] [data-f="state"] span')]
			.map((e) => [e.title, e.textContent]));
		assert.ok(states.length);
		for (const [title, word] of states)
			assert.equal(word, { established: "已建立", open: "打开", closed: "已关闭" }[title], title);
	}));

describe("Now under a filter", () => {
	test("its sentences are of what the filter selects, and its sums say since when", () =>
		withPage({ hash: "#/now" }, async (page) => {
			await until(async () => / since this page was opened at /.test(await text(page, ".legend-sum")), "since it was opened");
			await page.fill("#filter", "process:nobody");
			await page.keyboard.press("Enter");
			await until(async () => (await text(page, "#verdict")) === "What the filter selects sends and receives nothing now", "a quiet filter");
			await until(async () => (await text(page, ".new .note")) === "No program that the filter selects is new.", "and nothing new");
			await until(async () => / since the filter was changed at /.test(await text(page, ".legend-sum")), "since the filter");
			assert.match(await text(page, ".finding .note"), /of the whole host, whatever the filter/);
		}));

	test("one is one", () =>
		withPage({ hash: `#/now?filter=pid:${[...mock.world.processes.values()][0].row.pid}` }, async (page) => {
			await until(async () => /^1 process, \d+ open sockets? on/.test(await text(page, ".verdict-sub")), "one process");
		}));

	test("a program's link puts its name in the place of the same word alone", () =>
		withPage({ hash: "#/now?filter=nginx" }, async (page) => {
			await page.locator(".talkers a.who").first().click();
			await until(() => page.evaluate(() => location.hash === "#/processes?filter=process:nginx"), "the word once");
			await until(async () => (await page.inputValue("#filter")) === "process:nginx", "in the line, too");
		}));

	test("the slowest leads to that very flow", () =>
		withPage({ hash: "#/now" }, async (page) => {
			const link = page.locator('.verdict-sub a[href*="sort=srtt_us"]');
			await link.waitFor();
			const row = decodeURIComponent(/row=([^&]+)/.exec(await link.getAttribute("href"))[1]);
			await link.click();
			await page.waitForSelector(`.details[data-row="${row.split("~")[0]}"]`);
			await page.waitForSelector(`[role="row"].opened[data-key="${row}"]`);
		}));
});

describe("a table", () => {
	for (const [hash, title, width] of [
		["#/processes?sort=first_seen", "FIRST SEEN", 1280], ["#/processes?from=-3600&sort=first_seen", "FIRST SEEN", 1280],
		["#/flows?sort=srtt_us", "RTT", 390], ["#/processes?sort=tx_bytes_per_second", "SENT/S", 390], ["#/drops", "PER SECOND", 390],
	])
		test(`shows the column that it is sorted by: ${hash} in ${width}`, () =>
			withPage({ hash, viewport: { width, height: 844 } }, async (page) => {
				await page.waitForSelector(firstRow);
				assert.equal(await text(page, '[aria-sort="descending"] button'), `${title}↓`);
				const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
				assert.ok(over <= 0, `${over} px too wide`);
			}));

	test("keeps the round trip beside a row's details", () =>
		withPage({ hash: "#/processes", viewport: { width: 1280, height: 860 } }, async (page) => {
			await page.locator(firstRow).first().click();
			await page.waitForSelector(".details");
			await page.getByRole("columnheader", { name: "RTT" }).waitFor();
		}));

	test("says since when its sums count", async () => {
		for (const view of ["processes", "flows"])
			await withPage({ hash: `#/${view}` }, async (page) => {
				await until(async () => /^SENT and RECEIVED count since [\d: -]+\.$/.test(await text(page, ".answer .since")), view);
			});
		await withPage({ hash: "#/now" }, async (page) => {
			await until(async () => /Counts since\d[\d: -]+/.test(await text(page, ".health")), "now");
		});
	});
});

test("how finely the past is kept is told in Chinese, in History and in Doctor", async () => {
	for (const view of ["history?from=-3600", "doctor"])
		await withPage({ hash: `#/${view}`, locale: "zh-CN" }, async (page) => {
			await until(() => page.evaluate(() => ["日", "月"].every((word) => [...document.querySelectorAll('th[scope="row"]')].some((e) => e.textContent === word))), view);
			assert.ok(await page.locator('th[title="month"]').count());
		});
});
