// SPDX-License-Identifier: GPL-2.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { History, type Talker, WINDOW_S, steps, talkers, verdict, windowFor } from "./series";

const talker = (id: string, tx: number, rx = 0): Talker => ({
	id, name: id, place: "", pids: [1], tx, rx, tx_bytes: 0, rx_bytes: 0, open: 0,
});

test("buckets keep the maximum beside the average", () => {
	const s = steps([101, 102, 103, 104], [10, 30, 0, 8], 104, 4, 2);
	assert.deepEqual(s.time, [100, 102]);
	assert.equal(s.end, 104);
	assert.deepEqual(s.average, [20, 4]);
	assert.deepEqual(s.maximum, [30, 8]);
});

test("a bucket without samples is a gap, not a zero", () => {
	const s = steps([100.5, 104.5], [1, 2], 105, 5, 1);
	assert.deepEqual(s.average, [1, null, null, null, 2]);
});

test("a tick that comes a little late leaves no hole", () => {
	const s = steps([100.99, 102.01, 103.0], [5, 6, 7], 103, 3, 1);
	assert.deepEqual(s.average, [5, 6.5, 6.5]);
});

test("the axis grows with what was recorded, to five minutes", () => {
	assert.equal(windowFor(0), 60);
	assert.equal(windowFor(60), 60);
	assert.equal(windowFor(61), 120);
	assert.equal(windowFor(9999), WINDOW_S);
});

test("history sums, forgets what is old and what stood still", () => {
	const h = new History();
	for (let i = 0; i < 1000; i++)
		h.push(1000 + i, [talker("a", 2, 1), ...(i < 10 ? [talker("b", 5)] : []), talker("idle", 0)]);
	assert.equal(h.sum_tx, 2000 + 50);
	assert.equal(h.sum_rx, 1000);
	assert.ok(h.time.length >= WINDOW_S && h.time.length < WINDOW_S + 60, String(h.time.length));
	const a = h.line("a");
	assert.equal(a.time.length, a.tx.length);
	assert.equal(a.time[a.time.length - 1], 1999);
	assert.deepEqual(h.line("b").tx, []);
	assert.deepEqual(h.line("idle").tx, []);
});

test("a program that paused has zeros in between", () => {
	const h = new History();
	h.push(1, [talker("a", 4)]);
	h.push(2, []);
	h.push(3, [talker("a", 6)]);
	assert.deepEqual(h.line("a").tx, [4, 0, 6]);
	h.push(4, []);
	assert.deepEqual(h.line("a").tx, [4, 0, 6, 0]);
});

test("a tick that arrives twice counts once; a clock set back starts afresh", () => {
	const h = new History();
	h.push(10, [talker("a", 1)]);
	h.push(10.1, [talker("a", 1)]);
	assert.equal(h.time.length, 1);
	h.push(2, [talker("a", 1)]);
	assert.deepEqual(h.time, [2]);
	assert.equal(h.sum_tx, 1);
});

test("many short-lived programs do not pile up", () => {
	const h = new History();
	for (let i = 0; i < 5000; i++)
		h.push(i, [talker("p" + i, 1), talker("big", 1000)]);
	assert.ok((h as unknown as { lines: Map<string, unknown> }).lines.size <= 512);
	assert.equal(h.line("big").tx.length, h.time.length);
});

test("processes of one program are one talker, containers apart", () => {
	const row = (pid: number, comm: string, container_id: string | null, tx: number) => ({
		pid, comm, container_id, container_name: null, unit: "u", tx_bytes_per_second: tx, rx_bytes_per_second: 0,
		tx_bytes: 0, rx_bytes: 0, connections_open: 1,
	});
	const list = talkers([row(1, "api", "c1", 5), row(2, "api", "c1", 6), row(3, "api", "c2", 20)]);
	assert.deepEqual(list.map((t) => [t.name, t.tx, t.pids.length]), [["api", 20, 1], ["api", 11, 2]]);
});

test("the sentence names who moves most, in the direction in which more moves", () => {
	assert.equal(verdict([]).kind, "quiet");
	assert.equal(verdict([talker("a", 0)]).kind, "quiet");
	const leads = verdict([talker("a", 71, 2), talker("b", 29, 40)]);
	assert.deepEqual([leads.kind, leads.direction, leads.who!.id, leads.part, leads.total], ["leads", "tx", "a", 71, 100]);
	const receives = verdict([talker("a", 1, 100), talker("b", 2, 0)]);
	assert.deepEqual([receives.direction, receives.who!.id], ["rx", "a"]);
	assert.equal(verdict(["a", "b", "c", "d"].map((x) => talker(x, 10))).kind, "spread");
});
