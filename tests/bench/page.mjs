// SPDX-License-Identifier: GPL-2.0-or-later
// What the page costs the browser that draws it, on a made-up host of 10,000 processes and 100,000 flows of which one in a
// hundred does something in any second: frame gaps beside those of an empty animated page, growth of the heap, first
// paint, and how long a new connection takes to be in sight. Without a daemon: what this finds is the page's own.
//   node tests/bench/page.mjs [SECONDS of the heap's run, 600]
import { PAGE, launch, scroll, visit, wait } from "../browser/browser.mjs";
import { begin, best, end, firstPaint, frames, heapGrowth, loaded, now, percentile, say } from "./measure.mjs";

const { startMock } = await import(`${PAGE}/dev/mock.mjs`);
const HEAP_SECONDS = Number(process.argv[2] ?? 600);

begin();
const browser = await launch();
const mock = await startMock({ processes: 10000, flows: 100000, active: 1, tick: 1000 });
try {
	await firstPaint(browser, mock.url, "");
	await frames(browser, mock.url, [
		["now", (p) => p.waitForSelector(".talkers li")],
		["processes", (p) => loaded(p, 10000)],
		["flows", (p) => loaded(p, 100000)],
		["flows", (p) => loaded(p, 100000), scroll],
	], "");
	await heapGrowth(browser, mock.url, HEAP_SECONDS, "");
} finally {
	await mock.close();
}

/* From the moment at which the daemon knows to the frame that shows it. */
const small = await startMock({ tick: 1000 });
try {
	const process_ = [...small.world.processes.values()][0];
	const slowest = await best(250, async () => {
		const page = await visit(browser, small.url, { hash: `#/flows?filter=pid:${process_.row.pid}` });
		await page.waitForSelector('[role="row"][data-key]');
		const took = [];
		for (let i = 0; i < 200; i++) {
			const { cookie } = small.world.addFlow(process_).row;
			const shown = page.evaluate((key) => new Promise((done) => {
				const look = () => (document.querySelector(`[data-key^="${key}~"]`)
					? done(performance.timeOrigin + performance.now())
					: requestAnimationFrame(look));
				look();
			}), String(cookie));
			await wait(20 + (i % 7) * 9);
			const start = now();
			small.push();
			took.push((await shown) - start);
			small.world.closeFlow(process_.flows.at(-1));
			process_.flows.at(-1).closed_ms = 1; /* leaves with the next tick, so that the table stays short */
		}
		await page.context().close();
		return percentile(took, 0.99);
	});
	say("a new connection in sight, 99th percentile", slowest, 250, "ms");
} finally {
	await small.close();
	await browser.close();
}
end();
