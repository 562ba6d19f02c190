// SPDX-License-Identifier: GPL-2.0-or-later
// What all views share: their names, the one filter line, whether the numbers are alive, losses, language.

import { useEffect, useRef, useState } from "preact/hooks";
import { Explain } from "./explain";
import { count, visible } from "./format";
import { t } from "./i18n";
import { refusal } from "./model";
import { linkTo, store, useStore } from "./store";
import { PRESETS, type Span, duration, when } from "./time";
import { VIEWS, viewOf } from "./views";

const TYPING_MS = 450;

const liveWord = () => (store.recording ? "recording" : "live");

export function Header() {
	const store = useStore();
	const { route } = store;
	const nav = useRef<HTMLElement>(null);
	/* Where the names of the views do not all fit, the one on show is in sight. */
	useEffect(() => {
		const here = nav.current?.querySelector<HTMLElement>("[aria-current]");
		if (here)
			nav.current!.scrollLeft = here.offsetLeft - nav.current!.offsetLeft - 40;
	}, [route.view]);
	return (
		<header class="top">
			<div class="bar">
				<a class="brand" href={linkTo({ view: "now" })}>
					<svg viewBox="0 0 32 32" aria-hidden="true"><path d="M4 9h8v7h8v7h8" /></svg>
					<span>weir</span>
					{store.host ? <span class="host">{visible(store.host)}</span> : null}
				</a>
				<nav ref={nav} aria-label={t("views")}>
					{VIEWS.map((v) => (
						<a
							key={v.name}
							href={linkTo({ view: v.name })}
							title={t("view_key", { key: v.key })}
							aria-current={route.view === v.name ? "page" : undefined}
						>
							{t(`view_${v.name}`)}
						</a>
					))}
				</nav>
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
			</div>
			{viewOf(route.view)?.whole ? null : (
				<div class="scope">
					<FilterLine />
					<TimeControl />
				</div>
			)}
		</header>
	);
}

/** "15 min", in the page's language. */
export function durationText(seconds: number): string {
	const d = duration(seconds);
	return t(`unit_${d.unit}`, { n: d.n });
}

/** "Nov-22 14:02 – 15:02". */
export function spanText(span: Span): string {
	const now = store.now_ms;
	const [a, b] = [when(span.from_ms, now), when(span.to_ms, now)];
	const day = a.slice(0, a.lastIndexOf(" ") + 1);
	return `${a} – ${b.startsWith(day) ? b.slice(day.length) : b}`;
}

/* Live, the last minutes to days, or the span that was brushed. */
function TimeControl() {
	const store = useStore();
	const { route, span } = store;
	const own = span && !(span.sliding && PRESETS.some((p) => route.from === `-${p}`)) ? span : null;
	const choice = (seconds: number, text: string) => (
		<button
			key={seconds}
			type="button"
			aria-pressed={seconds ? route.from === `-${seconds}` && !route.to : !span}
			title={seconds ? t("time_last", { time: text }) : t("time_live")}
			onClick={() => store.setLast(seconds)}
		>
			{seconds ? null : <span class="dot" aria-hidden="true" />}
			{text}
		</button>
	);
	return (
		<div class={span ? "time past" : "time live"} role="group" aria-label={t("time")}>
			{choice(0, t(liveWord()))}
			{PRESETS.map((p) => choice(p, durationText(p)))}
			{own ? (
				<button type="button" aria-pressed="true" class="own" title={t("time_clear")} onClick={() => store.setLast(0)}>
					{spanText(own)} <span aria-hidden="true">×</span>
				</button>
			) : null}
		</div>
	);
}

/** How much is missing, wherever it may be missing from. */
export function Lost() {
	const store = useStore();
	/* A span that is over lost none of these. */
	if (!store.lost || store.span && !store.span.sliding)
		return null;
	const text = t("lost_badge", { n: count(store.lost) });
	return (
		<Explain class="badge" of={{
			table: "doctor", field: "lost_events", title: text, help: t("lost_help", { n: count(store.lost) }), command: "weir doctor -J",
		}}>
			<span aria-hidden="true">⚠ </span>
			{text}
		</Explain>
	);
}

export function useStatus(): { kind: string; text: string } {
	const { channel, span, wrong } = useStore();
	const silent = channel.silence_s;
	if (channel.state === "refused")
		return { kind: "off", text: t("denied", { reason: visible(channel.message) }) };
	if (channel.state === "offline")
		return { kind: "off", text: t("offline") };
	if (wrong !== null || channel.state === "rejected")
		return { kind: "wait", text: t("status_rejected") };
	if (silent)
		return { kind: "stalled", text: t("stalled", { seconds: silent }) };
	if (channel.state === "connecting" || !channel.set.loaded)
		return { kind: "wait", text: t("connecting") };
	return { kind: "live", text: t(span ? "connected" : liveWord()) };
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

/* What of the filter means nothing here, and what is on show while it cannot be read. */
export function FilterNote() {
	const { wrong, inForce, leftOut, route } = useStore();
	const terms = leftOut.map(visible).join(" ");
	const { why, meant } = refusal(route.filter, wrong ?? "");
	return (
		<>
			<p class="filter-note wrong" id="filter-error" role="alert">
				{wrong === null ? null : (
					<>
						! {t("rejected")}: {visible(why)} {meant ? <a href={linkTo({ filter: meant })}>{visible(meant)}</a> : null}{" "}
						{t(inForce === null ? "filter_wrong_none" : inForce ? "filter_wrong_kept" : "filter_wrong_all", { good: visible(inForce ?? "") })}
					</>
				)}
			</p>
			<p class="filter-note" role="status">{terms ? t("filter_left", { terms }) : null}</p>
		</>
	);
}

function FilterLine() {
	const store = useStore();
	const [text, setText] = useState(store.route.filter);
	const [open, setOpen] = useState(false);
	const error = store.wrong;
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
	const table = store.tables.get(store.channel.name);
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
