// SPDX-License-Identifier: GPL-2.0-or-later
// Processes and Flows: a table, and beside it the details of one row.

import { useEffect } from "preact/hooks";
import { streamFields } from "./channel";
import { Details } from "./details";
import { count, shellWord, shellWords } from "./format";
import { Grid } from "./grid";
import { t } from "./i18n";
import { type Table, formatSort, parseSort } from "./model";
import { useStore } from "./store";
import { CopyButton, Empty } from "./ui";

function command(table: Table, sort: string, filter: string): string {
	const by = sort && sort !== table.sort ? ` --sort ${shellWord(sort)}` : "";
	const words = shellWords(filter);
	return `weir ${table.name}${by}${words ? " " + words : ""}`;
}

export function TableView({ name }: { name: "processes" | "flows" }) {
	const store = useStore();
	const table = store.tables.get(name);
	const set = store.dataset(name);
	const { route } = store;
	const grid = () => document.querySelector<HTMLElement>(".grid");
	const close = () => {
		store.go({ row: "" }, false);
		grid()?.focus({ preventScroll: true });
	};

	useEffect(() => {
		const onKey = (e: KeyboardEvent) => {
			if (e.key === "Escape" && store.route.row)
				close();
		};
		document.addEventListener("keydown", onKey);
		return () => document.removeEventListener("keydown", onKey);
	}, []);

	if (!table)
		return <Empty title={t("waiting")}>{t("waiting_sub")}</Empty>;
	const { detail } = store;
	const detail_table = detail ? store.tables.get(detail.table) : undefined;
	/* An address may ask for anything; only what is streamed can be sorted by. */
	const asked = parseSort(route.sort);
	const sort = (asked && streamFields(table).includes(asked.field) ? asked : parseSort(table.sort)) ??
		{ field: table.fields[0].name, ascending: false };
	const n = set.rows.size;
	const shell = command(table, formatSort(sort), store.channel.shown ?? "");
	return (
		<div class={detail ? "table-view with-details" : "table-view"} data-snapshot={set.snapshot} data-rows={n}>
			<div class="table-main">
				<div class="table-head">
					<h1>{t(name === "flows" ? "view_flows" : "view_processes")}</h1>
					<span class="rows">{set.loaded ? (n === 1 ? t("rows_1") : t("rows_n", { n: count(n) })) : ""}</span>
					<span class="held" aria-hidden="true">{t("held")}</span>
					<CopyButton class="command" text={shell} label={t("copy_cli")} shown={shell} />
				</div>
				<Grid
					table={table}
					sort={sort}
					opened={route.row}
					onOpen={(id) => store.go({ row: id }, route.row === "")}
				/>
				<p class="keys note" aria-hidden="true">{t("keys_hint")}</p>
			</div>
			{detail && detail_table ? (
				<Details table={detail_table} detail={detail} onClose={close} />
			) : null}
		</div>
	);
}
