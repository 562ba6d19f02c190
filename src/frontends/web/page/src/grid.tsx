// SPDX-License-Identifier: GPL-2.0-or-later
// A table of any length: only the rows in sight exist. One tab stop; arrows move, Enter opens the details.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Column, Endpoint, Word, columnsOf, rowName, rowTitle } from "./columns";
import { count, visible } from "./format";
import { type StringKey, fieldWords, t } from "./i18n";
import { CLASSES, type Group, type Sum, classOf, groupKeys, sumUp } from "./losses";
import { type Dataset, Order, type Row, type Sort, type Table, cell, formatSort, holdKeys, numberOf, textOf } from "./model";
import { packets, reasons } from "./lossparts";
import { said } from "./said";
import { type Unfolded, linkTo, useStore } from "./store";
import { ClassName, Name } from "./ui";

const ROW_PX = 36;
const ROW_COMPACT_PX = 58;
const OVERSCAN = 6;
const COMPACT_BELOW = 560;
/** For so long after a key press the order stays as it is, so that the next one lands where one looks. */
const KEY_HOLD_MS = 6000;

/** A line of the table: a row of its own, a socket below its process, a remark below a process, or the heading of a
 * class of losses. */
interface Item {
	id: string;
	row: Row | null;
	parent: string;
	kind: "row" | "child" | "remark" | "group";
	remark?: { text: string; href?: string };
	group?: { class: Group["class"]; sum: Sum; folded: boolean };
}

/** The lines of a table, of which only those in sight are ever made. */
interface Lines {
	length: number;
	at(index: number): Item;
	indexOf(id: string): number;
}

const listed = (items: Item[]): Lines => ({
	length: items.length,
	at: (i) => items[i],
	indexOf: (id) => items.findIndex((i) => i.id === id),
});

/* Losses by class, what matters most first; of a folded class the heading alone. */
function grouped(groups: readonly Group[], rows: Map<string, Row>, folded: Set<Group["class"]>): Lines {
	return listed(groups.flatMap((g) => {
		const id = `class:${g.class}${g.late ? "+" : ""}`;
		const sums = sumUp(g.keys.map((key) => rows.get(key)!));
		const sum = CLASSES.map((c) => sums[c]).reduce((a, b) => ({
			rate: a.rate + b.rate, packets: a.packets + b.packets, reasons: a.reasons + b.reasons, rows: a.rows + b.rows,
		}));
		const head: Item = { id, row: null, parent: "", kind: "group", group: { class: g.class, sum, folded: folded.has(g.class) } };
		const lines = folded.has(g.class) ? [] : g.keys;
		return [head, ...lines.map((key): Item => ({ id: key, row: rows.get(key)!, parent: id, kind: "row" }))];
	}));
}

/* What stands below an unfolded process. */
function children(key: string, open: Unfolded): Item[] {
	const items = open.rows.map((row): Item => ({
		id: `${key}/${textOf(row, "cookie")}~${textOf(row, "peer_address")}~${textOf(row, "peer_port")}`,
		row,
		parent: key,
		kind: "child",
	}));
	const more = open.total - open.rows.length;
	if (open.total === 0 || more > 0)
		items.push({
			id: `${key}/more`,
			row: null,
			parent: key,
			kind: "remark",
			remark: open.total === 0 ? { text: t("flows_none") } : {
				text: t("flows_more", { n: more }),
				href: linkTo({ view: "flows", filter: `pid:${open.pid}` }),
			},
		});
	return items;
}

/* One line a row, and below some of them what was unfolded. */
function rowLines(keys: readonly string[], rows: Map<string, Row>, unfolded: Map<string, Unfolded> | null): Lines {
	const inserts: { at: number; items: Item[] }[] = [];
	if (unfolded)
		for (const [key, open] of unfolded) {
			const at = keys.indexOf(key);
			if (at >= 0)
				inserts.push({ at, items: children(key, open) });
		}
	inserts.sort((a, b) => a.at - b.at);
	const length = inserts.reduce((n, x) => n + x.items.length, keys.length);
	const row = (i: number): Item => ({ id: keys[i], row: rows.get(keys[i]) ?? null, parent: "", kind: "row" });
	return {
		length,
		at(index) {
			let i = index;
			for (const x of inserts) {
				if (i <= x.at)
					break;
				if (i <= x.at + x.items.length)
					return x.items[i - x.at - 1];
				i -= x.items.length;
			}
			return row(i);
		},
		indexOf(id) {
			let before = 0;
			const at = keys.indexOf(id);
			for (const x of inserts) {
				const child = x.items.findIndex((i) => i.id === id);
				if (child >= 0)
					return before + x.at + 1 + child;
				if (at >= 0 && at <= x.at)
					break;
				before += x.items.length;
			}
			return at < 0 ? -1 : at + before;
		},
	};
}

