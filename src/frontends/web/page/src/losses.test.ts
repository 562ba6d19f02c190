// SPDX-License-Identifier: GPL-2.0-or-later
// Lost packets: classes, sums, groups, the past, findings, and what doctor says of it all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { short, since } from "./format";
import { diagnosis } from "./health";
import { CLASSES, LossHistory, classOf, groupKeys, rankFindings, sumUp, total } from "./losses";
import { type Row, selector, sortKeys } from "./model";

const loss = (reason: string, klass: string | null, packets: number, rate = 0, overlaps = false): Row => ({
	reason, class: klass, packets, packets_per_second: rate, overlaps,
});

test("a class that is missing or new is unknown, not expected", () => {
	assert.equal(classOf({ class: "bug" }), "bug");
	for (const odd of [null, "", "hazard", "__proto__", "constructor"])
		assert.equal(classOf({ class: odd }), "unknown");
	assert.equal(classOf({}), "unknown");
});

test("sums leave out what other rows count, and count each reason once", () => {
	const sums = sumUp([
		loss("A", "tune", 10, 1), loss("A", "tune", 5), loss("B", "tune", 1000, 100, true), loss("C", "expected", 7, 2), loss("D", null, 1),
	]);
	assert.deepEqual(sums.tune, { rate: 1, packets: 15, reasons: 2, rows: 3 });
	assert.deepEqual(sums.expected, { rate: 2, packets: 7, reasons: 1, rows: 1 });
	assert.equal(sums.unknown.packets, 1);
	assert.equal(total(sums, "packets"), 23);
	assert.equal(total(sums, "rate"), 3);
	assert.equal(total(sumUp([]), "packets"), 0);
});

test("what matters comes first, and within a class the rate, then the packets", () => {
	const rows = new Map([
		["a", loss("A", "expected", 9000, 900)], ["b", loss("B", null, 1)], ["c", loss("C", "tune", 5, 3)], ["d", loss("D", "tune", 50, 0)],
		["e", loss("E", "tune", 70, 0)], ["f", loss("F", "bug", 1, 0)], ["g", loss("G", "attack", 1, 0)],
	]);
	const keys = sortKeys(rows, { field: "packets_per_second", ascending: false }, "uint", "packets");
	const groups = groupKeys(keys, rows);
	assert.deepEqual(groups.map((g) => g.class), [...CLASSES]);
	assert.deepEqual(groups.map((g) => g.keys.join("")), ["f", "g", "ced", "b", "a"]);
	assert.deepEqual(groupKeys([], rows), []);
});

test("while the order is held a row stays in its group, and what comes stands below", () => {
	const at = (rate: number, more: [string, Row][] = []) => new Map([
		["a", loss("A", "tune", 9, 3)], ["b", loss("B", "bug", 1, rate)], ["c", loss("C", "expected", 1)], ...more,
	]);
	const says = (groups: ReturnType<typeof groupKeys>) => groups.map((g) => `${g.class}${g.late ? "+" : ""}:${g.keys.join("")}`).join(" ");
	const first = groupKeys(["a", "b", "c"], at(0), true);
	assert.equal(says(first), "tune:a quiet:b expected:c");
	const rows = at(7, [["d", loss("D", "bug", 1, 1)], ["e", loss("E", "expected", 1)], ["f", loss("F", "tune", 1, 1)]]);
	const held = groupKeys(["a", "b", "c", "d", "e"], rows, true, first);
	assert.equal(says(held), "tune:a quiet:b expected:ce bug+:d");
	assert.equal(says(groupKeys(["a", "b", "c", "d", "e", "f"], rows, true, held)), "tune:a quiet:b expected:ce bug+:d tune+:f");
	rows.delete("a");
	assert.equal(says(groupKeys(["b", "c", "d", "e"], rows, true, held)), "quiet:b expected:ce bug+:d");
	assert.equal(says(groupKeys(["b", "d", "f", "c", "e"], rows, true)), "bug:bd tune:f expected:ce");
});

