// SPDX-License-Identifier: GPL-2.0-or-later
// Which columns a table shows, how wide, and what stands in a cell. Values and headings follow the declaration;
// this only arranges them, and columns that it has never heard of are appended.

import type { ComponentChildren } from "preact";
import { bytes, count, join, visible } from "./format";
import { fieldTitle, fieldValue, t } from "./i18n";
import { type Field, type Row, type Table, cell, numberOf, textOf } from "./model";
import { Owner, layerOf, ownerPlace } from "./lossparts";
import { store } from "./store";
import { when } from "./time";
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
		unit: [112, 1.5, 5],
		container_id: [92, 1.1, 9],
		state: [62, 0, 10],
		tx_bytes_per_second: [92, 0, 1],
		rx_bytes_per_second: [92, 0, 1],
		tx_bytes: [84, 0, 0],
		rx_bytes: [84, 0, 0],
		connections_open: [46, 0, 6],
		retransmits: [68, 0, 4],
		srtt_us: [76, 0, 2],
	},
	flows: {
		comm: [104, 1.1, 0],
		pid: [66, 0, 10],
		transport: [48, 0, 5],
		role: [54, 0, 9],
		local_address: [124, 1.3, 7],
		peer_address: [128, 1.4, 1],
		state: [92, 0, 4],
		tx_bytes_per_second: [92, 0, 2],
		rx_bytes_per_second: [92, 0, 2],
		tx_bytes: [84, 0, 0],
		rx_bytes: [84, 0, 0],
		retransmits: [68, 0, 6],
		srtt_us: [76, 0, 3],
	},
	drops: {
		reason: [200, 2.4, 0],
		location: [150, 1.3, 3],
		comm: [110, 1, 2],
		packets_per_second: [114, 0, 1],
		packets: [84, 0, 0],
		last_seen: [76, 0, 4],
	},
	history: {
		program: [128, 2, 0],
		user: [72, 1, 8],
		unit: [112, 1.5, 4],
		container_id: [92, 1.1, 9],
		tx_bytes: [84, 0, 0],
		rx_bytes: [84, 0, 0],
		tx_bytes_per_second_max: [112, 0, 5],
		rx_bytes_per_second_max: [132, 0, 6],
		connections: [104, 0, 2],
		retransmits: [68, 0, 7],
		lost_packets: [60, 0, 3],
		first_seen: [96, 0, 8],
		new: [44, 0, 7],
	},
	history_peers: {
		program: [120, 1.2, 0],
		container_name: [92, 0.8, 8],
		role: [54, 0, 7],
		transport: [48, 0, 5],
		peer_address: [150, 1.6, 1],
		tx_bytes: [84, 0, 0],
		rx_bytes: [84, 0, 0],
		connections: [104, 0, 2],
		retransmits: [68, 0, 4],
		first_seen: [96, 0, 6],
	},
	history_losses: {
		reason: [220, 2, 0],
		device: [100, 0.8, 3],
		program: [120, 1.2, 1],
		packets: [90, 0, 0],
		first_seen: [96, 0, 4],
		last_seen: [96, 0, 5],
	},
};

/* Shown beside their address; of a loss below its reason, its place and its owner. */
const MERGED = ["local_port", "peer_port", "port", "peer_name", "class"];
const MERGED_DROPS = [
	"class", "layer", "device", "netns", "pid", "uid", "user", "unit", "container_id", "source", "bytes", "meaning", "advice",
];

/* What identifies is read once, what is measured again and again: the former is set quieter. */
const LOUD = ["comm", "program", "peer_address", "reason"];

const RATE = /_per_second$/;

const GAP_PX = 16;
const GAP_COMPACT_PX = 10;