/** A short id for aria-activedescendant; keys carry characters that an id must not have. */
const domId = (index: number) => `line-${index}`;

export function Grid({ table, set, under, sort, onOpen, opened, label, nothing }: {
	table: Table;
	set: Dataset;
	/** What the rows are selected by; a change goes back to the top. */
	under: string;
	sort: Sort;
	onOpen: (id: string) => void;
	opened: string;
	label: string;
	/** What stands there when there is no row. */
	nothing: ComponentChildren;
}) {
	const store = useStore();
	const scroller = useRef<HTMLDivElement>(null);
	const [size, setSize] = useState({ width: 0, height: 0, padding: 0 });
	const [first, setFirst] = useState(0);
	const [active, setActive] = useState("");
	const [hovered, setHovered] = useState(false);
	const keyed_at = useRef(-Infinity);
	const order = useRef<Order | null>(null);
	order.current ??= new Order();
	const former = useRef<{ keys: readonly string[]; groups?: readonly Group[]; sort: string; table: string }>({ keys: [], sort: "", table: "" });

	const compact = size.width > 0 && size.width < COMPACT_BELOW;
	const losses = table.name === "drops";
	const row_px = compact || losses ? ROW_COMPACT_PX : ROW_PX;
	const columns = useMemo(
		() => columnsOf(table, size.width, size.padding, compact, sort.field),
		[table, size.width, size.padding, compact, sort.field, store.language, fieldWords()],
	);
	const type = table.fields.find((f) => f.name === sort.field)?.type ?? "text";
	const held = (hovered || performance.now() - keyed_at.current < KEY_HOLD_MS) &&
		former.current.sort === formatSort(sort) && former.current.table === table.name;
	const keys = useMemo(
		() => (held ? holdKeys(former.current.keys, set.rows) : order.current!.of(set.rows, sort, type, losses ? "packets" : "")),
		[set, set.version, formatSort(sort), type, held],
	);
	const groups = losses ? groupKeys(keys, set.rows, formatSort(sort) === "packets_per_second", held ? former.current.groups : undefined) : [];
	former.current = { keys, groups, sort: formatSort(sort), table: table.name };
	const unfolded = table.name === "processes" ? store.unfolded : null;
	const items = losses ? grouped(groups, set.rows, store.folded) : rowLines(keys, set.rows, unfolded);

	useLayoutEffect(() => {
		const e = scroller.current!;
		const measure = () => {
			const padding = parseFloat(getComputedStyle(e.querySelector(".line")!).paddingLeft) || 0;
			setSize({ width: e.clientWidth, height: e.clientHeight, padding });
		};
		measure(); /* before the first paint, so that no column appears late */
		const observer = new ResizeObserver(measure);
		observer.observe(e);
		return () => observer.disconnect();
	}, []);
	useLayoutEffect(() => {
		scroller.current!.scrollTop = 0;
		setFirst(0);
	}, [table.name, formatSort(sort), under]);

	const visible_rows = Math.ceil(size.height / row_px) + 1;
	const from = Math.max(0, Math.min(first, items.length - visible_rows) - OVERSCAN);
	const shown: Item[] = [];
	for (let i = from; i < Math.min(items.length, from + visible_rows + 2 * OVERSCAN); i++)
		shown.push(items.at(i));
	const at = active ? items.indexOf(active) : -1;

	const toggle = (item: Item) => {
		if (item.group) {
			store.fold(item.group.class, !item.group.folded);
			return;
		}
		const key = item.kind === "row" ? item.id : item.parent;
		const row = set.rows.get(key);
		if (row && unfolded)
			store.unfold(key, numberOf(row, "pid"), !unfolded.has(key));
	};
	const move = (index: number) => {
		if (!items.length)
			return;
		const place = Math.max(0, Math.min(items.length - 1, index));
		const item = items.at(place);
		setActive(item.id);
		if (opened && item.row)
			onOpen(item.id);
		const e = scroller.current!;
		const top = place * row_px;
		const room = e.clientHeight - row_px; /* the heading stays on top */
		if (top < e.scrollTop)
			e.scrollTop = top;
		else if (top + row_px > e.scrollTop + room)
			e.scrollTop = top + row_px - room;
	};
	const onKey = (e: KeyboardEvent) => {
		if (e.target !== scroller.current || e.ctrlKey || e.metaKey || e.altKey)
			return;
		const page = Math.max(1, Math.floor(size.height / row_px) - 2);
		const item = at >= 0 ? items.at(at) : undefined;
		keyed_at.current = performance.now();
		switch (e.key) {
		case "ArrowDown": move(at + 1); break;
		case "ArrowUp": move(at < 0 ? 0 : at - 1); break;
		case "PageDown": move(at + page); break;
		case "PageUp": move(at - page); break;
		case "Home": move(0); break;
		case "End": move(items.length - 1); break;
		case "ArrowRight":
			if (item?.group?.folded)
				toggle(item);
			else if (item && unfolded && item.kind === "row" && !unfolded.has(item.id))
				toggle(item);
			break;
		case "ArrowLeft":
			if (item?.group && !item.group.folded)
				toggle(item);
			else if (item?.parent && losses)
				move(items.indexOf(item.parent));
			else if (item && unfolded && item.kind !== "row")
				move(items.indexOf(item.parent));
			else if (item && unfolded?.has(item.id))
				toggle(item);
			break;
		case "Enter":
		case " ":
			if (item?.remark?.href)
				location.hash = item.remark.href;
			else if (item?.group)
				toggle(item);
			else if (item?.row)
				onOpen(item.id);
			break;
		default:
			return;
		}
		e.preventDefault();
	};

	const template = columns.map((c) => c.track).join(" ");
	return (
		<div
			ref={scroller}
			class={"grid" + (compact ? " compact" : "") + (losses ? " tall" : "")}
			role={unfolded || losses ? "treegrid" : "grid"}
			aria-label={label}
			aria-rowcount={items.length + 1}
			aria-colcount={columns.length}
			aria-activedescendant={at >= from && at < from + shown.length ? domId(at) : undefined}
			aria-readonly="true"
			tabIndex={0}
			data-held={held ? "" : undefined}
			onScroll={(e) => setFirst(Math.floor(e.currentTarget.scrollTop / row_px))}
			onKeyDown={onKey}
			onFocus={(e) => {
				if (e.target === scroller.current && at < 0 && items.length)
					setActive(items.at(Math.min(first, items.length - 1)).id);
			}}
		>
			<Head columns={columns} sort={sort} template={template} />
			{items.length === 0 ? nothing : null}
			<div
				role="rowgroup"
				class="lines"
				style={{ height: items.length * row_px }}
				onPointerEnter={(e) => e.pointerType === "mouse" && setHovered(true)}
				onPointerLeave={() => setHovered(false)}
			>
				<div role="presentation" class="window" style={{ transform: `translateY(${from * row_px}px)` }}>
					{shown.map((item, i) => (
						<Line
							key={item.id}
							item={item}
							index={from + i}
							columns={columns}
							template={template}
							table={table.name}
							compact={compact}
							active={item.id === active}
							opened={item.id === opened}
							unfolded={unfolded && item.kind === "row" ? unfolded.has(item.id) : undefined}
							onToggle={() => toggle(item)}
							onOpen={() => {
								setActive(item.id);
								if (item.group)
									toggle(item);
								else if (item.row)
									onOpen(item.id);
							}}
						/>
					))}
				</div>
			</div>
		</div>
	);
}

