// SPDX-License-Identifier: GPL-2.0-or-later
// A table of any length: only the rows in sight exist. One tab stop; arrows move, Enter opens the details.

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Column, Endpoint, columnsOf, rowTitle } from "./columns";
import { visible } from "./format";
import { t } from "./i18n";
import { type Row, type Sort, type Table, cell, formatSort, holdKeys, numberOf, sortKeys, textOf } from "./model";
import { formatRoute } from "./route";
import { type Unfolded, useStore } from "./store";
import { Empty, Name } from "./ui";

const ROW_PX = 36;
const ROW_COMPACT_PX = 58;
const OVERSCAN = 6;
const COMPACT_BELOW = 560;
/** For so long after a key press the order stays as it is, so that the next one lands where one looks. */
const KEY_HOLD_MS = 6000;

/** A line of the table: a row of its own, a socket below its process, or a remark below a process. */
interface Item {
	id: string;
	row: Row | null;
	parent: string;
	kind: "row" | "child" | "remark";
	remark?: { text: string; href?: string };
}

function flatten(keys: string[], rows: Map<string, Row>, unfolded: Map<string, Unfolded> | null): Item[] {
	const items: Item[] = [];
	for (const key of keys) {
		items.push({ id: key, row: rows.get(key) ?? null, parent: "", kind: "row" });
		const open = unfolded?.get(key);
		if (!open)
			continue;
		for (const row of open.rows)
			items.push({
				id: `${key}/${textOf(row, "cookie")}~${textOf(row, "peer_address")}~${textOf(row, "peer_port")}`,
				row,
				parent: key,
				kind: "child",
			});
		const more = open.total - open.rows.length;
		if (open.total === 0 || more > 0)
			items.push({
				id: `${key}/more`,
				row: null,
				parent: key,
				kind: "remark",
				remark: open.total === 0 ? { text: t("flows_none") } : {
					text: t("flows_more", { n: more }),
					href: formatRoute({ view: "flows", filter: `pid:${open.pid}`, sort: "", row: "" }),
				},
			});
	}
	return items;
}

/** A short id for aria-activedescendant; keys carry characters that an id must not have. */
const domId = (index: number) => `line-${index}`;

