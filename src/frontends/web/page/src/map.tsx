// SPDX-License-Identifier: GPL-2.0-or-later
// Map: who sends how much to whom. Three columns, the widest links, the rest summed up.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import words from "words:map";
import { Channel } from "./channel";
import { useMedia } from "./chart";
import { count, join, microseconds, percent, visible } from "./format";
import { addWords, t } from "./i18n";
import { total } from "./losses";
import { MapPicture, linkId } from "./map_draw";
import { FLOW_FIELDS, MEAN_TICKS, MapModel } from "./map_model";
import { Panel, findChosen } from "./map_panel";
import { type Choice, Composer, type DrawnLink, type DrawnNode, LIMITS, LINKS_SHOWN, type Picture } from "./map_picture";
import { type Mode, amount, command, endLabel, formatIds, healthText, label, linkSays, parseIds } from "./map_words";
import { keyOf } from "./model";
import { useRows } from "./past";
import { linkTo, store, useStore } from "./store";
import { refreshMs } from "./time";
import { CopyButton, Empty, Filtered, Sentence, useKeptFocus } from "./ui";
import "./map.css";

addWords(words);

const PAST_ROWS = 5000;
/* Whatever is filtered: who sends to whom it is lost at need not be the one that is. */
const LOST = { filter: "layer:socket packets_per_second:>0", fields: "pid,netns,sample,packets_per_second" };
const LOST_MS = 2000;
const NARROW = "(max-width: 720px)";

/* One model for as long as the page lives: who comes back finds what was learnt, with fresh sums. */
const live = new MapModel();
let drawn = () => {};
let timer = 0;

/** What opens or closes between two ticks need not be drawn each time: an eye does not follow ten times a second. */
const SOON_MS = 200;

function draw(at_once: boolean): void {
	if (document.hidden)
		return;
	if (!at_once) {
		timer ||= window.setTimeout(() => draw(true), SOON_MS);
		return;
	}
	clearTimeout(timer);
	timer = 0;
	drawn();
}

/* The rows that are there are put in each time; the first snapshot and a changed filter replace all. */
const channel = new Channel(
	"flows",
	{
		reset: () => live.clear(),
		update: (e, tick) => {
			store.accept("flows", channel.shown ?? "");
			const keys = channel.set.keys;
			const present = channel.set.rows;
			for (const row of e.rows)
				live.put(keyOf(row, keys), row);
			if (e.gone)
				for (const gone of e.gone)
					live.remove(gone.map(String).join("~"));
			else
				live.keep(new Set(present.keys()));
			if (tick)
				live.tick();
			draw(tick);
		},
		refused: (filter, message) => store.refuse("flows", filter, message),
		changed: () => store.changed(),
	},
	FLOW_FIELDS,
);

/* The past is read and not streamed. */
function useModel(): { model: MapModel; mode: Mode; version: unknown; error: string | null; loaded: boolean; more?: number; stale?: boolean } {
	const s = useStore();
	const { span, route } = s;
	const table = s.tables.get("flows");
	const past = useRows(
		"history_peers",
		span ? { from: route.from, to: route.to || undefined, filter: s.filterFor("history_peers"), limit: PAST_ROWS } : null,
		span?.sliding ? refreshMs(span) : 0,
	);
	const [version, redraw] = useState(0);
	const lives = !span && Boolean(table);
	const filter = s.filterFor("flows");
	useEffect(() => {
		if (!lives)
			return undefined;
		drawn = () => redraw((n) => n + 1);
		s.lend(channel);
		return () => {
			drawn = () => {};
			channel.close();
			s.lend(null);
		};
	}, [lives]);
	useEffect(() => {
		if (lives)
			channel.want(table!, filter);
	}, [lives, filter]);
	const model = useMemo(() => new MapModel(), []);
	useMemo(() => model.load(past.rows, Date.parse(past.envelope?.from ?? "") || 0), [past.rows]);
	const lost = useRows("drops", lives ? LOST : null, LOST_MS).rows;
	useMemo(() => live.lose(lost), [lost]);
	if (!span)
		return { model: live, mode: "live", version, error: null, loaded: channel.set.loaded };
	return {
		model, mode: "span", version: past.rows, loaded: past.state === "there" || past.rows.length > 0, stale: past.state === "asking",
		error: past.state === "failed" ? past.error : null, more: (past.envelope?.total ?? 0) - past.rows.length,
	};
}

/** What the address says of the picture. */
function choiceOf(more: Readonly<Record<string, string>>): Choice {
	const limit = Number(more.n);
	return {
		limit: LIMITS.find((x) => x === limit) ?? LINKS_SHOWN,
		hidden: parseIds(more.hide),
		pinned: parseIds(more.pin),
		errors: more.errors === "1",
	};
}

function change(name: string, value: string): void {
	store.go({ more: { ...store.route.more, [name]: value } });
}

/** In or out of a list in the address. What is hidden can not stay open: one step back brings both again. */
function flip(name: "hide" | "pin", id: string): void {
	const { more, row } = store.route;
	const ids = parseIds(more[name]);
	if (!ids.delete(id))
		ids.add(id);
	store.go({ more: { ...more, [name]: formatIds(ids) }, row: name === "hide" && row.split("~").includes(id) ? "" : row });
}

