// SPDX-License-Identifier: GPL-2.0-or-later
// Map in a real browser: who talks to whom. With WEIR_URL=http://127.0.0.1:9474 it is held against that daemon too;
// without it only against the page's mock server.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PAGE, Follower, atSameSnapshot, becomes, launch, shortBytes, until, visit, wait } from "./browser.mjs";

const { startMock } = await import(`${PAGE}/dev/mock.mjs`);
/* As in map_model.ts and map_layout.ts. */
const MEAN_TICKS = 5;
const STAY_TICKS = 6;

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

async function withPage(url, options, f) {
	const page = await visit(browser, url, { hash: "#/map", ...options });
	try {
		await page.waitForSelector(".map-view[data-known]");
		await page.waitForSelector('[data-status="live"]');
		await f(page);
		assert.deepEqual(await page.faults(), []);
	} finally {
		await page.context().close();
	}
}

/** What is in sight, read in one go. */
const read = (page) =>
	page.evaluate(() => {
		const view = document.querySelector(".map-view");
		const plain = (e) => (e ? e.textContent.replace(/\u00a0/g, " ").trim() : null);
		return {
			snapshot: Number(view.dataset.snapshot),
			known: Number(view.dataset.known),
			epoch: document.querySelector(".map-svg")?.dataset.epoch,
			nodes: [...document.querySelectorAll(".map-bar")].map((e) => ({
				id: e.dataset.id,
				says: plain(e.querySelector("title")),
				x: e.querySelector(".bar-hit").getAttribute("x"),
				y: e.querySelector(".bar-hit").getAttribute("y"),
				numbers: [...e.querySelectorAll(".bar-n text")].map(plain),
				level: Number(/\bh([012])\b/.exec(e.className.baseVal)[1]),
			})),
			bands: document.querySelectorAll(".band").length,
			figures: Object.fromEntries([...document.querySelectorAll(".map-numbers [data-f]")].map((e) => [e.dataset.f, plain(e.querySelector("dd"))])),
			active: document.activeElement?.dataset?.id ?? document.activeElement?.tagName,
		};
	});

const ids = async (page) => (await read(page)).nodes.map((n) => n.id);
const bar = (page, id) => page.locator(`.map-bar[data-id="${id}"]`);
const address = (page) => page.evaluate(() => location.hash);
const drawn = (page) => page.evaluate(() => [...document.querySelectorAll(".map-svg [data-id]")].map((e) => e.dataset.id));

const FLOWS = ["cookie", "peer_address", "peer_port"];
const linked = (r) => r.state !== "listen" && r.peer_address;

function everywhere(name, at) {
	describe(name, () => {
		test("a program's bytes are the API's at the same snapshot", () =>
			withPage(at(), {}, async (page) => {
				const follower = new Follower(at(), "flows", FLOWS);
				try {
					const node = await until(async () => (await read(page)).nodes.find((n) => n.id.startsWith("process:")), "a program", 15000).catch(() => null);
					if (!node)
						return;
					await bar(page, node.id).click({ force: true });
					await page.waitForSelector(".map-numbers");
					const { seen, state } = await atSameSnapshot(follower, async () => {
						const look = await read(page);
						return look.figures.tx_bytes ? look : null;
					});
					const rows = [...state.rows.values()].filter((r) => linked(r) && `process:${r.comm}` === node.id);
					for (const f of ["tx_bytes", "rx_bytes"])
						assert.equal(seen.figures[f], shortBytes(rows.reduce((n, r) => n + Number(r[f]), 0)), f);
				} finally {
					await follower.close();
				}
			}));
	});
}

