// SPDX-License-Identifier: GPL-2.0-or-later
// What history keeps of lost packets, beside what a page has seen itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CLASSES, LossHistory, sumUp } from "./losses";
import { type LostSecond, fillLosses, lostSeconds } from "./losses_seconds";

const at = (s: number) => new Date(s * 1000).toISOString();
const row = (s: number, lost: number, seconds = 1) => ({ time: at(s), seconds, lost_packets: lost });

test("the curves of the classes are one list, a sample about the second that ends with it", () => {
	const none = { bug: [], attack: [], tune: [], unknown: [], expected: [] };
	const list = lostSeconds({ ...none, tune: [row(100, 7), row(101, 0)], expected: [row(101, 3), row(110, 99, 10)] });
	assert.deepEqual(list.map((s) => [s.time_s, s.rates.tune, s.rates.expected, s.rates.bug]), [[101, 7, 0, 0], [102, 0, 3, 0]]);
	assert.deepEqual(lostSeconds(none), []);
});

test("history stands where the page did not look, and nowhere else", () => {
	const own = new LossHistory();
	const look = (s: number, rate: number) =>
		own.push(s, sumUp([{ reason: "A", class: "tune", packets: 9, packets_per_second: rate, overlaps: false }]));
	const second = (time_s: number): LostSecond => ({ time_s, rates: { bug: 1, attack: 0, tune: 5, unknown: 0, expected: 0 } });
	look(1000.3, 40);
	look(1001.3, 41);
	look(1101.3, 42);
	fillLosses(own, [998, 999, 1000, 1001, 1002, 1050, 1100, 1101, 1102].map(second));
	assert.deepEqual(own.time, [998, 999, 1000.3, 1001.3, 1050, 1100, 1101.3]);
	assert.deepEqual(own.rates.tune, [5, 5, 40, 41, 5, 5, 42]);
	assert.deepEqual(own.rates.bug, [1, 1, 0, 0, 1, 1, 0]);
	assert.ok(CLASSES.every((c) => own.rates[c].length === own.time.length));
	fillLosses(own, [998, 1000, 1050].map(second));
	assert.equal(own.time.length, 7, "the same answer again adds nothing");
	fillLosses(own, [second(700)]);
	assert.equal(own.time[0], 998, "nor what lies before the window");
	look(1102.3, 43);
	assert.equal(own.rates.tune[7], 43, "what comes next follows");
});
