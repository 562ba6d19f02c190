// SPDX-License-Identifier: GPL-2.0-or-later
// The one time axis, what a number says of itself, Doctor, and views that are loaded when they are opened. With
// WEIR_URL=http://127.0.0.1:9474 what needs no made-up past is held against that daemon too.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PAGE, accessible, becomes, launch, shortBytes, until, visit, wait, whileLive } from "./browser.mjs";

const { startMock } = await import(`${PAGE}/dev/mock.mjs`);

let browser;
let mock;
before(async () => {
	browser = await launch();
	mock = await startMock({ tick: 1000 });
});
after(async () => {
	await browser?.close();
	await mock?.close();
});

async function withPage(url, options, f) {
	const page = await visit(browser, url, { viewport: { width: 1280, height: 860 }, ...options });
	await whileLive(page, f);
}

const plain = (s) => s.replace(/\u00a0/g, " ").trim();
const hash = (page) => page.evaluate(() => location.hash);
const ask = async (url, path) => (await fetch(`${url}/api/v1${path ? `/${path}` : ""}`)).json();
const cells = (page) =>
	page.evaluate(() => [...document.querySelectorAll('[role="row"][data-key]')].map((r) => ({
		key: r.dataset.key,
		cells: Object.fromEntries([...r.querySelectorAll("[data-f]")].map((c) => [c.dataset.f, c.textContent.replace(/\u00a0/g, " ").trim()])),
	})));

/* A span that is over, so that two questions have one answer. */
const SPAN = () => {
	const at = (ms) => new Date(Math.floor(ms / 60e3) * 60e3).toISOString().replace(".000Z", "Z");
	return { from: at(Date.now() - 3 * 3600e3), to: at(Date.now() - 2 * 3600e3) };
};