function Head({ columns, sort, template }: { columns: Column[]; sort: Sort; template: string }) {
	const store = useStore();
	const by = (c: Column) => {
		const same = sort.field === c.field;
		/* Numbers are asked for largest first, names from A on. */
		const ascending = same ? !sort.ascending : c.type === "text" || c.type === "address";
		store.go({ sort: formatSort({ field: c.field, ascending }) }, false);
	};
	/* One stop of the tab key for all of them, and down to the rows. */
	const stop = columns.some((c) => c.field === sort.field) ? sort.field : columns[0]?.field;
	const onKey = (e: KeyboardEvent) => {
		const button = e.currentTarget as HTMLElement;
		const cell = button.parentElement!;
		const to = e.key === "ArrowDown" ? button.closest<HTMLElement>(".grid")
			: e.key === "ArrowRight" ? cell.nextElementSibling?.querySelector("button")
			: e.key === "ArrowLeft" ? cell.previousElementSibling?.querySelector("button") : null;
		if (!to)
			return;
		e.preventDefault();
		to.focus();
	};
	return (
		<div role="rowgroup" class="head">
			<div role="row" aria-rowindex={1} class="line" style={{ gridTemplateColumns: template }}>
				{columns.map((c) => (
					<div
						key={c.field}
						role="columnheader"
						class={cellClass(c)}
						aria-sort={sort.field !== c.field ? undefined : sort.ascending ? "ascending" : "descending"}
					>
						<button
							type="button"
							title={t("sort_by", { title: c.title })}
							tabIndex={c.field === stop ? 0 : -1}
							onKeyDown={onKey}
							onClick={() => by(c)}
						>
							{c.title}
							<span class="arrow" aria-hidden="true">
								{sort.field === c.field ? (sort.ascending ? "↑" : "↓") : ""}
							</span>
						</button>
					</div>
				))}
			</div>
		</div>
	);
}