test("seconds between two looks share what was lost in them", () => {
	const h = new LossHistory();
	h.push(100, sumUp([loss("A", "tune", 1000, 4)]));
	h.push(105, sumUp([loss("A", "tune", 1050, 90)]));
	assert.deepEqual(h.time, [100, 101, 102, 103, 104, 105]);
	assert.deepEqual(h.rates.tune, [4, 10, 10, 10, 10, 10]);
	h.push(105.2, sumUp([loss("A", "tune", 1060, 50)]));
	assert.equal(h.time.length, 6, "the same second again");
	h.push(106, sumUp([loss("A", "tune", 1062, 12)]));
	assert.equal(h.rates.tune[6], 12, "a tick has its own rate");
	h.push(108, sumUp([]));
	assert.deepEqual(h.rates.tune.slice(7), [0, 0], "rows that left took their packets along");
	h.push(900, sumUp([loss("A", "bug", 5000, 1)]));
	assert.deepEqual(h.time.slice(-1), [900], "nobody knows what was in between");
	assert.deepEqual(h.rates.bug.slice(-1), [1]);
	h.push(10, sumUp([]));
	assert.deepEqual(h.time, [10], "a clock that was set back begins anew");
	for (let i = 11; i < 1500; i++)
		h.push(i, sumUp([]));
	assert.ok(h.time.length < 360, `${h.time.length} samples are kept`);
	assert.equal(h.time.length, h.rates.expected.length);
});

test("the worst findings come first, the daemon's order else", () => {
	const f = (id: string, klass: string | null): Row => ({ id, class: klass });
	const ranked = rankFindings([f("a", "tune"), f("b", "expected"), f("c", "tune"), f("d", "bug"), f("e", null), f("g", "attack")]);
	assert.equal(ranked.map((r) => r.id).join(""), "dgaceb");
});

test("a loss is selected by what identifies it, in words that no shell and no pattern takes for more", () => {
	const row = {
		reason: "NETFILTER_DROP", location: "nft_do_chain+0x1 [nf_tables]", device: "a*b", netns: 4026531840, pid: null, source: "packet",
	};
	assert.equal(
		selector("drops", row),
		"reason:NETFILTER_DROP location:nft_do_chain+0x1??nf_tables? device:a?b netns:4026531840 source:packet",
	);
	assert.equal(selector("flows", { cookie: "18446744073709551606" }), "cookie:18446744073709551606");
	assert.equal(selector("processes", { pid: 7 }), "pid:7");
});

test("of a feature that cannot run the first reason is told", () => {
	const row = (feature: string, state: string, reason: string): Row => ({ feature, state, reason });
	const d = diagnosis([
		row("drops", "unavailable", "first"), row("drops", "unavailable", "second"),
		row("dns", "unavailable", "lesser set"), row("dns", "on", ""), row("traffic", "degraded", "less"),
	]);
	assert.deepEqual(d.off.map((r) => r.reason), ["first"]);
	assert.deepEqual(d.on, ["dns"]);
	assert.equal(d.degraded.length, 1);
});

test("short numbers and times that lie back", () => {
	assert.deepEqual([0, 0.5, 2.25, 10, 1500, 2e6].map(short), ["0", "0.5", "2.3", "10", "1.5k", "2M"]);
	const noon = new Date(2026, 4, 3, 12, 0, 5).getTime();
	assert.equal(since(noon, noon + 3600e3), "12:00:05");
	assert.equal(since(noon, noon + 86400e3), "2026-05-03 12:00");
});

test("what loses nothing now stands behind what does, whatever its class", () => {
	const row = (name: string, rate: number): Row => ({ reason: name, class: name.split(" ")[0], packets_per_second: rate, packets: 9 });
	const list = [row("tune a", 150), row("bug a", 2), row("expected a", 0), row("bug b", 0), row("tune b", 0)];
	const rows = new Map(list.map((r) => [String(r.reason), r]));
	const groups = (live_first: boolean) => groupKeys([...rows.keys()], rows, live_first).map((g) => [g.class, ...g.keys].join(","));
	assert.deepEqual(groups(true), ["bug,bug a", "tune,tune a", "quiet,bug b,tune b", "expected,expected a"]);
	assert.deepEqual(groups(false), ["bug,bug a,bug b", "tune,tune a,tune b", "expected,expected a"]);
	for (const r of list)
		r.packets_per_second = 0;
	assert.deepEqual(groups(true), groups(false), "where nothing is lost there is nothing to stand behind");
});