/** An address may give way where there is no room, its port never does. */
export function Endpoint({ row, side }: { row: Row; side: "local" | "peer" }) {
	const name = side === "peer" ? textOf(row, "peer_name") : "";
	const address = textOf(row, side + "_address");
	const port = cell(row, side + "_port") ?? cell(row, "port");
	if (!name && !address)
		return <span class="none">–</span>;
	const host = name || (address.includes(":") ? `[${address}]` : address);
	return (
		<span class="endpoint">
			<span class="address" title={name ? address : undefined}><Name text={host} /></span>
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
		return when(Date.parse(String(value)), store.now_ms);
	if (field.type === "bool")
		return t(value ? "yes" : "no");
	return <Word field={field.name} value={String(value)} />;
}

/** Text; one of few words in the page's language, and then as the kernel has it where it is pointed at. */
export function Word({ field, value }: { field: string; value: string }) {
	const text = fieldValue(field, value);
	return text === value ? <Name text={value} /> : <span title={value}>{text}</span>;
}

/* Two lines: what it is, and where that is. */
function renderLoss(field: Field, compact: boolean): (row: Row) => ComponentChildren {
	const below = (text: string) => <span class="below">{text || "\u00a0"}</span>;
	switch (field.name) {
	case "location":
		return (row) => <>{plain(field, row)}{below(layerOf(row))}</>;
	case "comm":
		return (row) => <><Owner row={row} inTable />{below(ownerPlace(row))}</>;
	case "packets":
		return (row) => (
			<>{plain(field, row)}{compact ? below(numberOf(row, "packets_per_second")
				? t("per_second", { n: count(textOf(row, "packets_per_second")) }) : "") : null}</>
		);
	case "packets_per_second":
		return (row) => <>{plain(field, row)}{compact ? below(count(textOf(row, "packets"))) : null}</>;
	default:
		return (row) => plain(field, row);
	}
}

function render(table: string, field: Field, compact: boolean): (row: Row) => ComponentChildren {
	if (table === "drops")
		return renderLoss(field, compact);
	switch (field.name) {
	case "tx_bytes":
	case "rx_bytes":
		/* Where rates have no column of their own they stand below the sum, or above it when they are sorted by. */
		return compact && !table.startsWith("history") ? (row) => <>{plain(field, row)}<Below row={row} rate={field.name + "_per_second"} /></> : (row) => plain(field, row);
	case "tx_bytes_per_second":
	case "rx_bytes_per_second":
		return compact ? (row) => <>{plain(field, row)}<span class="below">{join(bytes(numberOf(row, field.name.replace(RATE, ""))))}</span></> : (row) => plain(field, row);
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

function titleOf(table: string, field: Field): string {
	if (table === "drops" && field.name === "comm")
		return t("owner");
	return table === "drops" && field.name === "location" ? t("place") : fieldTitle(table, field.name, field.title);
}

/* What is sorted by is seen. Where there is little room it takes the place of its sum, of which it is the rate, or of
 * what else is received. */
function layoutFor(table: Table, compact: boolean, sort: string): Record<string, readonly [number, number, number]> {
	const layout = LAYOUT[table.name] ?? {};
	const sum = sort.replace(RATE, "");
	if (!table.fields.some((f) => f.name === sort) || layout[sort]?.[2] === 0)
		return layout;
	if (compact && sum !== sort && layout[sum]) {
		const rest = Object.entries(layout).filter(([name]) => name !== sort);
		return Object.fromEntries(rest.map(([name, at]) => (name === sum ? [sort, [layout[sort]?.[0] ?? at[0], at[1], 0]] : [name, at])));
	}
	const [least, share] = layout[sort] ?? [104, 1];
	const rest = Object.entries(layout).filter(([name]) => !compact || name !== "rx_bytes");
	return { ...Object.fromEntries(rest), [sort]: [least, share, 0] };
}

/** The columns for which there is room, in the order of the page; sort is always one of them. padding_px: what a line loses
 *  at its sides. */
export function columnsOf(table: Table, width: number, padding_px: number, compact: boolean, sort = ""): Column[] {
	const layout = layoutFor(table, compact, sort);
	const byName = new Map(table.fields.map((f) => [f.name, f]));
	const merged = table.name === "drops" ? MERGED_DROPS : MERGED;
	const others = table.fields.filter((f) => f.column && !(f.name in layout) && !merged.includes(f.name));
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
			title: titleOf(table.name, field),
			track: at[1] ? `minmax(${compact ? 0 : at[0]}px,${at[1]}fr)` : `${at[0]}px`,
			right: (field.type === "uint" || field.type === "int") && field.name !== "pid",
			quiet: field.name === "pid" || (field.type !== "uint" && field.type !== "int" && !LOUD.includes(field.name)),
			render: render(table.name, field, compact),
		}));
}

/** Whose row it is. */
export const rowName = (row: Row): string => textOf(row, "comm") || textOf(row, "program") || "?";

/** What tells the row to a reader in a few words. */
export function rowTitle(table: string, row: Row): string {
	if (table === "drops" || table === "history_losses")
		return textOf(row, "reason") || "?";
	const comm = visible(rowName(row));
	if (table !== "flows" && table !== "history_peers")
		return comm;
	const peer = textOf(row, "peer_address");
	return peer ? `${comm} → ${visible(textOf(row, "peer_name") || peer)}` : comm;
}
