// SPDX-License-Identifier: GPL-2.0-or-later
// Which columns there is room for: what is sorted by is always among them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Table } from "./model";

declare const PAGE_ROOT: string;
/* Columns reach for the page's state, and that for its address. */
Object.assign(globalThis, { location: { hash: "" } });
const { columnsOf } = await import("./columns");
const { readDeclarations } = await import(join(PAGE_ROOT, "dev/declarations.mjs"));
const tables = new Map<string, Table>(readDeclarations().map((t: Table) => [t.name, t]));
const names = (table: string, width: number, sort: string) =>
	columnsOf(tables.get(table)!, width, width < 560 ? 16 : 40, width < 560, sort).map((c) => c.field);

test("what is sorted by is seen, at any width", () => {
	for (const width of [320, 390, 600, 855, 1280, 2000])
		for (const [table, sort] of [
			["flows", "srtt_us"], ["flows", "retransmits"], ["flows", "tx_bytes"], ["flows", "rx_bytes_per_second"], ["processes", "first_seen"],
			["processes", "user"], ["processes", "tx_bytes_per_second"], ["drops", "packets_per_second"], ["drops", "last_seen"], ["history", "first_seen"],
		])
			assert.equal(names(table, width, sort).filter((f) => f === sort).length, 1, `${table} by ${sort} in ${width}`);
});

test("on a narrow screen it takes another's place", () => {
	assert.deepEqual(names("flows", 390, "tx_bytes"), ["comm", "tx_bytes", "rx_bytes"]);
	assert.deepEqual(names("flows", 390, "srtt_us"), ["comm", "tx_bytes", "srtt_us"]);
	assert.deepEqual(names("processes", 390, "tx_bytes_per_second"), ["comm", "tx_bytes_per_second", "rx_bytes"]);
	assert.deepEqual(names("drops", 390, "packets_per_second"), ["reason", "packets_per_second"]);
});

test("beside the details of a row the round trip has room before user and unit", () => {
	assert.deepEqual(names("processes", 855, "tx_bytes"), ["comm", "pid", "tx_bytes_per_second", "rx_bytes_per_second", "tx_bytes", "rx_bytes", "srtt_us"]);
	assert.ok(names("flows", 855, "tx_bytes").includes("srtt_us"));
	const all = names("processes", 1440, "tx_bytes");
	for (const field of ["user", "unit", "retransmits", "srtt_us", "connections_open"])
		assert.ok(all.includes(field), field);
});

test("what no table has changes nothing", () => {
	assert.deepEqual(names("flows", 1280, "nonsense"), names("flows", 1280, ""));
});
