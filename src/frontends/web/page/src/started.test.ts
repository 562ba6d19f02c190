// SPDX-License-Identifier: GPL-2.0-or-later
// The start of a process by the clock, and what its details say of sockets that are no longer kept.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bootOf, closedBefore, isClosed } from "./started";

const process = { connections_total: 9, tx_bytes: 180_000, rx_bytes: 900, tx_bytes_per_second: 0, rx_bytes_per_second: 0 };
const flow = (cookie: number, tx_bytes: number, more = {}) => ({ cookie, tx_bytes, rx_bytes: 100, state: "established", ...more });

test("the boot is told by the process that used a socket soonest after it started", () => {
	const seen = (start_s: number, first_seen: string) => ({ start_time_ns: start_s * 1e9, first_seen });
	const boot = bootOf([seen(3600, "2026-01-02T08:00:00Z"), seen(7200, "2026-01-02T03:00:00.250Z"), seen(8000, "2026-01-02T04:00:00Z")]);
	assert.equal(boot, Date.parse("2026-01-02T01:00:00.250Z"));
	/* After 104 days the number is text. */
	assert.equal(bootOf([{ start_time_ns: "9007199254740992000", first_seen: "2286-01-02T00:00:00Z" }]),
		Date.parse("2286-01-02T00:00:00Z") - 9007199254740.992);
	assert.ok(Number.isNaN(bootOf([])));
	assert.ok(Number.isNaN(bootOf([{ start_time_ns: 1, first_seen: null }])));
});

test("sockets that are no longer kept, and what they moved", () => {
	const kept = [flow(1, 20_000), flow(2, 20_000), flow(2, 0, { peer_port: 7 })];
	assert.deepEqual(closedBefore(process, kept), { sockets: 7, bytes: { tx: 140_000, rx: 600 } });
	/* While much moves, the difference of two answers says nothing. */
	assert.deepEqual(closedBefore({ ...process, tx_bytes_per_second: 1e6 }, kept), { sockets: 7, bytes: null });
	assert.deepEqual(closedBefore({ ...process, connections_total: 1 }, kept).sockets, 0);
});

test("a socket that its peer has closed is still open", () => {
	assert.deepEqual(["closed", "close_wait", "established", "open"].map((state) => isClosed({ state })), [true, false, false, false]);
});
