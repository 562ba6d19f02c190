// SPDX-License-Identifier: GPL-2.0-or-later
// The page in a real browser, on live data that changes. With WEIR_URL=http://127.0.0.1:9474 it is held against that
// daemon too; without it only against the page's mock server.
//   npm ci --prefix src/frontends/web/page && node --test tests/browser/page.test.mjs
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { PAGE, Follower, atSameSnapshot, becomes, launch, scroll, shortBytes, until, visit, wait } from "./browser.mjs";

const { startMock } = await import(`${PAGE}/dev/mock.mjs`);
const KEYS = { processes: ["pid", "start_time_ns"], flows: ["cookie", "peer_address", "peer_port"] };
const BUDGET_BYTES = 60 * 1024;

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

async function withPage(url, options, f) {
	const page = await visit(browser, url, options);
	try {
		await f(page);
		assert.deepEqual(await page.faults(), []);
	} finally {
		await page.context().close();
	}
}

const live = (page) => page.waitForSelector('[data-status="live"]');

/** What the table in sight says, read in one go, with the snapshot it belongs to. */
const readTable = (page) =>
	page.evaluate(() => ({
		snapshot: Number(document.querySelector(".table-view").dataset.snapshot),
		count: Number(document.querySelector(".table-view").dataset.rows),
		lines: [...document.querySelectorAll('[role="row"][data-key]')].map((r) => ({
			key: r.dataset.key,
			cells: Object.fromEntries([...r.querySelectorAll("[data-f]")].map((c) => [c.dataset.f, c.textContent.replace(/\u00a0/g, " ").trim()])),
		})),
	}));

function compareTable(seen, state, table) {
	assert.equal(seen.count, state.rows.size, "number of rows");
	assert.ok(seen.lines.length > 0 || state.rows.size === 0, "rows are drawn");
	for (const line of seen.lines) {
		const row = state.rows.get(line.key);
		assert.ok(row, `row ${line.key} is in the API`);
		for (const f of ["tx_bytes", "rx_bytes"])
			assert.equal(line.cells[f], shortBytes(row[f]), `${line.key} ${f}`);
		for (const f of ["tx_bytes_per_second", "rx_bytes_per_second"])
			assert.equal(line.cells[f], shortBytes(row[f], "/s"), `${line.key} ${f}`);
		if (table === "processes")
			assert.equal(line.cells.pid, String(row.pid));
		else
			assert.ok(line.cells.peer_address === "–" || line.cells.peer_address.endsWith(`:${row.peer_port}`));
	}
}

function sums(rows) {
	let tx = 0;
	let rx = 0;
	for (const r of rows) {
		tx += r.tx_bytes_per_second;
		rx += r.rx_bytes_per_second;
	}
	return { tx, rx };
}