describe("a span of the past", () => {
	const span = SPAN();
	const words = `from=${span.from}&to=${span.to}`;

	test("Now: sentence, sums and programs are those of the API, and it says that this is the past", () =>
		withPage(mock.url, { hash: `#/now?${words}` }, async (page) => {
			await page.waitForSelector(".talkers li");
			const { rows } = await ask(mock.url, `history?${words}`);
			const sum = (f) => rows.reduce((n, r) => n + r[f], 0);
			const seen = await page.evaluate(() => ({
				past: document.querySelector(".past-line").textContent,
				verdict: document.getElementById("verdict").textContent,
				tx: document.querySelector('[data-total="tx"]').textContent,
				rx: document.querySelector('[data-total="rx"]').textContent,
				talkers: [...document.querySelectorAll("[data-program]")].map((li) => ({
					name: li.querySelector(".who-name").textContent,
					tx: li.querySelector('[data-f="tx"] .amount').textContent,
				})),
			}));
			assert.match(seen.past, /^The past: /);
			assert.equal(plain(seen.tx), shortBytes(sum("tx_bytes")));
			assert.equal(plain(seen.rx), shortBytes(sum("rx_bytes")));
			const first = rows.reduce((a, b) => (b.tx_bytes > a.tx_bytes ? b : a));
			assert.ok(plain(seen.verdict).startsWith(`${first.program} sent `), seen.verdict);
			assert.equal(seen.talkers.length, 8);
			for (const t of seen.talkers) {
				const own = rows.filter((r) => r.program === t.name);
				assert.ok(own.some((r) => shortBytes(r.tx_bytes) === plain(t.tx)), `${t.name} ${t.tx}`);
			}
		}));

	for (const [view, table] of [["processes", "history"], ["flows", "history_peers"], ["drops", "history_losses"]])
		test(`${view}: every number in sight is that of ${table}`, () =>
			withPage(mock.url, { hash: `#/${view}?${words}` }, async (page) => {
				await page.waitForSelector('[role="row"][data-key]');
				const index = await ask(mock.url, "");
				const keys = index.tables.find((t) => t.name === table).fields.filter((f) => f.key).map((f) => f.name);
				const { rows, total } = await ask(mock.url, `${table}?${words}`);
				const byKey = new Map(rows.map((r) => [keys.map((k) => String(r[k])).join("~"), r]));
				const lines = await cells(page);
				assert.equal(await page.getAttribute(".table-view", "data-rows"), String(total));
				assert.ok(lines.length > 5);
				for (const line of lines) {
					const row = byKey.get(line.key);
					assert.ok(row, line.key);
					if (view === "drops")
						assert.equal(line.cells.packets.replace(/,/g, ""), String(row.packets));
					else
						for (const f of ["tx_bytes", "rx_bytes"])
							assert.equal(line.cells[f], shortBytes(row[f]), `${line.key} ${f}`);
				}
				await page.locator('[role="row"][data-key]').first().click();
				await page.waitForSelector(".details .days tr, .details .story .note");
			}));

	test("where nothing was heard yet no time can be read off the plot or chosen", async () => {
		const page = await visit(browser, mock.url, { hash: "#/now", viewport: { width: 1280, height: 860 } });
		try {
			await page.route("**/api/v1/**", () => {});
			await page.reload();
			const plot = await page.waitForSelector(".rates .plot canvas");
			const box = await plot.boundingBox();
			await page.mouse.move(box.x + 200, box.y + 60);
			await page.mouse.down();
			await page.mouse.move(box.x + 400, box.y + 60, { steps: 5 });
			await page.mouse.up();
			await wait(100);
			assert.equal(await hash(page), "#/now");
			assert.doesNotMatch(await page.textContent("main"), /Snapshot 0|00:00:00/);
		} finally {
			await page.context().close();
		}
	});

	test("time is one for all pages: chosen, kept in links, brushed, and left", () =>
		withPage(mock.url, { hash: "#/now" }, async (page) => {
			await page.getByRole("button", { name: "6 h", exact: true }).click();
			await becomes(() => hash(page), "#/now?from=-21600", "the last 6 h");
			await page.waitForSelector(".past-line");
			await page.getByRole("link", { name: "Processes", exact: true }).click();
			await becomes(() => hash(page), "#/processes?from=-21600", "kept in links");
			await page.getByRole("link", { name: "Now", exact: true }).click();
			await page.waitForSelector(".now:not(.stale) .talkers li");
			const box = await page.locator(".now .plot .u-over").boundingBox();
			await page.mouse.move(box.x + box.width * 0.25, box.y + 40);
			await page.mouse.down();
			await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 5 });
			await page.mouse.up();
			const m = await until(async () => /from=([^&]+)&to=(.+)$/.exec(await hash(page)), "a brushed span");
			const hours = (Date.parse(m[2]) - Date.parse(m[1])) / 3600e3;
			assert.ok(Math.abs(hours - 1.5) < 0.1, `${hours} h`);
			await page.goBack();
			await becomes(() => hash(page), "#/now?from=-21600", "back");
			await page.getByRole("button", { name: "Back to live" }).click();
			await becomes(() => hash(page), "#/now", "live");
			await page.waitForSelector(".past-line", { state: "detached" });
		}));

	test("the plot is full when the page opens", () =>
		withPage(mock.url, { hash: "#/now" }, async (page) => {
			await page.waitForSelector("#rates-title");
			await until(async () => (await page.textContent("#rates-title")).includes("5 min"), "five minutes at once", 3000);
		}));

	test("what history does not know of a filter is left out, and said to be", () =>
		withPage(mock.url, { hash: `#/now?filter=pid:1&${words}` }, async (page) => {
			for (const view of ["now", "flows", "history"]) {
				await page.evaluate((v) => (location.hash = location.hash.replace(/\w+(?=\?)/, v)), view);
				await page.getByText("Left out here, where it means nothing: pid:1").waitFor();
				await page.waitForSelector(`main[data-view="${view}"] h1`);
			}
		}));

	test("a span that is none is live", () =>
		withPage(mock.url, { hash: "#/now?from=yesterday&to=<b>" }, async (page) => {
			await page.waitForSelector(".talkers li");
			assert.equal(await page.locator(".past-line").count(), 0);
		}));

	test("a daemon without history has no past, and all else stands", async () => {
		const other = await startMock({ tick: 1000 });
		other.tables = other.tables.filter((t) => !t.name.startsWith("history"));
		try {
			await withPage(other.url, { hash: "#/now" }, async (page) => {
				await page.waitForSelector(".talkers li");
				await page.waitForSelector(".new");
				await page.evaluate(() => (location.hash = "#/now?from=-3600"));
				await page.getByText("This daemon keeps no history").waitFor();
			});
		} finally {
			await other.close();
		}
	});
});

/** A mock server of its own, as f wants it. */
async function apart(set, options, f) {
	const own = await startMock({ tick: 1000 });
	set(own);
	try {
		await withPage(own.url, options, (page) => f(page, own));
	} finally {
		await own.close();
	}
}