/* The widest link, in the direction in which it moves more; of errors the worst. */
function Answer({ picture, mode, errors }: { picture: Picture; mode: Mode; errors: boolean }) {
	const way = picture.rx > picture.tx ? "rx" : "tx";
	const rank = (l: DrawnLink) => (errors ? l.health.level * 1e18 + l.tx + l.rx : l.of.length === 1 && l.of[0].id ? l[way] : 0);
	const top = [...picture.links].sort((a, b) => rank(b) - rank(a))[0];
	const n = count(picture.known);
	if (!rank(top))
		return <h1 class="verdict">{t("map_quiet", { n })}</h1>;
	const figure = (text: string) => <span class="figure"><bdi>{text}</bdi></span>;
	const name = (i: number) => figure(errors ? endLabel(top.ends[i]) : label(top.of[0].nodes[i]));
	return (
		<h1 class="verdict">
			<Sentence
				of={errors ? "map_worst" : `map_most_${way}`}
				values={{
					n: figure(n), who: name(0), peer: name(2), what: healthText(top.health), rate: figure(amount(top[way], mode)),
					share: figure(percent(top[way], picture[way])),
				}}
			/>
		</h1>
	);
}

/** A node's name after its id, when it is not in the picture. */
const idText = (id: string) => visible(id.replace(/^(process|unit|container|pod|to|from):/, "")).replace(/^:0?/, `${t("map_unknown")} `);

function Tools({ picture, choice }: { picture: Picture; choice: Choice }) {
	return (
		<div class="map-tools">
			<button
				type="button"
				class="toggle"
				aria-pressed={choice.errors}
				onClick={() => change("errors", choice.errors ? "" : "1")}
			>
				{t("map_errors")}{picture.failing ? ` (${count(picture.failing)})` : ""}
			</button>
			{choice.limit > LINKS_SHOWN ? (
				<button type="button" class="toggle" onClick={() => change("n", "")}>{t("map_fewer", { n: LINKS_SHOWN })}</button>
			) : null}
			{choice.hidden.size ? <span class="map-hidden">{t("map_hidden")}</span> : null}
			{[...choice.hidden].map((id) => (
				<button key={id} type="button" class="toggle" aria-label={t("map_show", { name: idText(id) })} onClick={() => flip("hide", id)}>
					<bdi>{idText(id)}</bdi> <span aria-hidden="true">×</span>
				</button>
			))}
			<ul class="map-legend">
				{["tx", "rx", "1", "2"].map((k) => <li key={k} class={"key-" + k}>{t(`map_legend_${k}`)}</li>)}
			</ul>
		</div>
	);
}

/* The same in rows: for screen readers, for phones, for who prefers numbers. */
function Rows({ picture, mode, onOpen, onOther }: {
	picture: Picture;
	mode: Mode;
	onOpen: (id: string) => void;
	onOther: (end: DrawnNode) => void;
}) {
	const links = [...picture.links].sort((a, b) => Number(a.of.length > 1) - Number(b.of.length > 1) || b.tx + b.rx - a.tx - a.rx);
	const most = links.reduce((n, l) => Math.max(n, l.tx + l.rx), 1);
	const table = useRef<HTMLTableElement>(null);
	useKeptFocus(table);
	return (
		<table class="map-table" ref={table}>
			<thead>
				<tr>
					{[t("map_col_0"), t("map_col_1"), t("map_col_2"), t("sent"), t("received"), t("map_health")].map((x) => (
						<th key={x} scope="col">{x}</th>
					))}
				</tr>
			</thead>
			<tbody>
				{links.map((l) => {
					const other = l.ends.find((e) => !e.node);
					const [who, where, peer] = l.ends.map(endLabel);
					return (
						<tr key={l.id} class={`h${l.health.level}`}>
							<td class="map-who">
								<button
									type="button"
									class="map-link"
									aria-label={linkSays(l, mode)}
									onClick={() => (other && (l.of.length > 1 || !l.of[0].id) ? onOther(other) : onOpen(linkId(l)))}
								>
									<bdi>{who}</bdi>
								</button>
							</td>
							<td class="map-where"><bdi>{where}</bdi></td>
							<td class="map-peer"><bdi>{peer}</bdi></td>
							<td class="map-tx">{amount(l.tx, mode)}</td>
							<td class="map-rx">{amount(l.rx, mode)}</td>
							<td class="map-state">
								{l.health.level ? `${l.health.level === 2 ? "✕" : "!"} ${healthText(l.health)}` : ""}
								<i class="map-part" style={{ width: `${(100 * (l.tx + l.rx)) / most}%` }} />
							</td>
						</tr>
					);
				})}
			</tbody>
		</table>
	);
}

