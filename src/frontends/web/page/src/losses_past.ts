// SPDX-License-Identifier: GPL-2.0-or-later
// What was lost before this page looked, or while it did not, as history keeps it: for the plot, not for the sums.

import { useEffect } from "preact/hooks";
import { CLASSES, type Class } from "./losses";
import { fillLosses, lostSeconds } from "./losses_seconds";
import type { Row } from "./model";
import { WINDOW_S } from "./series";
import { store } from "./store";
import { fetchRows } from "./stream";

/** Looks of the page are never so far apart, unless it did not look. */
const HOLE_S = 5;
/** The seconds that have just gone by come to history a little later. */
const AGAIN_MS = 5000;

const known = CLASSES.filter((c) => c !== "unknown");
const wordOf = (c: Class) => (c === "unknown" ? `not class:${known.join()}` : `class:${c}`);

async function ask(filter: string, signal: AbortSignal): Promise<void> {
	const answers = await Promise.all(CLASSES.map((c) => fetchRows("history_rates", {
		filter: `${filter} ${wordOf(c)}`.trim(), from: String(-WINDOW_S - 5), step: 1, fields: "time,seconds,lost_packets",
	}, signal)));
	if (store.losses_filter !== filter || !store.losses.time.length)
		return;
	fillLosses(store.losses, lostSeconds(Object.fromEntries(CLASSES.map((c, i) => [c, answers[i].rows])) as Record<Class, Row[]>));
	store.changed();
}

/** Has what this page has not seen asked for, if history can be asked that. */
export function useLossesPast(filter: string): void {
	const able = store.tables.has("history_rates") && store.knowsPast(filter);
	const { time } = store.losses;
	const begun = time.length > 0 && store.losses_filter === filter;
	const hole = begun ? time[time.findIndex((at, i) => i > 0 && at - time[i - 1] > HOLE_S)] : undefined;
	useEffect(() => {
		if (!able || !begun)
			return undefined;
		const mine = new AbortController();
		/* Without an answer the plot begins later. */
		const asked = () => void ask(filter, mine.signal).catch(() => {});
		asked();
		const timer = setTimeout(asked, AGAIN_MS);
		return () => {
			clearTimeout(timer);
			mine.abort();
		};
	}, [able, begun, filter, hole]);
}
