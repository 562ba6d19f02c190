// SPDX-License-Identifier: GPL-2.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import {
	Dataset, type Field, type Row, addressRank, cell, fitFilter, formatSort, holdKeys, keyOf, knowsFilter, narrowed, numberOf, parseEnvelope, parseSort, refusal, sortKeys, together,
} from "./model";

const head = { snapshot: 1, time: "2026-01-02T03:04:05Z", lost_events: 0 };

test("dotted names reach into objects", () => {
	const row: Row = { pid: 1, by_transport: { tcp: { tx_bytes: 5 } }, "a.b": 7, comm: null };
	assert.equal(cell(row, "by_transport.tcp.tx_bytes"), 5);
	assert.equal(cell(row, "by_transport.udp.tx_bytes"), null);
	assert.equal(cell(row, "by_transport"), null);
	assert.equal(cell(row, "a.b"), 7);
	assert.equal(cell(row, "comm.x"), null);
	assert.equal(cell(row, "nowhere"), null);
	assert.equal(numberOf({ cookie: "18446744073709551615" }, "cookie"), 18446744073709551615);
});

test("cookies beyond 2^53 stay apart, and names cannot disturb that", () => {
	const text =
		'{"snapshot":3,"time":"2026-01-02T03:04:05Z","lost_events":0,"topic":"flows","rows":[' +
		'{"cookie":18446744073709551615,"peer_address":"10.0.0.1","peer_port":1,"comm":"x"},' +
		'{"cookie":18446744073709551614,"peer_address":"10.0.0.1","peer_port":1,' +
		'"comm":"\\"cookie\\":18446744073709551613,\\"gone\\":[[18446744073709551613,"}],' +
		'"gone":[[18446744073709551612,"[18446744073709551611]",9223372036854775807],[5,"::1",null]]}';
	const e = parseEnvelope(text);
	assert.deepEqual(e.rows.map((r) => r.cookie), ["18446744073709551615", "18446744073709551614"]);
	assert.equal(e.rows[1].comm, '"cookie":18446744073709551613,"gone":[[18446744073709551613,');
	assert.deepEqual(e.gone, [
		["18446744073709551612", "[18446744073709551611]", "9223372036854775807"],
		[5, "::1", null],
	]);
});

test("rows merge by key: changed ones are replaced, new ones added, gone ones removed", () => {
	const set = new Dataset("flows");
	assert.equal(set.loaded, false);
	const flow = (cookie: number | string, port: number | null, tx: number): Row => ({
		cookie, peer_address: port === null ? null : "10.0.0.1", peer_port: port, tx_bytes: tx,
	});
	set.load({ ...head, rows: [flow(1, 80, 10), flow(2, null, 20), flow("18446744073709551615", 80, 30)] });
	assert.equal(set.rows.size, 3);
	set.merge({
		...head, snapshot: 2,
		rows: [flow(1, 80, 11), flow(3, 80, 1)],
		gone: [[2, null, null], ["18446744073709551615", "10.0.0.1", 80], [99, "10.0.0.1", 80]],
	});
	assert.deepEqual([...set.rows.values()].map((r) => [r.cookie, r.tx_bytes]), [[1, 11], [3, 1]]);
	assert.equal(set.snapshot, 2);
	set.load({ ...head, snapshot: 3, rows: [] });
	assert.equal(set.rows.size, 0);
	assert.equal(set.loaded, true);
});

test("a pid that is used again is another row", () => {
	const set = new Dataset("processes");
	set.load({ ...head, rows: [{ pid: 7, start_time_ns: 1, comm: "old" }] });
	set.merge({ ...head, rows: [{ pid: 7, start_time_ns: 2, comm: "new" }] });
	assert.equal(set.rows.size, 2);
});

test("sorting: largest first, nothing last, equals by key", () => {
	const rows = new Map<string, Row>(
		([["a", 5], ["b", 70], ["c", null], ["d", 5], ["e", 600]] as [string, number | null][]).map(([k, n]) => [k, { n }]),
	);
	assert.deepEqual(sortKeys(rows, { field: "n", ascending: false }, "uint"), ["e", "b", "a", "d", "c"]);
	assert.deepEqual(sortKeys(rows, { field: "n", ascending: true }, "uint"), ["a", "d", "b", "e", "c"]);
	assert.deepEqual(sortKeys(rows, { field: "absent", ascending: true }, "uint"), ["a", "b", "c", "d", "e"]);
});

test("a filter is narrowed: a word alone that is meant gives way, all else stays", () => {
	assert.equal(narrowed("", "process:api"), "process:api");
	assert.equal(narrowed("billing-api", "process:billing-api"), "process:billing-api");
	assert.equal(narrowed('Billing-API port:443 "billing-api"', "process:billing-api unit:a.service"), "port:443 process:billing-api unit:a.service");
	assert.equal(narrowed("process:api port:443", "process:api"), "port:443 process:api");
	assert.equal(narrowed('"Web Content" user:ana', "process:Web?Content"), "user:ana process:Web?Content");
	assert.equal(narrowed("bill not api", "process:api"), "bill not api process:api");
});