/** What holds on any daemon. */
function everywhere(name, address) {
	describe(name, () => {
		test("the page is three requests within the budget, with a strict policy", () =>
			withPage(address(), {}, async (page) => {
				await live(page);
				const own = page.requests.filter((r) => !r.includes("/api/") && !r.endsWith("/metrics") && !r.startsWith("data:"));
				assert.equal(own.length, 3, own.join(" "));
				let sum = 0;
				for (const url of own) {
					const answer = await fetch(url);
					const csp = answer.headers.get("content-security-policy") ?? "";
					assert.match(csp, /default-src 'none'/);
					assert.doesNotMatch(csp, /unsafe|\*/);
					sum += gzipSync(Buffer.from(await answer.arrayBuffer()), { level: 9 }).length;
				}
				assert.ok(sum <= BUDGET_BYTES, `${sum} bytes gzipped`);
			}));

		test("Now: sentence, plot and talkers equal the API at the same snapshot", () =>
			withPage(address(), { hash: "#/now" }, async (page) => {
				const follower = new Follower(address(), "processes", KEYS.processes);
				try {
					await live(page);
					const read = () =>
						page.evaluate(() => ({
							snapshot: Number(document.querySelector(".now").dataset.snapshot),
							tx: document.querySelector('[data-total="tx"]').textContent,
							rx: document.querySelector('[data-total="rx"]').textContent,
							verdict: document.getElementById("verdict").textContent,
							talkers: [...document.querySelectorAll("[data-program]")].map((li) => ({
								program: li.dataset.program,
								tx: li.querySelector('[data-f="tx"] .amount').textContent,
								rx: li.querySelector('[data-f="rx"] .amount').textContent,
							})),
						}));
					const plain = (s) => s.replace(/\u00a0/g, " ");
					for (let round = 0; round < 3; round++) {
						const { seen, state } = await atSameSnapshot(follower, read);
						const rows = [...state.rows.values()];
						const total = sums(rows);
						assert.equal(plain(seen.tx), shortBytes(total.tx, "/s"));
						assert.equal(plain(seen.rx), shortBytes(total.rx, "/s"));
						/* Where both are much the same it keeps to what it said before; never to the smaller by more than that. */
						const most = / receives? /.test(plain(seen.verdict)) ? total.rx : total.tx;
						assert.ok(1.3 * most >= Math.max(total.tx, total.rx), seen.verdict);
						if (most > 0)
							assert.ok(plain(seen.verdict).includes(shortBytes(most, "/s")), seen.verdict);
						for (const t of seen.talkers) {
							const own = sums(rows.filter((r) => `${r.comm}\u0001${r.container_id || r.unit || ""}` === t.program));
							assert.equal(plain(t.tx), shortBytes(own.tx, "/s"), t.program);
							assert.equal(plain(t.rx), shortBytes(own.rx, "/s"), t.program);
						}
						await wait(700);
					}
					const inked = await page.evaluate(() => {
						const c = document.querySelector(".plot canvas");
						const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
						let n = 0;
						for (let i = 3; i < d.length; i += 4)
							n += d[i] > 0;
						return n;
					});
					assert.ok(inked > 1000, `${inked} pixels are drawn`);
				} finally {
					await follower.close();
				}
			}));

		for (const table of ["processes", "flows"])
			test(`${table}: every number in sight equals the API at the same snapshot`, () =>
				withPage(address(), { hash: `#/${table}` }, async (page) => {
					const fields = [...KEYS[table], "tx_bytes,rx_bytes,tx_bytes_per_second,rx_bytes_per_second"].join();
					const follower = new Follower(address(), table, KEYS[table], { fields });
					try {
						await live(page);
						await page.waitForSelector('[role="row"][data-key]');
						for (let round = 0; round < 3; round++) {
							const { seen, state } = await atSameSnapshot(follower, () => readTable(page));
							compareTable(seen, state, table);
							await wait(700);
						}
					} finally {
						await follower.close();
					}
				}));

		test("sorting: by the server's words, both ways, kept in the address", () =>
			withPage(address(), { hash: "#/processes" }, async (page) => {
				await live(page);
				await page.waitForSelector('[role="row"][data-key]');
				await page.getByRole("columnheader", { name: "PID" }).getByRole("button").click();
				await until(async () => (await page.evaluate(() => location.hash)).includes("sort=pid"), "sort in the address");
				await page.mouse.move(5, 5);
				const pids = async () => (await readTable(page)).lines.map((l) => Number(l.cells.pid));
				await until(async () => (await pids()).every((p, i, a) => i === 0 || a[i - 1] >= p), "largest pid first");
				await page.getByRole("columnheader", { name: "PID" }).getByRole("button").click();
				await until(async () => (await pids()).every((p, i, a) => i === 0 || a[i - 1] <= p), "smallest pid first");
				await becomes(() => page.getByRole("columnheader", { name: "PID" }).getAttribute("aria-sort"), "ascending", "its heading");
				await page.reload();
				await live(page);
				await until(async () => (await pids()).length && (await pids()).every((p, i, a) => i === 0 || a[i - 1] <= p), "the same after a reload");
			}));

		test("the filter stands in the address, survives a reload and other views, and selects what the API selects", () =>
			withPage(address(), { hash: "#/processes" }, async (page) => {
				await live(page);
				const first = await until(async () => (await readTable(page)).lines[0], "a row");
				const filter = `pid:${first.cells.pid}`;
				await page.keyboard.press("/");
				await page.keyboard.type(filter);
				await page.keyboard.press("Enter");
				const only = async () => {
					const seen = await readTable(page);
					return seen.lines.length >= 1 && seen.lines.every((l) => l.cells.pid === first.cells.pid);
				};
				await until(only, "only that process");
				assert.equal(await page.evaluate(() => location.hash), `#/processes?filter=${filter}`);
				await page.reload();
				await until(only, "the same after a reload");
				assert.equal(await page.inputValue("#filter"), filter);
				await page.getByRole("link", { name: "Flows", exact: true }).click();
				const follower = new Follower(address(), "flows", KEYS.flows, { filter });
				try {
					await page.waitForSelector('.table-view[data-snapshot]:not([data-snapshot="0"])');
					/* A silent process gives no events, so the two may stand at different snapshots for long. */
					await until(async () => (await readTable(page)).count === follower.rows.size, "as many rows as the API has");
				} finally {
					await follower.close();
				}
				assert.equal(await page.inputValue("#filter"), filter);
				await page.goBack();
				await until(only, "back in Processes");
				await page.getByRole("button", { name: "Clear the filter" }).click();
				await until(async () => (await page.evaluate(() => location.hash)) === "#/processes", "no filter");
			}));

		test("a wrong filter is one line from the daemon, and the rows of the one before stay alive", () =>
			withPage(address(), { hash: "#/processes", expect: ["status of 400"] }, async (page) => {
				await live(page);
				await page.waitForSelector('[role="row"][data-key]');
				const want = await fetch(`${address()}/api/v1/processes?filter=nonsense:1`);
				assert.equal(want.status, 400);
				const line = (await want.json()).error;
				await page.fill("#filter", "nonsense:1");
				await page.keyboard.press("Enter");
				const short = line.replace(/^filter, column 1: /, "").replace(/; processes has: .*/, "");
				assert.ok(short.length < 40, short);
				await until(async () => (await page.textContent("#filter-error")).includes(short), "the daemon's own line");
				await until(async () => /What is on show is everything, without a filter\.$/.test(await page.textContent("#filter-error")), "and what is on show");
				await page.waitForSelector('[data-status="wait"]');
				const before = (await readTable(page)).snapshot;
				await until(async () => (await readTable(page)).snapshot > before, "rows that go on");
				assert.equal(await page.getAttribute("#filter", "aria-invalid"), "true");
				await page.fill("#filter", "");
				await page.keyboard.press("Enter");
				await until(async () => (await page.textContent("#filter-error")) === "", "the line is gone");
			}));

		test("what a view does not know of a filter is left out there, in one line, and stays in the address", () =>
			withPage(address(), { hash: "#/flows?filter=transport:tcp" }, async (page) => {
				await live(page);
				await page.waitForSelector('[role="row"][data-key]');
				const seen = await readTable(page);
				const notes = () => page.evaluate(() => [...document.querySelectorAll(".filter-note")].map((p) => p.textContent).join(""));
				assert.ok(seen.lines.every((l) => l.cells.transport === "tcp"));
				assert.equal(await notes(), "");
				await page.getByRole("link", { name: "Processes", exact: true }).click();
				await page.waitForSelector('[data-f="pid"]');
				await becomes(notes, "Left out here, where it means nothing: transport:tcp", "what is left out");
				for (const view of ["now", "drops"]) {
					await page.evaluate((v) => (location.hash = `#/${v}?filter=transport:tcp`), view);
					await page.waitForSelector(`main[data-view="${view}"] h1`);
					await until(async () => /^Left out here/.test(await notes()), `${view}: what is left out`);
				}
				await page.getByRole("link", { name: "Flows", exact: true }).click();
				await page.waitForSelector('[data-f="transport"]');
				assert.equal(await page.evaluate(() => location.hash), "#/flows?filter=transport:tcp");
				await becomes(notes, "", "nothing is left out");
			}));

		test("a name alone is a filter", () =>
			withPage(address(), { hash: "#/processes" }, async (page) => {
				await live(page);
				await page.waitForSelector('[role="row"][data-key]');
				const name = (await readTable(page)).lines[0].cells.comm.slice(0, 4);
				await page.fill("#filter", name.toUpperCase());
				await page.keyboard.press("Enter");
				const total = (await (await fetch(`${address()}/api/v1/processes?limit=1`)).json()).total;
				await until(async () => {
					const { count, lines } = await readTable(page);
					return lines.length && count < total;
				}, "fewer rows");
				assert.equal(await page.textContent("#filter-error"), "");
			}));

		test("a filter that cannot be read does the same in all views", () =>
			withPage(address(), { hash: "#/now?filter=nonsense:1", expect: ["status of 400"] }, async (page) => {
				for (const view of ["now", "map", "processes", "flows", "drops", "history"]) {
					await page.evaluate((v) => (location.hash = `#/${v}?filter=nonsense:1`), view);
					await until(async () => /So nothing is on show/.test(await page.textContent("#filter-error")), `${view} says so`);
					await becomes(() => page.evaluate(() => document.querySelectorAll("[data-key], [data-program], .verdict").length), 0, view);
				}
				await page.evaluate(() => (location.hash = "#/flows"));
				await page.waitForSelector('[role="row"][data-key]');
				for (const view of ["flows", "processes", "now", "history"]) {
					await page.evaluate((v) => (location.hash = `#/${v}?filter=nonsense:1`), view);
					await until(async () => /What is on show is everything/.test(await page.textContent("#filter-error")), `${view} says so, too`);
					await page.waitForSelector("[data-key], [data-program], .verdict");
				}
			}));

		test("from the name of a view, or past the skip link, the arrows reach the rows", () =>
			withPage(address(), { hash: "#/now" }, async (page) => {
				await live(page);
				const active = () => page.evaluate(() => {
					const id = document.querySelector(".grid")?.getAttribute("aria-activedescendant");
					return { on: document.activeElement.className, row: id ? document.getElementById(id).getAttribute("aria-rowindex") : "" };
				});
				for (const view of ["Processes", "Flows"]) {
					await page.getByRole("link", { name: view, exact: true }).focus();
					await page.keyboard.press("Enter");
					await page.waitForSelector(`[aria-label="${view}"] [role="row"][data-key]`); /* not the view's before */
					await page.keyboard.press("ArrowDown");
					await until(async () => (await active()).row === "2", `${view}: the first row is chosen`);
					assert.match((await active()).on, /^grid/);
				}
				await page.focus(".skip");
				await page.keyboard.press("Enter");
				await page.keyboard.press("ArrowDown");
				assert.match((await active()).on, /^grid/);
				await page.keyboard.press("Enter");
				await page.waitForSelector(".details");
				await page.keyboard.press("Escape");
				await page.keyboard.press("Tab");
				assert.equal(await page.evaluate(() => document.activeElement.closest("[aria-sort]") !== null), true, "the column that sorts");
				const was = await page.evaluate(() => document.activeElement.textContent);
				await page.keyboard.press("ArrowLeft");
				assert.notEqual(await page.evaluate(() => document.activeElement.textContent), was);
				const ring = await page.evaluate(() => parseFloat(getComputedStyle(document.activeElement).outlineOffset));
				assert.ok(ring < 0, "a ring within the cell, which would cut it");
				await page.keyboard.press("ArrowDown");
				assert.match((await active()).on, /^grid/);
			}));

		test("everything can be done with the keyboard", () =>
			withPage(address(), { hash: "#/processes" }, async (page) => {
				await live(page);
				await page.waitForSelector('[role="row"][data-key]');
				const focus = () => page.evaluate(() => document.activeElement.id || document.activeElement.className);
				await page.keyboard.press("Tab");
				assert.equal(await focus(), "skip");
				await page.keyboard.press("Enter");
				assert.equal(await focus(), "content");
				await page.keyboard.press("/");
				assert.equal(await focus(), "filter");
				await page.keyboard.press("Escape");
				assert.notEqual(await focus(), "filter");
				await page.focus(".grid");
				await page.keyboard.press("ArrowDown");
				const active = () => page.evaluate(() => {
					const id = document.querySelector(".grid").getAttribute("aria-activedescendant");
					const row = id && document.getElementById(id);
					return row ? { key: row.dataset.key, level: row.getAttribute("aria-level"), open: row.getAttribute("aria-expanded") } : null;
				});
				const row = await until(active, "an active row");
				await page.keyboard.press("ArrowRight");
				await until(async () => (await active())?.open === "true", "its sockets are unfolded");
				await page.waitForSelector('[role="row"][aria-level="2"]');
				await page.keyboard.press("ArrowLeft");
				await until(async () => (await active())?.open === "false", "folded again");
				await page.keyboard.press("Enter");
				await page.waitForSelector(".details");
				assert.ok((await page.evaluate(() => location.hash)).includes(`row=${row.key}`));
				await page.keyboard.press("ArrowDown");
				await until(async () => !(await page.evaluate(() => location.hash)).includes(`row=${row.key}`), "the next row's details");
				await page.keyboard.press("Escape");
				await page.waitForSelector(".details", { state: "detached" });
				assert.match(await focus(), /^grid/);
				await page.keyboard.press("End");
				await page.keyboard.press("Home");
				await until(async () => (await page.evaluate(() => document.querySelector(".grid").scrollTop)) === 0, "the top again");
			}));

		test("details: every field with its help, its digits and the command that prints it", () =>
			withPage(address(), { hash: "#/processes" }, async (page) => {
				await live(page);
				const index = await (await fetch(`${address()}/api/v1`)).json();
				const declared = index.tables.find((t) => t.name === "processes").fields;
				await page.locator('[role="row"][data-key]').first().click();
				await page.waitForSelector(".details .absent");
				const seen = await page.evaluate(() => ({
					entries: [...document.querySelectorAll(".details .entry")].map((e) => ({
						name: e.dataset.f,
						value: e.querySelector(".value").textContent.replace(/\u00a0/g, " "),
						help: e.querySelector(".help").textContent,
						command: e.querySelector("button").title,
					})),
					absent: document.querySelectorAll(".details .absent span").length,
				}));
				assert.equal(seen.entries.length + seen.absent, declared.length);
				for (const e of seen.entries) {
					const field = declared.find((f) => f.name === e.name);
					assert.equal(e.help, field.help);
					assert.match(e.command, new RegExp(`^weir processes .*${e.name.replace(/\./g, "\\.")} pid:\\d+$`));
				}
				const tx = seen.entries.find((e) => e.name === "tx_bytes");
				assert.match(tx.value, /^[\d,]+ B$/);
			}));

		test("both languages: from the browser, and by the switch, which is remembered", () =>
			withPage(address(), { locale: "zh-CN" }, async (page) => {
				await live(page);
				assert.equal(await page.evaluate(() => document.documentElement.lang), "zh");
				assert.deepEqual(await page.locator("nav a").allTextContents(), ["此刻", "连线图", "进程", "连接", "丢包", "历史", "体检"]);
				await page.getByRole("link", { name: "进程", exact: true }).click();
				await page.waitForSelector('[role="row"][data-key]');
				const heads = () => page.locator('[role="columnheader"]').allTextContents();
				await until(async () => (await heads()).some((s) => s.startsWith("已发送")), "Chinese headings");
				await page.getByRole("button", { name: "English" }).click();
				await until(async () => (await page.evaluate(() => document.documentElement.lang)) === "en", "English");
				await page.reload();
				await live(page);
				assert.deepEqual(await page.locator("nav a").allTextContents(), ["Now", "Map", "Processes", "Flows", "Drops", "History", "Doctor"]);
			}));
	});
}

