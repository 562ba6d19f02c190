// SPDX-License-Identifier: GPL-2.0-or-later
// What a node or a link of the map says in words, and which words of the filter language select it.

import { bytes, count, endpoint, filterValue, join, microseconds, rate, shellWords, visible } from "./format";
import { t } from "./i18n";
import { type Cause, type Health, type Link, type Node, together } from "./map_model";
import type { DrawnLink, DrawnNode } from "./map_picture";
import { sinceWords } from "./programs";
import type { Span } from "./time";

export type Mode = "live" | "span";

/** An amount as the map's mode has it: a rate, or bytes of the span. */
export function amount(n: number, mode: Mode): string {
	return join(mode === "live" ? rate(Math.round(n)) : bytes(Math.round(n)));
}

/** A node's name, short, as it stands in the picture. */
export function label(node: Node): string {
	if (node.kind === "host")
		return t("map_host");
	if (node.role === "client")
		return visible(endpoint(node.name, node.port));
	return (node.column === 2 && !node.name ? t("map_unknown") : visible(node.name)) + (node.port ? ` (:${node.port})` : "");
}

/** The same in a sentence. */
export function named(node: Node): string {
	return node.role === "server" && node.name ? t("map_peer_from", { peer: visible(node.name), port: node.port }) : label(node);
}

export function endLabel(end: DrawnNode): string {
	return end.node ? label(end.node) : !end.count ? t("all_others") : t(`map_other_${end.column}`, { n: count(end.count) });
}

function percent(n: number): string {
	return n >= 10 ? n.toFixed(0) : n.toFixed(1);
}

function cause(c: Cause): string {
	const us = (n: number) => join(microseconds(Math.round(n)));
	return t(`map_${c.kind}`, {
		n: c.kind === "slow" ? us(c.n) : c.kind === "retransmits" ? percent(c.n) : count(c.n),
		usual: us(c.usual),
	});
}

export function healthText(h: Health): string {
	return h.causes.map(cause).join(t("map_and"));
}

const withHealth = (text: string, h: Health) => (h.causes.length ? text + t("map_and") + healthText(h) : text);

/** Sums of links by the node at one of their ends, the largest first. */
export function byEnd(links: readonly Link[], column: number): { node: Node; tx: number; rx: number; links: Link[] }[] {
	const found = new Map<string, { node: Node; tx: number; rx: number; links: Link[] }>();
	for (const l of links) {
		const node = l.nodes[column];
		let x = found.get(node.id);
		if (!x)
			found.set(node.id, (x = { node, tx: 0, rx: 0, links: [] }));
		x.tx += l.tx;
		x.rx += l.rx;
		x.links.push(l);
	}
	return [...found.values()].sort((a, b) => b.tx + b.rx - a.tx - a.rx || (a.node.id < b.node.id ? -1 : 1));
}

export function nodeSays(end: DrawnNode, mode: Mode): string {
	const { node, links } = end;
	const numbers = { tx: amount(end.tx, mode), rx: amount(end.rx, mode) };
	if (!node)
		return t("map_other_open", { name: endLabel(end), ...numbers });
	const far = byEnd(links, node.column ? 0 : 2);
	const own = named(node);
	const first = far.length ? named(far[0].node) : "";
	/* Who has most of it, in each direction for itself. */
	const most = (way: "tx" | "rx") => {
		const top = far.reduce((a, b) => (b[way] > a[way] ? b : a));
		return numbers[way] + (top[way] ? t("map_mostly", { who: named(top.node) }) : "");
	};
	const text = far.length > 1
		? t(node.column ? "map_says_programs" : "map_says_peers", { who: own, n: count(far.length), tx: most("tx"), rx: most("rx") })
		: t(node.column === 1 ? "map_says_place" : "map_says_process", {
			...numbers, where: own, who: node.column ? first : own, peer: node.column ? own : first,
		});
	return withHealth(text, together(links));
}

export function linkSays(l: DrawnLink, mode: Mode): string {
	const [a, b, c] = l.ends;
	const own = a.node && b.node && c.node;
	const values = {
		who: a.node ? named(a.node) : endLabel(a), where: endLabel(b), peer: c.node ? named(c.node) : endLabel(c),
		tx: amount(l.tx, mode), rx: amount(l.rx, mode), n: count(l.of.length),
	};
	return withHealth(t(own ? "map_says_link" : "map_says_band", values), l.health);
}

/** Words of the filter language for a node; "" where there are none. */
export function term(node: Node): string {
	const value = filterValue(node.name);
	if (node.kind === "host")
		return "";
	if (node.kind !== "peer")
		return `${node.kind}:${value}`;
	return (value && `peer:${value} `) + (node.port ? `port:${node.port}` : "");
}

export function terms(nodes: readonly Node[]): string {
	return nodes.map(term).join(" ").trim().replace(/ +/g, " ");
}

/** The command that prints what these words select. */
export function command(words: string, at: Span | null): string {
	return `weir ${at ? `history peers ${sinceWords(at)}` : "flows"}${words ? " " + shellWords(words) : ""}`;
}

/* --- lists of nodes in the address --- */

export function parseIds(text: string | undefined): Set<string> {
	return new Set((text ?? "").split(",").filter(Boolean).map((s) => s.replace(/%2C/g, ",").replace(/%25/g, "%")));
}

export function formatIds(ids: ReadonlySet<string>): string {
	return [...ids].map((s) => s.replace(/%/g, "%25").replace(/,/g, "%2C")).join();
}