export function Grid({ table, sort, onOpen, opened }: {
	table: Table;
	sort: Sort;
	onOpen: (id: string) => void;
	opened: string;
}) {
	const store = useStore();
	const set = store.dataset(table.name);
	const scroller = useRef<HTMLDivElement>(null);
	const [size, setSize] = useState({ width: 0, height: 0, padding: 0 });
	const [first, setFirst] = useState(0);
	const [active, setActive] = useState("");
	const [hovered, setHovered] = useState(false);
	const keyed_at = useRef(-Infinity);
	const former = useRef<{ keys: string[]; sort: string; table: string }>({ keys: [], sort: "", table: "" });

	const compact = size.width > 0 && size.width < COMPACT_BELOW;
	const row_px = compact ? ROW_COMPACT_PX : ROW_PX;
	const columns = useMemo(
		() => columnsOf(table, size.width, size.padding, compact),
		[table, size.width, size.padding, compact, store.language],
	);
	const type = table.fields.find((f) => f.name === sort.field)?.type ?? "text";
	const held = (hovered || performance.now() - keyed_at.current < KEY_HOLD_MS) &&
		former.current.sort === formatSort(sort) && former.current.table === table.name;
	const keys = useMemo(
		() => (held ? holdKeys(former.current.keys, set.rows) : sortKeys(set.rows, sort, type)),
		[set, set.version, formatSort(sort), type, held],
	);
	former.current = { keys, sort: formatSort(sort), table: table.name };
	const unfolded = table.name === "processes" ? store.unfolded : null;
	const items = flatten(keys, set.rows, unfolded);

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
	}, [table.name, formatSort(sort), store.channel.shown]);

	const visible_rows = Math.ceil(size.height / row_px) + 1;
	const from = Math.max(0, Math.min(first, items.length - visible_rows) - OVERSCAN);
	const shown = items.slice(from, from + visible_rows + 2 * OVERSCAN);
	const at = active ? items.findIndex((i) => i.id === active) : -1;

	const toggle = (item: Item) => {
		const key = item.kind === "row" ? item.id : item.parent;
		const row = set.rows.get(key);
		if (row && unfolded)
			store.unfold(key, numberOf(row, "pid"), !unfolded.has(key));
	};
	const move = (index: number) => {
		const item = items[Math.max(0, Math.min(items.length - 1, index))];
		if (!item)
			return;
		setActive(item.id);
		if (opened && item.kind !== "remark")
			onOpen(item.id);
		const e = scroller.current!;
		const top = items.indexOf(item) * row_px;
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
		const item = items[at];
		keyed_at.current = performance.now();
		switch (e.key) {
		case "ArrowDown": move(at + 1); break;
		case "ArrowUp": move(at < 0 ? 0 : at - 1); break;
		case "PageDown": move(at + page); break;
		case "PageUp": move(at - page); break;
		case "Home": move(0); break;
		case "End": move(items.length - 1); break;
		case "ArrowRight":
			if (item && unfolded && item.kind === "row" && !unfolded.has(item.id))
				toggle(item);
			break;
		case "ArrowLeft":
			if (item && unfolded && item.kind !== "row")
				move(items.findIndex((i) => i.id === item.parent));
			else if (item && unfolded?.has(item.id))
				toggle(item);
			break;
		case "Enter":
		case " ":
			if (item?.remark?.href)
				location.hash = item.remark.href;
			else if (item && item.kind !== "remark")
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
			class={compact ? "grid compact" : "grid"}
			role={unfolded ? "treegrid" : "grid"}
			aria-label={t(table.name === "flows" ? "view_flows" : "view_processes")}
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
					setActive(items[Math.min(first, items.length - 1)].id);
			}}
		>
			<Head columns={columns} sort={sort} template={template} />
			{items.length === 0 ? <Nothing table={table.name} /> : null}
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
								if (item.kind !== "remark")
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
						<button type="button" title={t("sort_by", { title: c.title })} onClick={() => by(c)}>
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

function Nothing({ table }: { table: string }) {
	const { channel } = useStore();
	if (channel.state === "rejected" && !channel.set.loaded)
		return <Empty title={t("rejected")}>{visible(channel.filter_error)}</Empty>;
	if (!channel.set.loaded)
		return <Empty title={t("waiting")}>{t("waiting_sub")}</Empty>;
	if (channel.shown)
		return <Empty title={t("empty_filter")}>{t("empty_filter_sub")}</Empty>;
	return <Empty title={t(table === "flows" ? "empty_flows" : "empty_processes")}>{t("empty_sub")}</Empty>;
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
	const level = table === "processes" ? (kind === "row" ? 1 : 2) : undefined;
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
					key={i ? c.field : "comm"}
					role="gridcell"
					class={i ? cellClass(c) : "cell"}
					style={span > 1 && i === 0 ? { gridColumn: `1 / span ${span}` } : undefined}
					aria-colspan={span > 1 && i === 0 ? span : undefined}
					data-f={i ? c.field : "comm"}
				>
					{i === 0 ? (
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
		table === "flows"
			? <><span class="proto">{textOf(row, "transport")}</span> <Endpoint row={row} side="peer" /></>
			: kind === "child"
				? visible(textOf(row, "state"))
				: [String(cell(row, "pid")), textOf(row, "user"), textOf(row, "unit")].filter(Boolean).map(visible).join(" · ");
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
						{compact ? null : <span class="child-state">{visible(textOf(row, "state"))}</span>}
					</>
				) : (
					<Name text={textOf(row, "comm") || "?"} />
				)}
				{compact ? <span class="below">{below}</span> : null}
			</span>
		</>
	);
}