describe("what the page may not claim", () => {
	const span = SPAN();
	const words = `from=${span.from}&to=${span.to}`;

	test("packets that nobody owned were lost", () =>
		apart((m) => (m.past.unowned = 3), { hash: `#/now?filter=process:nginx&${words}` }, async (page, own) => {
			await page.waitForSelector(".talkers li");
			const { rows } = await ask(own.url, `history_rates?filter=process:nginx&${words}`);
			const lost = rows.reduce((n, r) => n + r.lost_packets, 0);
			assert.ok(lost > 0);
			await page.getByText(`${String(lost).replace(/\B(?=(\d{3})+$)/g, ",")} packets were lost`).waitFor();
		}));

	const blind = (m) => {
		m.doctor = m.doctor.map((r) => (r.feature === "drops" ? { ...r, state: "unavailable", reason: "no tracepoint" } : r));
		const { rows } = m.world;
		m.world.rows = (name) => (name === "drops" ? [] : rows.call(m.world, name));
	};
	test("nothing lost, where losses cannot be seen", () =>
		apart(blind, { hash: "#/now" }, async (page) => {
			await page.waitForSelector(".health a[href*=doctor]");
			await wait(2500);
			assert.doesNotMatch(await page.textContent(".verdict-sub"), /is lost/);
			await page.evaluate((h) => (location.hash = h), `#/now?filter=process:nginx&${words}`);
			await page.waitForSelector(".talkers .spark-avg");
			await wait(500);
			assert.doesNotMatch(await page.textContent(".verdict-sub"), /packet/i);
		}));

	test("nothing lost, where it can be seen and nothing is", () =>
		apart((m) => {
			const { rows } = m.world;
			m.world.rows = (name) => (name === "drops" ? [] : rows.call(m.world, name));
		}, { hash: "#/now" }, async (page) => {
			await page.getByText("No packet is lost now.").waitFor();
		}));

	test("the remainder is no program and no peer", () =>
		apart((m) => (m.past.rest = true), { hash: `#/now?${words}` }, async (page, own) => {
			await page.waitForSelector(".talkers li");
			assert.doesNotMatch(await page.textContent("#verdict"), /other/);
			const line = page.locator(".talkers li").first();
			assert.match(plain(await line.textContent()), /^all others/);
			assert.equal(await line.locator("a").count(), 0);
			assert.equal(own.log.filter((u) => /process(:|%3A)other/.test(u)).length, 0);
			for (const view of ["processes", "flows"]) {
				await page.evaluate((h) => (location.hash = h), `#/${view}?${words}`);
				await page.waitForSelector(`main[data-view="${view}"] .answer b`);
				assert.doesNotMatch(await page.textContent(".answer"), /other/, view);
			}
			await page.evaluate((h) => (location.hash = h), `#/map?${words}`);
			await page.waitForSelector(".map-bar");
			assert.doesNotMatch(await page.textContent("h1"), /other/);
			const names = await page.locator(".map-bar .bar-name").allTextContents();
			assert.ok(!names.some((n) => /^(→ )?other/.test(n)), names.join());
			assert.ok(names.includes("all others"));
			await page.evaluate((h) => (location.hash = h), `#/history?${words}`);
			await page.waitForSelector(".hist-programs tbody tr");
			await page.waitForSelector(".hist-use tbody tr");
			assert.doesNotMatch(await page.textContent("h1"), /other/);
			assert.equal(await page.locator('.hist a[href*="process:other"]').count(), 0);
			assert.doesNotMatch(await page.textContent(".hist-peers tbody"), /other/);
			assert.doesNotMatch(await page.textContent(".hist-use tbody"), /other/);
		}));
});

test("a question that fails leaves no number of the question before", async () => {
	const own = await startMock({ tick: 1000 });
	const page = await visit(browser, own.url, { hash: "#/now?from=-3600", expect: ["503"] });
	try {
		for (const view of ["now", "processes"]) {
			own.failing = null;
			await page.evaluate((v) => (location.hash = `#/${v}?from=-3600`), view);
			await page.waitForSelector(view === "now" ? ".talkers li" : '[role="row"][data-key]');
			own.failing = /history(_rates)?\?.*(-21600|filter)/;
			await page.evaluate((v) => (location.hash = `#/${v}?from=-21600`), view);
			await page.getByText("The past could not be read").waitFor();
			await page.getByText("the store is busy").first().waitFor();
			assert.equal(await page.locator('.talkers li, [role="row"][data-key]').count(), 0);
		}
		/* A refresh of the same question that fails keeps its rows, and says so. */
		own.failing = null;
		await page.evaluate(() => (location.hash = "#/processes?from=-900"));
		await page.waitForSelector('[role="row"][data-key]');
		own.failing = /history\?/;
		await page.locator(".answer [role=alert]").waitFor();
		assert.ok(await page.locator('[role="row"][data-key]').count() > 5);
		assert.deepEqual(await page.faults(), []);
	} finally {
		await page.context().close();
		await own.close();
	}
});

