// SPDX-License-Identifier: GPL-2.0-or-later
// weir itself, in few lines: what it costs, what it lost, what it keeps, and whether its sums hold.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Explain, type Explained } from "./explain";
import { bytes, clock, count, join, visible } from "./format";
import { useStatus } from "./header";
import { type Cost, costOf, diagnosis } from "./health";
import { t } from "./i18n";
import { numberOf, textOf } from "./model";
import { type Answer, useBegun } from "./past";
import { said } from "./said";
import { linkTo, useStore } from "./store";
import { fetchText } from "./stream";
import { when } from "./time";

const COST_EVERY_MS = 30e3;
const COST_FIRST_MS = 4e3; /* a share of CPU needs two looks */

/** The last two looks at what weir costs. */
function useCost(): { memory: number; percent: number | null } | null {
	const [looks, setLooks] = useState<Cost[]>([]);
	useEffect(() => {
		let timer = 0;
		let wanted = true;
		const look = async (next_ms: number) => {
			try {
				const cost = document.hidden ? null : costOf(await fetchText("/metrics"), performance.now());
				if (cost && wanted)
					setLooks((l) => [...l.slice(-1), cost]);
			} catch {
				/* not for everybody's eyes: the lines are left out */
			}
			if (wanted)
				timer = window.setTimeout(() => void look(COST_EVERY_MS), next_ms);
		};
		void look(COST_FIRST_MS);
		return () => {
			wanted = false;
			clearTimeout(timer);
		};
	}, []);
	const [a, b] = looks;
	const last = b ?? a;
	if (!last)
		return null;
	const share = b && b.at_ms > a.at_ms ? (100 * (b.cpu_s - a.cpu_s)) / ((b.at_ms - a.at_ms) / 1000) : null;
	return { memory: last.memory_bytes, percent: share === null || share < 0 ? null : share };
}

function Line({ mark, name, of, children }: {
	mark: "fine" | "wrong" | "note";
	name: string;
	of?: Explained;
	children: ComponentChildren;
}) {
	return (
		<li class={mark}>
			<span class="mark" aria-hidden="true">{{ fine: "✓", wrong: "!", note: "·" }[mark]}</span>
			<span class="line-name">{name}</span>
			<span class="line-value">{of ? <Explain of={of}>{children}</Explain> : children}</span>
		</li>
	);
}

const METRICS = `curl -s ${location.host}/metrics | grep weir_self`;

export function Weir({ stored }: { stored: Answer }) {
	const s = useStore();
	const { kind, text } = useStatus();
	const cost = useCost();
	const begun = useBegun();
	const file = stored.rows.find((r) => textOf(r, "level") === "file");
	const d = diagnosis(s.doctor);
	const wrong = s.audit.filter((r) => r.ok === false);
	const reason = file ? said(textOf(file, "reason")) : "";
	const of = (table: string, field: string, command: string, more: Partial<Explained> = {}): Explained => ({ table, field, command, ...more });
	return (
		<section class="health" aria-labelledby="health-title">
			<h2 id="health-title">{t("health_title")}</h2>
			<ul>
				<Line mark={kind === "live" ? "fine" : "wrong"} name={t("health_state")}>{text}</Line>
				{begun ? <Line mark="note" name={t("health_since")}>{when(begun, s.now_ms)}</Line> : null}
				<Line mark={s.lost ? "wrong" : "fine"} name={t("health_lost")} of={of("doctor", "lost_events", "weir doctor -J", {
					title: t("health_lost"), help: t("lost_help", { n: count(s.lost) }),
				})}>{count(s.lost)}</Line>
				{cost ? (
					<>
						<Line mark="note" name={t("health_cpu")} of={of("self", "cpu", METRICS, { title: t("health_cpu"), help: t("health_cpu_help") })}>
							{cost.percent === null ? "…" : t("percent_of_core", { n: cost.percent < 10 ? cost.percent.toFixed(1) : Math.round(cost.percent) })}
						</Line>
						<Line mark="note" name={t("health_memory")} of={of("self", "memory", METRICS, { title: t("health_memory"), help: t("health_memory_help") })}>
							{join(bytes(cost.memory))}
						</Line>
					</>
				) : null}
				{file ? (
					<Line mark={reason ? "wrong" : "fine"} name={t("health_history")} of={of("history_store", "bytes", "weir history store", {
						value: numberOf(file, "bytes"), help: reason ? visible(reason) : undefined,
					})}>{t("size_of", { n: join(bytes(numberOf(file, "bytes"))), limit: join(bytes(numberOf(file, "limit_bytes"))) })}</Line>
				) : null}
				{file && numberOf(file, "lost_seconds") ? (
					<Line mark="wrong" name={t("health_lost_seconds")} of={of("history_store", "lost_seconds", "weir history store", {
						value: numberOf(file, "lost_seconds"),
					})}>{count(numberOf(file, "lost_seconds"))}</Line>
				) : null}
				{d.on.length + d.off.length ? (
					<Line mark={d.off.length ? "wrong" : "fine"} name={t("health_features")}>
						<a href={linkTo({ view: "doctor" })}>
							{t(d.off.length ? "features_some" : "features_all", { n: d.on.length, all: d.on.length + d.off.length })}
						</a>
					</Line>
				) : null}
				{s.audit.length ? (
					<Line mark={wrong.length ? "wrong" : "fine"} name={t("health_sums")}>
						<a href={linkTo({ view: "doctor" })}>
							{wrong.length ? t("sums_wrong", { n: wrong.length }) : t("sums_agree")}
						</a>
					</Line>
				) : null}
			</ul>
			<p class="note">{s.processes.loaded && t("health_snapshot", { n: count(s.processes.snapshot), time: clock(s.processes.time_ms) })}</p>
		</section>
	);
}
