// SPDX-License-Identifier: GPL-2.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import {
	answerOf, around, beganOf, causeOf, changeKey, curveOf, eventStep, factorText, jumpOf, keptSeconds, marksOf, moved, otherRange, pairs, programsOf, resample, shifted, unlike, useOf,
	zoomed,
} from "./history_model";
import type { Row } from "./model";

const T0 = Date.parse("2026-11-22T14:00:00Z");
const at = (s: number) => new Date(T0 + s * 1000).toISOString();
const step = (s: number, tx: number, more: Row = {}): Row => ({
	time: at(s), seconds: 10, tx_bytes: tx, rx_bytes: 1, tx_bytes_per_second_max: tx, rx_bytes_per_second_max: null, ...more,
});

test("a curve is average and maximum by step, and its integral", () => {
	const c = curveOf([step(10, 200), step(0, 100)], T0, T0 + 20e3);
	assert.deepEqual(c.time, [T0 / 1000, T0 / 1000 + 10]);
	assert.deepEqual(c.tx, [10, 20]);
	assert.deepEqual(c.tx_max, [100, 200]);
	assert.deepEqual(c.rx_max, [null, null]);
	assert.deepEqual([c.sum_tx, c.sum_rx, c.covered_s, c.step, c.gaps.length], [300, 2, 20, 10, 0]);
});

test("where weir did not run is a gap and not a zero", () => {
	const c = curveOf([step(30, 100), step(60, 100)], T0, T0 + 120e3);
	assert.deepEqual(c.gaps.map((g) => [g.from - T0 / 1000, g.to - T0 / 1000]), [[0, 30], [40, 60], [70, 120]]);
	assert.deepEqual(c.tx, [null, 10, null, 10, null]);
	const cut = curveOf([step(3, 100, { seconds: 7 }), step(10, 0)], T0, T0 + 22e3);
	assert.deepEqual(cut.gaps, [], "steps cut at an edge, and the one not over yet, are no gaps");
	assert.deepEqual(curveOf([], T0, T0 + 10e3).time, []);
});

test("another span's curve can be laid over", () => {
	const c = shifted(curveOf([step(0, 100), step(20, 300)], T0, T0 + 30e3), 3600);
	const base = T0 / 1000 + 3600;
	assert.deepEqual(resample(c, c.tx, [base - 5, base, base + 5, base + 12, base + 25, base + 40]), [null, 10, 10, null, 30, null]);
});

test("a jump is found where it is, a spike and noise are none", () => {
	const rows = Array.from({ length: 100 }, (_, i) => step(i * 10, i < 40 ? 1000 + (i % 3) * 100 : 4200 + (i % 3) * 100));
	const j = jumpOf(curveOf(rows, T0, T0 + 1000e3))!;
	assert.equal(j.time, T0 / 1000 + 400);
	assert.equal(j.direction, "tx");
	assert.ok(j.after / j.before > 3.5 && j.after / j.before < 4.5);
	const spike = Array.from({ length: 100 }, (_, i) => step(i * 10, i === 50 ? 1300 : 1000 + (i % 5) * 60));
	assert.equal(jumpOf(curveOf(spike, T0, T0 + 1000e3)), null);
	assert.equal(jumpOf(curveOf([], T0, T0 + 1000e3)), null);
	const fall = Array.from({ length: 48 }, (_, i) => step(i * 10, i < 30 ? 9000 : 0));
	assert.equal(jumpOf(curveOf(fall, T0, T0 + 480e3))!.time, T0 / 1000 + 300);
});

const program = (name: string, tx: number, rx = 0, more: Row = {}): Row => ({
	program: name, exe: "/bin/" + name, uid: 0, unit: name + ".service", container_name: null, tx_bytes: tx, rx_bytes: rx, ...more,
});

