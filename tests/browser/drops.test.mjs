// SPDX-License-Identifier: GPL-2.0-or-later
// Drops, and what Now says of it, in a real browser. With WEIR_URL=http://127.0.0.1:9474 it is held against that daemon
// too; without it only against the page's mock server.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PAGE, Follower, atSameSnapshot, launch, scroll, until, visit, wait, whileLive } from "./browser.mjs";

const { startMock } = await import(`${PAGE}/dev/mock.mjs`);
const CLASSES = ["bug", "attack", "tune", "unknown", "expected"];

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

async function withPage(url, options, f) {
	const page = await visit(browser, url, { hash: "#/drops", viewport: { width: 1280, height: 860 }, ...options });
	await whileLive(page, f);
}

const classOf = (row) => (CLASSES.includes(row.class) ? row.class : "unknown");
const thousands = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

/** What is in sight of Drops, read in one go. */
const read = (page) =>
	page.evaluate(() => {
		const text = (e) => (e ? e.textContent.replace(/\u00a0/g, " ").trim() : null);
		const all = (name) => Object.fromEntries([...document.querySelectorAll(`[data-${name}]`)].map((e) => [e.dataset[name], text(e)]));
		return {
			snapshot: Number(document.querySelector(".table-view").dataset.snapshot),
			count: Number(document.querySelector(".table-view").dataset.rows),
			total: all("total"),
			rates: all("rate"),
			sums: all("sum"),
			lines: [...document.querySelectorAll("[data-group], [data-key]")]
				.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)
				.map((e) => ({
					group: e.dataset.group ?? null,
					key: e.dataset.key ?? null,
					expanded: e.getAttribute("aria-expanded"),
					text: text(e),
					name: text(e.querySelector(".name bdi")),
					rate: text(e.querySelector('[data-f="packets_per_second"]')),
					packets: text(e.querySelector('[data-f="packets"]')),
				})),
		};
	});

const groups = async (page) => (await read(page)).lines.filter((l) => l.group).map((l) => l.group);
const row = (page, reason) => page.locator("[data-key]").filter({ has: page.getByText(reason, { exact: true }) }).first();

async function keysOf(url) {
	const table = (await (await fetch(`${url}/api/v1`)).json()).tables.find((t) => t.name === "drops");
	return table?.fields.filter((f) => f.key).map((f) => f.name);
}

function compare(seen, state) {
	const rows = [...state.rows.values()];
	assert.equal(seen.count, rows.length, "number of rows");
	const sum = (list, field) => list.filter((r) => r.overlaps !== true).reduce((n, r) => n + Number(r[field]), 0);
	assert.equal(seen.total.packets, thousands(sum(rows, "packets")), "packets in all");
	assert.equal(seen.total.rate, thousands(sum(rows, "packets_per_second")), "packets a second");
	for (const c of CLASSES) {
		const own = rows.filter((r) => classOf(r) === c);
		if (c === "unknown" && !own.length)
			continue;
		assert.equal(seen.sums[c], thousands(sum(own, "packets")), `${c}: packets`);
		assert.equal(seen.rates[c], `${thousands(sum(own, "packets_per_second"))}/s`, `${c}: rate`);
	}
	for (const line of seen.lines.filter((l) => l.key)) {
		const r = state.rows.get(line.key);
		assert.ok(r, `row ${line.key} is in the API`);
		assert.equal(line.packets, thousands(r.packets), line.key);
		assert.equal(line.rate, thousands(r.packets_per_second), line.key);
	}
}

/** What holds on any daemon. */
function everywhere(name, address) {
	describe(name, () => {
		test("Drops: sums, classes and rows equal the API at the same snapshot", async (t) => {
			const keys = await keysOf(address());
			if (!keys)
				return t.skip("the daemon has no drops");
			await withPage(address(), {}, async (page) => {
				const follower = new Follower(address(), "drops", keys);
				try {
					for (let round = 0; round < 3; round++) {
						const { seen, state } = await atSameSnapshot(follower, () => read(page));
						compare(seen, state);
						await wait(700);
					}
				} finally {
					await follower.close();
				}
			});
		});
	});
}

