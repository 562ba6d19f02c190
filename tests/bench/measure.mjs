// SPDX-License-Identifier: GPL-2.0-or-later
// What a page costs its browser, whoever serves it: first paint, frames beside those of an empty page, the heap; and when
// a row comes into sight. Says results as TAP.
//
// A shared machine is slow at times, and only that: what is missed is measured again, and the best of RUNS stands.
import { visit, wait } from "../browser/browser.mjs";

const RUNS = 3;
const ROUNDS = 3;
const FRAME_SECONDS = 4; /* of each turn */

let number = 0;
let failed = false;

export function begin() {
	console.log("TAP version 13");
}

export function say(name, value, most, unit) {
	const ok = value <= most;
	failed ||= !ok;
	console.log(`${ok ? "ok" : "not ok"} ${++number} - ${name}: ${value.toFixed(2)} ${unit}, at most ${most}`);
}

export function end() {
	console.log(`1..${number}`);
	process.exitCode = failed ? 1 : 0;
}

export async function best(most, measure) {
	let least = Infinity;
	for (let run = 0; run < RUNS && !(least <= most); run++)
		least = Math.min(least, await measure());
	return least;
}

export function percentile(list, q) {
	const sorted = [...list].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/** The times from frame to frame, in ms. */
const gaps = (page, seconds) =>
	page.evaluate((ms) => new Promise((done) => {
		const list = [];
		const end = performance.now() + ms;
		let last = 0;
		const frame = (now) => {
			if (last)
				list.push(now - last);
			last = now;
			if (now < end)
				requestAnimationFrame(frame);
			else
				done(list);
		};
		requestAnimationFrame(frame);
	}), seconds * 1000);

/* What moves and is otherwise nothing; it has to repaint each frame. */
async function emptyPage(browser) {
	const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
	await page.setContent("<div style='width:40px;height:40px;background:#888'></div>");
	await page.evaluate(() => {
		const box = document.querySelector("div");
		const step = (t) => {
			box.style.transform = `translateX(${Math.round(200 + 200 * Math.sin(t / 300))}px)`;
			requestAnimationFrame(step);
		};
		requestAnimationFrame(step);
	});
	await wait(500);
	return page;
}

async function emptyGaps(browser) {
	const page = await emptyPage(browser);
	const list = await gaps(page, FRAME_SECONDS);
	await page.context().close();
	return list;
}

async function usedHeap(page) {
	const session = await page.context().newCDPSession(page);
	await session.send("HeapProfiler.collectGarbage");
	await session.send("HeapProfiler.collectGarbage");
	const { usedSize } = await session.send("Runtime.getHeapUsage");
	await session.detach();
	return usedSize;
}

/** Everything there is, in rows that go on changing. */
export const loaded = (page, n) =>
	page.waitForFunction((least) => Number(document.querySelector(".table-view")?.dataset.rows ?? 0) >= least, n, { timeout: 120e3 });

export async function firstPaint(browser, url, what) {
	const most = 300;
	say(`${what}first paint`, await best(most, async () => {
		const page = await visit(browser, url, { hash: "#/now" });
		const ms = await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime, null, { timeout: 20e3 });
		const value = await ms.jsonValue();
		await page.context().close();
		return value;
	}), most, "ms");
}

/** Empty page and page in turn, so that what else the machine does meets both. views: [name, ready(page), while(page, ms)]. */
export async function frames(browser, url, views, what) {
	const most = 1.1;
	for (const [view, ready, during] of views) {
		const name = during ? `${view}, scrolled` : view;
		const ratio = await best(most, async () => {
			const empty = [];
			const own = [];
			for (let round = 0; round < ROUNDS; round++) {
				empty.push(...(await emptyGaps(browser)));
				const page = await visit(browser, url, { hash: `#/${view}` });
				await ready(page);
				await wait(3000);
				const [list] = await Promise.all([gaps(page, FRAME_SECONDS), during?.(page, FRAME_SECONDS * 1000)]);
				own.push(...list);
				await page.context().close();
			}
			const [a, b] = [percentile(own, 0.95), percentile(empty, 0.95)];
			console.log(`# ${what}${name}: p95 of the frame gap ${a.toFixed(1)} ms, empty page ${b.toFixed(1)} ms; median ${percentile(own, 0.5).toFixed(1)} and ${percentile(empty, 0.5).toFixed(1)} ms`);
			return a / b;
		});
		say(`${what}${name}: frame gap beside an empty animated page's, 95th percentile`, ratio, most, "times");
	}
}

/** Growth from the moment on at which buffers and windows of time are full, or nearly so. */
export async function heapGrowth(browser, url, seconds, what) {
	const page = await visit(browser, url, { hash: "#/processes" });
	await loaded(page, 10000);
	await wait(Math.min(30, seconds / 4) * 1000);
	const before = await usedHeap(page);
	await wait(seconds * 1000);
	const after = await usedHeap(page);
	console.log(`# ${what}heap: ${(before / 1e6).toFixed(1)} MB, then ${(after / 1e6).toFixed(1)} MB`);
	say(`${what}heap growth in ${seconds} s`, (after - before) / 1e6, 1, "MB");
	await page.context().close();
}

/** Milliseconds since the epoch, as finely as a page has them. */
export const now = () => performance.timeOrigin + performance.now();

/** Notes, in window.sighted, when each row was first in a frame: { key: ms since the epoch }. Rows of before are not in it. */
export const watchRows = (page) =>
	page.evaluate(() => {
		const keys = () => [...document.querySelectorAll('[role="row"][data-key]')].map((r) => r.dataset.key);
		const known = new Set(keys());
		window.sighted = {};
		const look = () => {
			for (const key of keys())
				if (!known.has(key)) {
					known.add(key);
					window.sighted[key] = performance.timeOrigin + performance.now();
				}
			requestAnimationFrame(look);
		};
		requestAnimationFrame(look);
	});

export function sayLatency(name, list) {
	const at = (q) => percentile(list, q).toFixed(0);
	console.log(`# ${name}: median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms, 99th ${at(0.99)} ms, largest ${at(1)} ms of ${list.length}`);
}