test("the answer names who moved most, in the direction in which more moved", () => {
	const list = programsOf([program("a", 100, 900), program("b", 500, 0, { new: true })]);
	assert.deepEqual(list.map((p) => [p.name, p.is_new]), [["a", false], ["b", true]]);
	const c = curveOf([step(0, 600)], T0, T0 + 10e3);
	assert.deepEqual([answerOf(c, list).kind, answerOf(c, list).who?.name, answerOf(c, list).part], ["sent", "b", 500]);
	c.sum_rx = 900;
	assert.deepEqual([answerOf(c, list).kind, answerOf(c, list).who?.name], ["received", "a"]);
	assert.equal(answerOf(curveOf([], T0, T0), []).kind, "none");
});

test("two spans side by side, the largest difference first", () => {
	const now = programsOf([program("a", 100), program("b", 5000)]);
	const then = programsOf([program("a", 110), program("gone", 9000)]);
	assert.deepEqual(pairs(now, then).map((p) => [p.name, p.before, p.after]), [["gone", 9000, 0], ["b", 0, 5000], ["a", 110, 100]]);
	assert.deepEqual([factorText(100, 420), factorText(300, 100), factorText(100, 101), factorText(0, 5), factorText(1, 5e6)],
		["×4.2", "÷3", "=", null, "×>999"]);
});

test("spans of unlike length are held against each other by what moved in a second", () => {
	const at = { from_ms: T0, to_ms: T0 + 300e3 };
	assert.equal(keptSeconds(at, NaN), 300);
	assert.equal(keptSeconds(at, T0 + 200e3), 100);
	assert.equal(keptSeconds(at, T0 + 400e3), 0);
	assert.deepEqual([unlike(300, 299), unlike(300, 100), unlike(100, 300), unlike(300, 0)], [false, true, true, false]);
	const now = programsOf([program("a", 3000)]);
	const then = programsOf([program("a", 1000), program("b", 10)]);
	assert.deepEqual(pairs(now, then, 3).map((p) => [p.name, p.before, p.after]), [["b", 30, 0], ["a", 3000, 3000]]);
});

test("a jump's cause is who moves more its way than the other", () => {
	const jump = { time: 0, direction: "tx" as const, before: 1, after: 9 };
	const list = programsOf([program("sink", 5, 9000), program("source", 9000, 5), program("fell", 9000)]);
	const changes = ["fell", "sink", "source"].map((name) => ({ kind: "program", program: name, before: name === "fell" ? 9 : 1, after: 5 }));
	assert.equal(causeOf(jump, changes, list), "source");
	assert.equal(causeOf({ ...jump, direction: "rx" }, changes, list), "sink");
	assert.equal(causeOf({ ...jump, after: 0 }, changes, list), "fell");
	assert.equal(causeOf(jump, [], list), "");
});

test("each change has a sentence of its own", () => {
	assert.equal(changeKey({ kind: "program", new: true, before: 0, after: 5 }), "change_program_new");
	assert.equal(changeKey({ kind: "peer", gone: true, before: 5, after: 0 }), "change_peer_gone");
	assert.equal(changeKey({ kind: "loss", before: 5, after: 9 }), "change_loss_more");
	assert.equal(changeKey({ kind: "program", before: 5, after: 3 }), "change_program_less");
	assert.equal(changeKey({ kind: "event" }), "change_event");
});

test("spans: the one to compare with, nearer, further, aside", () => {
	const span = { from_ms: T0, to_ms: T0 + 3600e3 };
	assert.deepEqual(otherRange("before", span), { from_ms: T0 - 3600e3, to_ms: T0 });
	assert.deepEqual(otherRange("week", span), { from_ms: T0 - 7 * 86400e3, to_ms: T0 + 3600e3 - 7 * 86400e3 });
	assert.deepEqual(otherRange(`${at(0)}/${at(60)}`, span), { from_ms: T0, to_ms: T0 + 60e3 });
	assert.equal(otherRange("nonsense", span), null);
	const now = T0 + 3600e3;
	assert.deepEqual(zoomed(span, 0.5, now), { from_ms: T0 + 900e3, to_ms: T0 + 2700e3 });
	assert.deepEqual(zoomed(span, 2, now), { from_ms: T0 - 3600e3, to_ms: now });
	assert.deepEqual(moved(span, 0.5, now), span, "not into the future");
	assert.deepEqual(moved(span, -0.5, now), { from_ms: T0 - 1800e3, to_ms: T0 + 1800e3 });
	const w = around(T0 + 1800e3, span, now);
	assert.equal(w.before.to_ms, w.after.from_ms);
	assert.equal(w.after.to_ms - w.after.from_ms, 300e3);
});

