// SPDX-License-Identifier: GPL-2.0-or-later
// The picture of the map: bars, bands and their names, all of it reached by arrow keys.

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useWidth } from "./chart";
import { t } from "./i18n";
import { type Box, type PlacedLink, type PlacedNode, Placer } from "./map_layout";
import { together } from "./map_model";
import type { DrawnLink, DrawnNode, Picture } from "./map_picture";
import { type Mode, amount, endLabel, linkSays, nodeSays } from "./map_words";
import { useKeptFocus } from "./ui";

const BAR = 10;
/** Beside the bars of the outer columns: a name, and where there is room what is sent and received. */
const SIDE_WIDE = [300, 370];
const SIDE = [140, 200];
const NUMBER = 82;
const WIDE = 940;
const HEAD = 30;

/** In the address; it is only compared. */
export const linkId = (l: DrawnLink) => l.ends.map((e) => e.id).join("~");

/** A text cut so that it is hardly wider than so many pixels; of an endpoint the port stays. */
function fit(text: string, px: number): string {
	const port = /( \()?:\d+\)?$/.exec(text)?.[0] ?? "";
	let room = px;
	let n = 0;
	for (const c of text) {
		room -= c > "\u2e7f" ? 14 : /[ .:()fijlrt-]/.test(c) ? 5.2 : 9;
		if (room < 0)
			return text.slice(0, Math.max(1, n - 1 - port.length)) + "…" + port;
		n += c.length;
	}
	return text;
}

export interface PictureProps {
	picture: Picture;
	mode: Mode;
	/** Id of the node or link whose panel is open. */
	opened: string;
	onOpen: (id: string) => void;
	onOther: (end: DrawnNode) => void;
	onHide: (id: string) => void;
	onPin: (id: string) => void;
}

/** The four tracks of the arrow keys: programs, places, links, peers. */
type Item = { id: string; node: PlacedNode | null; link: PlacedLink | null };

function tracks(nodes: readonly PlacedNode[], links: readonly PlacedLink[]): Item[][] {
	const of = (column: number) =>
		nodes.filter((n) => n.at.column === column).sort((a, b) => a.y - b.y).map((node) => ({ id: node.at.id, node, link: null }));
	const ordered = [...links].sort((a, b) => a.mark_y - b.mark_y).map((link) => ({ id: linkId(link.of), node: null, link }));
	return [of(0), of(1), ordered, of(2)];
}

/** Where an arrow leads from here. */
function next(all: Item[][], links: readonly PlacedLink[], from: Item, key: string): Item | undefined {
	const track = all.findIndex((x) => x.includes(from));
	const list = all[track];
	if (key === "ArrowUp" || key === "ArrowDown")
		return list[list.indexOf(from) + (key === "ArrowUp" ? -1 : 1)];
	if (key === "Home" || key === "End")
		return list[key === "Home" ? 0 : list.length - 1];
	const right = key === "ArrowRight";
	const find = (id: string) => all.flat().find((x) => x.id === id);
	if (from.link)
		return find(from.link.of.ends[right ? 2 : 1].id);
	const { column, id } = from.node!.at;
	const widest = links.filter((l) => l.of.ends[column].id === id).sort((a, b) => b.thickness - a.thickness)[0]?.of;
	if (!widest || column === (right ? 2 : 0))
		return undefined;
	return find(column && (right || column > 1) ? linkId(widest) : widest.ends[1 - column].id);
}

export function MapPicture({ picture, mode, opened, onOpen, onOther, onHide, onPin }: PictureProps) {
	const place = useRef<HTMLDivElement>(null);
	const width = useWidth(place);
	const placer = useMemo(() => new Placer(), [mode]);
	const [hover, setHover] = useState("");
	const [active, setActive] = useState("");
	const moved = useRef(false);
	const wide = width >= WIDE;
	const [left, least] = wide ? SIDE_WIDE : SIDE;
	const right = Math.max(least, Math.round(width * (wide ? 0.37 : 0.25)));
	const inner = width - left - right;
	const box: Box = {
		width, height: Math.min(400, 50 + 60 * Math.max(...picture.columns.map((c) => c.length))), bar: BAR, x: [left - BAR, Math.round(left + inner * 0.4), width - right],
	};
	const layout = width > 0 ? placer.place(picture, box) : { nodes: [], links: [], height: 0, epoch: 0 };
	const all = tracks(layout.nodes, layout.links);
	const items = all.flat();
	/* One stop of the tab key; arrows move within. */
	const stop = items.find((x) => x.id === active) ?? items.find((x) => x.id === opened) ?? items[0];

	useKeptFocus(place);
	useLayoutEffect(() => {
		if (!moved.current)
			return;
		moved.current = false;
		place.current?.querySelector<SVGElement>('[tabindex="0"]')?.focus();
	}, [active]);

	const open = (item: Item) => (item.node && !item.node.at.node ? onOther(item.node.at) : onOpen(item.id));
	const onKey = (e: KeyboardEvent) => {
		if (!stop || e.ctrlKey || e.metaKey || e.altKey)
			return;
		const node = stop.node?.at.node;
		if (e.key === "Enter" || e.key === " ") {
			open(stop);
		} else if (e.key === "h" && node) {
			onHide(node.id);
		} else if (e.key === "p" && node) {
			onPin(node.id);
		} else if (/^(Arrow|Home|End)/.test(e.key)) {
			const to = next(all, layout.links, stop, e.key);
			if (to) {
				moved.current = true;
				setActive(to.id);
			}
		} else {
			return;
		}
		e.preventDefault();
		e.stopPropagation();
	};

	const lit = hover || opened;
	const touches = (l: DrawnLink) => linkId(l) === lit || l.ends.some((x) => x.id === lit);
	const any = lit !== "" && picture.links.some(touches);
	const near = new Set(any ? picture.links.filter(touches).flatMap((l) => l.ends.map((x) => x.id)) : []);
	const shade = (on: boolean) => (!any ? "" : on ? " lit" : " dim");
	const handlers = (item: Item) => ({
		role: "button",
		tabindex: item === stop ? 0 : -1,
		"data-id": item.id,
		onClick: () => {
			setActive(item.id);
			open(item);
		},
		onFocus: () => setActive(item.id),
		onPointerEnter: () => setHover(item.id),
		onPointerLeave: () => setHover((h) => (h === item.id ? "" : h)),
	});
	return (
		<div ref={place} class="map-place" onKeyDown={onKey}>
			<svg
				class="map-svg"
				role="group"
				aria-label={t("map_picture", { n: picture.links.length })}
				width={width}
				height={layout.height + HEAD + 4}
				data-epoch={layout.epoch}
			>
				<Heads box={box} wide={wide} />
				<g transform={`translate(0 ${HEAD})`}>
					{all[2].map((item) => (
						<Band key={item.id} link={item.link!} mode={mode} name={`h${item.link!.of.health.level}${shade(touches(item.link!.of))}`}
							pressed={opened === item.id} more={handlers(item)} />
					))}
					{[all[0], all[1], all[3]].flat().map((item) => (
						<Bar key={item.id} placed={item.node!} mode={mode} wide={wide} side={item.node!.at.column ? right : left} room={box.x[2] - box.x[1] - 60}
							name={shade(near.has(item.id) || item.id === lit)} pressed={opened === item.id} more={handlers(item)} />
					))}
				</g>
			</svg>
		</div>
	);
}