let mock;
describe("on the mock server", () => {
	before(async () => {
		mock = await startMock({ tick: 700 });
	});
	after(() => mock?.close());

	everywhere("any daemon", () => mock.url);

	test("what matters stands first; what is expected is one line until it is asked for", () =>
		withPage(mock.url, { viewport: { width: 1280, height: 1400 } }, async (page) => {
			await page.waitForSelector("[data-group]");
			/* In a tick in which it loses nothing a class has no rows above the quiet ones. */
			const all = [...CLASSES.slice(0, -1), "quiet", "expected"].join();
			const { lines, sums } = await until(async () => {
				const now = await read(page);
				return now.lines.filter((l) => l.group).map((l) => l.group).join() === all && now;
			}, `the classes ${all}`);
			const live = lines.filter((l) => l.key).map((l) => l.rate !== "0");
			assert.ok(live.includes(true) && live.indexOf(false) > live.lastIndexOf(true), "what is lost now stands above all that is not");
			const of = (c) => {
				const at = lines.findIndex((l) => l.group === c);
				const next = lines.findIndex((l, i) => i > at && l.group);
				return lines.slice(at + 1, next < 0 ? undefined : next);
			};
			const matter = ["bug", "attack", "tune", "unknown", "quiet"].flatMap(of);
			assert.ok(of("tune").length > 1 && of("quiet").length && matter.length > 8);
			const rates = of("tune").map((l) => [Number(l.rate), Number(l.packets.replace(/,/g, ""))]);
			assert.ok(rates.every((r, i) => !i || rates[i - 1][0] > r[0] || (rates[i - 1][0] === r[0] && rates[i - 1][1] >= r[1])), String(rates));
			const expected = lines.at(-1);
			assert.equal(expected.expanded, "false");
			assert.equal(of("expected").length, 0);
			assert.ok(expected.text.includes(`expected: ${sums.expected} packets in 4 reasons`), expected.text);
			assert.ok(expected.text.includes("show"));
			await page.locator('[data-group="expected"]').click();
			await row(page, "NO_SOCKET").waitFor();
			await page.locator('[data-group="tune"]').click();
			await row(page, "SOCKET_RCVBUFF").waitFor({ state: "detached" });
		}));

	test("what is counted elsewhere too says so, and is in no sum", () =>
		withPage(mock.url, {}, async (page) => {
			await row(page, "softnet_dropped").getByText("counted elsewhere too").waitFor();
			assert.equal(await page.locator(".also-counted").count(), 1);
		}));

	test("a row opens to its meaning, its cure, its packet, its path and its owner", () =>
		withPage(mock.url, {}, async (page) => {
			await row(page, "SOCKET_RCVBUFF").click();
			await page.waitForSelector('.details [data-f="stack"]');
			const part = (f) => page.locator(`.details [data-f="${f}"]`);
			assert.match(await part("meaning").textContent(), /receive buffer is full/);
			assert.match(await part("advice").textContent(), /SO_RCVBUF/);
			assert.match(await part("sample").textContent(), /udp 10\.0\.0\.8:40312 > 10\.0\.0\.4:8125 len 120/);
			assert.equal(await part("stack").locator("li").count(), 9);
			assert.match(await page.locator(".story-class").textContent(), /tune/);
			const command = await page.locator(".details .command").getAttribute("title");
			assert.match(command, /^weir drops -J reason:SOCKET_RCVBUFF location:udp_queue_rcv_one_skb\+0x1a3 device:lo pid:\d+ netns:\d+ source:packet$/);
			const hash = await page.evaluate(() => location.hash);
			await page.reload();
			await page.waitForSelector('.details [data-f="stack"]');
			assert.equal(await page.evaluate(() => location.hash), hash, "the open row stands in the address");
			await part("owner").getByRole("link", { name: "redis-server" }).click();
			await page.waitForSelector('[data-view="processes"] .details');
			assert.equal(await page.locator(".details h2").textContent(), "redis-server");
		}));

	test("everything can be done with the keyboard", () =>
		withPage(mock.url, {}, async (page) => {
			await page.waitForSelector("[data-group]");
			await page.focus(".grid");
			const active = () => page.evaluate(() => {
				const e = document.getElementById(document.querySelector(".grid").getAttribute("aria-activedescendant"));
				return e && { group: e.dataset.group, key: e.dataset.key, open: e.getAttribute("aria-expanded"), level: e.ariaLevel };
			});
			const press = async (key, test, what) => {
				await page.keyboard.press(key);
				return until(async () => {
					const a = await active();
					return a && test(a) ? a : null;
				}, what);
			};
			await press("End", (a) => a.group === "expected" && a.open === "false", "the last line");
			await press("ArrowRight", (a) => a.open === "true", "unfolded");
			const first = await press("ArrowDown", (a) => a.key && a.level === "2", "its first row");
			await page.keyboard.press("Enter");
			await page.waitForSelector(".details .figures");
			assert.ok(decodeURIComponent(await page.evaluate(() => location.hash)).includes(`row=${first.key}`));
			await page.keyboard.press("ArrowDown");
			await until(async () => !decodeURIComponent(await page.evaluate(() => location.hash)).includes(`row=${first.key}`), "the next row");
			await page.keyboard.press("Escape");
			await page.waitForSelector(".details", { state: "detached" });
			await press("ArrowLeft", (a) => a.group === "expected", "its heading");
			await press("ArrowLeft", (a) => a.open === "false", "folded");
			await press("Enter", (a) => a.open === "true", "unfolded by Enter");
			await press("Home", (a) => a.group === "bug", "the first line");
		}));

	test("the filter language, in the address and by a click on a class", () =>
		withPage(mock.url, { hash: "#/drops?filter=reason:SOCKET_*", expect: ["status of 400"] }, async (page) => {
			await until(async () => (await read(page)).count === 1, "that reason alone");
			await page.fill("#filter", "");
			await page.keyboard.press("Enter");
			await until(async () => (await read(page)).count === 14, "all rows");
			await page.getByRole("link", { name: /expected/ }).click();
			await until(async () => (await groups(page)).join() === "expected", "the expected ones alone");
			assert.equal(await page.evaluate(() => location.hash), "#/drops?filter=class:expected");
			await until(async () => (await read(page)).lines.length === 5, "unfolded: they were asked for");
			await page.getByRole("link", { name: /tune/ }).click();
			await until(async () => (await groups(page)).join() === "tune,quiet", "another class in its place");
			await page.getByRole("link", { name: /tune/ }).click();
			await until(async () => (await read(page)).count === 14, "all again");
			await page.fill("#filter", "transport:tcp");
			await page.keyboard.press("Enter");
			await page.getByText("Left out here, where it means nothing: transport:tcp").waitFor();
			await until(async () => (await read(page)).count === 14, "all rows");
		}));

	test("on a phone rows of one reason say whom they hit", () =>
		withPage(mock.url, { viewport: { width: 390, height: 844 } }, async (page) => {
			const line = page.locator("[data-key]").filter({ hasText: "SOCKET_RCVBUFF" }).first();
			await line.waitFor();
			assert.match(await line.locator(".below").first().textContent(), /^redis-server \d+ · /);
		}));

	test("hostile names are inert and readable, in the table and in Now's findings", async () => {
		const other = await startMock({ tick: 700, drops: 42 });
		try {
			const evil = "<svg/onload=document.title='owned'>";
			other.world.said = [{
				feature: "drops", id: "x", class: "tune", summary: `7 packets lost: ${evil}`, advice: "a\u202egpj.exe", object: "drops",
				filter: "reason:\"><img src=x onerror=alert(1)>", since: null, pid: 1, comm: evil,
			}];
			for (const hash of ["#/drops?filter=unit:user@1001*", "#/now"])
				await withPage(other.url, { hash, viewport: { width: 1280, height: 2400 }, expect: ["status of 400"] }, async (page) => {
					if (hash !== "#/now") {
						for (const c of ["expected", "unknown"])
							if ((await page.locator(`[data-group="${c}"][aria-expanded="false"]`).count()) > 0)
								await page.locator(`[data-group="${c}"]`).click();
						await page.locator("[data-key]").first().click();
						await page.waitForSelector(".details .figures");
					}
					await wait(1000);
					const seen = await page.evaluate(() => ({
						text: document.body.innerText,
						title: document.title,
						made: document.querySelectorAll("[onload], [onerror], img, iframe, object, embed").length,
					}));
					assert.doesNotMatch(seen.title, /owned/);
					assert.equal(seen.made, 0);
					assert.ok(seen.text.includes(evil), hash);
					assert.ok(seen.text.includes("a\\u{202e}gpj.exe"), hash);
					assert.doesNotMatch(seen.text, /[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
				});
		} finally {
			await other.close();
		}
	});

	/* How much of the plot has the orange of "tune", light. */
	const drawn = (page) => page.evaluate(() => {
		const c = document.querySelector(".losses .plot canvas");
		const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
		let from = c.width;
		for (let i = 0; i < d.length; i += 4)
			if (d[i] > 225 && d[i + 1] < 228 && d[i + 2] < 205 && d[i + 3] > 250)
				from = Math.min(from, (i / 4) % c.width);
		return (c.width - from) / (c.width - 74);
	});
	const share = (page, least) => until(async () => {
		const part = await drawn(page);
		assert.ok(part > least, `${(part * 100).toFixed(0)} % of the plot is drawn`);
		return true;
	}, `more than ${least * 100} %`);

	test("the plot has a past when it is opened, class by class, and says what it shows", () =>
		withPage(mock.url, { hash: "#/drops?filter=device:*" }, async (page) => {
			await page.getByRole("heading", { name: "Packets lost a second, last 5 min" }).waitFor();
			await share(page, 0.95);
			const asked = mock.log.filter((u) => u.includes("/history_rates?")).map((u) => new URLSearchParams(u.split("?")[1]))
				.filter((p) => p.get("fields")?.includes("lost_packets")).map((p) => p.get("filter"));
			const wanted = [...CLASSES.filter((c) => c !== "unknown").map((c) => `device:* class:${c}`), "device:* not class:bug,attack,tune,expected"];
			assert.deepEqual(wanted.filter((w) => !asked.includes(w)), []);
			assert.equal(await page.getByText("Drawn since").count(), 0);
		}));

	test("without a past the plot says since when it draws, and Now's looks are its past", () =>
		withPage(mock.url, { hash: "#/now", expect: ["Failed to load", "ERR_", "503"] }, async (page) => {
			await page.route(/history_rates/, (route) => route.fulfill({ status: 503, body: "{}" }));
			await wait(7500);
			await page.getByRole("link", { name: "Drops", exact: true }).click();
			await page.waitForSelector("[data-group]");
			await page.getByRole("heading", { name: "Packets lost a second, last 1 min" }).waitFor();
			await page.getByText(/Drawn since \d\d:\d\d:\d\d\./).waitFor();
			await share(page, 0.1);
		}));

	test("Now says what needs a hand, at most three, each with its cure and its way to the rows", () =>
		withPage(mock.url, { hash: "#/now" }, async (page) => {
			await page.waitForSelector(".findings li");
			assert.equal(await page.locator(".findings li").count(), 3);
			assert.deepEqual(await page.locator(".findings .class-word").allTextContents(), ["bug", "attack", "tune"]);
			await page.locator(".findings").getByText("and 2 more").waitFor();
			const first = await page.evaluate(() => [...document.querySelectorAll("main section, .now-head")].map((e) => e.className).slice(0, 2));
			assert.deepEqual(first, ["now-head", "findings"], "right below the sentence");
			const tune = page.locator(".findings li.tune");
			assert.match(await tune.textContent(), /redis-server's receive buffer is full.*Give the program more processor time/);
			await tune.getByRole("link").click();
			await until(async () => (await read(page)).count === 1, "its rows");
			await until(async () => /^reason:SOCKET_RCVBUFF pid:\d+$/.test(await page.inputValue("#filter")), "its filter");
		}));

	for (const [width, height] of [[1280, 860], [390, 844]])
		test(`what is found while Now is read moves nothing, ${width} px wide`, async () => {
			const other = await startMock({ tick: 700 });
			const finding = (id, more = "") => ({
				feature: "drops", id, class: "tune", summary: `${id} packets a second lost on lo: statsd's receive buffer is full${more}`,
				advice: "Give the program more processor time.", object: "drops", filter: "", since: null, pid: null, comm: null,
			});
			other.world.said = [];
			other.doctor = [{ feature: "drops", hook_set: "tp", state: "on", reason: null, cure: null }];
			try {
				await withPage(other.url, { hash: "#/now", viewport: { width, height } }, async (page) => {
					/* From the end of the answer: who else sends most may need a line more to be named. */
					const tops = () => page.evaluate(() => [...document.querySelectorAll(".rates, .plot, .talkers, .new, .health")]
						.map((e) => Math.round(e.getBoundingClientRect().top - document.querySelector(".now-head").getBoundingClientRect().bottom)).join());
					const found = (n) => until(async () => (await page.locator(".findings li").count()) === n, `${n} of them`);
					const line = page.locator(".findings");
					await line.getByText("Nothing needs a hand").waitFor();
					await until(() => page.evaluate(() => document.querySelectorAll(".talkers li, .health li, .new li").length > 8), "all of Now");
					await until(async () => / Slowest: .* Lost now: /.test(await page.textContent(".verdict-sub")), "its sentence");
					const quiet = await tops();
					other.world.said = [1, 2, 3, 4].map((id) => finding(id));
					await found(1);
					assert.equal(await tops(), quiet, "the first findings");
					assert.match(await line.textContent(), /^and 3 more →.*tune 1 packets a second/);
					assert.ok(await page.evaluate(() => document.querySelector(".findings li").offsetHeight < 40), "a line");
					/* Who comes anew sees them whole, with their cures. */
					await page.locator("nav").getByRole("link", { name: "Doctor" }).click();
					await page.waitForSelector('[data-view="doctor"] .doctor-features');
					await page.locator("nav").getByRole("link", { name: "Now" }).click();
					await found(3);
					assert.equal(await page.locator(".finding-advice:visible").count(), 3);
					await until(() => page.evaluate(() => document.querySelectorAll(".talkers li, .health li, .new li").length > 8), "all of Now");
					await until(async () => / Slowest: .* Lost now: /.test(await page.textContent(".verdict-sub")), "its sentence");
					const three = await tops();
					other.world.said = [5, 6, 7, 8, 9].map((id) => finding(id, ", and much more is to be said of it than there was room for".repeat(4)));
					await line.getByText("and 2 more").waitFor();
					assert.equal(await tops(), three, "other ones");
					other.world.said = [];
					await found(0);
					assert.equal(await tops(), three, "none any more");
				});
			} finally {
				await other.close();
			}
		});

	for (const [width, lines, below] of [[390, 3, 4], [820, 2, 3], [1280, 1, 2]])
		test(`what Now says has its room before it needs it, ${width} px wide`, async () => {
			const calm = await startMock({ calm: true });
			try {
				await withPage(calm.url, { hash: "#/now", viewport: { width, height: 844 } }, async (page) => {
					await page.waitForSelector(".talkers");
					const { has, needs } = await page.evaluate(([lines, below]) => {
						const high = (name) => parseFloat(getComputedStyle(document.querySelector(name)).lineHeight);
						const gap = parseFloat(getComputedStyle(document.querySelector(".verdict-sub")).marginTop);
						return { has: document.querySelector(".now-head").offsetHeight, needs: lines * high(".verdict") + gap + below * high(".verdict-sub") };
					}, [lines, below]);
					assert.ok(has >= Math.floor(needs), `${has} of ${needs} px`);
				});
			} finally {
				await calm.close();
			}
		});

	test("Now begins with the findings that there are: nothing is drawn below that they would push", () =>
		withPage(mock.url, { hash: "#/drops" }, async (page) => {
			await page.waitForSelector("[data-group]");
			await page.route("**/api/v1/findings*", async (route) => {
				await wait(600);
				await route.continue();
			});
			await page.goto(`${mock.url}/#/now`);
			await page.reload();
			await page.waitForSelector(".findings li");
			await page.waitForSelector(".rates");
			const pushed = await page.evaluate(() => new Promise((done) => {
				new PerformanceObserver((list) => done(list.getEntries().flatMap((e) => e.sources.map((s) => s.node?.className))
					.filter((c) => /^(column|aside|rates|plot)$/.test(c)))).observe({ type: "layout-shift", buffered: true });
				setTimeout(() => done([]), 1000);
			}));
			assert.deepEqual(pushed, []);
		}));

	test("below a pointer a row stays where it is, whatever it loses meanwhile", async () => {
		const other = await startMock({ tick: 500 });
		try {
			await withPage(other.url, { viewport: { width: 1280, height: 1400 } }, async (page) => {
				const loss = (reason) => [...other.world.drops.values()].find((r) => r.row.reason === reason).row;
				const tops = async () => (await read(page)).lines.map((l) => l.group ?? l.key).join(" ");
				await page.waitForSelector('[data-group="quiet"]');
				await row(page, "QDISC_DROP").hover();
				await page.waitForSelector(".grid[data-held]");
				const before = await tops();
				loss("QDISC_DROP").level = 500;
				loss("SOCKET_RCVBUFF").level = 0;
				const rate = (reason) => row(page, reason).locator('[data-f="packets_per_second"]').textContent();
				await until(async () => (await rate("QDISC_DROP")) !== "0" && (await rate("SOCKET_RCVBUFF")) === "0", "that they have changed");
				assert.equal(await tops(), before);
				await page.mouse.move(5, 5);
				await until(async () => (await tops()) !== before, "the order of now");
				const { lines } = await read(page);
				assert.ok(lines.findIndex((l) => l.name === "QDISC_DROP") < lines.findIndex((l) => l.group === "quiet"));
			});
		} finally {
			await other.close();
		}
	});

	test("what the daemon says is in the page's language", () =>
		withPage(mock.url, { locale: "zh-CN" }, async (page) => {
			await row(page, "SOCKET_RCVBUFF").click();
			await page.locator('.details [data-f="meaning"]').getByText("套接字的接收缓冲区已满").waitFor();
			assert.match(await page.locator('.details [data-f="advice"]').textContent(), /SO_RCVBUF.*ss -uampn。/);
			await page.evaluate(() => {
				location.hash = "#/now";
			});
			await page.locator(".findings").getByText(/^lo 每秒丢失 \d+ 个包：redis-server 的接收缓冲区已满；程序读取太慢$/).waitFor();
			assert.doesNotMatch(await page.locator(".findings").textContent(), /packets|lost|arrive/);
		}));

	test("what happens on the page moves nothing", () =>
		withPage(mock.url, {}, async (page) => {
			for (const hash of ["#/drops", "#/now"]) {
				await page.evaluate((h) => {
					location.hash = h;
				}, hash);
				if (hash === "#/now") /* each answer has come once */
					await until(async () => / Slowest: .* Lost now: /.test(await page.textContent(".verdict-sub")) && (await page.locator(".findings li").count()) === 3, "all of Now");
				await wait(2500);
				const same = await page.evaluate(() => new Promise((done) => {
					const at = () => [...document.querySelectorAll(".losses, .grid, .classes li, .now-head, .rates, .findings li")]
						.map((e) => Math.round(e.getBoundingClientRect().top)).join();
					const before = at();
					setTimeout(() => done(before === at()), 4000);
				}));
				assert.ok(same, `${hash}: a block moved`);
			}
		}));

	test("no loss, no findings", async () => {
		const other = await startMock({ tick: 700, drops: 0 });
		try {
			await withPage(other.url, {}, async (page) => {
				await page.getByText("No packet was lost", { exact: true }).waitFor();
				assert.match(await page.locator(".empty-sub").textContent(), /^None since (\d{4}-\d\d-\d\d )?\d\d:\d\d/);
				assert.equal((await read(page)).total.packets, "0");
				await page.getByRole("link", { name: "Now", exact: true }).click();
				await page.getByText("Nothing needs a hand").waitFor();
				assert.equal(await page.locator(".findings li").count(), 0);
				await page.fill("#filter", "process:nothing");
				await page.keyboard.press("Enter");
				await page.getByRole("link", { name: "Drops", exact: true }).click();
				await page.getByText("Nothing matches this filter").waitFor();
			});
			other.doctor = [
				{ feature: "drops", hook_set: "tp", state: "unavailable", reason: "the kernel lacks skb:kfree_skb", cure: null },
				{ feature: "drops", hook_set: "other", state: "unavailable", reason: "and that too", cure: null },
			];
			await withPage(other.url, {}, async (page) => {
				await page.getByText("the kernel lacks skb:kfree_skb").waitFor();
				assert.equal(await page.getByText("No packet was lost").count(), 0, "who cannot see does not say so");
				await page.locator("nav").getByRole("link", { name: "Now" }).click();
				await page.waitForSelector(".findings");
				await page.waitForSelector(".talkers li");
				assert.equal(await page.getByText("Nothing needs a hand").count(), 0);
			});
		} finally {
			await other.close();
		}
	});

	test("a daemon without drops says so, and Now stands without findings", async () => {
		const other = await startMock({ tick: 700 });
		try {
			other.tables = other.tables.filter((t) => t.name !== "drops" && t.name !== "findings");
			await withPage(other.url, {}, async (page) => {
				await page.getByText("Lost packets cannot be seen here").waitFor();
				await page.getByRole("link", { name: "Now", exact: true }).click();
				await page.waitForSelector(".talkers li");
				await wait(1500);
				assert.deepEqual(page.requests.filter((r) => !/\.(js|css)$/.test(r) && /findings|drops/.test(new URL(r).pathname + new URL(r).search)), []);
			});
		} finally {
			await other.close();
		}
	});
});

/* How smooth it is, make bench-check tells. */
test("of 1,000 rows that all change each second only those in sight are drawn, wherever one scrolls", async () => {
	const large = await startMock({ tick: 1000, drops: 1000 });
	try {
		await withPage(large.url, {}, async (page) => {
			await page.waitForSelector("[data-key]");
			const most = await scroll(page, 1500);
			assert.ok(most > 0 && most < 60, `${most} rows at once`);
		});
	} finally {
		await large.close();
	}
});

if (process.env.WEIR_URL)
	everywhere(`on ${process.env.WEIR_URL}`, () => process.env.WEIR_URL.replace(/\/$/, ""));
