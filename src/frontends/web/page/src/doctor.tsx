// SPDX-License-Identifier: GPL-2.0-or-later
// Doctor: whether weir sees everything here, in a sentence; then each feature, what it lacks and what would help, what its
// hooks cost, what history keeps, and whether the sums hold.

import type { ComponentChildren } from "preact";
import words from "words:doctor";
import { Explain } from "./explain";
import { bytes, count, join, nanoseconds, visible } from "./format";
import { features, programsOf } from "./doctor_model";
import { durationText } from "./header";
import { diagnosis, isRecording } from "./health";
import { addWords, fieldTitle, fieldValue, t } from "./i18n";
import { type Row, cell, numberOf, textOf } from "./model";
import { type Answer, useRows } from "./past";
import { said } from "./said";
import { useStore } from "./store";
import { when } from "./time";
import { CopyButton, Empty, Name } from "./ui";
import "./doctor.css";

addWords(words);

const LOOK_EVERY_MS = 5000;
const HOOKS_EVERY_MS = 2000;
const HOOKS_SHOWN = 12;

const MARK: Record<string, string> = { on: "✓", degraded: "◐", off: "○", unavailable: "✕" };

function Section({ id, title, command, note, children }: {
	id: string;
	title: string;
	command: string;
	note?: string;
	children: ComponentChildren;
}) {
	return (
		<section class={`doctor-${id}`} aria-labelledby={`doctor-${id}`}>
			<div class="doctor-head">
				<h2 id={`doctor-${id}`}>{title}</h2>
				<CopyButton class="command" text={command} label={t("copy_cli")} shown={command} />
			</div>
			{note ? <p class="note">{note}</p> : null}
			{children}
		</section>
	);
}

/* Who may not see the whole host is told so, in the daemon's words. */
function Refused({ of }: { of: Answer }) {
	return of.state === "failed" ? <p class="note">{visible(of.error) || t("offline")}</p> : null;
}

function Verdict({ rows, audit, lost, host }: { rows: readonly Row[]; audit: readonly Row[]; lost: number; host: string }) {
	const recording = isRecording(rows);
	const d = diagnosis(rows);
	const gaps = audit.filter((r) => r.ok === false).length;
	const all = d.on.length + d.off.length;
	const fine = !d.off.length && !gaps && !lost;
	return (
		<>
			<h1 id="verdict" class="verdict">
				{fine ? t(recording ? "doctor_recording" : "doctor_fine") : d.off.length ? t("doctor_off", { names: d.off.map((r) => visible(textOf(r, "feature"))).join(", ") })
					: gaps ? t("doctor_gaps", { n: gaps }) : t("doctor_lost", { n: count(lost) })}
			</h1>
			<p class="verdict-sub">
				{recording ? t("doctor_recording_sub", { host: visible(host) }) : t("doctor_sub", { on: d.on.length, all })}{" "}
				{d.degraded.length && !recording ? t("doctor_limits", { n: d.degraded.length }) + " " : ""}
				{audit.length ? t(gaps ? "doctor_gaps" : "doctor_sums", { n: gaps }) + " " : ""}
				{lost ? t("doctor_lost", { n: count(lost) }) : t("doctor_lost_none")}
			</p>
		</>
	);
}

function State({ of }: { of: string }) {
	return <span class={`state-word ${of}`}><span aria-hidden="true">{MARK[of] ?? "·"}</span> {t(`state_${of}`)}</span>;
}

/* A feature with its sets of hooks, best first, and below it what this kernel does not let it see in full. */
function Feature({ name, sets, limits }: { name: string; sets: readonly Row[]; limits: readonly Row[] }) {
	const on = sets.find((r) => textOf(r, "state") === "on");
	const first = on ?? sets[0];
	const others = sets.filter((r) => r !== first);
	const hooks = textOf(first, "hooks").split(", ").filter(Boolean);
	return (
		<li class="feature">
			<p class="feature-name">
				<b><Name text={name} /></b> <State of={textOf(first, "state")} />
				{textOf(first, "hook_set") ? <span class="quiet">{t("by_set", { set: visible(textOf(first, "hook_set")) })}</span> : null}
			</p>
			{textOf(first, "serves") ? <p>{visible(said(textOf(first, "serves")))}</p> : null}
			<Why row={first} />
			{hooks.length ? (
				<details>
					<summary>{t("hooks_n", { n: hooks.length })}</summary>
					<p class="hooks">{hooks.map((h) => <code key={h}>{visible(h)}</code>)}</p>
				</details>
			) : null}
			{others.length ? (
				<details>
					<summary>{t("sets_other", { n: others.length })}</summary>
					<ul class="limits">
						{others.map((r) => (
							<li key={textOf(r, "hook_set")}>
								<p><b>{visible(textOf(r, "hook_set"))}</b> <State of={textOf(r, "state")} /></p>
								<Why row={r} />
							</li>
						))}
					</ul>
				</details>
			) : null}
			{limits.length ? (
				<details>
					<summary>{t("limits_n", { n: limits.length })}</summary>
					<ul class="limits">
						{limits.map((r) => (
							<li key={textOf(r, "feature")}>
								<p><b>{visible(said(textOf(r, "feature")).replace(/^[^:：]*(: |：)/, ""))}</b></p>
								<Why row={r} />
								{textOf(r, "serves") ? <p class="quiet">{visible(said(textOf(r, "serves")))}</p> : null}
							</li>
						))}
					</ul>
				</details>
			) : null}
		</li>
	);
}