test("addresses sort by network, not by spelling", () => {
	const list = ["10.0.0.10", "9.9.9.9", "::1", "10.0.0.9", "2001:db8::1:0", "2001:db8::2", "2001:db8:0:0:0:0:0:3"];
	list.sort((a, b) => (addressRank(a) < addressRank(b) ? -1 : 1));
	assert.deepEqual(list, [
		"9.9.9.9", "10.0.0.9", "10.0.0.10", "::1", "2001:db8::2", "2001:db8:0:0:0:0:0:3", "2001:db8::1:0",
	]);
});

test("a held order loses what went and appends what came", () => {
	const rows = new Map<string, Row>([["a", {}], ["c", {}], ["x", {}]]);
	assert.deepEqual(holdKeys(["c", "b", "a"], rows), ["c", "a", "x"]);
});

test("sort words are those of the command line", () => {
	assert.deepEqual(parseSort("tx_bytes"), { field: "tx_bytes", ascending: false });
	assert.deepEqual(parseSort("-comm"), { field: "comm", ascending: true });
	assert.equal(parseSort(""), null);
	for (const s of ["tx_bytes", "-comm"])
		assert.equal(formatSort(parseSort(s)!), s);
});

test("keys hold every key value", () => {
	assert.equal(keyOf({ cookie: 1, peer_address: null, peer_port: null }, ["cookie", "peer_address", "peer_port"]), "1~null~null");
});

test("a table knows a filter by its words", () => {
	const field = (name: string, filter: string | null): Field => ({
		name, title: "", type: "text", unit: "none", help: "", key: false, column: true, filter,
	});
	const table = { name: "t", summary: "", sort: "", fields: [field("comm", "process"), field("pid", null)] };
	for (const filter of ["", "pid:4", "process:a not comm:b", 'process:"port:443 x" pid:1', "process:a\\ b"])
		assert.equal(knowsFilter(table, filter), true, filter);
	for (const filter of ["nginx", "not nginx", '"a:b"', "2001:db8::1", "pid>4", "process:x\tfe80::1"])
		assert.equal(knowsFilter(table, filter), true, filter);
	for (const filter of ["port:443", "pid:4 port:443", "port>4", "not port:1"])
		assert.equal(knowsFilter(table, filter), false, filter);
	assert.equal(knowsFilter({ ...table, fields: [field("pid", null)] }, "nginx"), false, "nothing has a name");
});

test("terms that only other tables know are left out, with what turns them round", () => {
	const table = (...names: string[]) => ({
		name: names[0], summary: "", sort: "",
		fields: names.map((name): Field => ({ name, title: "", type: "text", unit: "none", help: "", key: false, column: true, filter: null })),
	});
	const here = table("pid", "comm");
	const all = [here, table("reason", "device")];
	const fit = (filter: string) => fitFilter(here, filter, all);
	assert.deepEqual(fit("reason:X pid:4"), { filter: "pid:4", left: ["reason:X"] });
	assert.deepEqual(fit('comm:a  not reason:"x y" not pid:4'), { filter: "comm:a not pid:4", left: ['not reason:"x y"'] });
	assert.deepEqual(fit("device:lo"), { filter: "", left: ["device:lo"] });
	assert.deepEqual(fit("pid:4  comm:a "), { filter: "pid:4  comm:a ", left: [] }, "what is known stays as it was written");
	assert.deepEqual(fit("nonsense:1 pid:4"), { filter: "nonsense:1 pid:4", left: [] }, "what nobody knows is a mistake, and told");
});

test("a refusal is short, and offers what was meant", () => {
	const says = (word: string, mark: string) => `filter, column 8: unknown word "${word}"${mark} flows has: cookie, pid, comm`;
	assert.deepEqual(refusal("pid:811 prot:443", says("prot", ', did you mean "port"?')), {
		why: 'unknown word "prot", did you mean "port"?', meant: "pid:811 port:443",
	});
	assert.deepEqual(refusal("pid:1 zzz:1", says("zzz", ";")), { why: 'unknown word "zzz"', meant: "" });
	assert.deepEqual(refusal("prot>5", says("prot", ', did you mean "port"?')).meant, "port>5");
	assert.deepEqual(refusal("pid:x", 'filter, column 5: pid takes a number, not "x"'), { why: 'pid takes a number, not "x"', meant: "" });
});

test("newcomers that nothing tells apart are one line, the latest first", () => {
	const of = (name: string, place: string, first_ms: number) => ({ id: `${name} ${first_ms}`, name, place, first_ms });
	const list = together([of("python3", "a", 5), of("weir", "", 4), of("python3", "a", 9), of("python3", "b", 1), of("weir", "", 2)]);
	assert.deepEqual(list.map((x) => [x.name, x.place, x.n, x.first_ms]), [["python3", "a", 2, 9], ["weir", "", 2, 4], ["python3", "b", 1, 1]]);
});
