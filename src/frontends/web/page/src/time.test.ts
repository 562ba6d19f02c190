// SPDX-License-Identifier: GPL-2.0-or-later
// The time axis, orders that are kept, and what is made of the tables of the past.
import assert from "node:assert/strict";
import { test } from "node:test";
import { features, programsOf } from "./doctor_model";
import { costOf, diagnosis } from "./health";
import { Dataset, Order, type Row, pastSelector, selector } from "./model";
import { PRESETS, axisLabel, brushed, duration, formatInstant, parseInstant, refreshMs, spanOf, when } from "./time";

const NOW = Date.parse("2026-11-23T12:00:00Z");

test("a span is what the API takes; all else is live", () => {
	const last = spanOf({ from: "-3600", to: "" }, NOW)!;
	assert.deepEqual([last.from_ms, last.to_ms, last.sliding], [NOW - 3600e3, NOW, true]);
	const fixed = spanOf({ from: "2026-11-23T01:00:00Z", to: "2026-11-23T02:00:00Z" }, NOW)!;
	assert.deepEqual([fixed.to_ms - fixed.from_ms, fixed.sliding], [3600e3, false]);
	for (const [from, to] of [["", ""], ["", "-60"], ["-60", "-120"], ["yesterday", ""], ["2026-11-23", ""], ["-1e9", ""], ["-60", "x"], ["3600", ""]])
		assert.equal(spanOf({ from, to }, NOW), null, `${from} ${to}`);
});

test("what was brushed goes into the address in whole seconds, either way round, never too short", () => {
	assert.deepEqual(brushed(NOW - 60e3, NOW), { from: "2026-11-23T11:59:00Z", to: "2026-11-23T12:00:00Z" });
	assert.deepEqual(brushed(NOW, NOW - 60e3), brushed(NOW - 60e3, NOW));
	const short = brushed(NOW, NOW + 1000);
	assert.equal(parseInstant(short.to, 0)! - parseInstant(short.from, 0)!, 10e3);
	assert.equal(formatInstant(NOW + 400), "2026-11-23T12:00:00Z");
});

test("a sliding span is asked for again about as often as its curve moves", () => {
	const of = (seconds: number) => refreshMs(spanOf({ from: `-${seconds}`, to: "" }, NOW)!);
	assert.equal(of(900), 5000);
	assert.equal(of(604800), 60e3);
	for (const p of PRESETS)
		assert.ok(of(p) >= 5000 && of(p) <= 60e3);
});

test("lengths and times are as short as they are clear", () => {
	assert.deepEqual([30, 60, 90, 300, 900, 3600, 86400, 7 * 86400].map((s) => Object.values(duration(s)).join(" ")),
		["30 s", "1 min", "90 s", "5 min", "15 min", "1 h", "24 h", "7 d"]);
	const local = new Date(2026, 10, 23, 14, 2, 10).getTime();
	assert.equal(when(local, local + 1000), "14:02:10");
	assert.equal(when(local, local + 86400e3), "11-23 14:02");
	assert.equal(axisLabel(local, 3600e3), "14:02");
	assert.equal(axisLabel(local, 60e3), "14:02:10");
	assert.equal(axisLabel(local, 7 * 86400e3), "11-23");
	assert.equal(axisLabel(local, 2 * 86400e3), "14:02");
	assert.equal(axisLabel(new Date(2026, 10, 23).getTime(), 2 * 86400e3), "11-23", "each day begins with its date");
});

test("an order that is kept is the one made anew, and no array of the table's size is made again", () => {
	let seed = 3;
	const random = (n: number) => (seed = (seed * 16807) % 2147483647) % n;
	const rows = new Map<string, Row>();
	const kept = new Order();
	let first: readonly string[] | null = null;
	for (let round = 0; round < 200; round++) {
		for (let i = 0; i < 5; i++) {
			const key = "k" + random(60);
			if (random(4))
				rows.set(key, { n: random(5) ? random(30) : null, a: `10.0.${random(3)}.${random(200)}` });
			else
				rows.delete(key);
		}
		const by = round < 100 ? { field: "n", ascending: round % 2 === 0 } : { field: "a", ascending: true };
		const keys = kept.of(rows, by, round < 100 ? "uint" : "address");
		first ??= keys;
		assert.equal(keys, first);
		assert.deepEqual([...keys], [...new Order().of(rows, by, round < 100 ? "uint" : "address")]);
	}
});