test("where a filter matches nothing each view says so, live and of the past", () =>
	withPage(mock.url, { hash: "#/now" }, async (page) => {
		for (const span of ["", "&from=-3600"])
			for (const view of ["now", "map", "processes", "flows", "drops", "history"]) {
				await page.evaluate((h) => (location.hash = h), `#/${view}?filter=process:nobody${span}`);
				await page.locator(`main[data-view="${view}"]`).getByText("Nothing matches this filter", { exact: true }).waitFor();
				await until(async () => !(await page.locator("main").textContent()).match(/used the network yet|kept nothing|Nobody talk/), view);
			}
	}));

test("a filter that is cleared takes its losses along, and a table that is reopened is not called old", () =>
	apart((m) => {
		const { rows } = m.world;
		m.world.rows = (name) => (name === "drops" ? rows.call(m.world, name).filter((r) => r.comm !== "nginx") : rows.call(m.world, name));
	}, { hash: "#/flows" }, async (page, own) => {
		await page.waitForSelector('[role="row"][data-key]');
		await page.keyboard.press("1");
		await page.waitForSelector(".talkers li");
		own.frozen = true;
		await page.evaluate(() => (location.hash = "#/flows"));
		await page.waitForSelector('[role="row"][data-key]');
		assert.equal(await page.locator(".stale-line").count(), 0);
		own.frozen = false;
		await page.evaluate(() => (location.hash = "#/now?filter=process:nginx"));
		await page.locator(".filtered").waitFor();
		await wait(5500);
		await page.evaluate(() => (location.hash = "#/now"));
		await page.locator(".filtered").waitFor({ state: "detached" });
		assert.doesNotMatch(await page.textContent(".verdict-sub"), /No packet is lost/);
	}));

test("after a gap sums begin anew, and what was missed is asked for", () =>
	apart(() => {}, { hash: "#/now" }, async (page, own) => {
		const sum = () => page.locator(".legend-sum").first().textContent();
		const asked = () => own.log.filter((u) => u.includes("history_rates") && u.includes("step=1") && !u.includes("filter=")).length;
		await page.waitForSelector(".talkers li");
		await until(async () => (await sum()).includes("since"), "a sum");
		const [before, n] = [(await sum()).match(/since (.*)/)[1], asked()];
		own.world.now_ms += 20e3;
		await until(async () => (await sum()).match(/since (.*)/)[1] !== before, "another beginning");
		await until(() => asked() > n, "asked for what was missed");
	}));

test("new today: nothing is said before there is an answer, and who comes is seen soon", () => {
	let known = false;
	return apart((m) => {
		m.failing = /new%3Atrue/;
		const { programs } = m.past;
		m.past.programs = (p) => programs.call(m.past, p).map((r) => ({ ...r, new: known && r.program === "nginx" }));
	}, { hash: "#/now?from=-3600", expect: ["503"] }, async (page, own) => {
		await page.waitForSelector(".talkers li");
		await page.waitForSelector(".new h2");
		await page.evaluate(() => (location.hash = "#/now"));
		own.failing = null;
		await page.getByText("No program used the network for the first time today.").waitFor();
		known = true;
		await page.locator(".new .who-name", { hasText: "nginx" }).waitFor({ timeout: 8000 });
	});
});

