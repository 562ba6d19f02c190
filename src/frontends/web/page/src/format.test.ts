// SPDX-License-Identifier: GPL-2.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import {
	bytes, count, endpoint, filterValue, join, microseconds, nanoseconds, percent, rate, shellWord, shellWords, visible,
} from "./format";

const text = (q: { value: string; unit: string }) => `${q.value} ${q.unit}`;

test("bytes have three significant digits and the unit of the command line", () => {
	const cases: [number, string][] = [
		[0, "0 B"], [1, "1 B"], [999, "999 B"], [1000, "1 kB"], [1500, "1.5 kB"], [1234, "1.23 kB"],
		[12345, "12.3 kB"], [123456, "123 kB"], [999499, "999 kB"], [999500, "1 MB"], [999999, "1 MB"],
		[42e6, "42 MB"], [1.005e9, "1 GB"], [9007199254740992, "9.01 PB"],
	];
	for (const [n, want] of cases)
		assert.equal(text(bytes(n)), want, String(n));
	assert.equal(text(rate(42e6)), "42 MB/s");
	assert.equal(text(bytes(-1500)), "-1.5 kB");
	assert.equal(join(bytes(1500)), "1.5\u00a0kB");
});

test("durations choose their unit", () => {
	assert.equal(text(microseconds(0)), "0 µs");
	assert.equal(text(microseconds(999)), "999 µs");
	assert.equal(text(microseconds(1250)), "1.25 ms");
	assert.equal(text(microseconds(2.5e6)), "2.5 s");
	assert.equal(text(microseconds(90e6)), "1.5 min");
	assert.equal(text(nanoseconds(850)), "850 ns");
	assert.equal(text(nanoseconds(1500)), "1.5 µs");
});

test("counts are grouped, those beyond a double too", () => {
	assert.equal(count(0), "0");
	assert.equal(count(999), "999");
	assert.equal(count(1234567), "1,234,567");
	assert.equal(count("18446744073709551615"), "18,446,744,073,709,551,615");
});

test("a share is never rounded to all or nothing", () => {
	assert.equal(percent(0, 0), "0");
	assert.equal(percent(0, 5), "0");
	assert.equal(percent(1, 1e6), "<1");
	assert.equal(percent(999999, 1e6), ">99");
	assert.equal(percent(5, 5), "100");
	assert.equal(percent(71, 100), "71");
});

test("an IPv6 address stands in brackets before its port", () => {
	assert.equal(endpoint("10.0.0.8", 443), "10.0.0.8:443");
	assert.equal(endpoint("2001:db8::1", 443), "[2001:db8::1]:443");
	assert.equal(endpoint("::1", null), "[::1]");
});

test("nothing unprintable survives visible()", () => {
	assert.equal(visible("nginx: worker"), "nginx: worker");
	assert.equal(visible("进程 é 🙂"), "进程 é 🙂");
	assert.equal(visible("\u001b[31mred"), "\\x1b[31mred");
	assert.equal(visible("a\u202egpj.exe"), "a\\u{202e}gpj.exe");
	assert.equal(visible("a\nb\tc\rd\0"), "a\\nb\\tc\\x0dd\\x00");
	assert.equal(visible("<svg/onload=x>"), "<svg/onload=x>");
	assert.equal(visible("\ud800"), "\\u{d800}");
	assert.equal(visible("  "), "\\x20\\x20");
	assert.equal(visible(" a b "), "\\x20a b\\x20");
	assert.equal(visible("a\u00a0b\u3000"), "a\\xa0b\\u{3000}");
	assert.equal(visible("o\u0301"), "o\u0301");
	assert.equal(visible("o" + "\u0301".repeat(5)), "o\u0301\u0301\u0301\\u{301}\\u{301}");
	for (let c = 0; c < 0x20; c++)
		assert.doesNotMatch(visible(String.fromCharCode(c)), /[\u0000-\u001f]/);
	for (const c of [0x7f, 0x85, 0x9b, 0xad, 0x200b, 0x200f, 0x2028, 0x202a, 0x2066, 0x2069, 0xfeff, 0xe0041])
		assert.match(visible(String.fromCodePoint(c)), /^\\[xu]/, c.toString(16));
});

test("a name becomes a filter value without any character that means something there", () => {
	assert.equal(filterValue("nginx"), "nginx");
	assert.equal(filterValue("Web Content"), "Web?Content");
	assert.equal(filterValue("微信\u{1f600}"), "???", "one for each character: not everything");
	assert.equal(filterValue('a"b,c*d?e\\f'), "a?b?c?d?e?f");
	assert.equal(filterValue("<svg/onload=x>"), "?svg/onload?x?");
	assert.match(filterValue("\u001b[0m\u202e'$(rm)"), /^[\x21-\x7e]+$/);
	assert.doesNotMatch(filterValue(">1M,\"x\\"), /[",\\<>=]/);
});

test("a command to copy never runs more than it shows", () => {
	assert.equal(shellWord("port:443"), "port:443");
	assert.equal(shellWord("process:$(reboot)"), "'process:$(reboot)'");
	assert.equal(shellWord("it's"), "'it'\\''s'");
	assert.equal(shellWord("a\nrm -rf"), "$'a\\x0arm -rf'");
	assert.equal(shellWord("\u202ex'"), "$'\\U0000202ex\\''");
	assert.equal(shellWord(""), "''");
	assert.equal(shellWords('process:nginx  "unit:a b"   not port:443'), "process:nginx '\"unit:a b\"' not port:443");
	assert.equal(shellWords(""), "");
});
