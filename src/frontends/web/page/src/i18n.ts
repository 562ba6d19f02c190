// SPDX-License-Identifier: GPL-2.0-or-later
// Every word of the page, in each language, side by side. A test fails when one is missing. What the daemon
// declares (titles and help of fields) is English already; its translation is in i18n_fields.ts.

import { fieldsZh } from "./i18n_fields";

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

/* {name} is replaced. */
export const strings = {
	skip: ["Skip to the content", "跳到内容"],
	views: ["Views", "视图"],
	view_now: ["Now", "此刻"],
	view_processes: ["Processes", "进程"],
	view_flows: ["Flows", "连接"],
	language: ["中文", "English"],
	language_label: ["Switch the page to Chinese", "把页面切换为英文"],

	filter: ["Filter", "过滤"],
	filter_placeholder: ["process:nginx  port:443  not unit:ssh.service", "process:nginx  port:443  not unit:ssh.service"],
	filter_clear: ["Clear the filter", "清除过滤"],
	filter_words: ["Words you can use:", "可用的词："],
	filter_elsewhere: ["Use it in {view}", "在“{view}”中使用"],
	filter_hint: [
		"All terms must hold. Numbers compare (tx_bytes:>1M), text takes * and ?, addresses take networks, “not” turns a term round.",
		"各条件须同时成立。数字可比较（tx_bytes:>1M），文本可用 * 和 ?，地址可写网段，“not” 表示取反。",
	],
	filter_applies: ["Only what matches the filter", "只含符合过滤条件的部分"],

	live: ["Live", "实时"],
	connecting: ["Connecting", "连接中"],
	status_rejected: ["Check the filter", "请检查过滤条件"],
	rejected: ["This filter does not work here", "此处不能使用该过滤条件"],
	stalled: ["Stalled for {seconds} s", "已停滞 {seconds} 秒"],
	offline: ["No daemon", "守护进程无响应"],
	offline_help: [
		"The daemon does not answer; what you see is {seconds} s old. Trying again.",
		"守护进程没有回应；所见数据是 {seconds} 秒前的。正在重试。",
	],
	denied: ["The daemon refused: {reason}", "守护进程拒绝了请求：{reason}"],
	lost_badge: ["{n} events lost", "丢失 {n} 个事件"],
	lost_help: [
		"The kernel could not hand over {n} records since the daemon started. Byte counts live in the kernel and stay right; what may be missing is a process or a connection that lived very shortly.",
		"自守护进程启动以来，内核有 {n} 条记录未能交付。字节计数保存在内核中，仍然准确；可能缺少的是极短命的进程或连接。",
	],

	sends: ["{who} sends {share}\u00a0% of {total}", "{who} 发出 {total} 中的 {share}\u00a0%"],
	sends_to: ["{who} sends {share}\u00a0% of {total}, mostly to {peer}", "{who} 发出 {total} 中的 {share}\u00a0%，主要发往 {peer}"],
	receives: ["{who} receives {share}\u00a0% of {total}", "{who} 收取 {total} 中的 {share}\u00a0%"],
	receives_from: [
		"{who} receives {share}\u00a0% of {total}, mostly from {peer}",
		"{who} 收取 {total} 中的 {share}\u00a0%，主要来自 {peer}",
	],
	spread_sends: [
		"{programs} programs send {total}; the largest, {who}, {share}\u00a0%",
		"{programs} 个程序共发出 {total}；最多的是 {who}，占 {share}\u00a0%",
	],
	spread_receives: [
		"{programs} programs receive {total}; the largest, {who}, {share}\u00a0%",
		"{programs} 个程序共收取 {total}；最多的是 {who}，占 {share}\u00a0%",
	],
	quiet: ["All is quiet", "一切安静"],
	quiet_sub: ["No program sent or received anything in the last second.", "最近一秒内没有程序收发数据。"],
	waiting: ["Listening…", "正在倾听……"],
	waiting_sub: ["The first numbers arrive within a second.", "第一批数字将在一秒内到达。"],
	sub_line: [
		"{processes} processes, {open} open sockets on {host}.",
		"{host} 上有 {processes} 个进程、{open} 个打开的套接字。",
	],
	sent: ["Sent", "发送"],
	received: ["Received", "接收"],
	peak: ["peak {rate}", "峰值 {rate}"],
	peak_at: ["peak {rate} at {time}", "峰值 {rate}（{time}）"],
	integral_short: ["{bytes} in all", "共 {bytes}"],
	integral: ["{bytes} since {time}", "自 {time} 起共 {bytes}"],
	rates_label: [
		"Bytes per second in time; now sent {tx}, received {rx}",
		"每秒字节数随时间的变化；此刻发送 {tx}，接收 {rx}",
	],
	rates_title: ["Rates, last {n} min", "速率，最近 {n} 分钟"],
	rates_since: ["Steps of {span} s, recorded by this page; the pale line is the largest second of each.", "每级 {span} 秒，由本页记录；浅色线为其中最大的一秒。"],
	rates_since_1: ["Steps of one second, recorded by this page.", "每级一秒，由本页记录。"],
	talkers_title: ["Top talkers", "流量最大的程序"],
	talkers_none: ["Nobody has used the network yet.", "还没有程序使用网络。"],
	talkers_processes: ["{n} processes", "{n} 个进程"],
	talkers_all: ["All processes", "所有进程"],
	spark_label: ["last {n} min", "最近 {n} 分钟"],
	new_title: ["New today", "今天新出现"],
	new_none: ["No program used the network for the first time today.", "今天没有程序首次使用网络。"],
	new_badge: ["new", "新"],
	new_since: ["First seen since you opened this page", "打开本页之后首次出现"],
	new_more: ["and {n} more", "还有 {n} 个"],
	health_title: ["weir itself", "weir 自身"],
	health_lost_none: ["No event lost", "没有丢失事件"],
	health_snapshot: ["Snapshot {n}, {time}", "快照 {n}，{time}"],
	health_on: ["{name} is on:", "{name} 已开启："],
	health_off: ["{name} is {state}: {reason}", "{name}：{state}：{reason}"],
	health_degraded: ["{n} things cannot be seen in full on this kernel:", "在此内核上有 {n} 项无法完整观察："],
	health_audit: ["Every sum agrees with the kernel's:", "各项总和与内核一致："],
	health_audit_gap: ["A sum does not agree ({scope}):", "有一项总和不一致（{scope}）："],

	rows_n: ["{n} rows", "{n} 行"],
	rows_1: ["1 row", "1 行"],
	held: ["Order held while you point at it", "指向表格时保持顺序"],
	sort_by: ["Sort by {title}", "按{title}排序"],
	copy_cli: ["Copy as command", "复制为命令"],
	copied: ["Copied", "已复制"],
	empty_filter: ["Nothing matches this filter", "没有符合过滤条件的内容"],
	empty_filter_sub: ["Change it above, or clear it.", "请修改上方的条件，或将其清除。"],
	empty_processes: ["No process has used a socket yet", "还没有进程使用套接字"],
	empty_flows: ["No socket is open", "没有打开的套接字"],
	empty_sub: ["It appears here within a tenth of a second when one does.", "一旦出现，十分之一秒内就会显示在这里。"],
	unfold: ["Show its sockets", "展开其套接字"],
	fold: ["Hide its sockets", "收起其套接字"],
	flows_none: ["no sockets open or recently closed", "没有打开或最近关闭的套接字"],
	flows_more: ["{n} more: show all", "还有 {n} 个：全部显示"],
	flows_of: ["Its sockets", "它的套接字"],

	details: ["Details", "详情"],
	details_close: ["Close the details", "关闭详情"],
	details_gone: ["It is gone; these were its last numbers.", "它已不在；这是最后的数字。"],
	details_absent: ["Not known or not applicable here", "此处未知或不适用"],
	details_copy: ["Copy the command that prints {title}", "复制输出“{title}”的命令"],
	yes: ["yes", "是"],
	no: ["no", "否"],
	keys_hint: [
		"/ filter · ↑ ↓ move · → ← unfold · Enter details · Esc close",
		"/ 过滤 · ↑ ↓ 移动 · → ← 展开 · Enter 详情 · Esc 关闭",
	],
} as const satisfies Record<string, readonly [string, string]>;

