// SPDX-License-Identifier: GPL-2.0-or-later
// One row in full: each field with its digits, what it means, and the command that prints it.

import type { ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Word, rowTitle } from "./columns";
import { count, moment, shellWord, shellWords } from "./format";
import { durationText } from "./header";
import { fieldHelp, fieldTitle, t } from "./i18n";
import { type Field, type Row, type Table, type Value, cell, selector, textOf } from "./model";
import { Explain } from "./explain";
import { useRows } from "./past";
import { sinceWords } from "./programs";
import { bootOf } from "./started";
import { type Detail, store } from "./store";
import { FlowStory, PastStory, ProcessStory } from "./stories";
import { Amount, CopyButton, Name, exact, quantity } from "./ui";
import "./details.css";

/** Counted from the host's boot. */
const START = "start_time_ns";
/** What one looks for first, large above the rest. */
const FIGURES = ["tx_bytes_per_second", "rx_bytes_per_second", "tx_bytes", "rx_bytes"];

export function rowCommand(table: string, row: Row, field?: string): string {
	const columns = field ? ` --exact --columns ${shellWord(field)}` : " -J";
	const { span } = store;
	const object = span && table.startsWith("history") ? `${table.replace("_", " ")} ${sinceWords(span)}` : table;
	return `weir ${object}${columns} ${shellWords(selector(table, row))}`;
}

/** What a view tells of a row itself, above the list of its fields. */
export type Story = ComponentType<{ row: Row; full: boolean }>;

const STORIES: Record<string, Story> = { processes: ProcessStory, flows: FlowStory };

export interface DetailsProps {
	table: Table;
	detail: Detail;
	/** A view's own; otherwise there is one for each table. */
	story?: Story;
	/** Fields that the story tells. */
	told?: readonly string[];
	onClose: () => void;
}

export default function Details({ table, detail, story, told, onClose }: DetailsProps) {
	const { row, gone } = detail;
	const Story = story ?? (table.name.startsWith("history") ? PastStory : STORIES[table.name]);
	const heading = useRef<HTMLHeadingElement>(null);
	const drops = table.name === "drops";
	const id = textOf(row, "cookie") || (drops ? "" : textOf(row, "pid")) || detail.id;
	/* The reader opened it: reading goes on here. Moving through rows by arrows keeps the table's focus. */
	useEffect(() => {
		if (document.activeElement === document.body)
			heading.current?.focus();
	}, [id]);
	const fields = told ? table.fields.filter((f) => !told.includes(f.name)) : table.fields;
	const known = fields.filter((f) => cell(row, f.name) !== null && cell(row, f.name) !== "");
	const absent = fields.filter((f) => !known.includes(f));
	/* The youngest processes tell when the host booted. */
	const young = useRows("processes", cell(row, START) === null ? null : { sort: START, limit: 64, fields: `${START},first_seen` });
	const boot_ms = bootOf(young.rows);
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
			</div>
			{drops || cell(row, "tx_bytes") === null ? null : <div class="figures" aria-hidden="true">
				{FIGURES.map((name) => table.fields.find((f) => f.name === name)).map((f) => {
					const q = f && quantity(f, cell(row, f.name));
					return f && q ? (
						<p key={f.name}>
							<span>{fieldTitle(table.name, f.name, f.title)}</span>
							<Amount of={q} zero={cell(row, f.name) === 0} />
						</p>
					) : null;
				})}
			</div>}
			{Story ? <Story key={id} row={row} full={detail.full} /> : null}
			<dl>
				{known.map((f) => <Entry key={f.name} field={f} table={table.name} row={row} boot_ms={boot_ms} />)}
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

/* A time is read as one, and as how long ago it was. */
function told(field: Field, value: Value, boot_ms: number): { text: string; also: string; digits?: string } {
	const started = field.name === START ? boot_ms + Number(value) / 1e6 : NaN;
	const ms = field.type === "time" ? Date.parse(String(value)) : started;
	if (Number.isNaN(ms))
		return exact(field, value);
	return {
		text: moment(ms).slice(0, field.type === "time" ? undefined : 19),
		also: t("time_ago", { time: durationText(Math.max(1, Math.round((store.now_ms - ms) / 1000))) }),
		digits: field.type === "time" ? undefined : `${count(String(value))} ns`,
	};
}

function Entry({ field, table, row, boot_ms }: { field: Field; table: string; row: Row; boot_ms: number }) {
	const { text, also, digits } = told(field, cell(row, field.name), boot_ms);
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
				<span class="value">
					{digits ? <bdi title={digits}>{text}</bdi> : field.type === "uint" || field.type === "int" ? (
						<Explain of={{ table, field: field.name, value: cell(row, field.name), command: rowCommand(table, row, field.name) }}><bdi>{text}</bdi></Explain>
					) : <Word field={field.name} value={text} />}
				</span>
				{also ? <span class="also">{also}</span> : null}
				<span class="help">{fieldHelp(table, field.name, field.help)}</span>
			</dd>
		</div>
	);
}
