// SPDX-License-Identifier: GPL-2.0-or-later
// Small pieces that tables and stories of lost packets share.

import { useMemo } from "preact/hooks";
import { count, since, visible } from "./format";
import { fieldValue, t } from "./i18n";
import { type Row, textOf } from "./model";
import { linkTo, useStore } from "./store";
import { Name } from "./ui";

/** "lost in 3 reasons", as far as there is more than one. */
export function reasons(n: number): string {
	return t("reasons_n", { n: count(n) });
}

export function packets(n: number): string {
	return t("packets_n", { n: count(n) });
}

/** The process that a loss belongs to, as far as there is one. */
export function Owner({ row, inTable }: { row: Row; inTable?: boolean }) {
	const pid = textOf(row, "pid");
	if (!pid)
		return <span class="none">–</span>;
	return (
		<a
			class="owner"
			tabIndex={inTable ? -1 : undefined}
			title={t("owner_open")}
			href={linkTo({ view: "processes", filter: `pid:${pid}`, row: `${pid}~${textOf(row, "start_time_ns")}` })}
			onClick={(e) => e.stopPropagation()}
		>
			<Name text={textOf(row, "comm") || `pid ${pid}`} />
		</a>
	);
}

/** Where the owner lives: container, pod or unit, and its number. */
export function ownerPlace(row: Row): string {
	const place = textOf(row, "pod_name") || textOf(row, "container_name") || textOf(row, "container_id").slice(0, 12) ||
		textOf(row, "unit");
	return [textOf(row, "pid"), visible(place)].filter(Boolean).join(" · ");
}

/** Layer, device, port, processor: where in the machine, beside where in the kernel. */
export function layerOf(row: Row): string {
	const of = ["port", "cpu"].map((name) => textOf(row, name) && `${name} ${textOf(row, name)}`);
	return [fieldValue("layer", textOf(row, "layer")), textOf(row, "device"), ...of].filter(Boolean).map(visible).join(" · ");
}

/** A time since which weir has certainly been watching: what it saw first of the processes that are there. */
export function watchingSince(rows: Iterable<Row>, opened_ms: number): number {
	let first = Infinity;
	for (const row of rows)
		first = Math.min(first, Date.parse(textOf(row, "first_seen")) || Infinity);
	return first === Infinity ? opened_ms : first;
}

export function useSince(): string {
	const s = useStore();
	const set = s.processes;
	return useMemo(() => since(watchingSince(set.rows.values(), s.opened_ms), set.time_ms), [set, set.snapshot]);
}