const cellClass = (c: Column) => "cell" + (c.right ? " right" : "") + (c.quiet ? " quiet" : "");

function GroupLine({ of, index, name, columns, template, onToggle }: {
	of: NonNullable<Item["group"]>;
	index: number;
	name: string;
	columns: Column[];
	template: string;
	onToggle: () => void;
}) {
	const { class: c, sum, folded } = of;
	/* The rate stands below the rates of the rows, where they have a column and there is room beside it. */
	const at = columns.findIndex((x) => x.field === "packets_per_second");
	const rest = at < 0 || columns.length < 3 ? 0 : columns.length - at;
	const rate = t("per_second", { n: count(sum.rate) });
	return (
		<div
			role="row"
			id={domId(index)}
			class={name}
			style={{ gridTemplateColumns: template }}
			aria-rowindex={index + 2}
			aria-level={1}
			aria-expanded={!folded}
			data-group={c}
			onClick={onToggle}
		>
			<div
				role="gridcell"
				class="cell"
				style={{ gridColumn: `1 / span ${columns.length - rest}` }}
				aria-colspan={columns.length - rest}
			>
				<span class={folded ? "fold" : "fold open"} aria-hidden="true">
					<svg viewBox="0 0 10 10"><path d="M3 1l4 4-4 4" /></svg>
				</span>
				<span class="group-name">
					{c === "quiet" ? <b>{t("class_quiet")}</b> : <ClassName of={c} />}<span class="sr">: </span>
					<span class="group-sum">{packets(sum.packets)} {reasons(sum.reasons)}{rest || !sum.rate ? "" : ` · ${rate}`}</span>
					<span class="group-help">{t(`class_${c}_help` as StringKey)}</span>
				</span>
				<span class="group-fold">{t(folded ? "show" : "hide")}</span>
			</div>
			{rest ? (
				<div role="gridcell" class="cell right">
					{sum.rate ? rate : ""}
				</div>
			) : null}
		</div>
	);
}