let mock;
describe("on the mock server", () => {
	before(async () => {
		mock = await startMock({ tick: 1000 });
	});
	after(() => mock?.close());

	everywhere("any daemon", () => mock.url);

	test("headings are Chinese however late their words arrive", async () => {
		const page = await visit(browser, mock.url, { locale: "zh-CN" });
		try {
			await live(page);
			await page.route("**/fields.js*", async (route) => {
				await wait(1500);
				await route.continue();
			});
			await page.evaluate(() => (location.hash = "#/processes"));
			await page.reload();
			await page.waitForSelector('[role="row"][data-key]');
			const heads = () => page.locator('[role="columnheader"]').allTextContents();
			const english = async () => (await heads()).filter((s) => /[A-Z]{4}/.test(s)).length;
			assert.ok(await english() > 2, "drawn before");
			await until(async () => await english() === 0, "Chinese headings");
			assert.deepEqual(await page.faults(), []);
		} finally {
			await page.context().close();
		}
	});

	test("hostile names are inert and readable in every view", async () => {
		for (const hash of ["#/now?filter=user:mallory", "#/processes?filter=user:mallory", "#/flows?filter=user:mallory"])
			await withPage(mock.url, { hash, viewport: { width: 1440, height: 2600 } }, async (page) => {
				await live(page);
				if (!hash.startsWith("#/now")) {
					await page.waitForSelector('[role="row"][data-key]');
					await page.locator('[role="row"][data-key]').first().click();
					await page.waitForSelector(".details .absent");
				}
				await wait(1200);
				const seen = await page.evaluate(() => ({
					text: document.body.innerText,
					title: document.title,
					made: document.querySelectorAll("[onload], [onerror], img, iframe, object, embed").length,
				}));
				assert.doesNotMatch(seen.title, /owned/);
				assert.equal(seen.made, 0);
				assert.ok(seen.text.includes("<svg/onload=document.title='owned'>"), hash);
				assert.ok(seen.text.includes("a\\u{202e}gpj.exe"));
				assert.ok(seen.text.includes("\\x1b[31;5mred\\x1b[0m"));
				assert.doesNotMatch(seen.text, /[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
			});
	});

	test("a hostile name's link filters for it and its command is quoted", () =>
		withPage(mock.url, { hash: "#/now?filter=user:mallory" }, async (page) => {
			await live(page);
			for (const n of [0, 1, 2, 3, 4, 5]) {
				await page.locator(".talkers li a").nth(n).click();
				await page.waitForSelector('[role="row"][data-key]');
				await until(async () => (await readTable(page)).count === 1, "that program alone");
				const command = await page.locator(".table-head .command").getAttribute("title");
				assert.match(command, /^weir processes user:mallory ('[^']*'|process:[\w:.\/-]+)$/);
				await page.goBack();
				await page.waitForSelector(".talkers li");
			}
		}));

	test("losses are a badge with the exact count", () =>
		withPage(mock.url, {}, async (page) => {
			await live(page);
			assert.equal(await page.locator(".badge").count(), 0);
			mock.world.lost = 1234567;
			await page.getByText("1,234,567 events lost").first().waitFor();
			/* A span that was over before lost none of them. */
			await page.evaluate(() => (location.hash = "#/flows?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z"));
			await until(async () => (await page.locator(".table-view, .empty").count()) && !(await page.locator(".badge").count()), "no badge in the past");
			mock.world.lost = 0;
		}));

	test("a daemon that falls silent is called stalled, and live again once it speaks", () =>
		withPage(mock.url, {}, async (page) => {
			await live(page);
			mock.frozen = true;
			try {
				await page.waitForSelector('[data-status="stalled"]', { timeout: 8000 });
			} finally {
				mock.frozen = false;
			}
			await live(page);
		}));

	test("a daemon that goes away and comes back is found again", async (t) => {
		let other = await startMock({ tick: 500 });
		const { url } = other;
		const page = await visit(browser, url, { expect: ["Failed to load", "ERR_", "net::"] });
		try {
			await live(page);
			await other.close();
			await page.waitForSelector('[data-status="off"]', { timeout: 8000 });
			other = await startMock({ tick: 500, port: Number(new URL(url).port) });
			await live(page);
			assert.deepEqual(await page.faults(), []);
		} finally {
			await page.context().close();
			await other.close();
		}
		t.diagnostic("gone, and back without a reload");
	});

	/* How soon, make bench-check tells. */
	test("a new connection is on the page without waiting for a tick", async () => {
		const process = [...mock.world.processes.values()][0];
		await withPage(mock.url, { hash: `#/flows?filter=pid:${process.row.pid}` }, async (page) => {
			await live(page);
			await page.waitForSelector('[role="row"][data-key]');
			mock.frozen = true;
			try {
				for (let i = 0; i < 5; i++) {
					const { cookie } = mock.world.addFlow(process).row;
					await wait(137);
					mock.push();
					await page.waitForSelector(`[data-key^="${cookie}~"]`);
				}
			} finally {
				mock.frozen = false;
			}
		});
	});
});

describe("on a large host (10,000 flows, 2,000 processes, mock)", () => {
	let large;
	before(async () => {
		large = await startMock({ flows: 10000, processes: 2000, tick: 1000 });
	});
	after(() => large?.close());

	/* How smooth it is, make bench-check tells. */
	test("only the rows in sight are drawn, wherever one scrolls, and they are the API's", () =>
		withPage(large.url, { hash: "#/flows" }, async (page) => {
			await page.waitForSelector('[role="row"][data-key]');
			await page.waitForFunction(() => Number(document.querySelector(".table-view").dataset.rows) >= 10000);
			const most = await scroll(page, 1500);
			assert.ok(most > 0 && most < 60, `${most} of 10,000 rows at once`);
			const fields = "tx_bytes,rx_bytes,tx_bytes_per_second,rx_bytes_per_second";
			const follower = new Follower(large.url, "flows", KEYS.flows, { fields });
			try {
				const { seen, state } = await atSameSnapshot(follower, () => readTable(page));
				compareTable(seen, state, "flows");
			} finally {
				await follower.close();
			}
		}));
});

if (process.env.WEIR_URL) {
	const url = process.env.WEIR_URL.replace(/\/$/, "");
	describe(`on ${url}`, () => {
		/* Something that moves, so that there is something to see. */
		let server;
		let client;
		let timer;
		before(async () => {
			server = createServer((s) => s.on("data", () => {}).on("error", () => {})).listen(0, "127.0.0.1");
			await new Promise((done) => server.once("listening", done));
			client = connect(server.address().port, "127.0.0.1");
			await new Promise((done) => client.once("connect", done));
			timer = setInterval(() => client.write(Buffer.alloc(30011)), 50);
		});
		after(() => {
			clearInterval(timer);
			client?.destroy();
			server?.close();
		});

		everywhere("the daemon", () => url);

		test("a connection that moves known bytes shows them to the byte", () =>
			withPage(url, { hash: `#/flows?filter=pid:${process.pid}` }, async (page) => {
				const known = connect(server.address().port, "127.0.0.1");
				await new Promise((done) => known.once("connect", done));
				const { localPort } = known;
				known.write(Buffer.alloc(1234567));
				try {
					await live(page);
					await page.fill("#filter", `local_port:${localPort}`);
					await page.keyboard.press("Enter");
					await until(async () => {
						const { lines } = await readTable(page);
						return lines.length === 1 && lines[0].cells.tx_bytes === "1.23 MB";
					}, "its row alone, with the sum");
					await page.locator('[role="row"][data-key]').first().click();
					await page.waitForSelector(".details .absent");
					const digits = await page.locator('.details [data-f="tx_bytes"] .value').textContent();
					assert.equal(digits.replace(/\u00a0/g, " "), "1,234,567 B");
				} finally {
					known.destroy();
				}
			}));
	});
}