test("new today: the day is the daemon's and not the browser's, and who comes moves nothing below", () => {
	let n = 0;
	return apart((m) => {
		const { programs } = m.past;
		m.past.programs = (p) => programs.call(m.past, p).slice(0, Math.max(1, n)).map((r) => ({ ...r, new: n > 0 }));
	}, { hash: "#/now", timezoneId: "Pacific/Kiritimati", expect: ["503"] }, async (page, own) => {
		await page.locator(".new .note").waitFor();
		const { day_start } = await ask(own.url, "history?limit=1");
		const asked = own.log.filter((u) => u.includes("new%3Atrue")).map((u) => new URLSearchParams(u.split("?")[1]).get("from"));
		assert.deepEqual([...new Set(asked)], [day_start]);
		const below = () => page.evaluate(() => document.querySelector(".health").getBoundingClientRect().top);
		const before = await below();
		for (n of [1, 6, 9]) {
			await until(async () => await page.textContent(".new .count") === String(n), `${n} programs`);
			assert.equal(await page.locator(".new li").count(), Math.min(n, 6));
			assert.equal(await page.locator(".new .more").count(), n > 6 ? 1 : 0);
			assert.equal(await below(), before, `${n} programs`);
		}
		/* A failure is no news: the number stays, and says how old it is. */
		own.failing = /new%3Atrue/;
		await page.getByText(/^As of .*; nothing was heard since\.$/).waitFor({ timeout: 12000 });
		assert.equal(await page.textContent(".new .count"), "9");
		own.failing = null;
		await page.getByText(/nothing was heard since/).waitFor({ state: "detached", timeout: 12000 });
		await page.locator(".new .more").click();
		await page.waitForSelector('[role="row"][data-key]');
		assert.match(await hash(page), /^#\/processes\?filter=new:true&from=.*&sort=first_seen/);
	});
});

test("a list that changes its order leaves the focus where it is, in a browser that cannot move elements too", () =>
	apart((m) => (m.world.calm = true), { hash: "#/now" }, async (page, own) => {
		await page.evaluate(() => delete Element.prototype.moveBefore);
		const two = ["first", "second"].map((name) => own.world.addProcess([name, `/usr/bin/${name}`, "app", `${name}.service`, "", ["10.9.9.9"], "tcp", 81, "client", 0, 0, 0]).row);
		for (let turn = 0; turn < 4; turn++) {
			two.forEach((row, i) => {
				row.tx_bytes_per_second = i === turn % 2 ? 2e9 : 1e9;
				own.world.touch("processes", row);
			});
			const first = page.locator(".talkers li .who-name").first();
			await until(async () => (await first.textContent()) === two[turn % 2].comm, "the order of now");
			if (turn === 0)
				await page.locator(".talkers li a", { hasText: "first" }).focus();
			assert.match(await page.evaluate(() => document.activeElement.textContent), /^first/);
		}
	}));

test("what is announced does not change with each second", () =>
	withPage(mock.url, { hash: "#/now?from=-3600" }, async (page) => {
		await page.waitForSelector(".past-line [role=status]");
		await page.evaluate(() => {
			window.announced = 0;
			new MutationObserver((list) => {
				window.announced += list.filter((m) => m.target.parentElement?.closest("[role=status], [aria-live]")).length;
			}).observe(document.body, { subtree: true, characterData: true, childList: true });
		});
		await wait(3000);
		assert.equal(await page.evaluate(() => window.announced), 0);
	}));

test("commands say the filter that their numbers are under", () =>
	withPage(mock.url, { hash: `#/now?filter=not process:sshd&from=${SPAN().from}&to=${SPAN().to}` }, async (page) => {
		await page.locator(".talkers li .asked").first().click();
		await page.waitForSelector("#explain:popover-open");
		assert.match(await page.getAttribute("#explain .command", "title"), / not process:sshd process:/);
		await page.evaluate((from) => (location.hash = `#/processes?from=${from}`), SPAN().from);
		await page.waitForSelector('[role="row"][data-key]');
		assert.equal(await page.locator(".table-head .command").getAttribute("title"), `weir history --since ${SPAN().from}`);
	}));

describe("what a number is", () => {
	test("the pop-up says what, where measured, and the command; by keyboard, and back", () =>
		withPage(mock.url, { hash: "#/now" }, async (page) => {
			await page.waitForSelector(".talkers li .asked");
			const number = page.locator(".talkers li .asked").first();
			await number.focus();
			await page.keyboard.press("Enter");
			await page.waitForSelector("#explain:popover-open");
			const text = await until(async () => {
				const s = await page.textContent("#explain");
				return s.includes("hook set sock") ? s : null;
			}, "the set of hooks that measures it");
			assert.ok(text.includes("Bytes sent in the last second"), text);
			assert.match(await page.getAttribute("#explain .command", "title"), /^weir processes --exact --columns tx_bytes_per_second process:/);
			assert.ok(await page.evaluate(() => document.getElementById("explain").contains(document.activeElement)));
			await accessible(page, "the pop-up");
			await page.keyboard.press("Escape");
			await page.waitForSelector("#explain:popover-open", { state: "hidden" });
			await until(() => page.evaluate(() => document.activeElement.classList.contains("asked")), "focus where it was");
		}));

	test("in the details Escape closes the pop-up first", () =>
		withPage(mock.url, { hash: "#/processes" }, async (page) => {
			await page.locator('[role="row"][data-key]').first().click();
			await page.locator('.details [data-f="tx_bytes"] .asked').click();
			await page.waitForSelector("#explain:popover-open");
			const digits = await page.textContent("#explain .explain-value b");
			assert.match(plain(digits), /^[\d,]+ B$/);
			await page.keyboard.press("Escape");
			await page.waitForSelector("#explain:popover-open", { state: "hidden" });
			assert.equal(await page.locator(".details").count(), 1);
			await page.keyboard.press("Escape");
			await page.waitForSelector(".details", { state: "detached" });
		}));
});

test("a view that could not be loaded says so, and loads when tried again", async () => {
	const page = await visit(browser, mock.url, { hash: "#/now", expect: ["Failed to load", "ERR_", "net::"] });
	try {
		await page.waitForSelector('[data-status="live"]');
		await page.route("**/tables.js*", (r) => r.abort());
		await page.getByRole("link", { name: "Flows", exact: true }).click();
		await page.getByText("This view could not be loaded").waitFor();
		await page.unroute("**/tables.js*");
		await page.getByRole("button", { name: "Try again" }).click();
		await page.waitForSelector('[role="row"][data-key]');
		assert.deepEqual(await page.faults(), []);
	} finally {
		await page.context().close();
	}
});

/** What holds on any daemon. */
function everywhere(name, address) {
	describe(name, () => {
		test("later views are loaded when they are opened, each within its budget", () =>
			withPage(address(), { hash: "#/now" }, async (page) => {
				const files = () => page.requests.map((r) => new URL(r).pathname).filter((p) => /\.(js|css)$/.test(p));
				assert.deepEqual(files().sort(), ["/app.css", "/app.js"]);
				await page.keyboard.press("3");
				await page.waitForSelector(".grid");
				assert.deepEqual(files().slice(2).sort(), ["/tables.css", "/tables.js"]);
				await page.keyboard.press("7");
				await page.waitForSelector(".doctor-hooks");
				assert.ok(files().includes("/doctor.js") && files().includes("/doctor.css"));
			}));

		test("what a span moved is what history says it moved", () =>
			withPage(address(), { hash: "#/now" }, async (page) => {
				await wait(7000); /* seconds that are over do not change any more */
				const at = (ms) => new Date(ms).toISOString().replace(/\.\d+Z/, "Z");
				const now = Date.parse((await ask(address(), "history?limit=1")).time);
				const words = `from=${at(now - 60e3)}&to=${at(now - 4e3)}`;
				await page.evaluate((h) => (location.hash = h), `#/processes?${words}`);
				await page.waitForSelector('[role="row"][data-key] [data-f="program"]');
				const { rows, total } = await ask(address(), `history?${words}`);
				const index = await ask(address(), "");
				const keys = index.tables.find((t) => t.name === "history").fields.filter((f) => f.key).map((f) => f.name);
				const byKey = new Map(rows.map((r) => [keys.map((k) => String(r[k])).join("~"), r]));
				assert.equal(await page.getAttribute(".table-view", "data-rows"), String(total));
				for (const line of await cells(page))
					for (const f of ["tx_bytes", "rx_bytes"])
						assert.equal(line.cells[f], shortBytes(byKey.get(line.key)[f]), `${line.key} ${f}`);
			}));

		test("Doctor: the answer, the features, the sums, as the API has them", () =>
			withPage(address(), { hash: "#/doctor" }, async (page) => {
				await page.waitForSelector(".doctor .feature");
				const { rows } = await ask(address(), "doctor");
				const names = [...new Set(rows.map((r) => r.feature.split(": ")[0]))].filter((n) => rows.some((r) => r.feature === n));
				assert.deepEqual(await page.locator(".feature-name > b").allTextContents(), names);
				for (const name of names) {
					const on = rows.find((r) => r.feature === name && r.state === "on");
					const line = page.locator(".feature", { has: page.locator(".feature-name > b", { hasText: new RegExp(`^${name}$`) }) });
					assert.equal(await line.locator(".state-word.on").count() > 0, Boolean(on), name);
				}
				assert.ok((await page.textContent("#verdict")).length > 10);
			}));
	});
}

everywhere("on the mock server", () => mock.url);
if (process.env.WEIR_URL)
	everywhere(`on ${process.env.WEIR_URL}`, () => process.env.WEIR_URL.replace(/\/$/, ""));
