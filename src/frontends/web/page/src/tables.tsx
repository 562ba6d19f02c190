// SPDX-License-Identifier: GPL-2.0-or-later
// Processes and Flows: a table, and beside it the details of one row.

import { useEffect, useRef } from "preact/hooks";
import { Details } from "./details";
import { count, shellWord, shellWords } from "./format";
import { Grid } from "./grid";
import { t } from "./i18n";
import { type Row, type Table, keyOf, parseSort, KEYS } from "./model";
import { type Store, useStore } from "./store";
import { CopyButton, Empty } from "./ui";

/** The row that an id in the address means, and its table. Sockets below a process read "process/socket". */
function find(store: Store, table: string, id: string): { table: string; row: Row } | null {
	const slash = id.indexOf("/");
	if (slash < 0) {
		const row = store.dataset(table).rows.get(id);
		return row ? { table, row } : null;
	}
	const open = store.unfolded.get(id.slice(0, slash));
	const row = open?.rows.find((r) => keyOf(r, KEYS.flows) === id.slice(slash + 1));
	return row ? { table: "flows", row } : null;
}

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
	const last = useRef<{ id: string; table: string; row: Row } | null>(null);
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
	const found = route.row ? find(store, name, route.row) : null;
	if (found)
		last.current = { id: route.row, ...found };
	else if (last.current?.id !== route.row)
		last.current = null;
	const detail = last.current;
	const detail_table = detail ? store.tables.get(detail.table) : undefined;
	const sort = parseSort(route.sort) ?? parseSort(table.sort) ?? { field: table.fields[0].name, ascending: false };
	const n = set.rows.size;
	const shell = command(table, route.sort, store.filter_shown);
	return (
		<div class={detail ? "table-view with-details" : "table-view"} data-snapshot={set.snapshot} data-rows={n}>
			<div class="table-main">
				<div class="table-head">
					<h1>{t(name === "flows" ? "view_flows" : "view_processes")}</h1>
					<span class="rows">{set.loaded ? (n === 1 ? t("rows_1") : t("rows_n", { n: count(n) })) : ""}</span>
					<span class="held" aria-hidden="true">{t("held")}</span>
					<CopyButton class="command" text={shell} label={t("copy_cli")}>
						<code>{shell}</code>
					</CopyButton>
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
				<Details table={detail_table} row={detail.row} gone={!found && set.loaded} onClose={close} />
			) : null}
		</div>
	);
}
