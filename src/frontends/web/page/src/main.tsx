// SPDX-License-Identifier: GPL-2.0-or-later
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { ExplainHost } from "./explain";
import { visible } from "./format";
import { FilterNote, Header, durationText, spanText, useStatus } from "./header";
import { t } from "./i18n";
import { Now } from "./now";
import { store, useStore } from "./store";
import type { Span } from "./time";
import { Empty } from "./ui";
import { VIEWS, useView, viewOf } from "./views";
import "./app.css";

/** "/" goes to the filter line from anywhere but a field, a digit to a view. */
function onKey(e: KeyboardEvent): void {
	const target = e.target as HTMLElement;
	if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
		return;
	const view = VIEWS.find((v) => v.key === e.key);
	const input = document.getElementById("filter") as HTMLInputElement | null;
	/* From where nothing else is chosen the arrows go to the table: its first row is the active one then. */
	const grid = /^(Arrow(Down|Up)|Page(Down|Up)|Home|End)$/.test(e.key) && target.matches("body, #content, nav a")
		? document.querySelector<HTMLElement>(".grid") : null;
	if (grid) {
		e.preventDefault();
		grid.focus();
	} else if (view) {
		store.go({ view: view.name, sort: "", row: "", more: {} });
	} else if (e.key === "/" && input) {
		e.preventDefault();
		input.focus();
		input.select();
	}
}

/** A view that has a file of its own: loaded when it is opened first. */
function Later({ name, bundle }: { name: string; bundle: string }) {
	const { view: View, failed, load } = useView(bundle);
	if (View)
		return <View name={name} key={name} />;
	if (!failed)
		return <p class="boot" role="status">{t("view_loading")}</p>;
	const again = () => {
		/* A daemon of another version may have other files: then the page as a whole is old. */
		if (failed > 1) {
			location.reload();
			return;
		}
		void load();
	};
	return (
		<Empty title={t("view_failed")}>
			{t("view_failed_sub")}
			<button type="button" class="action" onClick={again}>{t(failed > 1 ? "reload" : "try_again")}</button>
		</Empty>
	);
}

/* No number of the past may be taken for one of now. */
function PastLine({ span }: { span: Span }) {
	return (
		<p class="past-line" role="region" aria-label={t("time")}>
			<span>
				{t(span.sliding ? "past_last" : "past_span", {
					time: durationText((span.to_ms - span.from_ms) / 1000),
					span: spanText(span),
				})}
			</span>
			<span class="sr" role="status">{span.sliding ? t("time_last", { time: durationText((span.to_ms - span.from_ms) / 1000) }) : spanText(span)}</span>
			<button type="button" class="action" onClick={() => store.setLast(0)}>{t("past_live")} →</button>
		</p>
	);
}

function App() {
	const s = useStore();
	const { view } = s.route;
	const { kind } = useStatus();
	useEffect(() => {
		document.documentElement.lang = s.language;
	}, [s.language]);
	useEffect(() => {
		document.title = [t(`view_${view}`), visible(s.host), "weir"].filter(Boolean).join(" · ");
	}, [view, s.host, s.language]);
	const { bundle = "", whole = false } = viewOf(view) ?? {};
	const stale = kind === "stalled" || kind === "off";
	return (
		<>
			<a class="skip" href="#content" onClick={(e) => {
				e.preventDefault();
				document.getElementById("content")?.focus();
			}}>
				{t("skip")}
			</a>
			<Header />
			{stale && s.channel.set.loaded ? (
				<p class="stale-line" role="region" aria-label={t("health_state")}><span class="sr" role="status">{t("offline")}</span>{t("offline_help", { seconds: s.channel.silence_s })}</p>
			) : null}
			{s.span && !whole ? <PastLine span={s.span} /> : null}
			{whole ? null : <FilterNote />}
			<main id="content" tabIndex={-1} class={stale ? "stale" : ""} data-view={view}>
				{!whole && s.inForce === null ? <Empty title={t("rejected")} />
					: bundle ? <Later name={view} bundle={bundle} key={bundle} /> : <Now />}
			</main>
			<ExplainHost />
		</>
	);
}

document.addEventListener("keydown", onKey);
store.start();
const place = document.getElementById("app")!;
place.textContent = "";
render(<App />, place);
