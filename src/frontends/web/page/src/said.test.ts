// SPDX-License-Identifier: GPL-2.0-or-later
// Sentences of the daemon in Chinese; what names in them cannot do.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setLanguage } from "./i18n";
import { SAID, learn, said } from "./said";

declare const PAGE_ROOT: string;
declare const BUNDLES: string[];
const { readSaid } = await import(join(PAGE_ROOT, "words.mjs"));
const PARTS = readSaid() as Record<string, Record<string, string>>;
const ALL = Object.assign({}, ...Object.values(PARTS)) as Record<string, string>;

for (const part of Object.values(PARTS))
	learn(part);

function inChinese(check: () => void): void {
	setLanguage("zh");
	try {
		check();
	} finally {
		setLanguage("en");
	}
}

test("each part of the table has a bundle", () => {
	assert.ok(Object.keys(ALL).length > 700);
	assert.deepEqual(Object.keys(PARTS).map((part) => `said_${part}`), SAID);
	for (const bundle of SAID)
		assert.ok(BUNDLES.includes(bundle), bundle);
});

test("in English all stays", () => {
	assert.equal(said("The packet was used; nothing is lost."), "The packet was used; nothing is lost.");
});

test("sentences as they stand", () => {
	inChinese(() => {
		assert.equal(said("The packet was used; nothing is lost."), "包已被使用；没有丢失。");
		for (const [english, chinese] of Object.entries(ALL))
			if (!english.includes("{"))
				assert.equal(said(english), chinese);
	});
});

test("what the table does not have stays", () => {
	inChinese(() => {
		for (const text of ["", " ", "a sentence of a newer daemon", "the table of neighbours is full.", "5 packets lost: ",
			" packets lost: x", "{owner?}", "__proto__", "constructor", "this kernel lacks something new"])
			assert.equal(said(text), text);
	});
});

test("values are filled in, and said where they are sentences", () => {
	inChinese(() => {
		const pairs: [string, string][] = [
			["nginx's receive buffer is full; the program reads too slowly", "nginx 的接收缓冲区已满；程序读取太慢"],
			["the program's receive buffer is full; the program reads too slowly", "该程序的接收缓冲区已满；程序读取太慢"],
			["1 packet lost: the table of neighbours is full", "丢失 1 个包：邻居表已满"],
			[
				"12 packets a second lost on eth0: nginx reads too slowly; its TCP window is closed",
				"eth0 每秒丢失 12 个包：nginx 读取太慢；其 TCP 窗口已关闭",
			],
			[
				"3 connections turned away: the program accepts connections too slowly; its listen queue is full",
				"拒绝了 3 个连接：该程序接受连接太慢；其监听队列已满",
			],
			["7 packets lost on eth0: a headline of a newer daemon", "eth0 丢失 7 个包：a headline of a newer daemon"],
			["this kernel lacks kprobes", "此内核缺少 kprobe"],
			["this kernel lacks programs on typed tracepoints", "此内核缺少带类型 tracepoint 上的程序"],
			["this kernel lacks the function udp_sendmsg: UDP is not counted", "此内核缺少函数 udp_sendmsg：UDP 不计入"],
			["Unknown error 524: UDP is not counted", "Unknown error 524：UDP 不计入"],
			["nginx rose from 1.5 MB/s to 3 MB/s", "nginx 从 1.5 MB/s 升至 3 MB/s"],
			[
				"nginx to db.example, port 5432, moved 3 MB/s, and nothing before: it is new",
				"nginx 到 db.example（端口 5432）：3 MB/s，之前没有；首次出现",
			],
			["packets lost for NO_SOCKET at eth0 by nginx fell from 12 to 3", "eth0 上 nginx 因 NO_SOCKET 丢失的包从 12 降至 3"],
			["rsync with web rose from 1 to 2", "rsync with web 从 1 升至 2"],
			["nginx with database.example", "nginx with database.example"],
			["sshd listens on [::1]:22", "sshd 监听 [::1]:22"],
			[
				"loading BPF programs needs CAP_BPF, CAP_PERFMON, which this process lacks",
				"加载 BPF 程序需要 CAP_BPF, CAP_PERFMON，而本进程没有",
			],
			[
				"the kernel refused the object: the kernel refuses this program though the rights are there: " +
					"Permission denied (a lockdown or another policy)",
				"内核拒绝了 BPF 对象：权限已具备，但内核拒绝此程序：权限不够（lockdown 或其他策略）",
			],
		];
		for (const [english, chinese] of pairs)
			assert.equal(said(english), chinese);
	});
});

test("names are no sentences", () => {
	inChinese(() => {
		for (const name of ["a", " ", "evil: x", "{owner?}", "$1 $& $`", "'s receive buf", "traffic: UDP", "this program",
			"lost on eth0:", "reads too slow", "\x1b[31mred", "\ud800", "\n", "packets lost: ", "kprobes", "<b>"]) {
			const space = name.at(-1)! > "\x7f" ? "" : " ";
			assert.equal(
				said(`9 packets lost on eth0: ${name} reads too slowly; its TCP window is closed`),
				`eth0 丢失 9 个包：${name}${space}读取太慢；其 TCP 窗口已关闭`,
			);
		}
	});
});
