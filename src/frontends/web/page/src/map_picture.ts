// SPDX-License-Identifier: GPL-2.0-or-later
// Which links of a map are drawn, and in which order their ends stand. Pure but for what it remembers between ticks.
//
// Stable above all: the order is that of identity (place, then program, then peer) and never of value, and a link that
// is drawn gives way to another only when that one is clearly wider, and not in each tick.

import { type Column, type Health, type Link, type Node, OTHER, together } from "./map_model";

export const LINKS_SHOWN = 40;
/** One click on "other" each. */
export const LIMITS = [LINKS_SHOWN, 100, 300] as const;
/** Links are exchanged so often and not in each tick, unless there is room. */
const EXCHANGE_TICKS = 5;
/** What is drawn already counts as so much wider than what is not. */
const BONUS = 1.5;
/** So many failing links are drawn however little they move. */
const FAILING_MAX = 12;

export interface Choice {
	limit: number;
	hidden: ReadonlySet<string>;
	pinned: ReadonlySet<string>;
	/** Only links that have something wrong. */
	errors: boolean;
}

export interface DrawnLink {
	id: string;
	ends: [DrawnNode, DrawnNode, DrawnNode];
	tx: number;
	rx: number;
	health: Health;
	/** The one link, or those that are summed up in it. */
	of: Link[];
}

export interface DrawnNode {
	id: string;
	column: Column;
	/** null: the foot of the column, "other". */
	node: Node | null;
	/** Of all its links, drawn or summed up, hidden ones apart. */
	tx: number;
	rx: number;
	links: Link[];
	pinned: boolean;
	/** How many nodes it stands for. */
	count: number;
}

export interface Picture {
	columns: [DrawnNode[], DrawnNode[], DrawnNode[]];
	links: DrawnLink[];
	/** Of everything that the filter and the choice leave, drawn or not. */
	tx: number;
	rx: number;
	known: number;
	summed: number;
	failing: number;
	/** The clock that it was composed by; 0: it has none. */
	ticks: number;
}

const KIND_RANK: Record<string, string> = { pod: "1", container: "2", unit: "3", host: "4" };

const value = (l: Link) => l.tx + l.rx;

export class Composer {
	private drawn = new Set<string>();
	private ranks = new Map<string, string>();
	private exchanged = -Infinity;
	private choice = "";

	/** ticks: a clock that counts the model's seconds; 0 for the past, and before the first of them. */
	compose(links: Iterable<Link>, choice: Choice, ticks: number): Picture {
		const all: Link[] = [];
		let tx = 0;
		let rx = 0;
		let failing = 0;
		const bad = new Set<Link>();
		for (const l of links) {
			if (l.nodes.some((n) => choice.hidden.has(n.id)))
				continue;
			const level = l.health.level;
			if (level) {
				failing++;
				bad.add(l);
			} else if (choice.errors) {
				continue;
			}
			all.push(l);
			tx += l.tx;
			rx += l.rx;
		}
		const picked = this.pick(all, bad, choice, ticks);
		const picture = this.sum(all, picked, choice);
		const known = all.filter((l) => l.id).length;
		return { ...picture, tx, rx, known, summed: known - picked.size, failing, ticks };
	}

	private pick(all: Link[], bad: ReadonlySet<Link>, choice: Choice, ticks: number): Set<Link> {
		const asked = [choice.limit, choice.errors, [...choice.hidden], [...choice.pinned]].join("\u0001");
		const kept = all.filter((l) => this.drawn.has(l.id));
		const due = asked !== this.choice || ticks >= this.exchanged + EXCHANGE_TICKS || ticks < this.exchanged ||
			kept.length < Math.min(choice.limit, all.length) || [...bad].some((l) => l.health.level === 2 && !this.drawn.has(l.id));
		if (!due)
			return new Set(kept);
		this.choice = asked;
		this.exchanged = ticks;
		let failing = 0;
		const rank = new Map<Link, number>();
		for (const l of all) {
			let weight = value(l) * (this.drawn.has(l.id) ? BONUS : 1);
			if (l.nodes.some((n) => choice.pinned.has(n.id)))
				weight += 1e18;
			else if (bad.has(l) && l.health.level === 2 && failing++ < FAILING_MAX)
				weight += 1e15;
			rank.set(l, weight);
		}
		const order = all.filter((l) => l.id).sort((a, b) =>
			rank.get(b)! - rank.get(a)! || b.tx_bytes + b.rx_bytes - a.tx_bytes - a.rx_bytes || (a.id < b.id ? -1 : 1));
		const picked = new Set(order.slice(0, choice.limit));
		this.drawn = new Set([...picked].map((l) => l.id));
		return picked;
	}