function Line({ item, index, columns, template, table, compact, active, opened, unfolded, onToggle, onOpen }: {
	item: Item;
	index: number;
	columns: Column[];
	template: string;
	table: string;
	compact: boolean;
	active: boolean;
	opened: boolean;
	unfolded: boolean | undefined;
	onToggle: () => void;
	onOpen: () => void;
}) {
	const { row, kind } = item;
	const state = row ? textOf(row, "state") : "";
	const faded = state === "exited" || state === "closed" || state === "close";
	const name = "line" + (active ? " active" : "") + (opened ? " opened" : "") + (faded ? " faded" : "") + " " + kind;
	/* A socket below its process says who it talks to across the columns that describe processes. */
	const span = kind === "child" ? Math.max(1, columns.findIndex((c) => c.right)) : 1;
	const level = table === "processes" ? (kind === "row" ? 1 : 2) : table === "drops" ? 2 : undefined;
	if (item.group)
		return <GroupLine of={item.group} index={index} name={name} columns={columns} template={template} onToggle={onOpen} />;
	if (kind === "remark")
		return (
			<div role="row" id={domId(index)} class={name} aria-rowindex={index + 2} aria-level={level}>
				<div role="gridcell" class="cell" aria-colspan={columns.length}>
					{item.remark!.href ? <a href={item.remark!.href} tabIndex={-1}>{item.remark!.text}</a> : item.remark!.text}
				</div>
			</div>
		);
	return (
		<div
			role="row"
			id={domId(index)}
			class={name}
			style={{ gridTemplateColumns: template }}
			aria-rowindex={index + 2}
			aria-level={level}
			aria-expanded={unfolded}
			aria-selected={opened}
			data-key={item.id}
			onClick={onOpen}
		>
			{columns.slice(span - 1).map((c, i) => (
				<div
					key={i ? c.field : "first"}
					role="gridcell"
					class={i ? cellClass(c) : "cell"}
					style={span > 1 && i === 0 ? { gridColumn: `1 / span ${span}` } : undefined}
					aria-colspan={span > 1 && i === 0 ? span : undefined}
					data-f={i || kind !== "child" ? c.field : "comm"}
				>
					{i === 0 && (table === "drops" || table === "history_losses") ? <Reason row={row!} compact={compact} tall={table === "drops"} /> : i === 0 ? (
						<First
							row={row!}
							kind={kind}
							table={table}
							compact={compact}
							unfolded={unfolded}
							onToggle={onToggle}
						/>
					) : kind === "child" && !(c.field in row!) ? null : (
						c.render(row!)
					)}
				</div>
			))}
		</div>
	);
}

/* The kernel's word for it, and what that means. */
function Reason({ row, compact, tall }: { row: Row; compact: boolean; tall: boolean }) {
	const meaning = said(textOf(row, "meaning"));
	/* Where there is no column for it, whom it hit: rows of one reason differ by that alone. */
	const owner = compact ? [textOf(row, "comm") || textOf(row, "program"), textOf(row, "pid")].filter(Boolean).join(" ") : "";
	const below = [owner, meaning].filter(Boolean).map(visible).join(" · ");
	return (
		<>
			<ClassName of={classOf(row)} brief />
			<span class="name" title={visible(meaning)}>
				<Name text={rowTitle("drops", row)} />
				{cell(row, "overlaps") === true ? <span class="also-counted">{t("overlaps")}</span> : null}
				<span class="below">{below || (tall ? "\u00a0" : "")}</span>
			</span>
		</>
	);
}

/* The name; on a narrow screen with what else there is to say below it. */
function First({ row, kind, table, compact, unfolded, onToggle }: {
	row: Row;
	kind: string;
	table: string;
	compact: boolean;
	unfolded: boolean | undefined;
	onToggle: () => void;
}) {
	const below =
		table === "flows" || table === "history_peers"
			? <><span class="proto">{textOf(row, "transport")}</span> <Endpoint row={row} side="peer" /></>
			: kind === "child"
				? <Word field="state" value={textOf(row, "state")} />
				: [textOf(row, "pid"), textOf(row, "user"), textOf(row, "unit")].filter(Boolean).map(visible).join(" · ");
	return (
		<>
			{unfolded === undefined ? null : (
				<button
					type="button"
					tabIndex={-1}
					class={unfolded ? "fold open" : "fold"}
					aria-label={t(unfolded ? "fold" : "unfold")}
					onClick={(e) => {
						e.stopPropagation();
						onToggle();
					}}
				>
					<svg viewBox="0 0 10 10" aria-hidden="true"><path d="M3 1l4 4-4 4" /></svg>
				</button>
			)}
			<span class="name" title={rowTitle(table, row)}>
				{kind === "child" ? (
					<>
						<span class="proto">{textOf(row, "transport")}</span> <Endpoint row={row} side="peer" />
						{compact ? null : <span class="child-state"><Word field="state" value={textOf(row, "state")} /></span>}
					</>
				) : (
					<Name text={rowName(row)} />
				)}
				{compact ? <span class="below">{below}</span> : null}
			</span>
		</>
	);
}
