// SPDX-License-Identifier: GPL-2.0-or-later
// Pictures of the page: node pictures_page.mjs URL FOLDER, once the page has shown a scene for a while.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { launch, visit } from "../tests/browser/browser.mjs";
import { shrink } from "./pictures_png.mjs";

const [url, folder] = process.argv.slice(2);
const VIEWS = ["now", "map", "history", "drops"];
const SCHEMES = ["light", "dark"];
const SIZE = { width: 1440, height: 900 };
/* The page's own minute is full then, whatever the daemon remembers. */
const WATCHES_MS = 62000;

const browser = await launch();
const pages = [];
const faults = [];
try {
	for (const colorScheme of SCHEMES)
		for (const view of VIEWS) {
			const page = await visit(browser, url, { hash: `#/${view}`, colorScheme, viewport: SIZE, reducedMotion: "reduce" });
			pages.push({ name: `${view}-${colorScheme}.png`, page });
		}
	await new Promise((done) => setTimeout(done, WATCHES_MS));
	const shots = [];
	for (const { name, page } of pages) {
		await page.bringToFront();
		shots.push([name, await page.screenshot()]);
		faults.push(...(await page.faults()).map((f) => `${name}: ${f}`));
	}
	for (const [name, shot] of shots) {
		const png = shrink(shot);
		writeFileSync(join(folder, name), png);
		console.log(`${name} ${SIZE.width}x${SIZE.height} ${png.length} bytes`);
	}
} finally {
	await browser.close();
}
for (const fault of faults.slice(0, 10))
	console.error(fault);
if (faults.length > 10)
	console.error(`and ${faults.length - 10} more faults`);
process.exitCode = faults.length ? 1 : 0;