test("who watches a table hears of each row once", () => {
	const set = new Dataset("processes");
	const heard: string[] = [];
	set.watcher = {
		clear: () => heard.push("clear"),
		change: (before, after) => heard.push(`${before ? before.n : "-"}>${after ? after.n : "-"}`),
	};
	const row = (pid: number, n: number): Row => ({ pid, start_time_ns: 1, n });
	const e = { snapshot: 1, time: "2026-11-23T12:00:00Z", lost_events: 0 };
	set.load({ ...e, rows: [row(1, 5), row(2, 6)] });
	set.merge({ ...e, rows: [row(1, 7)], gone: [[2, 1], [9, 1]] });
	assert.deepEqual(heard, ["clear", "->5", "->6", "5>7", "6>-"]);
});

test("a row of the past is selected by its program, and its peer or its reason", () => {
	const row = { program: "a b", unit: "x.service", container_name: null, peer_name: "host", peer_address: "10.0.0.1", port: 443 };
	assert.equal(pastSelector(row), "process:a?b unit:x.service peer:host");
	assert.equal(selector("history_peers", { ...row, peer_name: null, unit: null }), "process:a?b peer:10.0.0.1");
	assert.equal(selector("history_losses", { reason: "NO_SOCKET", device: "lo", program: null }), "reason:NO_SOCKET device:lo");
});

test("a part of a feature is no feature of its own", () => {
	const d = diagnosis([
		{ feature: "traffic", state: "unavailable", hook_set: "best" }, { feature: "traffic", state: "on", hook_set: "sock" },
		{ feature: "traffic: splice", state: "degraded" }, { feature: "containers: docker", state: "on" }, { feature: "dns", state: "off" },
	]);
	assert.deepEqual([d.on, d.off.map((r) => r.feature), d.degraded.length], [["traffic"], ["dns"], 1]);
});

test("Doctor puts limits below their feature, and each program there once, the dearest first", () => {
	const list = features([
		{ feature: "traffic", state: "on" }, { feature: "traffic: splice", state: "degraded" }, { feature: "traffic", state: "off" }, { feature: "lone: part", state: "on" },
	]);
	assert.deepEqual(list.map((f) => [f.name, f.sets.length, f.limits.length]), [["traffic", 2, 1]]);
	const hook = (program: string, map: string, runs: number | null, ns: number | null) => ({ program, map, hook: "h", feature: "f", runs, ns_per_run: ns });
	const programs = programsOf([hook("a", "x", 10, 5), hook("a", "y", 10, 5), hook("b", "x", null, null), hook("c", "x", 1, 100)]);
	assert.deepEqual(programs.map((p) => [p.name, p.runs * p.ns]), [["c", 100], ["a", 50], ["b", 0]]);
});

test("what weir costs is the sum of its roles, and unknown where the metrics do not tell", () => {
	const text = 'weir_self_cpu_seconds_total{role="engine"} 1.5\nweir_self_cpu_seconds_total{role="gate"} 2e-1\n' +
		'# weir_self_memory_bytes{role="x"} 9\nweir_self_memory_bytes{role="engine"} 100\nweir_self_memory_bytes 5\n';
	assert.deepEqual(costOf(text, 7), { cpu_s: 1.7, memory_bytes: 105, at_ms: 7 });
	assert.equal(costOf("", 7), null);
});

test("a span before there were clocks is live, and not an error", () => {
	const now = Date.UTC(2026, 10, 23);
	assert.equal(spanOf({ from: "1969-12-31T23:58:56Z", to: "1969-12-31T23:59:30Z" }, now), null);
	assert.ok(spanOf({ from: "2001-01-01T00:00:00Z", to: "" }, now));
});
