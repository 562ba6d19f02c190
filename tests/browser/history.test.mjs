// SPDX-License-Identifier: GPL-2.0-or-later
// History in a real browser: the past. With WEIR_URL=http://127.0.0.1:9474 it is held against that daemon too; without it
// only against the page's mock server.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PAGE, launch, shortBytes, until, visit } from "./browser.mjs";

const { startMock } = await import(`${PAGE}/dev/mock.mjs`);

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

async function withPage(url, options, f) {
	const page = await visit(browser, url, { hash: "#/history", ...options });
	try {
		await settled(page);
		await f(page);
		assert.deepEqual(await page.faults(), []);
	} finally {
		await page.context().close();
	}
}

/** What is in sight, read in one go. */
const read = (page) =>
	page.evaluate(() => {
		const plain = (e) => (e ? e.textContent.replace(/\u00a0/g, " ").trim() : null);
		const all = (selector) => [...document.querySelectorAll(selector)];
		const { dataset } = document.querySelector(".hist");
		return {
			state: dataset.state, from: Number(dataset.from), to: Number(dataset.to), steps: Number(dataset.steps),
			sum: [Number(dataset.sumTx), Number(dataset.sumRx)],
			parts: Object.fromEntries(all("[data-part]").map((e) => [e.dataset.part, e.dataset.state])),
			verdict: plain(document.querySelector("h1")),
			sums: all(".hist-sum .asked").map(plain),
			programs: all("[data-program]").map((e) => [e.dataset.program, ...[...e.querySelectorAll("[data-f]")].map(plain)]),
			pairs: all(".hist-programs tr:has(.hist-factor)").map((e) => [...e.querySelectorAll("td")].map(plain)),
			changes: all(".hist-changes li").map(plain),
			changed: plain(document.querySelector("#changes-title")),
			days: all("[data-period]").map((e) => [e.dataset.period, ...[...e.querySelectorAll("td")].slice(0, 2).map(plain)]),
			marks: all(".hist-mark").map((e) => e.ariaLabel),
			kept: all(".hist-kept tbody th").map(plain),
			slider: document.querySelector(".hist-plot").ariaValueText,
			hash: location.hash,
		};
	});

const DONE = ["there", "unasked", "failed"];
const settled = (page) =>
	until(async () => {
		const seen = await read(page);
		return DONE.includes(seen.state) && Object.values(seen.parts).every((s) => DONE.includes(s)) && seen;
	}, "all answers");