function Heads({ box, wide }: { box: Box; wide: boolean }) {
	const right = box.x[2] + BAR;
	return (
		<g class="map-heads" aria-hidden="true">
			<text x={wide ? 0 : box.x[0] - 8} y={14} text-anchor={wide ? "start" : "end"}>{t("map_col_0")}</text>
			<text x={box.x[1]} y={14}>{t("map_col_1")}</text>
			<text x={right + 8} y={14}>{t("map_col_2")}</text>
			{wide ? [box.x[0] - 12, box.width].map((x) => (
				<g key={x} text-anchor="end">
					<text x={x - NUMBER} y={14}>{t("sent")}</text>
					<text x={x} y={14}>{t("received")}</text>
				</g>
			)) : null}
		</g>
	);
}

/** Beside its colour, what is wrong has a line of its own along it, and what failed a cross. */
function Band({ link, mode, name, pressed, more }: {
	link: PlacedLink;
	mode: Mode;
	name: string;
	pressed: boolean;
	more: Record<string, unknown>;
}) {
	const says = linkSays(link.of, mode);
	const { level } = link.of.health;
	return (
		<g class={"band " + name} aria-label={says} aria-pressed={pressed} {...more}>
			<title>{says}</title>
			<path class="band-hit" d={link.line} />
			<path class="band-tx" d={link.tx} />
			<path class="band-rx" d={link.rx} />
			{level ? <path class="band-line" d={link.line} /> : null}
			{level === 2 ? <text class="band-mark" x={link.mark_x} y={link.mark_y + 5} text-anchor="middle">✕</text> : null}
		</g>
	);
}

function Bar({ placed, mode, wide, side, room, name, pressed, more }: {
	placed: PlacedNode;
	mode: Mode;
	wide: boolean;
	side: number;
	room: number;
	name: string;
	pressed: boolean;
	more: Record<string, unknown>;
}) {
	const { at, x, y, height } = placed;
	const { level } = together(at.links);
	const middle = y + height / 2 + 4.5;
	const space = wide ? side - BAR - 2 * NUMBER - 12 : side - BAR - 14;
	const mark = (level === 2 ? "✕ " : level === 1 ? "! " : "") + (at.pinned ? "★ " : "");
	const text = mark + endLabel(at);
	const role = at.node?.role;
	const from = role === "server" ? "← " : role ? "→ " : "";
	/* A bar amid bands is pressed itself: what is around it is theirs. */
	const amid = at.column === 1;
	const says = nodeSays(at, mode);
	const numbers = (right: number) =>
		wide ? (
			<g class="bar-n" text-anchor="end" aria-hidden="true">
				<text x={right - NUMBER} y={middle}>{amount(at.tx, mode)}</text>
				<text x={right} y={middle}>{amount(at.rx, mode)}</text>
			</g>
		) : null;
	return (
		<g class={`map-bar h${level}${name}${at.node ? "" : " other"}`} aria-pressed={at.node ? pressed : undefined} {...more}>
			<title>{says}</title>
			<rect class={amid ? "bar-hit amid" : "bar-hit"} x={amid ? x - 7 : at.column && x} y={y + 1} width={amid ? BAR + 14 : side} height={height - 2} rx={4} />
			<rect class="bar-mark" x={x} y={placed.bar_y} width={BAR} height={Math.max(2, placed.bar_height)} rx={1.5} />
			{at.column === 0 ? (
				<>
					<text class="bar-name" x={wide ? 4 : x - 8} y={middle} text-anchor={wide ? "start" : "end"}>{fit(text, space)}</text>
					{numbers(x - 12)}
				</>
			) : amid ? (
				<text class="bar-name bar-over" x={x + BAR + 7} y={middle}>{fit(text, Math.max(40, room - 20))}</text>
			) : (
				<>
					<text class="bar-name" x={x + BAR + 8} y={middle}>{fit(from + text, space)}</text>
					{numbers(x + side)}
				</>
			)}
		</g>
	);
}