function Why({ row }: { row: Row }) {
	const reason = said(textOf(row, "reason"));
	const cure = said(textOf(row, "cure"));
	return (
		<>
			{reason ? <p class="quiet">{visible(reason)}</p> : null}
			{cure ? <p class="cure"><span>{t("cure")}</span> {visible(cure)}</p> : null}
		</>
	);
}

function Bar({ part, label }: { part: number; label: string }) {
	return (
		<svg class="gauge" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label={label}>
			<rect class="gauge-all" width="100" height="6" />
			<rect class={part > 0.9 ? "gauge-full" : "gauge-part"} width={Math.min(100, 100 * part)} height="6" />
		</svg>
	);
}

function Hooks({ rows }: { rows: readonly Row[] }) {
	const programs = programsOf(rows);
	const most = programs.length ? programs[0].runs * programs[0].ns : 0;
	const head = (name: string) => fieldTitle("hooks", name, name.toUpperCase().replace(/_/g, " "));
	return (
		<div class="scroll" tabIndex={0} role="region" aria-label={t("hooks_programs")}>
			<table class="figures-table">
				<thead>
					<tr>
						<th>{head("program")}</th><th>{head("hook")}</th><th class="n">{head("runs")}</th>
						<th class="n">{head("ns_per_run")}</th><th class="wide">{t("hooks_time")}</th>
					</tr>
				</thead>
				<tbody>
					{programs.slice(0, HOOKS_SHOWN).map((p) => (
						<tr key={p.name}>
							<th scope="row">{visible(p.name)}</th>
							<td><code>{visible(p.hook)}</code></td>
							<td class="n">{p.runs ? count(p.runs) : "–"}</td>
							<td class="n">
								{p.runs ? (
									<Explain of={{ table: "hooks", field: "ns_per_run", value: p.ns, command: `weir hooks program:${p.name}` }}>{join(nanoseconds(p.ns))}</Explain>
								) : "–"}
							</td>
							<td class="wide">{most ? <Bar part={(p.runs * p.ns) / most * 0.9} label={join(nanoseconds(p.runs * p.ns))} /> : null}</td>
						</tr>
					))}
				</tbody>
			</table>
			{programs.length > HOOKS_SHOWN ? <p class="note">{t("hooks_more", { n: programs.length - HOOKS_SHOWN })}</p> : null}
		</div>
	);
}

function Maps({ rows }: { rows: readonly Row[] }) {
	const found = new Map<string, Row>();
	for (const r of rows)
		if (textOf(r, "map") && numberOf(r, "capacity") > 1 && !textOf(r, "map_type").endsWith("array"))
			found.set(`${textOf(r, "feature")} ${textOf(r, "map")}`, r);
	const part = (r: Row) => numberOf(r, "entries") / numberOf(r, "capacity");
	const list = [...found].filter(([, r]) => cell(r, "entries") !== null).sort((a, b) => part(b[1]) - part(a[1])).slice(0, 6);
	if (!list.length)
		return null;
	return (
		<ul class="maps">
			{list.map(([key, r]) => (
				<li key={key}>
					<span>{visible(key)}</span>
					<Explain of={{ table: "hooks", field: "entries", value: numberOf(r, "entries"), command: `weir hooks map:${textOf(r, "map")}` }}>
						{t("entries_of", { n: count(numberOf(r, "entries")), all: count(numberOf(r, "capacity")) })}
					</Explain>
					<Bar part={part(r)} label={`${Math.round(100 * part(r))} %`} />
				</li>
			))}
		</ul>
	);
}

