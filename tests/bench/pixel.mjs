// SPDX-License-Identifier: GPL-2.0-or-later
// From the kernel to the screen: how long after connect() began is the connection's row in a frame of the page of a real
// daemon, while this machine does nothing else?
//   tools/with-daemon node tests/bench/pixel.mjs [SAMPLES, 200]
import { connect, createServer } from "node:net";
import { launch, until, visit, wait } from "../browser/browser.mjs";
import { begin, best, end, now, percentile, say, sayLatency, watchRows } from "./measure.mjs";

const SAMPLES = Number(process.argv[2] ?? 200);
const MOST_MS = 250;
const url = process.env.WEIR_URL?.replace(/\/$/, "");
if (!url)
	throw new Error("WEIR_URL does not say where the daemon is: run it with tools/with-daemon");

async function measure(browser, port) {
	/* The other end is this process's, too. */
	const filter = `pid:${process.pid} role:client state:established port:${port}`;
	const page = await visit(browser, url, { hash: `#/flows?filter=${encodeURIComponent(filter)}` });
	const took = [];
	await page.waitForSelector('[data-status="live"]');
	await wait(2000);
	await watchRows(page);
	for (let i = 0; i < SAMPLES; i++) {
		await wait(150 + (i * 37) % 250); /* at all distances from the tick */
		const start = now();
		const client = connect(port, "127.0.0.1");
		client.on("error", () => {});
		const at = await until(() => page.evaluate(() => Object.values(window.sighted)[0]), "the connection in sight", 5000);
		took.push(at - start);
		client.destroy();
		await until(() => page.evaluate(() => {
			window.sighted = {};
			return !document.querySelector('[role="row"][data-key]');
		}), "its end", 5000);
	}
	await page.context().close();
	sayLatency("from connect() to the row", took);
	return percentile(took, 0.99);
}

begin();
const browser = await launch();
const server = createServer((s) => s.on("error", () => {}).resume()).listen(0, "127.0.0.1");
try {
	await new Promise((done) => server.once("listening", done));
	const slowest = await best(MOST_MS, () => measure(browser, server.address().port));
	say(`from connect() to the row in the page, 99th percentile of ${SAMPLES}`, slowest, MOST_MS, "ms");
} finally {
	server.close();
	await browser.close();
}
end();
