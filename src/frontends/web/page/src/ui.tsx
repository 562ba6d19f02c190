// SPDX-License-Identifier: GPL-2.0-or-later
// Small pieces that every view uses.

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { type Quantity, bytes, count, microseconds, moment, nanoseconds, rate, visible } from "./format";
import { pieces, type StringKey, t } from "./i18n";
import type { Field, Value } from "./model";

/** A number with a quieter unit. */
export function Amount({ of, zero }: { of: Quantity; zero?: boolean }) {
	return (
		<span class={zero ? "amount zero" : "amount"}>
			<span class="n">{of.value}</span>
			<span class={of.unit.endsWith("/s") ? "u per" : "u"}>{"\u00a0" + of.unit}</span>
		</span>
	);
}

export function Rate({ n }: { n: number }) {
	return <Amount of={rate(n)} zero={n === 0} />;
}

/** Text from outside, escapes written out. Always a text node, never markup. */
export function Name({ text }: { text: string }) {
	return <bdi>{visible(text)}</bdi>;
}

/** A sentence whose placeholders are elements. */
export function Sentence({ of, values }: { of: StringKey; values: Record<string, ComponentChildren> }) {
	return <>{pieces(of).map((p) => (typeof p === "string" ? p : values[p.name]))}</>;
}

/** A field's value, short, as a table shows it; null when there is none. */
export function quantity(field: Pick<Field, "unit" | "type">, value: Value): Quantity | null {
	if (value === null || field.type !== "uint" && field.type !== "int")
		return null;
	const n = Number(value);
	switch (field.unit) {
	case "bytes":
		return bytes(n);
	case "bytes_per_second":
		return rate(n);
	case "microseconds":
		return microseconds(n);
	case "nanoseconds":
		return nanoseconds(n);
	case "count":
	case "segments":
		return { value: count(String(value)), unit: "" };
	default:
		return { value: String(value), unit: "" };
	}
}

/** The same in full: each digit, and what it means in short beside it. */
export function exact(field: Pick<Field, "unit" | "type" | "name">, value: Value): { text: string; also: string } {
	if (value === null)
		return { text: "", also: "" };
	if (field.type === "bool")
		return { text: t(value ? "yes" : "no"), also: "" };
	if (field.type === "time") {
		const ms = Date.parse(String(value));
		return Number.isNaN(ms) ? { text: visible(String(value)), also: "" } : { text: moment(ms), also: "" };
	}
	const q = quantity(field, value);
	if (!q || q.unit === "")
		return { text: q ? q.value : visible(String(value)), also: "" };
	const raw: Record<string, string> = { bytes: "B", bytes_per_second: "B/s", microseconds: "µs", nanoseconds: "ns" };
	const text = count(String(value)) + "\u00a0" + raw[field.unit];
	const short = q.value + "\u00a0" + q.unit;
	return { text, also: short === text ? "" : short };
}

/** Puts text on the clipboard; where the browser forbids that, the text is selected for the reader's own copy. */
export function CopyButton({ text, label, shown, class: name }: {
	text: string;
	/** What the button does; what it shows is added, so that both have the same name. */
	label: string;
	shown: string;
	class: string;
}) {
	const [done, setDone] = useState(false);
	const button = useRef<HTMLButtonElement>(null);
	const copy = async () => {
		try {
			await navigator.clipboard.writeText(text);
		} catch {
			const range = document.createRange();
			range.selectNodeContents(button.current!);
			getSelection()?.removeAllRanges();
			getSelection()?.addRange(range);
			return;
		}
		setDone(true);
		setTimeout(() => setDone(false), 1500);
	};
	return (
		<button ref={button} type="button" class={"copy " + name} aria-label={`${label}: ${shown}`} title={text} onClick={copy}>
			<code>{shown}</code>
			<span class={done ? "done on" : "done"} role="status">{done ? t("copied") : ""}</span>
		</button>
	);
}

/** What stands where a table or a list has nothing to show. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
	return (
		<div class="empty">
			<svg viewBox="0 0 64 32" aria-hidden="true">
				<path d="M2 10h18v6h18v6h24" />
			</svg>
			<p class="empty-title">{title}</p>
			{children ? <p class="empty-sub">{children}</p> : null}
		</div>
	);
}
