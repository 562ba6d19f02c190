// SPDX-License-Identifier: GPL-2.0-or-later
// Small pieces that every view uses.

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Quantity, bytes, count, microseconds, moment, nanoseconds, rate, visible } from "./format";
import { pieces, type StringKey, t } from "./i18n";
import { type Class, MARKS } from "./losses";
import { type Field, type Value, holdKeys } from "./model";

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

/** A class in its colour, by its mark and by its word. */
export function ClassName({ of, brief }: { of: Class; brief?: boolean }) {
	return (
		<span class={"class " + of}>
			<span class="class-mark" aria-hidden="true">{MARKS[of]}</span>
			<span class={brief ? "sr" : "class-word"}>{t(`class_${of}` as StringKey)}</span>
		</span>
	);
}

const TAIL = /^(?:\u00a0[%\w]+)?[,.;:，。；：]?/;

/** A sentence whose placeholders are elements. */
export function Sentence({ of, values }: { of: StringKey; values: Record<string, ComponentChildren> }) {
	const list = pieces(of);
	return (
		<>
			{list.map((p, i) => {
				if (typeof p === "string")
					return p;
				const value = values[p.name] as { props?: { of?: unknown } } | undefined;
				const next = list[i + 1];
				/* A number is a button, after which browsers break a line: its unit and its comma stay with it. */
				const tail = value?.props?.of && typeof next === "string" ? TAIL.exec(next)?.[0] : "";
				if (!tail)
					return values[p.name];
				list[i + 1] = (next as string).slice(tail.length);
				return <span class="whole">{values[p.name]}{tail}</span>;
			})}
		</>
	);
}

/** That numbers are of what matches a filter alone, and of which. */
export function Filtered({ by }: { by: string | null }) {
	return by ? <span class="filtered">{t("filter_applies")}: <code>{visible(by)}</code></span> : null;
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

const SLOW_MS = 2000;

/** That an answer takes longer than it should, once it does. */
export function Slow() {
	const [slow, set] = useState(false);
	useEffect(() => {
		const timer = setTimeout(() => set(true), SLOW_MS);
		return () => clearTimeout(timer);
	}, []);
	return <>{slow ? t("past_slow") : ""}</>; /* a grid may hold no role but its own */
}

/** For a block whose text changes: it stays as tall as it once was at this width, so that nothing below it moves; for as
 *  long as it is of the same. "height": as tall as it was first. */
export function useTallest<E extends HTMLElement = HTMLDivElement>(same: unknown = 0, as: "minHeight" | "height" = "minHeight") {
	const ref = useRef<E>(null);
	const was = useRef<unknown>(0);
	useEffect(() => {
		const { style, offsetWidth } = ref.current!;
		const is = `${offsetWidth} ${String(same)}`;
		if (was.current !== is)
			style[as] = "";
		was.current = is;
		style[as] = ref.current!.getBoundingClientRect().height + "px";
	});
	return ref;
}

/** The first n of a list that changes its order while it is read: nothing moves away from below a pointer, for as long as
 *  it is of the same. over: for the element that they stand in. */
export function useHeld<T extends { id: string }>(list: readonly T[], n: number, same = "") {
	const [pointed, setPointed] = useState(false);
	const order = useRef<string[]>([]);
	const was = useRef(same);
	const by = new Map(list.map((x) => [x.id, x]));
	const shown = (pointed && was.current === same ? holdKeys(order.current, by).map((id) => by.get(id)!) : list).slice(0, n);
	was.current = same;
	order.current = shown.map((x) => x.id);
	return {
		shown,
		over: {
			onPointerEnter: (e: PointerEvent) => setPointed(e.pointerType === "mouse"),
			onPointerLeave: () => setPointed(false),
		},
	};
}

/** For what changes its order while it is read: an element that changes places loses the focus, and gets it back. Where
 *  it is gone, the place's one stop of the tab key has it, or its first. */
export function useKeptFocus(place: { current: Element | null }): void {
	const was = place.current?.contains(document.activeElement) ? (document.activeElement as HTMLElement) : null;
	useLayoutEffect(() => {
		if (was && document.activeElement === document.body)
			(was.isConnected ? was : place.current?.querySelector<HTMLElement>('[tabindex="0"]') ?? place.current?.querySelector<HTMLElement>("a, button"))?.focus({ preventScroll: true });
	});
}
