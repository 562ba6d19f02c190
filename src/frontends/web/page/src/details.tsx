// SPDX-License-Identifier: GPL-2.0-or-later
// One row in full: each field with its digits, what it means, and the command that prints it.

import { useEffect, useRef } from "preact/hooks";
import { rowTitle } from "./columns";
import { shellWord } from "./format";
import { fieldHelp, fieldTitle, t } from "./i18n";
import { type Field, type Row, type Table, cell, textOf } from "./model";
import { formatRoute } from "./route";
import type { Detail } from "./store";
import { Amount, CopyButton, Name, exact, quantity } from "./ui";

/** What one looks for first, large above the rest. */
const FIGURES = ["tx_bytes_per_second", "rx_bytes_per_second", "tx_bytes", "rx_bytes"];

/** Words that select this row alone. Only numbers and addresses: nothing that a shell could take for more. */
function selector(table: string, row: Row): string {
	return table === "flows" ? `cookie:${textOf(row, "cookie")}` : `pid:${textOf(row, "pid")}`;
}

export function rowCommand(table: string, row: Row, field?: string): string {
	const columns = field ? ` --exact --columns ${shellWord(field)}` : " -J";
	return `weir ${table}${columns} ${shellWord(selector(table, row))}`;
}

export function Details({ table, detail, onClose }: { table: Table; detail: Detail; onClose: () => void }) {
	const { row, gone } = detail;
	const heading = useRef<HTMLHeadingElement>(null);
	const id = textOf(row, "cookie") || textOf(row, "pid");
	/* The reader opened it: reading goes on here. Moving through rows by arrows keeps the table's focus. */
	useEffect(() => {
		if (document.activeElement === document.body)
			heading.current?.focus();
	}, [id]);
	const known = table.fields.filter((f) => cell(row, f.name) !== null && cell(row, f.name) !== "");
	const absent = table.fields.filter((f) => !known.includes(f));
	return (
		<aside class="details" aria-labelledby="details-title" data-row={id} data-snapshot={detail.snapshot}>
			<div class="details-head">
				<div>
					<p class="kicker">{t("details")}</p>
					<h2 id="details-title" ref={heading} tabIndex={-1}><Name text={rowTitle(table.name, row)} /></h2>
				</div>
				<button type="button" class="close" aria-label={t("details_close")} onClick={onClose}>×</button>
			</div>
			{gone ? <p class="gone">{t("details_gone")}</p> : null}
			<div class="details-act">
				<CopyButton
					class="command"
					text={rowCommand(table.name, row)}
					label={t("copy_cli")}
					shown={rowCommand(table.name, row)}
				/>
				{table.name === "processes" ? (
					<a
						class="more"
						href={formatRoute({ view: "flows", filter: `pid:${textOf(row, "pid")}`, sort: "", row: "" })}
					>
						{t("flows_of")} →
					</a>
				) : null}
			</div>
			<div class="figures" aria-hidden="true">
				{FIGURES.map((name) => table.fields.find((f) => f.name === name)).map((f) => {
					const q = f && quantity(f, cell(row, f.name));
					return f && q ? (
						<p key={f.name}>
							<span>{fieldTitle(table.name, f.name, f.title)}</span>
							<Amount of={q} zero={cell(row, f.name) === 0} />
						</p>
					) : null;
				})}
			</div>
			<dl>
				{known.map((f) => <Entry key={f.name} field={f} table={table.name} row={row} />)}
			</dl>
			{detail.full && absent.length ? (
				<div class="absent">
					<h3>{t("details_absent")}</h3>
					<p>
						{absent.map((f) => (
							<span key={f.name} title={fieldHelp(table.name, f.name, f.help)}>
								{fieldTitle(table.name, f.name, f.title)}
							</span>
						))}
					</p>
				</div>
			) : null}
		</aside>
	);
}

function Entry({ field, table, row }: { field: Field; table: string; row: Row }) {
	const { text, also } = exact(field, cell(row, field.name));
	const title = fieldTitle(table, field.name, field.title);
	return (
		<div class="entry" data-f={field.name}>
			<dt>
				<span>{title}</span>
				<CopyButton
					text={rowCommand(table, row, field.name)}
					label={t("details_copy", { title })}
					shown={field.name}
					class="key"
				/>
			</dt>
			<dd>
				<span class="value"><bdi>{text}</bdi></span>
				{also ? <span class="also">{also}</span> : null}
				<span class="help">{fieldHelp(table, field.name, field.help)}</span>
			</dd>
		</div>
	);
}