const instant = (ms) => new Date(Math.round(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
const ask = async (url, table, query) => (await fetch(`${url}/api/v1/${table}?${new URLSearchParams(query)}`)).json();
const parameter = (hash, name) => new URLSearchParams(hash.split("?")[1]).get(name);
/** A span of the past that no longer changes. */
const past = (length_s, back_s = 120) => {
	const to = Date.now() - back_s * 1000;
	return { from: instant(to - length_s * 1000), to: instant(to) };
};
const address = (span, more = "") => `#/history?from=${span.from}&to=${span.to}${more}`;

/** Where the plot is, without its axes. */
const area = (page) => page.locator(".hist-plot .u-over").boundingBox();

test("left open it asks what changed now and then, and not each second", async () => {
	const mock = await startMock({ tick: 1000 });
	try {
		for (const hash of ["#/history", `#/history?from=-900&at=${instant(Date.now() - 5000)}`])
			await withPage(mock.url, { hash }, async (page) => {
				await page.waitForSelector(".hist-changes li");
				mock.log.length = 0;
				await new Promise((done) => setTimeout(done, 5000));
				const asked = mock.log.filter((u) => u.includes("history_changes"));
				assert.ok(asked.length <= 2, asked.join("\n"));
			});
		await withPage(mock.url, { hash: "#/history?from=-900" }, async () => {
			mock.log.length = 0;
			await until(() => mock.log.some((u) => u.includes("history_changes")), "asked again after a while", 9000);
		});
	} finally {
		await mock.close();
	}
});

test("a comparison that slides keeps its layout while it is asked for again", async () => {
	const mock = await startMock({ tick: 1000 });
	try {
		await withPage(mock.url, { hash: "#/history?from=-900&vs=before" }, async (page) => {
			await page.waitForSelector("td.hist-factor");
			mock.log.length = 0;
			await page.evaluate(() => {
				window.flips = 0;
				new MutationObserver(() => (window.flips += document.querySelector("td.hist-factor") ? 0 : 1))
					.observe(document.querySelector(".hist"), { subtree: true, childList: true });
			});
			await until(() => mock.log.filter((u) => u.includes("/history?")).length >= 4, "asked again, twice", 15000);
			assert.equal(await page.evaluate(() => window.flips), 0);
		});
	} finally {
		await mock.close();
	}
});

function everywhere(name, at) {
	describe(name, () => {
		test("the integral, the programs and the days are the API's", async () => {
			const span = past(300, 3);
			await withPage(at(), { hash: address(span) }, async (page) => {
				const seen = await settled(page);
				const rates = await ask(at(), "history_rates", { from: instant(seen.from), to: instant(seen.to) });
				const sum = (e, f) => e.rows.reduce((n, r) => n + Number(r[f]), 0);
				assert.deepEqual(seen.sum, [sum(rates, "tx_bytes"), sum(rates, "rx_bytes")]);
				if (!rates.rows.length)
					return;
				assert.deepEqual(seen.sums, seen.sum.map((n) => `${shortBytes(n)} in all`));
				const programs = await ask(at(), "history", span);
				for (const [who, tx, rx] of seen.programs) {
					const rows = programs.rows.filter((r) => r.program === who);
					assert.ok(rows.some((r) => shortBytes(Number(r.tx_bytes)) === tx && shortBytes(Number(r.rx_bytes)) === rx), `${who}: ${tx} ${rx}`);
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

	test("says who sent most of what, and names the span", () => {
		const span = past(3600);
		return withPage(mock.url, { hash: address(span) }, async (page) => {
			const { verdict, sum, kept, marks } = await read(page);
			assert.match(verdict, /^Between .*\d\d:\d\d and .*\d\d:\d\d, spruce sent .*; nginx \d+ %$/);
			assert.ok(verdict.includes(shortBytes(sum[0])), verdict);
			assert.deepEqual(kept, ["1 s", "10 s", "1 min", "1 h", "day", "month", "event"]);
			assert.ok(marks.some((m) => /nginx began to listen/.test(m)), String(marks));
			assert.match((await page.locator(".hist-kept").textContent()).replace(/\u00a0/g, " "), /41\.5 MB of 268 MB used · No second was lost/);
		});
	});

	test("brushing with the pointer sets the axis of all pages; zoom out, earlier and back widen it again", () =>
		withPage(mock.url, { hash: address(past(3600)) }, async (page) => {
			const first = await read(page);
			const box = await area(page);
			const y = box.y + box.height / 2;
			await page.mouse.move(box.x + box.width * 0.25, y);
			await page.mouse.down();
			await page.mouse.move(box.x + box.width * 0.5, y, { steps: 4 });
			await page.mouse.up();
			await until(async () => (await read(page)).hash !== first.hash, "another span");
			const seen = await settled(page);
			const near = (a, b) => assert.ok(Math.abs(a - b) < 30e3, `${new Date(a).toISOString()} ${new Date(b).toISOString()}`);
			near(Date.parse(parameter(seen.hash, "from")), first.from + 900e3);
			near(Date.parse(parameter(seen.hash, "to")), first.from + 1800e3);
			await page.getByRole("link", { name: "Flows", exact: true }).click();
			assert.equal(parameter(await page.evaluate(() => location.hash), "from"), parameter(seen.hash, "from"));
			await page.goBack();
			await page.waitForSelector(".hist");
			await page.getByRole("button", { name: "Zoom out" }).click();
			const wider = await until(async () => {
				const now = await read(page);
				return now.hash !== seen.hash && now;
			}, "a wider span");
			const length = (hash) => Date.parse(parameter(hash, "to")) - Date.parse(parameter(hash, "from"));
			assert.ok(Math.abs(length(wider.hash) / length(seen.hash) - 2) < 0.01);
		}));

	test("brushing with the keyboard: move, select, show; a moment asked about", () =>
		withPage(mock.url, { hash: address(past(3600)) }, async (page) => {
			const plot = page.locator(".hist-plot");
			await plot.focus();
			await page.keyboard.press("Home");
			assert.match((await read(page)).slider, /sent .*, received /);
			for (let i = 0; i < 3; i++)
				await page.keyboard.press("PageDown");
			await page.keyboard.press("Enter");
			const asked = await until(async () => {
				const seen = await read(page);
				return parameter(seen.hash, "at") && seen;
			}, "a moment in the address");
			assert.match(asked.changed, /^What changed at \d/);
			for (let i = 0; i < 5; i++)
				await page.keyboard.press("Shift+PageDown");
			assert.match((await read(page)).slider, / selected$/);
			const before = await read(page);
			await page.keyboard.press("Enter");
			await until(async () => {
				const now = await settled(page);
				return now.to - now.from < (before.to - before.from) / 2;
			}, "a shorter span");
			await plot.focus();
			const short = await read(page);
			await page.keyboard.press("-");
			await until(async () => {
				const now = await settled(page);
				return now.to - now.from > 1.5 * (short.to - short.from);
			}, "a longer span");
		}));

	test("what changed: asked about the moment that was clicked, in sentences of the page's language", () =>
		withPage(mock.url, { hash: address(past(3600)), locale: "zh-CN" }, async (page) => {
			const box = await area(page);
			mock.log.length = 0;
			await page.mouse.click(box.x + box.width / 3, box.y + 40);
			const seen = await until(async () => {
				const now = await settled(page);
				return parameter(now.hash, "at") && now.changes.length && now;
			}, "changes");
			assert.ok(seen.changes.every((c) => /[\u4e00-\u9fff]/.test(c)), seen.changes.join("\n"));
			const at = Date.parse(parameter(seen.hash, "at"));
			const asked = () => mock.log.filter((u) => u.includes("history_changes")).map((u) => new URL(u, mock.url).searchParams);
			await until(() => asked().some((q) => Date.parse(q.get("from")) === at && Date.parse(q.get("to2")) === at), "the question");
		}));

	test("two spans: the day before, and one that is brushed; table and curve", () =>
		withPage(mock.url, { hash: address(past(3600)) }, async (page) => {
			await page.getByLabel("Compare with").selectOption("day");
			const seen = await until(async () => {
				const now = await settled(page);
				return parameter(now.hash, "vs") === "day" && now.pairs.length && /^What changed against/.test(now.changed) && now;
			}, "the comparison");
			const now = await ask(mock.url, "history", { from: instant(seen.from), to: instant(seen.to) });
			const then = await ask(mock.url, "history", { from: instant(seen.from - 86400e3), to: instant(seen.to - 86400e3) });
			const of = (e) => e.rows.filter((r) => r.program === "nginx").reduce((n, r) => n + r.tx_bytes + r.rx_bytes, 0);
			assert.ok(seen.pairs.some(([b, a]) => b === shortBytes(of(then)) && a === shortBytes(of(now))), `${shortBytes(of(then))} ${shortBytes(of(now))} ${seen.pairs}`);
			assert.match(await page.locator(".hist-then").first().textContent(), /then$/);
			await page.getByLabel("Compare with").selectOption("own");
			const box = await area(page);
			await page.mouse.move(box.x + 20, box.y + 50);
			await page.mouse.down();
			await page.mouse.move(box.x + 220, box.y + 50, { steps: 3 });
			await page.mouse.up();
			const own = await until(async () => {
				const s = await read(page);
				return parameter(s.hash, "vs")?.includes("/") && s;
			}, "a span of its own");
			assert.equal(parameter(own.hash, "from"), parameter(seen.hash, "from"), "the first span stays");
			await page.reload();
			await settled(page);
			assert.equal(await page.getByLabel("Compare with").inputValue(), "own");
		}));

	test("use per day and per month", () =>
		withPage(mock.url, {}, async (page) => {
			const days = (await read(page)).days;
			assert.ok(days.length >= 14 && /^\d{4}-\d\d-\d\d$/.test(days[1][0]));
			const e = await ask(mock.url, "history_days", { from: String(-14 * 86400) });
			const day = days[2][0];
			assert.equal(days[2][1], shortBytes(e.rows.filter((r) => r.day === day).reduce((n, r) => n + r.tx_bytes, 0)));
			await page.getByRole("button", { name: "Months" }).click();
			await until(async () => /^\d{4}-\d\d$/.test((await read(page)).days[0]?.[0] ?? ""), "months");
		}));

	test("a filter chooses the curve; where its words have no meaning that is said", () =>
		withPage(mock.url, { hash: address(past(3600), "&filter=process:nginx") }, async (page) => {
			const one = await read(page);
			assert.match(one.verdict, /nginx 100 %$/);
			const e = await ask(mock.url, "history_rates", { from: instant(one.from), to: instant(one.to), filter: "process:nginx" });
			assert.equal(one.sum[0], e.rows.reduce((n, r) => n + r.tx_bytes, 0));
		}));

	test("a filter that only some tables know: the page lives, and says where it has no meaning", () =>
		withPage(mock.url, { hash: "#/history?filter=peer:10.0.0.8", expect: ["400"] }, async (page) => {
			await page.waitForSelector('[data-status="live"]');
			const { parts } = await read(page);
			assert.deepEqual([parts.programs, parts.peers], ["unasked", "there"]);
		}));

	test("a flood of events covers neither the span nor the others, and all are counted", async () => {
		mock.past.flood = 3000;
		try {
			await withPage(mock.url, { hash: "#/history?from=-3600" }, async (page) => {
				const marks = await until(async () => {
					const all = (await read(page)).marks;
					return all.length > 20 && all;
				}, "marks");
				assert.ok(marks.some((m) => /nginx began to listen/.test(m)), "older than the flood's last minutes");
				const n = marks.reduce((sum, m) => sum + Number(/^([\d,]+) events/.exec(m)?.[1].replace(",", "") ?? 1), 0);
				assert.ok(n >= 2990, `${n} in marks`);
				const events = page.locator("ol.hist-events");
				assert.match(await page.locator("#events-title").textContent(), /^Events: 3,0\d\d$/);
				await events.locator("..").getByRole("button", { name: /^All of them/ }).click();
				const text = await events.innerText();
				assert.match(text, /and 42 more programs were seen for the first time/);
				assert.doesNotMatch(text, /the host used/);
				assert.match(text, /python3 used the network for the first time\s*×\d\d/);
			});
		} finally {
			mock.past.flood = 0;
		}
	});

	test("a peer stands after its program, with the arrow of who opened it", () =>
		withPage(mock.url, { hash: address(past(3600)) }, async (page) => {
			const lines = (await page.locator(".hist-peers tbody th").allInnerTexts()).map((x) => x.replace(/\s+/g, " "));
			assert.ok(lines.some((x) => /^nginx ?:443 ← \S+$/.test(x)), lines.join("\n"));
			assert.ok(lines.some((x) => /^\S+ → \S+:\d+$/.test(x)), lines.join("\n"));
		}));

	test("spans of unlike length are told by the second, a peer with its port", () => {
		const span = past(120, 3);
		const at = Date.parse(span.from);
		const vs = (seconds) => `&vs=${[at - seconds * 1000, at].map((ms) => new Date(ms).toISOString()).join("/")}`;
		return withPage(mock.url, { hash: address(span) + vs(300) }, async (page) => {
			const cells = () => page.$$eval(".hist-programs tbody tr", (rows) => rows.slice(0, 3).flatMap((r) => [r.cells[1].textContent, r.cells[2].textContent]));
			const changes = () => page.$$eval(".hist-changes li", (l) => l.map((e) => e.textContent));
			await page.waitForSelector("td.hist-factor");
			await until(async () => (await cells()).every((x) => /B\/s$/.test(x)), "rates");
			await until(async () => (await changes()).some((x) => /^nginx began with db\.example:5432: .*B\/s/.test(x)), "the peer's rate");
			await page.goto(mock.url + "/" + address(span) + vs(120));
			await until(async () => (await cells()).length && (await cells()).every((x) => /B$/.test(x)), "amounts");
			await until(async () => (await changes()).some((x) => /^nginx began with db\.example:5432: .*B(new)?$/.test(x)), "the peer's amount");
		});
	});

	test("on a phone peers and whose a day was are not cut", () =>
		withPage(mock.url, { hash: "#/history", viewport: { width: 390, height: 844 } }, async (page) => {
			const cut = await page.evaluate(() => [...document.querySelectorAll(".hist-peers tbody th, .hist-peer, .hist-who")]
				.filter((e) => e.scrollWidth > e.clientWidth && /\d\.\d|%.nginx$/.test(e.textContent)).map((e) => e.textContent));
			assert.deepEqual(cut, []);
			assert.ok(await page.locator(".hist-peer").count() > 5 && await page.locator(".hist-who").count() > 5);
		}));

	test("a list that is renewed keeps the focus with its row, and its order below a pointer", async () => {
		const own = await startMock({ tick: 1000 });
		const names = ["nginx", "rsync"];
		let turn = 0;
		const { programs, changes } = own.past;
		own.past.programs = (p) => programs.call(own.past, p).map((r) => (names.includes(r.program) ? { ...r, tx_bytes: r.program === names[turn] ? 3e13 : 2e13 } : r));
		let there = names;
		own.past.changes = (p) => {
			const [row] = changes.call(own.past, p);
			return [...there].sort((a, b) => Number(b === names[turn]) - Number(a === names[turn]))
				.map((program, i) => ({ ...row, kind: "program", program, rank: i + 1, filter: `process:${program}` }));
		};
		try {
			await withPage(own.url, { hash: "#/history?from=-900" }, async (page) => {
				await page.evaluate(() => delete Element.prototype.moveBefore);
				const first = (rows) => page.locator(rows).first().textContent();
				for (const [rows, stop] of [[".hist-programs tbody tr", "a"], [".hist-programs tbody tr", ".asked"], [".hist-peers tbody tr", ".asked"], [".hist-changes li", "a"]]) {
					const [before, after] = [names[turn], names[1 - turn]];
					await until(async () => (await first(rows)).startsWith(before), `${rows}: ${before} is first`);
					await page.locator(rows).first().locator(stop).first().focus();
					turn = 1 - turn;
					await until(async () => (await first(rows)).startsWith(after), `${rows}: ${after} is first`);
					const at = await page.evaluate((s) => document.activeElement.closest(s)?.textContent ?? document.activeElement.tagName, rows);
					assert.ok(at.startsWith(before), `${rows} ${stop}: the focus is at ${at}`);
				}
				/* The focus is on the second line of changes; it goes, and the first one has it. */
				there = [names[turn]];
				await until(async () => (await page.locator(".hist-changes li").count()) === 1, "the line is gone");
				assert.equal(await page.evaluate(() => document.activeElement.closest(".hist-changes li") !== null), true);
				const list = ".hist-programs tbody tr";
				const held = names[turn];
				await until(async () => (await first(list)).startsWith(held), "the order of now");
				await page.locator(list).first().hover();
				turn = 1 - turn;
				await until(async () => /20\sTB/.test(await first(list)), "another answer");
				assert.ok((await first(list)).startsWith(held), "nothing moved");
				await page.mouse.move(1, 1);
				await until(async () => (await first(list)).startsWith(names[turn]), "the order of the last answer");
			});
		} finally {
			await own.close();
		}
	});

	test("where nothing was kept before, nothing is called new", async () => {
		const { since_ms } = mock.past;
		mock.past.since_ms = Date.now() - 600e3;
		try {
			await withPage(mock.url, { hash: "#/history?from=-900" }, async (page) => {
				await page.getByText(/weir has kept a record since .*nothing before this span/).waitFor();
				assert.equal(await page.locator(".hist-changes li").count(), 0);
			});
		} finally {
			mock.past.since_ms = since_ms;
		}
	});

	test("a store that lost seconds or can not write says so; a span without data too", async () => {
		const store = mock.past.store;
		mock.past.store = () => store.call(mock.past).map((r) => (r.level === "file" ? { ...r, lost_seconds: 12, reason: "No space left on device" } : r));
		try {
			await withPage(mock.url, { hash: "#/history?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z" }, async (page) => {
				assert.match(await page.locator(".hist-kept").textContent(), /12 seconds lost.*No space left on device/);
				await page.getByText("weir kept nothing of this span").waitFor();
			});
		} finally {
			mock.past.store = store;
		}
	});
});

if (process.env.WEIR_URL)
	everywhere("on a daemon", () => process.env.WEIR_URL.replace(/\/$/, ""));
