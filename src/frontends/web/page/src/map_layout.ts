// SPDX-License-Identifier: GPL-2.0-or-later
// Where the nodes and bands of a map lie. Pure but for what it remembers between ticks.
//
// d3-sankey was not taken: it stacks nodes by their values, so that each tick moves all that lies below a node which
// grew by a pixel. Here a node owns a slot that has room to spare; while it fits, only its width changes and nothing
// else moves. The scale has the same patience. Who outgrows a slot soon after places were given waits with all the others:
// until places are due, all bands are thinner.

import type { DrawnLink, DrawnNode, Picture } from "./map_picture";

const SLOT_MIN = 22;
const SLOT_STEP = 12;
/** What a slot gets beyond its need, and what the scale leaves of the height. */
const SLOT_ROOM = 1.5;
const ROOM = 1.3;
/** A slot or a scale that is this much too large for so long is taken in. */
const SLACK = 0.3;
const SLACK_TICKS = 30;
/** While the nodes are the same, places are given anew at most once in so many ticks. */
export const STAY_TICKS = 6;
/** What a bar leaves of its slot. */
const SLOT_EDGE = 4;
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

/** The tick since which something is much too large. */
type Since = number | null;

interface Slot {
	height: number;
	small: Since;
}

/* The past has no ticks: there is nothing to wait for. */
const waited = (since: Since, ticks: number) => since !== null && (!ticks || ticks >= since + SLACK_TICKS);

const waits = (small: boolean, since: Since, ticks: number): Since => (small ? Math.min(since ?? ticks, ticks) : null);

export class Placer {
	private scale = 0;
	private small: Since = null;
	/* The share of their thickness that bands have until places are due. */
	private squeeze = 1;
	private given = -Infinity;
	private slots = new Map<string, Slot>();
	private y = new Map<string, number>();
	private structure = "";
	private height = 0;
	private epoch = 0;

	place(picture: Picture, box: Box): Layout {
		const scale = this.scaleFor(picture, box);
		const structure = picture.columns.flat().map((n) => n.id).join("\u0002") + box.x.join();
		const full = loads(picture, scale, 1);
		const { ticks } = picture;
		if (structure === this.structure && ticks > 0 && ticks >= this.given && ticks < this.given + STAY_TICKS) {
			for (const [n, need] of full.bars)
				this.squeeze = Math.min(this.squeeze, (this.slots.get(n.id)!.height - SLOT_EDGE) / need);
		} else {
			this.squeeze = 1;
			this.allot(picture, full.bars, structure);
		}
		const load = this.squeeze < 1 ? loads(picture, scale, this.squeeze) : full;
		const nodes: PlacedNode[] = [];
		const found = new Map<DrawnNode, PlacedNode>();
		for (const column of picture.columns)
			for (const at of column) {
				const slot = this.slots.get(at.id)!;
				const y = this.y.get(at.id)!;
				const bar_height = load.bars.get(at) ?? HAIR;
				const placed = {
					at, x: box.x[at.column], y, height: slot.height, bar_height, bar_y: y + (slot.height - bar_height) / 2,
				};
				nodes.push(placed);
				found.set(at, placed);
			}
		return { nodes, links: bands(picture.links, found, load, box), height: this.height, epoch: this.epoch };
	}

	private scaleFor(picture: Picture, box: Box): number {
		let most = 0;
		for (const l of picture.links)
			most += l.tx + l.rx;
		if (!most)
			return this.scale;
		const fit = box.height / most;
		this.small = waits(this.scale < SLACK * fit, this.small, picture.ticks);
		if (!this.scale || this.scale > fit || waited(this.small, picture.ticks)) {
			this.scale = fit / ROOM;
			this.small = null;
		}
		return this.scale;
	}

	/* Slots, and their places when any of them changed. */
	private allot(picture: Picture, bars: Loads["bars"], structure: string): void {
		let changed = structure !== this.structure;
		for (const n of picture.columns.flat()) {
			const need = Math.max(SLOT_MIN, (bars.get(n) ?? 0) + SLOT_EDGE);
			const slot = this.slots.get(n.id);
			if (slot && need <= slot.height) {
				slot.small = waits(slot.height > SLOT_MIN && need < SLACK * slot.height, slot.small, picture.ticks);
				if (!waited(slot.small, picture.ticks))
					continue;
			}
			const height = need <= SLOT_MIN ? SLOT_MIN : Math.ceil((need * SLOT_ROOM) / SLOT_STEP) * SLOT_STEP;
			changed ||= slot?.height !== height;
			this.slots.set(n.id, { height, small: null });
		}
		if (!changed)
			return;
		this.structure = structure;
		/* Nothing had a size yet, or has a clock: what comes next may find its place at once. */
		this.given = this.scale ? picture.ticks || -Infinity : -Infinity;
		this.epoch++;
		this.spread(picture);
		const known = new Set(picture.columns.flat().map((n) => n.id));
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

/** In pixels: how thick each link is, how much of it is what is sent, and what lies on each node. */
interface Loads {
	thick: Map<DrawnLink, number>;
	sent: Map<DrawnLink, number>;
	bars: Map<DrawnNode, number>;
}

function loads(picture: Picture, scale: number, squeeze: number): Loads {
	const all: Loads = { thick: new Map(), sent: new Map(), bars: new Map() };
	for (const l of picture.links) {
		const sent = thickness(l.tx, scale) * squeeze;
		const t = sent + thickness(l.rx, scale) * squeeze;
		all.thick.set(l, t);
		all.sent.set(l, sent);
		for (const n of l.ends)
			all.bars.set(n, (all.bars.get(n) ?? 0) + t);
	}
	return all;
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
	links: readonly DrawnLink[], nodes: Map<DrawnNode, PlacedNode>, { thick, sent: sent_px }: Loads, box: Box,
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
		const sent = sent_px.get(of)!;
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
