// SPDX-License-Identifier: GPL-2.0-or-later
// What a number is: in full, what it means, where it was measured, and the command that prints it. One pop-up for all
// pages; a number that can be asked is a button.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { visible } from "./format";
import { fieldHelp, fieldTitle, t } from "./i18n";
import { textOf } from "./model";
import { said } from "./said";
import { store, useStore } from "./store";
import { CopyButton, exact } from "./ui";

export interface Explained {
	/** The table and the field that it comes from: title and help are the declaration's, unless others are given. */
	table: string;
	field: string;
	/** The number, to be written out to the last digit. */
	value?: number | string | boolean | null;
	/** Prints it. */
	command: string;
	title?: string;
	help?: string;
}

/** Which feature fills a table; of all others weir itself says what it is. */
const FEATURES: Record<string, string> = {
	processes: "traffic", flows: "traffic", drops: "drops", findings: "drops", names: "dns",
};

let anchor: HTMLElement | null = null;

function open(of: Explained, from: HTMLElement): void {
	anchor = from;
	store.explain(of);
}

/** A number that says what it is when it is asked. */
export function Explain({ of, class: name, children }: { of: Explained; class?: string; children: ComponentChildren }) {
	return (
		<button
			type="button"
			class={name ? `asked ${name}` : "asked"}
			aria-haspopup="dialog"
			onClick={(e) => {
				e.stopPropagation();
				open(of, e.currentTarget);
			}}
		>
			{children}
		</button>
	);
}

/* "measured by": the hooks that this feature uses on this kernel, or the store that kept it. */
function Where({ table }: { table: string }) {
	const s = useStore();
	if (table.startsWith("history"))
		return <>{t("where_past", { table })}</>;
	const feature = FEATURES[table];
	const row = s.doctor.find((r) => textOf(r, "feature") === feature && textOf(r, "state") === "on");
	if (!feature || !row)
		return <>{t("where_table", { table })}</>;
	return (
		<>
			{t("where_hooks", { table, feature, set: textOf(row, "hook_set") })}
			{textOf(row, "serves") ? <span class="where-serves">{visible(said(textOf(row, "serves")))}</span> : null}
			{textOf(row, "hooks") ? <code class="where-hooks">{visible(textOf(row, "hooks"))}</code> : null}
		</>
	);
}

/** Stands once in the page. */
export function ExplainHost() {
	const s = useStore();
	const of = s.explained;
	const box = useRef<HTMLDivElement>(null);
	useLayoutEffect(() => {
		const e = box.current;
		if (!of || !e || !anchor)
			return;
		const at = anchor.getBoundingClientRect();
		e.style.left = "0px";
		e.style.top = "0px";
		if (!e.matches(":popover-open"))
			e.showPopover();
		const { offsetWidth: w, offsetHeight: h } = e;
		const room = document.documentElement;
		const below = at.bottom + 8;
		e.style.left = `${Math.max(8, Math.min(at.left, room.clientWidth - w - 8))}px`;
		e.style.top = `${below + h < room.clientHeight - 8 ? below : Math.max(8, at.top - h - 8)}px`;
		e.querySelector<HTMLElement>("h2")?.focus();
	}, [of]);
	const field = of && s.tables.get(of.table)?.fields.find((f) => f.name === of.field);
	const digits = of && of.value !== undefined ? exact(field ?? { name: of.field, type: "uint", unit: "none" }, of.value) : null;
	return (
		<div
			ref={box}
			id="explain"
			popover="auto"
			role="dialog"
			aria-labelledby="explain-title"
			onToggle={(e) => {
				if ((e as ToggleEvent).newState !== "closed" || !store.explained)
					return;
				store.explain(null);
				anchor?.focus({ preventScroll: true });
			}}
		>
			{of ? (
				<>
					<h2 id="explain-title" tabIndex={-1}>{of.title ?? (field ? fieldTitle(of.table, field.name, field.title) : of.field)}</h2>
					{digits ? (
						<p class="explain-value"><b>{digits.text}</b>{digits.also ? <span class="also">{digits.also}</span> : null}</p>
					) : null}
					<p>{of.help ?? (field ? fieldHelp(of.table, field.name, field.help) : "")}</p>
					<h3>{t("explain_where")}</h3>
					<p><Where table={of.table} /></p>
					{s.lost && of.field !== "lost_events" ? <p class="explain-lost">{t("lost_help", { n: s.lost })}</p> : null}
					<h3>{t("explain_command")}</h3>
					<CopyButton class="command" text={of.command} label={t("copy_cli")} shown={of.command} />
					<button type="button" class="close" aria-label={t("explain_close")} onClick={() => box.current?.hidePopover()}>×</button>
				</>
			) : null}
		</div>
	);
}
