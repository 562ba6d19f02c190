// SPDX-License-Identifier: GPL-2.0-or-later
// A browser that reports whatever a page must not do, and a second reader of the API to compare the page with.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const PAGE = join(dirname(fileURLToPath(import.meta.url)), "../../src/frontends/web/page");
const fromPage = createRequire(join(PAGE, "package.json"));

const FLAGS = [
	"--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];

export async function launch() {
	const { chromium } = fromPage("playwright-core");
	return chromium.launch({ executablePath: process.env.WEIR_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/** No rule of axe is broken and nothing is wider than the screen. */
export async function accessible(page, what) {
	if (!(await page.evaluate(() => "axe" in window)))
		await page.evaluate(fromPage("axe-core").source);
	const { faults, over } = await page.evaluate(async () => ({
		faults: (await axe.run(document, { resultTypes: ["violations"] })).violations
			.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 300)} ${v.nodes[0].failureSummary}`),
		over: document.documentElement.scrollWidth - innerWidth,
	}));
	assert.deepEqual(faults, [], what);
	assert.ok(over <= 0, `${what} is ${over} px too wide`);
}

/** Opens a page that collects its faults: console errors, uncaught errors, CSP violations, requests elsewhere. */
export async function visit(browser, url, { hash = "#/now", expect = [], ...options } = {}) {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US", ...options });
	const page = await context.newPage();
	const faults = [];
	const requests = [];
	page.on("console", (m) => {
		if (["error", "warning", "assert"].includes(m.type()) && !expect.some((e) => m.text().includes(e)))
			faults.push(`console ${m.type()}: ${m.text()}`);
	});
	page.on("pageerror", (e) => faults.push(`uncaught: ${e.message}`));
	page.on("dialog", (d) => {
		faults.push(`dialog: ${d.message()}`);
		d.dismiss().catch(() => {});
	});
	page.on("request", (r) => {
		requests.push(r.url());
		if (!r.url().startsWith(url + "/") && !r.url().startsWith("data:"))
			faults.push(`request to another host: ${r.url()}`);
	});
	page.on("response", (r) => {
		if (r.status() >= 400 && !expect.some((e) => `status of ${r.status()}`.includes(e)))
			faults.push(`${r.status()} ${r.url()}`);
	});
	await page.addInitScript(() => {
		window.violations = [];
		document.addEventListener("securitypolicyviolation", (e) =>
			window.violations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
	});
	await page.goto(`${url}/${hash}`);
	page.faults = async () => [...faults, ...(await page.evaluate(() => window.violations))];
	page.requests = requests;
	return page;
}

/** All large integers as text: none may lose a digit on the way. */
export const parseExact = (text) => JSON.parse(text.replace(/("(?:[^"\\]|\\.)*")|(-?\d{16,})/g, (m, s, n) => (s ? s : `"${n}"`)));

/** Follows a topic as any client would and remembers the table at each of the last snapshots. */
export class Follower {
	constructor(url, topic, keys, { filter = "", fields = "" } = {}) {
		this.keys = keys;
		this.rows = new Map();
		this.at = new Map();
		this.controller = new AbortController();
		const query = new URLSearchParams({ topics: topic, filter, fields });
		this.done = this.read(`${url}/api/v1/events?${query}`).catch((e) => {
			this.error = e;
		});
	}

	async read(url) {
		const answer = await fetch(url, { signal: this.controller.signal });
		if (!answer.ok)
			throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
		let parts = [];
		for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
			parts.push(chunk);
			if (!chunk.includes("\n"))
				continue;
			const blocks = parts.join("").split("\n\n");
			parts = [blocks.pop()];
			for (const block of blocks)
				this.event(block);
		}
	}

	event(block) {
		const name = /^event: (.*)$/m.exec(block)?.[1];
		const data = /^data: (.*)$/m.exec(block)?.[1];
		if (!name || !data)
			return;
		const e = parseExact(data);
		const key = (row) => this.keys.map((k) => String(row[k])).join("~");
		if (name === "snapshot")
			this.rows = new Map();
		for (const row of e.rows)
			this.rows.set(key(row), row);
		for (const gone of e.gone ?? [])
			this.rows.delete(gone.map(String).join("~"));
		this.at.set(e.snapshot, { rows: new Map(this.rows), lost_events: e.lost_events });
		if (this.at.size > 64)
			this.at.delete(this.at.keys().next().value);
	}

	/** The rows as of a snapshot. One that changed none of them brought no event; whether it did is known once a later
	 *  one has come. */
	stateAt(snapshot) {
		const known = [...this.at.keys()];
		if (!known.length || snapshot < known[0] || snapshot > known.at(-1))
			return null;
		return this.at.get(known.findLast((n) => n <= snapshot));
	}

	async close() {
		this.controller.abort();
		await this.done;
	}
}

/** What read() saw of the page, and the rows of the API at that very snapshot; read() may say null. */
export async function atSameSnapshot(follower, read) {
	const looks = [];
	return until(async () => {
		if (follower.error)
			throw follower.error;
		looks.push(await read());
		for (const seen of looks) {
			const state = seen && follower.stateAt(seen.snapshot);
			if (state)
				return { seen, state };
		}
		return null;
	}, "a snapshot that both the page and the API have");
}

const SI = ["", "k", "M", "G", "T", "P"];

/** The rule of the command line written down a second time: SI steps, three digits, no trailing zeros. */
export function shortBytes(n, per = "") {
	if (n < 1000)
		return `${n} B${per}`;
	let i = Math.floor(Math.log10(n) / 3);
	let digits = Number((n / 1000 ** i).toPrecision(3));
	if (digits >= 1000) {
		i++;
		digits /= 1000;
	}
	return `${digits} ${SI[i]}B${per}`;
}

/** Scrolls a table as fast as it is drawn, there and back for ms; the most rows that there were at once. */
export const scroll = (page, ms) =>
	page.evaluate(async (ms) => {
		const grid = document.querySelector(".grid");
		const end = performance.now() + ms;
		let down = 1;
		let most = 0;
		while (performance.now() < end) {
			if (grid.scrollTop + grid.clientHeight >= grid.scrollHeight - 5)
				down = -1;
			grid.scrollTop += down * 220;
			await new Promise(requestAnimationFrame);
			most = Math.max(most, grid.querySelectorAll('[role="row"][data-key]').length);
		}
		return most;
	}, ms);

/** f(page) once the page is live; then nothing may have gone wrong in it, and it is closed in any case. */
export async function whileLive(page, f) {
	try {
		await page.waitForSelector('[data-status="live"]');
		await f(page);
		assert.deepEqual(await page.faults(), []);
	} finally {
		await page.context().close();
	}
}

/** Tries until f gives something, for at most ms. */
export async function until(f, what, ms = 10000) {
	const end = Date.now() + ms;
	let last;
	for (;;) {
		try {
			const v = await f();
			if (v)
				return v;
		} catch (e) {
			last = e;
		}
		if (Date.now() > end)
			throw new Error(`${what}: not within ${ms} ms${last ? `; last: ${last.message}` : ""}`);
		await new Promise((r) => setTimeout(r, 50));
	}
}

/** Waits until read() gives this; what it gave last stands in the error. */
export const becomes = (read, want, what) =>
	until(async () => {
		assert.deepEqual(await read(), want);
		return true;
	}, what);

export const wait = (ms) => new Promise((r) => setTimeout(r, ms));
