// SPDX-License-Identifier: GPL-2.0-or-later
// What all views share: their names, the one filter line, whether the numbers are alive, losses, language.

import { useEffect, useRef, useState } from "preact/hooks";
import { count, visible } from "./format";
import { t } from "./i18n";
import { KEYS, knowsFilter } from "./model";
import { VIEWS, formatRoute } from "./route";
import { useStore } from "./store";

const TYPING_MS = 450;

export function Header() {
	const store = useStore();
	const { route } = store;
	return (
		<header class="top">
			<a class="brand" href={formatRoute({ ...route, view: "now", row: "", sort: "" })}>
				<svg viewBox="0 0 32 32" aria-hidden="true"><path d="M4 9h8v7h8v7h8" /></svg>
				<span>weir</span>
				{store.host ? <span class="host">{visible(store.host)}</span> : null}
			</a>
			<nav aria-label={t("views")}>
				{VIEWS.map((v) => (
					<a
						key={v}
						href={formatRoute({ view: v, filter: route.filter, sort: "", row: "" })}
						aria-current={route.view === v ? "page" : undefined}
					>
						{t(`view_${v}`)}
					</a>
				))}
			</nav>
			<FilterLine />
			<div class="state">
				<Lost />
				<Status />
				<button
					type="button"
					class="language"
					lang={store.language === "en" ? "zh" : "en"}
					title={t("language_label")}
					onClick={() => store.setLanguage(store.language === "en" ? "zh" : "en")}
				>
					{t("language")}
				</button>
			</div>
		</header>
	);
}

export function Lost() {
	const store = useStore();
	if (!store.lost)
		return null;
	return (
		<span class="badge" title={t("lost_help", { n: count(store.lost) })}>
			<span aria-hidden="true">⚠ </span>
			{t("lost_badge", { n: count(store.lost) })}
		</span>
	);
}

export function useStatus(): { kind: string; text: string } {
	const { channel } = useStore();
	const silent = channel.silence_s;
	if (channel.state === "refused")
		return { kind: "off", text: t("denied", { reason: visible(channel.message) }) };
	if (channel.state === "offline")
		return { kind: "off", text: t("offline") };
	if (channel.state === "rejected")
		return { kind: "wait", text: t("status_rejected") };
	if (silent)
		return { kind: "stalled", text: t("stalled", { seconds: silent }) };
	if (channel.state === "connecting" || !channel.set.loaded)
		return { kind: "wait", text: t("connecting") };
	return { kind: "live", text: t("live") };
}

function Status() {
	const { kind, text } = useStatus();
	return (
		<span class={"status " + kind} data-status={kind}>
			<span class="dot" aria-hidden="true" />
			{text}
		</span>
	);
}

function FilterLine() {
	const store = useStore();
	const [text, setText] = useState(store.route.filter);
	const [open, setOpen] = useState(false);
	const error = store.channel.filter_error;
	const input = useRef<HTMLInputElement>(null);
	const form = useRef<HTMLFormElement>(null);
	const timer = useRef(0);

	/* The address may change without the reader's typing: back, a link, a click on a program. */
	useEffect(() => {
		if (document.activeElement !== input.current || store.route.filter !== text.trim())
			setText(store.route.filter);
	}, [store.route.filter]);

	const apply = (value: string) => {
		clearTimeout(timer.current);
		store.go({ filter: value.trim(), row: "" }, false);
	};
	const type = (value: string) => {
		setText(value);
		setOpen(true);
		clearTimeout(timer.current);
		/* "pid:" is on its way to something: not asked yet. */
		if (!/[:"(,]$|^not$|\bnot\s*$/.test(value))
			timer.current = window.setTimeout(() => apply(value), TYPING_MS);
	};
	const add = (word: string) => {
		setText((text.trim() ? text.trim() + " " : "") + word + ":");
		input.current?.focus();
	};
	const table = store.tables.get(store.route.view === "flows" ? "flows" : "processes");
	/* What this table cannot be asked, the other one perhaps can. */
	const other = [...store.tables.values()].find(
		(o) => o.name in KEYS && o !== table && store.route.filter && knowsFilter(o, store.route.filter),
	);
	const words = table
		? [...new Set(table.fields.flatMap((f) => (f.filter ? [f.filter] : f.column && f.type === "text" ? [f.name] : [])))]
		: [];
	return (
		<form
			ref={form}
			class={error ? "filter wrong" : "filter"}
			role="search"
			onSubmit={(e) => {
				e.preventDefault();
				setOpen(false);
				apply(text);
			}}
			onFocusIn={() => setOpen(true)}
			onFocusOut={(e) => {
				if (!form.current?.contains(e.relatedTarget as Node | null)) {
					setOpen(false);
					apply(text);
				}
			}}
			onKeyDown={(e) => {
				if (e.key === "Escape") {
					setOpen(false);
					input.current?.blur();
					e.stopPropagation();
				}
			}}
		>
			<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 3h12L9.5 8.5V13l-3-1.5v-3z" /></svg>
			<input
				ref={input}
				id="filter"
				type="text"
				inputMode="search"
				value={text}
				placeholder={t("filter_placeholder")}
				aria-label={t("filter")}
				aria-invalid={error ? "true" : undefined}
				aria-describedby="filter-error"
				autocomplete="off"
				autocapitalize="off"
				spellcheck={false}
				onInput={(e) => type(e.currentTarget.value)}
			/>
			{text ? (
				<button type="button" class="clear" aria-label={t("filter_clear")} onClick={() => {
					setText("");
					apply("");
					input.current?.focus();
				}}>
					×
				</button>
			) : (
				<kbd aria-hidden="true">/</kbd>
			)}
			<div class="error">
				<p id="filter-error" role="alert">{error ? visible(error) : ""}</p>
				{error && other ? (
					<a href={formatRoute({ view: other.name, filter: store.route.filter, sort: "", row: "" })}>
						{t("filter_elsewhere", { view: t(`view_${other.name as "flows"}`) })} →
					</a>
				) : null}
			</div>
			{open && !error && words.length ? (
				<div class="words">
					<p>{t("filter_words")}</p>
					<p class="word-list">
						{words.map((w) => (
							<button key={w} type="button" onClick={() => add(w)}>{w}:</button>
						))}
					</p>
					<p class="hint">{t("filter_hint")}</p>
				</div>
			) : null}
		</form>
	);
}