function Kept({ rows }: { rows: readonly Row[] }) {
	const file = rows.find((r) => textOf(r, "level") === "file");
	const used = file ? numberOf(file, "bytes") / Math.max(1, numberOf(file, "limit_bytes")) : 0;
	const lost = file ? numberOf(file, "lost_seconds") : 0;
	const { now_ms } = useStore();
	return (
		<>
			{file ? (
				<div class="file">
					<p>
						<Explain of={{ table: "history_store", field: "bytes", value: numberOf(file, "bytes"), command: "weir history store" }}>
							<b>{join(bytes(numberOf(file, "bytes")))}</b>
						</Explain>{" "}
						{t("file_of", { limit: join(bytes(numberOf(file, "limit_bytes"))) })}
					</p>
					<Bar part={used} label={`${Math.round(100 * used)} %`} />
					{textOf(file, "reason") ? <p class="cure">{visible(said(textOf(file, "reason")))}</p> : null}
					<p class={lost ? "cure" : "note"}>{lost ? t("seconds_lost", { n: count(lost) }) : t("seconds_lost_none")}</p>
				</div>
			) : null}
			<table class="figures-table">
				<thead>
					<tr><th>{t("kept_step")}</th><th class="n">{t("kept_for")}</th><th class="n">{t("kept_rows")}</th><th class="n">{t("kept_since")}</th></tr>
				</thead>
				<tbody>
					{rows.filter((r) => r !== file).map((r) => (
						<tr key={textOf(r, "level")}>
							<th scope="row" title={textOf(r, "level")}>{visible(fieldValue("level", textOf(r, "level")))}</th>
							<td class="n">{durationText(numberOf(r, "kept_seconds"))}</td>
							<td class="n">{count(numberOf(r, "rows"))}</td>
							<td class="n">{textOf(r, "oldest") ? when(Date.parse(textOf(r, "oldest")), now_ms) : "–"}</td>
						</tr>
					))}
				</tbody>
			</table>
		</>
	);
}

function Sums({ rows }: { rows: readonly Row[] }) {
	const amount = (r: Row, field: string) => (
		<Explain of={{ table: "audit", field, value: numberOf(r, field), command: "weir audit --exact", help: visible(said(textOf(r, "help"))) }}>
			{join(bytes(numberOf(r, field)))}
		</Explain>
	);
	/* Remainders of nothing are a line of names. */
	const [some, none] = [rows.filter((r) => r.ok === false || numberOf(r, "tx_bytes") || numberOf(r, "rx_bytes")), rows.filter((r) => r.ok !== false && !numberOf(r, "tx_bytes") && !numberOf(r, "rx_bytes"))];
	return (
		<>
			<table class="figures-table">
				<thead><tr><th>{t("sum_scope")}</th><th class="n">{t("sent")}</th><th class="n">{t("received")}</th><th>{t("sum_ok")}</th></tr></thead>
				<tbody>
					{some.map((r) => (
						<tr key={textOf(r, "scope")} class={r.ok === false ? "wrong" : ""}>
							<th scope="row" title={visible(said(textOf(r, "help")))}>{visible(textOf(r, "scope"))}</th>
							<td class="n">{amount(r, "tx_bytes")}</td>
							<td class="n">{amount(r, "rx_bytes")}</td>
							<td>{r.ok === false ? `! ${t("no")}` : `✓ ${t("yes")}`}</td>
						</tr>
					))}
				</tbody>
			</table>
			{none.length ? <p class="note">{t("sums_zero", { names: none.map((r) => visible(textOf(r, "scope"))).join(", ") })}</p> : null}
		</>
	);
}

export default function Doctor() {
	const s = useStore();
	const doctor = useRows("doctor", {}, LOOK_EVERY_MS);
	const audit = useRows("audit", {}, LOOK_EVERY_MS);
	const hooks = useRows("hooks", {}, HOOKS_EVERY_MS);
	const store = useRows("history_store", s.tables.has("history_store") ? {} : null, LOOK_EVERY_MS);
	const list = features(doctor.rows);
	const watched = !isRecording(doctor.rows); /* a recording has no hooks here */
	if (!doctor.envelope)
		return <div class="doctor"><Empty title={t(doctor.state === "failed" ? "doctor_refused" : "waiting")}>{visible(doctor.error)}</Empty></div>;
	return (
		<div class="doctor" data-snapshot={doctor.envelope.snapshot}>
			<div class="doctor-answer"><Verdict rows={doctor.rows} audit={audit.rows} lost={doctor.envelope.lost_events} host={s.host} /></div>
			{watched ? (
				<Section id="features" title={t("features_title")} command="weir doctor">
					<ul>{list.map((f) => <Feature key={f.name} {...f} />)}</ul>
				</Section>
			) : null}
			<div class="doctor-side">
				<Section id="kept" title={t("kept_title")} command="weir history store">
					<Refused of={store} />
					{store.rows.length ? <Kept rows={store.rows} /> : s.tables.size && !s.tables.has("history_store") ? <p class="note">{t("past_absent")}</p> : null}
				</Section>
				<Section id="sums" title={t("sums_title")} command="weir audit">
					<Refused of={audit} />
					<Sums rows={audit.rows} />
				</Section>
			</div>
			{watched ? (
				<Section id="hooks" title={t("hooks_title")} command="weir hooks" note={t("hooks_note")}>
					<Refused of={hooks} />
					<Hooks rows={hooks.rows} />
					<Maps rows={hooks.rows} />
				</Section>
			) : null}
		</div>
	);
}