export type StringKey = keyof typeof strings;

let language: Language = "en";

export function setLanguage(l: Language): void {
	language = l;
}

export function currentLanguage(): Language {
	return language;
}

/** The page's language for a browser that prefers these. */
export function chooseLanguage(stored: string | null, preferred: readonly string[]): Language {
	if (stored === "en" || stored === "zh")
		return stored;
	for (const p of preferred) {
		const short = p.toLowerCase().split("-")[0];
		if (short === "en" || short === "zh")
			return short;
	}
	return "en";
}

export function t(key: StringKey, values?: Record<string, string | number>): string {
	const text: string = strings[key][language === "zh" ? 1 : 0];
	return values ? text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole)) : text;
}

/** The same cut at its placeholders, so that a value can be an element: ["", {name}, " sends "...]. */
export function pieces(key: StringKey): (string | { name: string })[] {
	return strings[key][language === "zh" ? 1 : 0]
		.split(/(\{\w+\})/)
		.filter((s) => s !== "")
		.map((s) => (s.startsWith("{") ? { name: s.slice(1, -1) } : s));
}

export function fieldTitle(table: string, name: string, declared: string): string {
	return language === "zh" ? (fieldsZh[`${table}.${name}`]?.[0] ?? declared) : declared;
}

export function fieldHelp(table: string, name: string, declared: string): string {
	return language === "zh" ? (fieldsZh[`${table}.${name}`]?.[1] ?? declared) : declared;
}
