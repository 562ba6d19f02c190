// SPDX-License-Identifier: GPL-2.0-or-later
// For everybody: each view, live and over a span of the past, in both languages, light and dark, on a desk and on a
// phone. With WEIR_URL=http://127.0.0.1:9474 on that daemon too; without it only on the page's mock server.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PAGE, accessible, launch, until, visit } from "./browser.mjs";

const { startMock } = await import(`${PAGE}/dev/mock.mjs`);

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

/* A view that is ready, and what is opened in it when there is something to open. */
const TABLE = { ready: ".table-view[data-rows]", first: '[role="row"][data-key]', opened: ".details .entry" };
const VIEWS = {
	now: { ready: ".talkers li", first: ".talkers .asked", opened: "#explain:popover-open" },
	map: { ready: ".map-view[data-known] h1", first: ".map-bar, .map-link", opened: ".map-panel" },
	processes: TABLE,
	flows: TABLE,
	drops: TABLE,
	history: { ready: '.hist[data-state="there"]' },
	doctor: { ready: ".doctor-hooks" },
};

async function look(page, view, words, what) {
	const { ready, first, opened } = VIEWS[view];
	await page.evaluate((h) => (location.hash = h), `#/${view}${words}`);
	await page.waitForSelector(`main[data-view="${view}"] ${ready}`, { state: "attached" });
	/* Answers may still be on their way, and nothing may be half there while it is judged. */
	await until(() => page.evaluate(() => !document.querySelector("main .stale, [data-state=asking]")), "all answers").catch(() => {});
	await accessible(page, what);
	const thing = first && page.locator(first).first();
	if (!thing || !(await thing.count()))
		return;
	await thing.click({ force: true });
	await page.waitForSelector(opened, { state: "attached" });
	await accessible(page, `${what}, opened`);
	await page.keyboard.press("Escape");
}

function everywhere(name, address, combinations) {
	describe(name, () => {
		for (const [locale, scheme, width] of combinations)
			test(`every view is accessible and within the screen: ${locale}, ${scheme}, ${width} px wide`, async () => {
				const page = await visit(browser, address(), {
					locale, colorScheme: scheme, viewport: { width, height: 844 }, reducedMotion: "reduce",
				});
				try {
					await page.waitForSelector('[data-status="live"]');
					assert.equal(await page.evaluate(() => document.documentElement.lang), locale.slice(0, 2));
					for (const view of Object.keys(VIEWS))
						await look(page, view, "", view);
					for (const view of Object.keys(VIEWS).filter((v) => v !== "doctor"))
						await look(page, view, "?from=-900", `${view} over a span`);
					assert.deepEqual(await page.faults(), []);
				} finally {
					await page.context().close();
				}
			});
	});
}

const all = ["en-US", "zh-CN"].flatMap((locale) => ["light", "dark"].flatMap((scheme) => [1440, 360].map((width) => [locale, scheme, width])));

let mock;
describe("on the mock server", () => {
	before(async () => {
		mock = await startMock({ tick: 1000 });
	});
	after(() => mock?.close());

	everywhere("any daemon", () => mock.url, all);
});

if (process.env.WEIR_URL)
	everywhere("on a daemon", () => process.env.WEIR_URL.replace(/\/$/, ""), [all[3], all[4]]);