export default function MapView() {
	const s = useStore();
	const { model, mode, version, error, loaded, more: cut, stale } = useModel();
	const narrow = useMedia(NARROW);
	const [listed, setListed] = useState(false);
	const { more, row } = s.route;
	const choice = useMemo(() => choiceOf(more), [JSON.stringify(more)]);
	const composer = useMemo(() => new Composer(), [mode]);
	const picture = useMemo(
		() => composer.compose(model.links.values(), choice, mode === "live" ? model.ticks : 0),
		[version, choice, composer, s.language],
	);
	const chosen = findChosen(picture, row, mode);

	const open = (id: string) => {
		s.go({ row: id === row ? "" : id });
	};
	const back = () => requestAnimationFrame(() => document.querySelector<SVGElement>('.map-svg [tabindex="0"]')?.focus());
	const close = () => {
		s.go({ row: "" });
		back();
	};
	const other = () => {
		const at = LIMITS.findIndex((n) => n === choice.limit);
		if (at + 1 < LIMITS.length)
			change("n", String(LIMITS[at + 1]));
		else
			document.getElementById("filter")?.focus();
	};
	useEffect(() => {
		const onKey = (e: KeyboardEvent) => {
			if (/^(INPUT|TEXTAREA|SELECT)$/.test((e.target as HTMLElement).tagName) || e.ctrlKey || e.metaKey || e.altKey)
				return;
			if (e.key === "Escape" && store.route.row && !store.explained)
				close();
			else if (e.key === "e")
				change("errors", store.route.more.errors ? "" : "1");
		};
		document.addEventListener("keydown", onKey);
		return () => document.removeEventListener("keydown", onKey);
	}, []);

	/* Why nothing is drawn: nothing is there, or nothing that was asked for. */
	const nothing = loaded && picture.links.length === 0;
	const shown = nothing ? [...model.links.values()].filter((l) => !l.nodes.some((n) => choice.hidden.has(n.id))) : [];
	const why = shown.length ? mode : model.links.size ? "hidden" : s.filter ? "" : "all";
	const slow = shown.sort((a, b) => b.rtt_us - a.rtt_us || b.retransmits - a.retransmits)[0];
	const ends = slow && { who: label(slow.nodes[0]), peer: label(slow.nodes[2]) };
	const lost = mode === "live" && s.losses.last && s.losses_filter === channel.shown && Math.round(total(s.losses.last, "rate"));
	const shell = command(s.filter, s.span);
	const full = choice.limit === LIMITS[LIMITS.length - 1];
	return (
		<div class={`map-view${chosen ? " with-details" : ""}${stale ? " stale" : ""}`} data-snapshot={mode === "live" ? channel.set.snapshot : ""}
			data-links={picture.links.length} data-known={picture.known} data-full={full}>
			<div class="map-main">
				{error !== null ? <p class="gone" role="alert">{t("past_failed")}: {visible(error)}</p> : null}
				{!loaded || nothing ? <h1 class="verdict">{t(!loaded ? "waiting" : why ? `map_none_${why}` : "empty_filter")}</h1> : (
					<Answer picture={picture} mode={mode} errors={choice.errors} />
				)}
				<div class="map-sub">
					<p>
						{nothing ? null : t(`map_sub_${mode}`, {
							n: count(picture.known) + (cut! > 0 ? ` (${t("new_more", { n: count(cut!) })})` : ""), s: MEAN_TICKS,
						})}{" "}
						<Filtered by={s.filter} />
					</p>
					<CopyButton class="command" text={shell} label={t("copy_cli")} shown={shell} />
				</div>
				<Tools picture={picture} choice={choice} />
				{nothing ? (
					<Empty title={slow && mode === "span" ? t("map_past", { ...ends, n: count(slow.retransmits) }) : slow?.rtt_us ? t("slowest", { ...ends, rtt: join(microseconds(slow.rtt_us)) }) : ""}>
						{lost ? <a href={linkTo({ view: "drops" })}>{t("lost_rate", { n: count(lost) })}</a> : null}
						{shown.length ? <button type="button" class="action" onClick={() => change("errors", "")}>{t("map_all", { n: shown.length })}</button> : null}
						{s.filter ? <button type="button" class="action" onClick={() => s.go({ filter: "" })}>{t("filter_clear")}</button> : null}
					</Empty>
				) : null}
				{narrow || picture.links.length === 0 ? null : (
					<MapPicture
						picture={picture} mode={mode} opened={row} onOpen={open} onOther={other}
						onHide={(id) => flip("hide", id)} onPin={(id) => flip("pin", id)}
					/>
				)}
				{nothing ? null : narrow ? <Rows picture={picture} mode={mode} onOpen={open} onOther={other} /> : (
					<>
						<p class="keys note" aria-hidden="true">{t("map_keys")}</p>
						<details class="map-listed" onToggle={(e) => setListed((e.currentTarget as HTMLDetailsElement).open)}>
							<summary>{t("map_table")}</summary>
							{listed ? <Rows picture={picture} mode={mode} onOpen={open} onOther={other} /> : null}
						</details>
					</>
				)}
			</div>
			{chosen ? (
				<Panel
					chosen={chosen} mode={mode} rtt_us={model.slowest(chosen.links)} pinned={choice.pinned.has(chosen.id)} onClose={close} onOpen={open}
					onHide={(id) => {
						flip("hide", id);
						back();
					}}
					onPin={(id) => flip("pin", id)}
				/>
			) : null}
		</div>
	);
}