test("what could not be kept apart leads no span, no day, and is no program of that name", () => {
	const c = curveOf([step(0, 1000)], T0, T0 + 10e3);
	const rest: Row = { program: "other", uid: null, tx_bytes: 900, rx_bytes: 0 };
	const own: Row = { program: "other", uid: 0, unit: null, tx_bytes: 60, rx_bytes: 0 };
	const list = programsOf([rest, own, { program: "a", uid: 0, tx_bytes: 40, rx_bytes: 0 }]);
	assert.equal(list[0].id, "");
	assert.equal(answerOf(c, list).who?.id, list[1].id);
	assert.equal(answerOf(c, list).part, 60);
	assert.equal(pairs(list, programsOf([rest])).length, 3);
	assert.deepEqual(useOf([{ ...rest, day: "2026-11-22" }, { ...own, day: "2026-11-22" }], "day"), [
		{ period: "2026-11-22", tx: 960, rx: 0, who: "other", part: 60 },
	]);
});

test("what changed at a moment is one question while the span slides", () => {
	const asked = new Set(Array.from({ length: 100 }, (_x, i) => JSON.stringify(
		around(T0 + 1800e3, { from_ms: T0, to_ms: T0 + 3600e3 + i * 20 }, T0 + 3600e3 + i * 20))));
	assert.equal(asked.size, 1);
});

test("use per day sums programs and names the largest", () => {
	const day = (d: string, p: string, tx: number) => ({ day: d, program: p, tx_bytes: tx, rx_bytes: 1, connections: 1 });
	assert.deepEqual(useOf([day("2026-11-21", "a", 5), day("2026-11-22", "a", 5), day("2026-11-22", "b", 9)], "day"), [
		{ period: "2026-11-22", tx: 14, rx: 2, who: "b", part: 10 },
		{ period: "2026-11-21", tx: 5, rx: 1, who: "a", part: 6 },
	]);
});

test("events share a mark where there is no room, and the gravest shows", () => {
	const event = (s: number, kind: string) => ({ time: at(s), kind, program: null, summary: "" });
	const marks = marksOf([event(1, "first_seen"), event(2, "killed"), event(900, "started"), event(5, "unheard_of"), event(9999, "gap")],
		{ from_ms: T0, to_ms: T0 + 1000e3 }, 1000);
	assert.deepEqual(marks.map((m) => [m.kind, m.n, Math.round(m.x)]), [["killed", 2, 2], ["started", 1, 900]]);
});

test("rows of several events count as many; a step is as fine as marks can show", () => {
	const row = { time: at(1), kind: "first_seen", program: "sh", summary: "", count: 40 };
	const marks = marksOf([row, { ...row, time: at(2), count: 2 }], { from_ms: T0, to_ms: T0 + 1000e3 }, 1000);
	assert.deepEqual(marks.map((m) => m.n), [42]);
	assert.equal(eventStep({ from_ms: T0, to_ms: T0 + 60e3 }), 1);
	assert.equal(eventStep({ from_ms: T0, to_ms: T0 + 3600e3 }), 30);
});

test("what is kept begins with the oldest of all levels", () => {
	assert.ok(Number.isNaN(beganOf([{ level: "file", oldest: null }])));
	assert.equal(beganOf([{ oldest: at(50) }, { oldest: at(10) }, { oldest: null }, { oldest: at(20) }]), T0 + 10e3);
});
