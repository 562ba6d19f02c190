// SPDX-License-Identifier: GPL-2.0-or-later
// The page on `weir replay --serve` of a large host: 10,000 processes with 100,000 flows, of which one in a hundred does
// something in any second, and 24 connections come and go in each. Everything is real but what was recorded: engine, gate,
// page, browser. Frame gaps beside those of an empty animated page, growth of the heap, first paint, and how long a new
// connection takes from the moment at which the recording has it to the frame that shows it.
//   WEIR_MADE_HOST=build/tests/bench/weir-made-host node tests/bench/page_replay.mjs [SECONDS of the heap's run, 600]
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { launch, until, visit, wait } from "../browser/browser.mjs";
import { WEIR, serveRecording } from "../browser/played.mjs";
import { begin, best, end, firstPaint, frames, heapGrowth, loaded, now, percentile, say, sayLatency, watchRows } from "./measure.mjs";

const HEAP_SECONDS = Number(process.argv[2] ?? 600);
const HUSH_SECONDS = 6;
const MADE_HOST = process.env.WEIR_MADE_HOST ?? join(dirname(WEIR), "tests/bench/weir-made-host");
const SAMPLES = 120;
const ONE_SECOND_US = 1e6;

/* As finely as the API says it. */
function microseconds(stamp) {
	const fraction = /\.(\d{6})Z$/.exec(stamp)?.[1] ?? "0";
	return Math.floor(Date.parse(stamp) / 1000) * ONE_SECOND_US + Number(fraction);
}

/**
 * Milliseconds from the recording's time to this machine's. An answer is never older than it says, and in the recording's
 * first seconds it costs nothing to make; so the least distance is the true one and at most some milliseconds more.
 */
async function distance(url) {
	const end_ms = Date.now() + (HUSH_SECONDS - 2) * 1000;
	let least = Infinity;
	while (Date.now() < end_ms) {
		const { time } = await (await fetch(`${url}/api/v1/processes?limit=1&fields=pid`)).json();
		least = Math.min(least, now() - microseconds(time) / 1000);
		await wait(3);
	}
	return least;
}

/** For some of the herald's connections: how long after it was due each was in sight. */
async function latencies(browser, url, apart_ms) {
	const filter = "process:herald state:established";
	const page = await visit(browser, url, { hash: `#/flows?filter=${encodeURIComponent(filter)}` });
	const took = new Map();
	const opened = new Map();
	await page.waitForSelector('[role="row"][data-key]');
	await wait(2000);
	await watchRows(page);
	while (took.size < SAMPLES) {
		await wait(1000);
		/* Whole cookies: these are small numbers. */
		const { rows } = await (await fetch(`${url}/api/v1/flows?filter=process:herald&fields=cookie,first_seen`)).json();
		for (const r of rows)
			opened.set(String(r.cookie), microseconds(r.first_seen) / 1000);
		for (const [key, at] of Object.entries(await page.evaluate(() => window.sighted))) {
			const due = opened.get(key.split("~")[0]);
			if (due !== undefined)
				took.set(key, at - (due + apart_ms));
		}
	}
	await page.context().close();
	return [...took.values()];
}

/** Serves the recording of a host that never was to f(url, apart_ms). */
async function withHost(processes, flows, seconds, f) {
	const folder = mkdtempSync(join(tmpdir(), "weir-bench-"));
	let played;
	try {
		const file = join(folder, "host.weir");
		execFileSync(MADE_HOST, ["--hush", HUSH_SECONDS, "--processes", processes, "--flows", flows, "--seconds", seconds, file].map(String));
		played = await serveRecording(file);
		const apart_ms = await distance(played.url);
		console.log(`# ${processes} processes, ${flows} flows: a recording of ${(statSync(file).size / 1e6).toFixed(0)} MB`);
		await until(async () => (await (await fetch(`${played.url}/api/v1/flows?limit=1`)).json()).total >= flows, "all flows", 30e3);
		await f(played.url, apart_ms);
	} finally {
		await played?.close();
		rmSync(folder, { recursive: true, force: true });
	}
}

begin();
const browser = await launch();
try {
	await withHost(1000, 10000, 600, async (url, apart_ms) => {
		const name = "replayed, 10,000 flows: a new connection in sight";
		say(`${name}, 99th percentile`, await best(250, async () => {
			const took = await latencies(browser, url, apart_ms);
			sayLatency(name, took);
			return percentile(took, 0.99);
		}), 250, "ms");
	});
	await withHost(10000, 100000, HEAP_SECONDS + 900, async (url, apart_ms) => {
		await firstPaint(browser, url, "replayed: ");
		/* Told, not held: each look at so many flows is built whole. */
		sayLatency("replayed, 100,000 flows: a new connection in sight", await latencies(browser, url, apart_ms));
		await frames(browser, url, [
			["now", (p) => p.waitForSelector(".talkers li")],
			["processes", (p) => loaded(p, 10000)],
			["flows", (p) => loaded(p, 100000)],
		], "replayed: ");
		await heapGrowth(browser, url, HEAP_SECONDS, "replayed: ");
	});
} finally {
	await browser.close();
}
end();