	/* A link that is not drawn belongs to "other" at its peer's end while its program is drawn, and at its program's end
	 * while only its peer is: so each drawn program's height is all that it moves, and few bands are added. */
	private sum(all: Link[], picked: ReadonlySet<Link>, choice: Choice): Pick<Picture, "columns" | "links"> {
		const ends = new Map<Node, DrawnNode>();
		const others: DrawnNode[] = ([0, 1, 2] as const).map((column) => ({
			id: OTHER + column, column, node: null, tx: 0, rx: 0, links: [], pinned: false, count: 0,
		}));
		for (const l of picked)
			for (const n of l.nodes)
				if (!ends.has(n))
					ends.set(n, {
						id: n.id, column: n.column, node: n, tx: 0, rx: 0, links: [], pinned: choice.pinned.has(n.id), count: 1,
					});
		const bands = new Map<string, DrawnLink>();
		const seen = new Set<Node>();
		for (const l of all) {
			const own = picked.has(l);
			const [na, nb, nc] = l.nodes;
			const [a, b, c] = [ends.get(na), ends.get(nb), ends.get(nc)];
			const to: [DrawnNode, DrawnNode, DrawnNode] = own
				? [a!, b!, c!]
				: [a ?? others[0], (a && b) ?? others[1], (a ? null : c) ?? others[2]];
			const id = own ? l.id : `${to[0].id}\u0001${to[1].id}\u0001${to[2].id}`;
			const band = bands.get(id);
			if (band) {
				band.tx += l.tx;
				band.rx += l.rx;
				band.of.push(l);
			} else {
				bands.set(id, { id, ends: to, tx: l.tx, rx: l.rx, health: { level: 0, causes: [] }, of: [l] });
			}
			l.nodes.forEach((n, i) => {
				/* The true sums of a node, wherever the bands of its links end. */
				const end = ends.get(n) ?? others[i];
				end.tx += l.tx;
				end.rx += l.rx;
				end.links.push(l);
				if (n.id && end === others[i] && !seen.has(n)) {
					seen.add(n);
					end.count++;
				}
			});
			if (!own && to[2] === others[2] && c && !seen.has(nc)) {
				seen.add(nc);
				others[2].count++;
			}
		}
		for (const band of bands.values())
			band.health = together(band.of);
		const columns: Picture["columns"] = [[], [], []];
		const used = new Set([...bands.values()].flatMap((b) => b.ends));
		for (const n of [...ends.values(), ...others])
			if (used.has(n))
				columns[n.column].push(n);
		if (this.ranks.size > 5000)
			this.ranks = new Map([...ends.keys()].flatMap((n) => (this.ranks.has(n.id) ? [[n.id, this.ranks.get(n.id)!] as const] : [])));
		for (const l of picked)
			this.place(l);
		for (const column of columns)
			column.sort((x, y) => this.compare(x, y));
		return { columns, links: [...bands.values()] };
	}

	/* Where a node stands among its like is settled when it is first drawn. */
	private place(l: Link): void {
		const [program, at, peer] = l.nodes;
		if (!this.ranks.has(at.id))
			this.ranks.set(at.id, KIND_RANK[at.kind] + at.name);
		if (!this.ranks.has(program.id))
			this.ranks.set(program.id, `${this.ranks.get(at.id)}\u0001${program.name}`);
		if (!this.ranks.has(peer.id))
			this.ranks.set(peer.id, `${this.ranks.get(program.id)}\u0001${peer.role}${peer.name}`);
	}

	private compare(x: DrawnNode, y: DrawnNode): number {
		if (!x.node || !y.node)
			return Number(!x.node) - Number(!y.node);
		if (x.pinned !== y.pinned)
			return x.pinned ? -1 : 1;
		const a = this.ranks.get(x.id) ?? "";
		const b = this.ranks.get(y.id) ?? "";
		return a < b ? -1 : a > b ? 1 : x.id < y.id ? -1 : 1;
	}
}
