// SPDX-License-Identifier: GPL-2.0-or-later
// Where the nodes and bands of a map lie. Pure but for what it remembers between ticks.
//
// d3-sankey was not taken: it stacks nodes by their values, so that each tick moves all that lies below a node which
// grew by a pixel. Here a node owns a slot that has room to spare; while it fits, only its width changes and nothing
// else moves. The scale has the same patience.

import type { DrawnLink, DrawnNode, Picture } from "./map_picture";

const SLOT_MIN = 22;
const SLOT_STEP = 12;
/** What a slot gets beyond its need, and what the scale leaves of the height. */
const SLOT_ROOM = 1.5;
const ROOM = 1.3;
/** A slot or a scale that is this much too large for so long is taken in. */
const SLACK = 0.3;
const SLACK_TICKS = 30;
/** What moves next to nothing is a hair, and what moves nothing a thinner one: many of them must not look like much. */
export const HAIR = 0.75;
const STILL = 0.15;

const thickness = (n: number, scale: number) => (n < 0.5 ? STILL : Math.max(HAIR, n * scale));
const GAP_MAX = 36;

export interface Box {
	width: number;
	/** How high the bands of a column may be together. */
	height: number;
	/** Left edges of the three columns' bars; bar is their width. */
	x: [number, number, number];
	bar: number;
}

export interface PlacedNode {
	at: DrawnNode;
	x: number;
	/** The slot: does not move while the picture's nodes are the same. */
	y: number;
	height: number;
	/** The bar within it. */
	bar_y: number;
	bar_height: number;
}

export interface PlacedLink {
	of: DrawnLink;
	/** Outlines of what is sent and, below it, what is received. */
	tx: string;
	rx: string;
	/** The middle of both, as a line. */
	line: string;
	/** Where a mark about the link can stand. */
	mark_x: number;
	mark_y: number;
	thickness: number;
}

export interface Layout {
	nodes: PlacedNode[];
	links: PlacedLink[];
	height: number;
	/** Counts up whenever places were given anew. */
	epoch: number;
}

interface Slot {
	height: number;
	small_ticks: number;
}

export class Placer {
	private scale = 0;
	private small_ticks = 0;
	private slots = new Map<string, Slot>();
	private y = new Map<string, number>();
	private structure = "";
	private height = 0;
	private epoch = 0;

	place(picture: Picture, box: Box): Layout {
		const scale = this.scaleFor(picture, box);
		const thick = new Map<DrawnLink, number>();
		const load = new Map<DrawnNode, number>();
		for (const l of picture.links) {
			const t = thickness(l.tx, scale) + thickness(l.rx, scale);
			thick.set(l, t);
			for (const n of l.ends)
				load.set(n, (load.get(n) ?? 0) + t);
		}
		this.allot(picture, load, box);
		const nodes: PlacedNode[] = [];
		const found = new Map<DrawnNode, PlacedNode>();
		for (const column of picture.columns)
			for (const at of column) {
				const slot = this.slots.get(at.id)!;
				const y = this.y.get(at.id)!;
				const bar_height = load.get(at) ?? HAIR;
				const placed = {
					at, x: box.x[at.column], y, height: slot.height, bar_height, bar_y: y + (slot.height - bar_height) / 2,
				};
				nodes.push(placed);
				found.set(at, placed);
			}
		return { nodes, links: bands(picture.links, found, thick, scale, box), height: this.height, epoch: this.epoch };
	}

	private scaleFor(picture: Picture, box: Box): number {
		let most = 0;
		for (const l of picture.links)
			most += l.tx + l.rx;
		if (!most)
			return this.scale;
		const fit = box.height / most;
		this.small_ticks = this.scale < SLACK * fit ? this.small_ticks + 1 : 0;
		if (!this.scale || this.scale > fit || this.small_ticks >= SLACK_TICKS) {
			this.scale = fit / ROOM;
			this.small_ticks = 0;
		}
		return this.scale;
	}

	/* Slots, and their places when any of them changed. */
	private allot(picture: Picture, load: Map<DrawnNode, number>, box: Box): void {
		let changed = false;
		const ids: string[] = [];
		for (const column of picture.columns)
			for (const n of column) {
				ids.push(n.id);
				const need = Math.max(SLOT_MIN, (load.get(n) ?? 0) + 4);
				const slot = this.slots.get(n.id);
				const small = slot !== undefined && slot.height > SLOT_MIN && need < SLACK * slot.height;
				if (slot && need <= slot.height && !(small && slot.small_ticks >= SLACK_TICKS)) {
					slot.small_ticks = small ? slot.small_ticks + 1 : 0;
					continue;
				}
				const height = need <= SLOT_MIN ? SLOT_MIN : Math.ceil((need * SLOT_ROOM) / SLOT_STEP) * SLOT_STEP;
				changed = changed || slot?.height !== height;
				this.slots.set(n.id, { height, small_ticks: 0 });
			}
		const structure = ids.join("\u0002") + box.x.join();
		if (!changed && structure === this.structure)
			return;
		this.structure = structure;
		this.epoch++;
		this.spread(picture);
		const known = new Set(ids);
		for (const id of this.slots.keys())
			if (!known.has(id))
				this.slots.delete(id);
	}