let mock;
describe("on the mock server", () => {
	before(async () => {
		mock = await startMock({ tick: 500 });
		/* More links than are drawn, and one that fails. */
		for (let i = 0; i < 60; i++) {
			const p = mock.world.addProcess([`tiny${i}`, `/usr/bin/tiny${i}`, "app", `tiny${i % 9}.service`, "", [`10.9.0.${i}`], "tcp", 8000 + i, "client", 20, 10, 0]);
			mock.world.addFlow(p);
		}
		const bad = mock.world.addProcess(["broken", "/usr/bin/broken", "app", "broken.service", "", ["10.9.9.9"], "tcp", 81, "client", 0, 0, 0]);
		Object.assign(mock.world.addFlow(bad).row, { state: "close", close_reason: "refused" });
		bad.row.state = "exited"; // the world leaves it alone from now on
		/* A receiver whose peers are not told apart and that loses packets, and who sends to it. */
		const still = (name, flows) => {
			const p = mock.world.addProcess([name, `/usr/bin/${name}`, "app", `${name}.service`, "", ["127.0.0.1"], flows[0].transport, 1, "client", 0, 0, 0]);
			for (const more of flows)
				Object.assign(mock.world.addFlow(p).row, { netns: 1, ...more });
			p.row.state = "exited";
			return p.row;
		};
		const udp = { transport: "udp", state: "open", role: null, srtt_us: null };
		const { pid } = still("statsd", [{ ...udp, local_port: 8125, peer_address: null, peer_port: null, rx_bytes: 9e6, rx_bytes_per_second: 30000 }]);
		still("metrics-push", [{ ...udp, local_port: 42893, peer_port: 8125, tx_bytes: 9e6, tx_bytes_per_second: 120000 }]);
		mock.world.drops.set("statsd", { row: {
			...mock.world.rows("drops")[0], pid, netns: 1, location: "here", level: 150, sample: "udp 127.0.0.1:42893 > 127.0.0.1:8125 len 628",
		} });
		still("collector", [{ transport: "tcp", role: "server", local_port: 9000, peer_address: "10.71.0.17", rx_bytes_per_second: 9e6 }]);
		still("billing", [
			{ transport: "tcp", peer_address: "10.71.0.2", peer_port: 5432, srtt_us: 400, tx_bytes_per_second: 4500, rx_bytes_per_second: 4500 },
			{ transport: "tcp", peer_address: "10.71.0.2", peer_port: 9000, srtt_us: 90800, tx_bytes_per_second: 5820, rx_bytes_per_second: 0 },
		]);
	});
	after(() => mock?.close());

	everywhere("any daemon", () => mock.url);

	test("widths and numbers are the mean of the last ticks", () =>
		withPage(mock.url, { hash: "#/map?filter=process:nginx" }, async (page) => {
			const follower = new Follower(mock.url, "flows", FLOWS, { filter: "process:nginx" });
			try {
				await wait(500 * (MEAN_TICKS + 3));
				const { seen, mean } = await until(async () => {
					const seen = await read(page);
					const states = Array.from({ length: MEAN_TICKS }, (_, i) => follower.stateAt(seen.snapshot - i));
					if (states.some((s) => !s))
						return null;
					const sum = (s, f) => [...s.rows.values()].filter(linked).reduce((n, r) => n + Number(r[f]), 0);
					const mean = (f) => Math.round(states.reduce((n, s) => n + sum(s, f), 0) / MEAN_TICKS);
					return { seen, mean };
				}, "as many snapshots");
				const node = seen.nodes.find((n) => n.id === "process:nginx");
				assert.deepEqual(node.numbers, [shortBytes(mean("tx_bytes_per_second"), "/s"), shortBytes(mean("rx_bytes_per_second"), "/s")]);
			} finally {
				await follower.close();
			}
		}));

	test("places stay between ticks", () =>
		withPage(mock.url, { hash: "#/map?filter=process:nginx,postgres,rsync,api" }, async (page) => {
			await wait(6000);
			let before = await read(page);
			const { snapshot } = before;
			let moves = 0;
			for (let i = 0; i < 8; i++) {
				const now = await until(async () => {
					const now = await read(page);
					return now.snapshot !== before.snapshot && now;
				}, "the next snapshot");
				/* Who grows out of a slot gets a larger one, but not at once again; the order never changes. */
				assert.deepEqual(now.nodes.map((n) => n.id), before.nodes.map((n) => n.id));
				const places = (seen) => seen.nodes.map((n) => [n.id, n.x, n.y]);
				if (now.epoch === before.epoch)
					assert.deepEqual(places(now), places(before));
				else
					moves++;
				before = now;
			}
			const ticks = before.snapshot - snapshot;
			assert.ok(moves <= Math.ceil(ticks / STAY_TICKS), `places were given anew ${moves} times in ${ticks} ticks`);
		}));

	test("the rest is one node at the foot of each column, and opens", () =>
		withPage(mock.url, {}, async (page) => {
			await until(async () => (await read(page)).nodes.some((n) => n.id === "other0"), "other");
			const before = await read(page);
			assert.match(before.nodes.find((n) => n.id === "other0").says, /\d+ more programs: sends/);
			await bar(page, "other0").click({ force: true });
			await until(async () => (await read(page)).bands > before.bands, "more links");
			assert.match(await address(page), /n=100/);
			await page.reload();
			await until(async () => (await read(page)).bands > before.bands, "more links after a reload");
			await page.getByRole("button", { name: "The 40 widest only" }).click();
			await until(async () => (await read(page)).bands <= before.bands + 5, "fewer links");
		}));

	test("hide, pin and errors only stand in the address and come back from it", () =>
		withPage(mock.url, {}, async (page) => {
			await bar(page, "process:nginx").click({ force: true });
			await page.getByRole("button", { name: "Hide" }).click();
			await until(async () => !(await ids(page)).includes("process:nginx"), "nginx is hidden");
			await bar(page, "process:sshd").focus();
			await page.keyboard.press("p");
			await until(async () => /pin=process:sshd/.test(await address(page)), "sshd is pinned");
			assert.match(await address(page), /hide=process:nginx/);
			await page.reload();
			await until(async () => (await ids(page)).find((id) => id.startsWith("process:")) === "process:sshd", "sshd stands first");
			assert.ok(!(await ids(page)).includes("process:nginx"));
			await page.getByRole("button", { name: "Show nginx again" }).click();
			await until(async () => (await ids(page)).includes("process:nginx"), "nginx is back");
			await page.getByRole("button", { name: /^Errors only/ }).click();
			await until(async () => {
				const { nodes } = await read(page);
				assert.deepEqual(nodes.filter((n) => n.level === 0).map((n) => n.says), []);
				return nodes.length > 0;
			}, "only what fails");
			assert.match(await address(page), /errors=1/);
			const broken = (await read(page)).nodes.find((n) => n.id === "process:broken");
			assert.match(broken.says, /1 refused/);
			assert.equal(broken.level, 2);
			await page.reload();
			await until(async () => (await ids(page)).includes("process:broken"), "errors only after a reload");
			assert.ok(!(await ids(page)).includes("process:nginx"));
		}));

	test("a receiver of packets from peers that are not told apart is there, and marked with who sends it what gets lost", () =>
		withPage(mock.url, { hash: "#/map?filter=process:statsd", viewport: { width: 1280, height: 860 } }, async (page) => {
			await until(async () => (await read(page)).nodes.some((n) => n.id === "process:statsd" && n.level === 2), "statsd, marked");
			const { nodes } = await read(page);
			assert.match(nodes.find((n) => n.id === "process:statsd").says,
				/^statsd sends 0 B\/s to peers not told apart \(:8125\); it receives 30 kB\/s; \d+ packets\/s lost at the receiver$/);
			assert.match(await bar(page, "from::8125").textContent(), /← ✕ peers not told apart \(:8125\)/);
			await page.evaluate(() => (location.hash = "#/map?filter=process:metrics-push"));
			await until(async () => (await read(page)).nodes.some((n) => n.id === "process:metrics-push" && /lost at the receiver/.test(n.says)), "who sends is marked too");
			assert.equal(await bar(page, "process:metrics-push").locator(".bar-name").textContent(), "✕ metrics-push");
		}));

	test("a panel says in each direction who has most of it, and how long the slowest round trip is", () =>
		withPage(mock.url, { hash: "#/map?row=process:billing&filter=process:billing" }, async (page) => {
			await until(async () => (await read(page)).figures.srtt_us === "90.8 ms", "the slowest");
			assert.equal((await page.locator(".map-says").textContent()).replace(/\u00a0/g, " "),
				"billing, 2 peers: sends 10.3 kB/s, mostly 10.71.0.2:9000; receives 4.5 kB/s, mostly 10.71.0.2:5432");
			assert.match(await page.locator('.map-numbers [data-f="srtt_us"] dt').textContent(), /^Slowest/);
		}));

	test("one step back after Hide brings the node and its panel again, and a pin has a mark of its own", () =>
		withPage(mock.url, { hash: "#/map?filter=process:billing,metrics-push" }, async (page) => {
			await bar(page, "process:billing").click({ force: true });
			await page.getByRole("button", { name: "Hide" }).click();
			await until(async () => !(await ids(page)).includes("process:billing"), "it is hidden");
			assert.doesNotMatch(await address(page), /row=/);
			await page.goBack();
			await page.waitForSelector('.map-panel[data-id="process:billing"]');
			await until(async () => (await ids(page)).includes("process:billing"), "it is back");
			assert.doesNotMatch(await address(page), /hide=/);
			const pin = page.getByRole("button", { name: "Pin" });
			assert.match(await pin.getAttribute("title"), /at the top/);
			await pin.click();
			await until(async () => /^★ billing/.test(await bar(page, "process:billing").locator(".bar-name").textContent()), "its mark");
		}));

	test("what is chosen covers no band, and beside a panel peers have their whole names", () =>
		withPage(mock.url, { hash: "#/map?row=unit:collector.service&filter=process:collector", viewport: { width: 1280, height: 860 } }, async (page) => {
			await page.waitForSelector('.map-panel[data-id="unit:collector.service"]');
			assert.equal(await bar(page, "unit:collector.service").locator(".bar-hit").evaluate((e) => getComputedStyle(e).fill), "rgba(0, 0, 0, 0)");
			const box = (part) => bar(page, "unit:collector.service").locator(part).boundingBox();
			const [chosen, own] = [await box(".bar-hit"), await box(".bar-mark")];
			assert.ok(chosen.width <= own.width + 16, `${chosen.width} around ${own.width}`);
			const name = bar(page, "from:10.71.0.17:9000").locator(".bar-name");
			assert.equal(await name.textContent(), "← 10.71.0.17 (:9000)");
			const [text, edge] = [await name.boundingBox(), await page.locator(".map-svg").boundingBox()];
			assert.ok(text.x + text.width <= edge.x + edge.width, "and they end within the picture");
		}));

	test("errors only: where none is, the slowest and the losses are said, and the button stays where it is", async () => {
		const calm = await startMock({ tick: 500, hostile: false });
		try {
			await withPage(calm.url, { hash: "#/map?filter=process:rsync" }, async (page) => {
				await page.waitForSelector(".map-view h1 .figure");
				const button = page.getByRole("button", { name: /^Errors only/ });
				const before = await button.boundingBox();
				await button.click();
				await page.getByText("No link is refused, reset, sent again or slower than usual").waitFor();
				assert.equal((await button.boundingBox()).y, before.y);
				assert.match(await page.locator(".empty").innerText(), /^Slowest: rsync with .* there and back/);
				assert.match(await page.locator(".map-sub").innerText(), /Only what matches the filter: process:rsync/);
			});
		} finally {
			await calm.close();
		}
	});

	test("the keyboard reaches every node and link, opens and closes", () =>
		withPage(mock.url, { hash: "#/map?filter=process:nginx,api,rsync" }, async (page) => {
			await until(async () => (await read(page)).bands > 0, "links");
			mock.frozen = true;
			try {
				let all = await drawn(page);
				await until(async () => {
					const before = String(all);
					await wait(1500); /* an answer may still be on its way */
					return String((all = await drawn(page))) === before;
				}, "the picture stands still");
				await page.locator('.map-svg [tabindex="0"]').focus();
				const seen = new Set();
				for (const column of ["Home", "ArrowRight", "ArrowRight", "ArrowRight"]) {
					await page.keyboard.press(column);
					await page.keyboard.press("Home");
					for (let i = 0; i < all.length; i++) {
						seen.add((await read(page)).active);
						await page.keyboard.press("ArrowDown");
					}
				}
				assert.deepEqual([...seen].sort(), [...all].sort());
				await page.keyboard.press("Enter");
				await page.waitForSelector(".map-panel");
				await becomes(() => page.evaluate(() => document.activeElement.id), "panel-title", "the focus");
				await page.keyboard.press("Escape");
				await page.waitForSelector(".map-panel", { state: "detached" });
				await until(async () => all.includes((await read(page)).active), "focus is back in the picture");
			} finally {
				mock.frozen = false;
			}
		}));

	test("who is in the picture with the keyboard stays in it when what has the focus leaves", () =>
		withPage(mock.url, { hash: "#/map?filter=process:nginx,api,rsync" }, async (page) => {
			for (const what of [".map-bar", ".band"]) {
				await page.locator(`.map-svg ${what}[data-id*="process:nginx"]`).first().focus();
				await page.evaluate(() => (location.hash += "&hide=process:nginx"));
				await until(async () => !(await ids(page)).includes("process:nginx"), "nginx is hidden");
				await until(async () => (await drawn(page)).includes((await read(page)).active), "the focus is in the picture");
				await page.goBack();
				await until(async () => (await ids(page)).includes("process:nginx"), "nginx is back");
			}
		}));

	test("a node says its sentence, its numbers say what they are, and it leads on under its filter", () =>
		withPage(mock.url, { hash: "#/map?row=process:nginx" }, async (page) => {
			await page.waitForSelector(".map-panel");
			assert.match(await page.locator(".map-says").textContent(), /^nginx, \d peers: sends .+, mostly |^nginx sends .+ to /);
			assert.equal(await page.locator(".map-panel .command").getAttribute("title"), "weir flows process:nginx");
			await page.locator('.map-numbers [data-f="tx_bytes"] button').click();
			await page.waitForSelector("#explain:popover-open");
			assert.match(await page.locator("#explain").textContent(), /weir flows process:nginx/);
			await page.keyboard.press("Escape");
			await page.locator(".map-panel").getByRole("link", { name: "Processes" }).click();
			await page.waitForSelector(".table-view");
			assert.match(await address(page), /^#\/processes\?filter=process:nginx/);
		}));

	test("over a span: bytes of the past, as the API has them", () =>
		withPage(mock.url, { hash: "#/map?from=2026-01-01T00:00:00Z" }, async (page) => {
			await page.evaluate(() => {
				const to = new Date(Date.now() - 60e3).toISOString().slice(0, 19) + "Z";
				const from = new Date(Date.now() - 3660e3).toISOString().slice(0, 19) + "Z";
				location.hash = `#/map?from=${from}&to=${to}`;
			});
			await until(async () => (await read(page)).nodes.some((n) => n.id === "process:nginx" && !n.numbers[0].endsWith("/s")), "bytes");
			const [, from, to] = /from=([^&]+)&to=([^&]+)/.exec(await address(page));
			const e = await (await fetch(`${mock.url}/api/v1/history_peers?from=${from}&to=${to}&filter=process:nginx`)).json();
			const sum = (f) => e.rows.reduce((n, r) => n + r[f], 0);
			const want = String([shortBytes(sum("tx_bytes")), shortBytes(sum("rx_bytes"))]);
			await until(async () => String((await read(page)).nodes.find((n) => n.id === "process:nginx")?.numbers) === want, `nginx: ${want}`);
		}));

	for (const span of ["", "&from=-3600"])
		test(`where nothing is drawn it says why, and what was asked for can be taken back${span ? ", over a span" : ""}`, () =>
			withPage(mock.url, { hash: `#/map?filter=${span}` }, async (page) => {
				const says = (words) => page.getByRole("heading", { name: words, exact: true }).waitFor();
				const drawing = () => page.waitForSelector(".map-svg .map-bar");
				const press = (name) => page.locator(".empty").getByRole("button", { name }).click();
				await drawing();
				await page.evaluate((h) => (location.hash = h), `#/map?filter=process:nobody&errors=1${span}`);
				await says("Nothing matches this filter");
				assert.equal(await page.locator(".map-svg").count(), 0);
				assert.equal(await page.locator(".filtered code").textContent(), "process:nobody");
				await press("Clear the filter");
				await until(async () => !(await address(page)).includes("filter"), "no filter in the address");
				await page.evaluate((h) => (location.hash = h), `#/map?filter=process:sshd&errors=1${span}`);
				await says(span ? "Hardly anything was sent again" : "No link is refused, reset, sent again or slower than usual");
				if (span)
					await page.locator(".empty").getByText(/Most: sshd with .*, \d+ segments\. What failed, was slow or got lost is not on the Map/).waitFor();
				await press(/^Show all links \(\d+\)$/);
				await drawing();
				assert.deepEqual((await ids(page)).filter((id) => id.startsWith("process:")), ["process:sshd"]);
				await page.evaluate((h) => (location.hash = h), `#/map?filter=process:sshd&hide=process:sshd${span}`);
				await says("All links are hidden");
				await page.getByRole("button", { name: "Show sshd again" }).click();
				await drawing();
			}));

	test("what was drawn under another filter is pale until there is an answer", () =>
		withPage(mock.url, { hash: "#/map?from=-3600" }, async (page) => {
			await page.waitForSelector(".map-svg .map-bar");
			let answer;
			const asked = new Promise((done) => {
				answer = done;
			});
			await page.route(/history_peers.*nobody/, async (route) => {
				await asked;
				await route.continue();
			});
			await page.evaluate(() => (location.hash = "#/map?filter=process:nobody&from=-3600"));
			await page.waitForSelector(".map-view.stale .map-svg");
			answer();
			await page.getByRole("heading", { name: "Nothing matches this filter" }).waitFor();
			assert.equal(await page.locator(".map-view.stale").count(), 0);
		}));

	test("in Chinese, and on a phone as a list", () =>
		withPage(mock.url, { locale: "zh-CN", viewport: { width: 360, height: 800 } }, async (page) => {
			await page.waitForSelector(".map-table tbody tr");
			assert.equal(await page.locator(".map-svg").count(), 0);
			await until(async () => /[\u4e00-\u9fff]/.test(await page.locator("h1").textContent()), "a heading in Chinese");
			assert.match(await page.locator(".map-link").first().getAttribute("aria-label"), /[\u4e00-\u9fff]/);
		}));
});

if (process.env.WEIR_URL)
	everywhere("on a daemon", () => process.env.WEIR_URL.replace(/\/$/, ""));
