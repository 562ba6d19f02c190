// SPDX-License-Identifier: GPL-2.0-or-later
// One node or link of the map in full: its sentence, its numbers, and where to go from there.

import { useEffect, useRef } from "preact/hooks";
import { bytes, count, join, microseconds } from "./format";
import { t } from "./i18n";
import { linkId } from "./map_draw";
import { type Link, type Node, together } from "./map_model";
import type { DrawnLink, DrawnNode, Picture } from "./map_picture";
import { type Mode, amount, byEnd, command, healthText, label, linkSays, named, nodeSays, terms } from "./map_words";
import { linkTo, store } from "./store";
import { Explain } from "./explain";
import { CopyButton } from "./ui";

/** What is selected: a node or a link of the picture, as it is now. */
export interface Chosen {
	id: string;
	title: string;
	says: string;
	nodes: readonly Node[];
	links: readonly Link[];
	tx: number;
	rx: number;
	node: DrawnNode | null;
}

export function findChosen(picture: Picture, id: string, mode: Mode): Chosen | null {
	if (!id)
		return null;
	const node = picture.columns.flat().find((n) => n.id === id && n.node);
	if (node)
		return {
			id, title: named(node.node!), says: nodeSays(node, mode), nodes: [node.node!], links: node.links, tx: node.tx, rx: node.rx, node,
		};
	const link: DrawnLink | undefined = picture.links.find((l) => linkId(l) === id);
	if (!link?.of.some((l) => l.id))
		return null;
	const nodes = link.ends.flatMap((e) => e.node ?? []);
	const [first, last] = [nodes[0], nodes[nodes.length - 1]];
	return {
		id, title: first ? `${label(first)} – ${label(last)}` : t("map_links"), says: linkSays(link, mode), nodes,
		links: link.of, tx: link.tx, rx: link.rx, node: null,
	};
}

const sum = (links: readonly Link[], of: (l: Link) => number) => links.reduce((n, l) => n + of(l), 0);

interface Figure {
	title: string;
	text: string;
	field: string;
	value: number;
}

/* What is not known in this mode is left out. */
function figures(c: Chosen, mode: Mode, rtt_us: number): Figure[] {
	const live = mode === "live";
	const out: Figure[] = [];
	const add = (title: string, text: string, field: string, value: number) => out.push({ title: t(title), text, field, value });
	const rate = live ? "_per_second" : "";
	add("sent", amount(c.tx, mode), `tx_bytes${rate}`, Math.round(c.tx));
	add("received", amount(c.rx, mode), `rx_bytes${rate}`, Math.round(c.rx));
	const flows = sum(c.links, (l) => (live ? l.open : l.connections));
	add("map_n_flows", count(flows), live ? "state" : "connections", flows);
	const again = sum(c.links, (l) => l.again_bytes);
	const wire = sum(c.links, (l) => l.wire_bytes);
	const total = sum(c.links, (l) => l.retransmits);
	const share = (100 * again) / (again + wire);
	add("map_n_again", share >= 0.05 ? `${share.toFixed(1)}\u00a0%` : count(total), "retransmits", total);
	if (!live)
		return out;
	if (rtt_us)
		add("map_n_rtt", join(microseconds(rtt_us)), "srtt_us", rtt_us);
	const pids = new Set(c.links.flatMap((l) => [...l.pids.keys()])).size;
	add("view_processes", count(pids), "pid", pids);
	for (const field of ["tx_bytes", "rx_bytes"] as const) {
		const n = sum(c.links, (l) => l[field]);
		add(`map_n_${field}`, join(bytes(n)), field, n);
	}
	return out;
}

const FAR_SHOWN = 8;

export function Panel({ chosen, mode, rtt_us, pinned, onClose, onHide, onPin, onOpen }: {
	chosen: Chosen;
	mode: Mode;
	/** Of its slowest open connection. */
	rtt_us: number;
	pinned: boolean;
	onClose: () => void;
	onHide: (id: string) => void;
	onPin: (id: string) => void;
	onOpen: (id: string) => void;
}) {
	const heading = useRef<HTMLHeadingElement>(null);
	useEffect(() => heading.current?.focus({ preventScroll: true }), [chosen.id]);
	const { node, links } = chosen;
	const column = node?.column ?? 0;
	const words = [store.route.filter, terms(chosen.nodes)].filter(Boolean).join(" ");
	const peerless = [store.route.filter, terms(chosen.nodes.filter((n) => n.kind !== "peer"))].filter(Boolean).join(" ");
	const shell = command(words, store.span);
	const far = node ? byEnd(links, column === 2 ? 0 : 2).slice(0, FAR_SHOWN) : [];
	const most = far.reduce((n, x) => Math.max(n, x.tx + x.rx), 0);
	const health = together(links);
	return (
		<aside class="details map-panel" aria-labelledby="panel-title" data-id={chosen.id}>
			<div class="details-head">
				<div>
					<p class="kicker">{t(node ? `map_col_${column}` : "map_links")}</p>
					<h2 id="panel-title" ref={heading} tabIndex={-1}><bdi>{chosen.title}</bdi></h2>
				</div>
				<button type="button" class="close" aria-label={t("explain_close")} onClick={onClose}>×</button>
			</div>
			<p class="map-says"><bdi>{chosen.says}</bdi></p>
			<dl class="map-numbers">
				{figures(chosen, mode, rtt_us).map(({ title, text, field, value }) => (
					<div key={field} data-f={field}>
						<dt>{title}</dt>
						<dd>
							<Explain of={{ table: mode !== "live" ? "history_peers" : field === "srtt_us" ? "processes" : "flows", field, value, command: shell, title }}>{text}</Explain>
						</dd>
					</div>
				))}
			</dl>
			{health.level ? <p class={`map-health h${health.level}`}>{healthText(health)}</p> : null}
			{far.length > 1 ? (
				<ol class="map-far">
					{far.map((x) => (
						<li key={x.node.id}>
							<button type="button" onClick={() => onOpen(x.node.id)}>
								<span class="map-far-name"><bdi>{label(x.node)}</bdi></span>
								<span class="map-far-n">{amount(x.tx, mode)}</span>
								<span class="map-far-n">{amount(x.rx, mode)}</span>
								<i class="map-part" style={{ width: `${(100 * (x.tx + x.rx)) / Math.max(1, most)}%` }} />
							</button>
						</li>
					))}
				</ol>
			) : null}
			{node ? (
				<p class="map-act">
					<button type="button" class="action" aria-pressed={pinned} title={t("map_pin_help")} onClick={() => onPin(chosen.id)}>
						{pinned ? "★ " : ""}{t("map_pin")}
					</button>
					<button type="button" class="action" onClick={() => onHide(chosen.id)}>{t("map_hide")}</button>
				</p>
			) : null}
			<p class="map-go">
				<a class="more" href={linkTo({ view: "flows", filter: words })}>{t("view_flows")} →</a>
				{peerless ? <a class="more" href={linkTo({ view: "processes", filter: peerless })}>{t("view_processes")} →</a> : null}
				<a class="more" href={linkTo({ view: "history", filter: words })}>{t("view_history")} →</a>
			</p>
			<CopyButton class="command" text={shell} label={t("copy_cli")} shown={shell} />
		</aside>
	);
}
