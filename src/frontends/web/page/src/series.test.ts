// SPDX-License-Identifier: GPL-2.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { History, Programs, type Talker, WINDOW_S, pastSteps, sparkOf, stepOf, steps, talkers, verdict, windowFor } from "./series";

const talker = (id: string, tx: number, rx = 0): Talker => ({
	id, name: id, place: "", pids: [1], tx, rx, tx_bytes: 0, rx_bytes: 0, open: 0, first_ms: 0,
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

test("programs kept row by row are those counted anew", () => {
	let seed = 7;
	const random = (n: number) => (seed = (seed * 16807) % 2147483647) % n;
	const rows = new Map<number, Record<string, string | number | null>>();
	const kept = new Programs();
	for (let i = 0; i < 3000; i++) {
		const pid = random(40);
		const before = rows.get(pid);
		const after = before && random(5) === 0 ? null : {
			pid, comm: "p" + random(6), container_id: random(3) ? null : "c", container_name: null, unit: "u", first_seen: "2026-01-01T00:00:00Z",
			tx_bytes_per_second: random(100), rx_bytes_per_second: random(100), tx_bytes: random(1e6), rx_bytes: random(1e6), connections_open: random(4), state: random(3) ? "running" : "exited",
		};
		kept.change(before, after);
		if (after)
			rows.set(pid, after);
		else
			rows.delete(pid);
	}
	const plain = (list: readonly Talker[]) => list.map((x) => ({ ...x, pids: [...x.pids].sort((a, b) => a - b) }));
	assert.deepEqual(plain(kept.rank()), plain(talkers(rows.values())));
	assert.equal(kept.running, [...rows.values()].filter((r) => r.state !== "exited").length, "those that ended are none");
	assert.equal(kept.open, [...rows.values()].reduce((n, r) => n + Number(r.connections_open), 0));
});

test("what the daemon kept fills the plot before the page's own samples, and not its sums", () => {
	const h = new History();
	const step = (time_s: number) => ({ time_s, seconds: 1, tx: 7, rx: 1, tx_max: null, rx_max: null });
	h.push(100, [talker("a", 2)]);
	h.push(101, [talker("a", 3)]);
	h.prepend([step(96), step(97), step(98), step(99)]);
	assert.deepEqual(h.time, [97, 98, 99, 100, 101]);
	assert.deepEqual(h.tx, [7, 7, 7, 2, 3]);
	assert.deepEqual(h.line("a"), { time: [100, 101], tx: [2, 3], rx: [0, 0] });
	assert.equal(h.sum_tx, 5);
	assert.equal(h.since_s, 100);
});

test("sums begin anew after a gap, and what the page missed comes from the daemon", () => {
	const h = new History();
	const step = (time_s: number) => ({ time_s, seconds: 1, tx: 7, rx: 1, tx_max: null, rx_max: null });
	assert.equal(h.push(100, [talker("a", 2)]), false);
	assert.equal(h.push(101, [talker("a", 3)]), false);
	assert.equal(h.push(103.2, [talker("a", 3)]), false, "a late tick");
	assert.equal(h.push(110, [talker("a", 10)]), true);
	assert.equal(h.push(111, [talker("a", 11)]), false);
	assert.deepEqual([h.since_s, h.sum_tx], [110, 21]);
	assert.deepEqual(h.line("a").tx, [2, 3, 3, 10, 11], "nothing is lost before there is an answer");
	h.prepend([106, 107, 108].map(step));
	assert.deepEqual(h.time, [107, 108, 109, 110, 111]);
	assert.deepEqual(h.tx, [7, 7, 7, 10, 11]);
	assert.deepEqual(h.line("a"), { time: [110, 111], tx: [10, 11], rx: [0, 0] });
	h.push(112, [talker("a", 12)]);
	assert.deepEqual(h.line("a").tx, [10, 11, 12]);
	assert.equal(h.sum_tx, 33);
});

test("who sends about as much as is received is not called both in turn", () => {
	const of = (tx: number, rx: number, before?: "tx" | "rx") => verdict([talker("a", tx, rx)], { direction: before }).direction;
	assert.equal(of(100, 109, "tx"), "tx");
	assert.equal(of(100, 111, "tx"), "rx");
	assert.equal(of(100, 101, "rx"), "rx");
	assert.equal(of(101, 100, "rx"), "tx");
	assert.equal(of(100, 101), "rx", "a span that is over: what was more");
	assert.deepEqual([verdict([talker("a", 0, 5)], { direction: "tx" }).direction, verdict([talker("a", 100, 105)], { direction: "tx" }).total], ["rx", 100]);
});

test("who was said to lead is said so while nobody leads clearly", () => {
	const first = verdict([talker("a", 50), talker("b", 40), talker("c", 30)]);
	assert.deepEqual([first.who!.id, first.kind], ["a", "leads"]);
	const close = [talker("a", 46), talker("b", 50), talker("c", 44)];
	assert.deepEqual([verdict(close, first).who!.id, verdict(close, first).kind, verdict(close, first).part], ["a", "leads", 46]);
	assert.equal(verdict(close).who!.id, "b");
	assert.equal(verdict([talker("a", 45), talker("b", 50), talker("c", 44)], first).who!.id, "b");
	const spread = verdict([talker("a", 40), talker("b", 40), talker("c", 60)], first);
	assert.deepEqual([spread.who!.id, spread.kind], ["c", "leads"]);
	assert.equal(verdict([talker("a", 33), talker("b", 32), talker("c", 35), talker("d", 10)], first).kind, "spread");
	assert.equal(verdict([talker("b", 7)], first).who!.id, "b", "it has gone");
});

test("what history could not keep apart is summed and leads only alone", () => {
	const rest = { ...talker("", 600), name: "all others" };
	const v = verdict([rest, talker("a", 300), talker("b", 100)]);
	assert.deepEqual([v.who!.id, v.part, v.total, v.programs], ["a", 300, 1000, 2]);
	assert.equal(verdict([rest, talker("a", 0, 9)]).who!.id, "");
});

test("a small curve has no holes where steps are wider than its own", () => {
	const before = Array.from({ length: 12 }, (_x, i) => 656 + 5 * i).map((time_s) => ({ time_s, seconds: 5, tx: 10, rx: 2, tx_max: null, rx_max: null }));
	const s = sparkOf({ time: [717], tx: [4], rx: [4] }, before, 717, 60);
	assert.ok(s.average.every((v) => v !== null), JSON.stringify(s.average));
	assert.equal(s.average[s.average.length - 1], 8);
});

test("a curve of the past: averages weighed, the largest second kept, gaps where weir did not run", () => {
	const row = (s: number, tx_bytes: number, max: number | null) => stepOf({
		time: new Date(s * 1000).toISOString(), seconds: 10, tx_bytes, rx_bytes: 0, tx_bytes_per_second_max: max, rx_bytes_per_second_max: null,
	});
	const s = pastSteps([row(1000, 100, 50), row(1010, 300, 40), row(1040, 20, null)], "tx", 1000, 1060, 20);
	assert.deepEqual(s.time, [1000, 1020, 1040]);
	assert.equal(s.end, 1060);
	assert.deepEqual(s.average, [20, null, 2]);
	assert.deepEqual(s.maximum, [50, null, 2]);
});

test("what sums count from has its reason: the page was opened, another filter, a gap", () => {
	const h = new History();
	assert.equal(h.why, "opened");
	h.clear();
	assert.equal(h.why, "opened", "nothing was counted yet");
	h.push(100, []);
	h.push(101, []);
	assert.equal(h.why, "opened");
	h.clear();
	h.push(102, []);
	assert.equal(h.why, "filter");
	h.push(110, []);
	assert.deepEqual([h.why, h.since_s], ["gap", 110]);
	h.clear();
	h.push(111, []);
	h.push(50, []);
	assert.deepEqual([h.why, h.since_s], ["gap", 50], "the clock was set back");
});