	/* The fullest column stands close; the others stand beside what they are linked to, in their own order. */
	private spread(picture: Picture): void {
		this.y.clear();
		const sum = (column: DrawnNode[]) => column.reduce((n, x) => n + this.slots.get(x.id)!.height, 0);
		const sums = picture.columns.map(sum);
		this.height = Math.max(...sums, SLOT_MIN);
		const full = sums.indexOf(Math.max(...sums));
		let y = 0;
		for (const n of picture.columns[full]) {
			this.y.set(n.id, y);
			y += this.slots.get(n.id)!.height;
		}
		const order = full === 1 ? [0, 2] : full === 0 ? [1, 2] : [1, 0];
		for (const c of order) {
			const wish = new Map<DrawnNode, number[]>();
			for (const l of picture.links) {
				const from = l.ends[full];
				const list = wish.get(l.ends[c]) ?? [];
				list.push(this.y.get(from.id)! + this.slots.get(from.id)!.height / 2);
				wish.set(l.ends[c], list);
			}
			this.settle(picture.columns[c], sums[c], wish);
		}
	}

	private settle(column: DrawnNode[], sum: number, wish: Map<DrawnNode, number[]>): void {
		let rest = sum;
		let y = 0;
		for (const n of column) {
			const { height } = this.slots.get(n.id)!;
			const list = wish.get(n) ?? [];
			const middle = list.reduce((a, b) => a + b, 0) / Math.max(1, list.length);
			/* Never so low that those below it find no room, never a hole without end. */
			const low = Math.min(Math.max(y, middle - height / 2), y + GAP_MAX, this.height - rest);
			this.y.set(n.id, Math.round(Math.max(y, low)));
			y = Math.round(Math.max(y, low)) + height;
			rest -= height;
		}
		this.height = Math.max(this.height, y);
	}
}

const f = (n: number) => Math.round(n * 10) / 10;

function ribbon(x0: number, y0: number, x1: number, y1: number, h: number): string {
	const m = f((x0 + x1) / 2);
	const [a, b, c, d] = [f(y0), f(y1), f(y1 + h), f(y0 + h)];
	return `M${x0} ${a}C${m} ${a} ${m} ${b} ${x1} ${b}V${c}C${m} ${c} ${m} ${d} ${x0} ${d}Z`;
}

function thread(x0: number, y0: number, x1: number, y1: number): string {
	const m = f((x0 + x1) / 2);
	return `M${x0} ${f(y0)}C${m} ${f(y0)} ${m} ${f(y1)} ${x1} ${f(y1)}`;
}

/* At each side of a node bands lie in the order of what they lead to, so that they do not cross there. */
function bands(
	links: readonly DrawnLink[], nodes: Map<DrawnNode, PlacedNode>, thick: Map<DrawnLink, number>, scale: number, box: Box,
): PlacedLink[] {
	const at = (l: DrawnLink, i: number) => nodes.get(l.ends[i])!;
	const offsets = (end: number, by: [number, number]) => {
		const fill = new Map<DrawnNode, number>();
		const out = new Map<DrawnLink, number>();
		const order = [...links].sort((p, q) =>
			at(p, by[0]).y - at(q, by[0]).y || at(p, by[1]).y - at(q, by[1]).y || (p.id < q.id ? -1 : 1));
		for (const l of order) {
			const used = fill.get(l.ends[end]) ?? 0;
			out.set(l, at(l, end).bar_y + used);
			fill.set(l.ends[end], used + thick.get(l)!);
		}
		return out;
	};
	const left = offsets(0, [1, 2]);
	const into = offsets(1, [0, 2]);
	const out = offsets(1, [2, 0]);
	const right = offsets(2, [1, 0]);
	const x = [box.x[0] + box.bar, box.x[1], box.x[1] + box.bar, box.x[2]];
	return links.map((of) => {
		const y = [left.get(of)!, into.get(of)!, out.get(of)!, right.get(of)!];
		const sent = thickness(of.tx, scale);
		const t = thick.get(of)!;
		const both = (from: number, h: number) =>
			ribbon(x[0], y[0] + from, x[1], y[1] + from, h) + ribbon(x[2], y[2] + from, x[3], y[3] + from, h);
		return {
			of,
			tx: both(0, sent),
			rx: both(sent, t - sent),
			line: thread(x[0], y[0] + t / 2, x[1], y[1] + t / 2) + thread(x[2], y[2] + t / 2, x[3], y[3] + t / 2),
			mark_x: f((x[2] + x[3]) / 2),
			mark_y: f((y[2] + y[3] + t) / 2),
			thickness: t,
		};
	});
}
