// SPDX-License-Identifier: GPL-2.0-or-later
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { visible } from "./format";
import { Header, useStatus } from "./header";
import { t } from "./i18n";
import { Now } from "./now";
import { store, useStore } from "./store";
import { TableView } from "./tables";
import "./app.css";

/** "/" goes to the filter line from anywhere but a field. */
function onKey(e: KeyboardEvent): void {
	const target = e.target as HTMLElement;
	if (e.key !== "/" || e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
		return;
	e.preventDefault();
	const input = document.getElementById("filter") as HTMLInputElement;
	input.focus();
	input.select();
}

function App() {
	const s = useStore();
	const { view } = s.route;
	const { kind } = useStatus();
	useEffect(() => {
		document.documentElement.lang = s.language;
	}, [s.language]);
	useEffect(() => {
		document.title = [t(`view_${view as "now"}`), visible(s.host), "weir"].filter(Boolean).join(" · ");
	}, [view, s.host, s.language]);
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
				<p class="stale-line" role="status">{t("offline_help", { seconds: s.channel.silence_s })}</p>
			) : null}
			<main id="content" tabIndex={-1} class={stale ? "stale" : ""} data-view={view}>
				{view === "now" ? <Now /> : <TableView name={view === "flows" ? "flows" : "processes"} key={view} />}
			</main>
		</>
	);
}

document.addEventListener("keydown", onKey);
store.start();
const place = document.getElementById("app")!;
place.textContent = "";
render(<App />, place);
