// SPDX-License-Identifier: GPL-2.0-or-later
// Which columns a table shows, how wide, and what stands in a cell. Values and headings follow the declaration;
// this only arranges them, and columns that it has never heard of are appended.

import type { ComponentChildren } from "preact";
import { clock, visible } from "./format";
import { fieldTitle, t } from "./i18n";
import { type Field, type Row, type Table, cell, numberOf, textOf } from "./model";
import { Amount, Name, Rate, quantity } from "./ui";

export interface Column {
	/** Field that it sorts by and stands for. */
	field: string;
	type: string;
	title: string;
	/** A CSS grid track. */
	track: string;
	right: boolean;
	quiet: boolean;
	render: (row: Row) => ComponentChildren;
}

/* field: [least width, share of what is left over, rank]. The order is the order on the page; the rank says which
 * columns go first where there is no room, the highest first. Rank 0 always stays. */
const LAYOUT: Record<string, Record<string, readonly [number, number, number]>> = {
	processes: {
		comm: [128, 2, 0],
		pid: [66, 0, 3],
		user: [72, 1, 8],
		unit: [112, 1.5, 4],
		container_id: [92, 1.1, 9],
		state: [62, 0, 10],
		tx_bytes_per_second: [92, 0, 1],
		rx_bytes_per_second: [92, 0, 1],
		tx_bytes: [84, 0, 0],
		rx_bytes: [84, 0, 0],
		connections_open: [46, 0, 5],
		retransmits: [68, 0, 7],
		srtt_us: [76, 0, 6],
	},
	flows: {
		comm: [104, 1.1, 0],
		pid: [66, 0, 10],
		transport: [48, 0, 4],
		role: [54, 0, 9],
		local_address: [124, 1.3, 5],
		peer_address: [128, 1.4, 1],
		state: [92, 0, 3],
		tx_bytes_per_second: [92, 0, 2],
		rx_bytes_per_second: [92, 0, 2],
		tx_bytes: [84, 0, 0],
		rx_bytes: [84, 0, 0],
		retransmits: [68, 0, 8],
		srtt_us: [76, 0, 7],
	},
};

/* Shown beside their address. */
const MERGED = ["local_port", "peer_port"];

/* What identifies is read once, what is measured again and again: the former is set quieter. */
const LOUD = ["comm", "peer_address"];

const GAP_PX = 16;
const GAP_COMPACT_PX = 10;

/** An address may give way where there is no room, its port never does. */
export function Endpoint({ row, side }: { row: Row; side: "local" | "peer" }) {
	const name = side === "peer" ? textOf(row, "peer_name") : "";
	const address = textOf(row, side + "_address");
	const port = cell(row, side + "_port");
	if (!name && !address)
		return <span class="none">–</span>;
	const host = name || (address.includes(":") ? `[${address}]` : address);
	return (
		<span class="endpoint">
			<span class="address"><Name text={host} /></span>
			{port === null ? null : <span class="port">:{String(port)}</span>}
		</span>
	);
}

function container(row: Row): string {
	return textOf(row, "pod_name") || textOf(row, "container_name") || textOf(row, "container_id").slice(0, 12);
}

function plain(field: Field, row: Row): ComponentChildren {
	const value = cell(row, field.name);
	if (value === null || value === "")
		return <span class="none">–</span>;
	const q = quantity(field, value);
	if (q && q.unit)
		return <Amount of={q} zero={value === 0} />;
	if (q)
		return <span class={value === 0 ? "amount zero" : "amount"}>{q.value}</span>;
	if (field.type === "time")
		return clock(Date.parse(String(value)));
	if (field.type === "bool")
		return t(value ? "yes" : "no");
	return <Name text={String(value)} />;
}

function render(field: Field, compact: boolean): (row: Row) => ComponentChildren {
	switch (field.name) {
	case "tx_bytes":
	case "rx_bytes":
		/* Where rates have no column of their own they stand below the sum. */
		return compact ? (row) => <>{plain(field, row)}<Below row={row} rate={field.name + "_per_second"} /></> : (row) => plain(field, row);
	case "container_id":
		return (row) => (container(row) ? <Name text={container(row)} /> : <span class="none">–</span>);
	case "local_address":
		return (row) => <Endpoint row={row} side="local" />;
	case "peer_address":
		return (row) => <Endpoint row={row} side="peer" />;
	default:
		return (row) => plain(field, row);
	}
}

function Below({ row, rate: name }: { row: Row; rate: string }) {
	const n = numberOf(row, name);
	return <span class="below">{n ? <Rate n={n} /> : "\u00a0"}</span>;
}

/** The columns for which there is room, in the order of the page. padding_px: what a line loses at its sides. */
export function columnsOf(table: Table, width: number, padding_px: number, compact: boolean): Column[] {
	const layout = LAYOUT[table.name] ?? {};
	const byName = new Map(table.fields.map((f) => [f.name, f]));
	const others = table.fields.filter((f) => f.column && !(f.name in layout) && !MERGED.includes(f.name));
	const wanted = [...Object.keys(layout), ...others.map((f) => f.name)]
		.map((name) => ({ field: byName.get(name), at: layout[name] ?? ([96, 1, 50] as const) }))
		.filter((w): w is { field: Field; at: readonly [number, number, number] } => w.field !== undefined);
	const gap = compact ? GAP_COMPACT_PX : GAP_PX;
	const chosen = new Set<Field>();
	let room = width - 2 * padding_px + gap;
	for (const w of [...wanted].sort((a, b) => a.at[2] - b.at[2])) {
		const fits = w.at[0] + gap <= room && !(compact && w.at[2] > 0);
		if (w.at[2] > 0 && !fits)
			break;
		chosen.add(w.field);
		room -= w.at[0] + gap;
	}
	return wanted
		.filter((w) => chosen.has(w.field))
		.map(({ field, at }) => ({
			field: field.name,
			type: field.type,
			title: fieldTitle(table.name, field.name, field.title),
			track: at[1] ? `minmax(${compact ? 0 : at[0]}px,${at[1]}fr)` : `${at[0]}px`,
			right: (field.type === "uint" || field.type === "int") && field.name !== "pid",
			quiet: field.name === "pid" || (field.type !== "uint" && field.type !== "int" && !LOUD.includes(field.name)),
			render: render(field, compact),
		}));
}

/** What tells the row to a reader in a few words. */
export function rowTitle(table: string, row: Row): string {
	const comm = visible(textOf(row, "comm")) || "?";
	if (table !== "flows")
		return comm;
	const peer = textOf(row, "peer_address");
	return peer ? `${comm} → ${visible(textOf(row, "peer_name") || peer)}` : comm;
}
