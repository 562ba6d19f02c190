// SPDX-License-Identifier: GPL-2.0-or-later
// Answers of the API that a view keeps while it is on show: asked again when the question changes, or from time to time.

import { useEffect, useRef, useState } from "preact/hooks";
import { type Envelope, type Row, textOf } from "./model";
import { store } from "./store";
import { ApiError, type RowsQuery, fetchRows } from "./stream";

export interface Answer {
	/** "asking": no answer to this question yet; rows are those of the question before, if there was one. "failed": rows
	 *  are the last ones of this very question, if there were any. */
	state: "asking" | "there" | "failed";
	question: string;
	rows: readonly Row[];
	/** What surrounded them; of the past: the span that was really answered, too. */
	envelope: Envelope | null;
	/** Why not, in the daemon's words; "" when it was not reached. */
	error: string;
	/** HTTP status of a refusal; 400: the filter is wrong here. */
	status: number;
}

const NOTHING: Answer = { state: "asking", question: "", rows: [], envelope: null, error: "", status: 0 };

/**
 * The rows of a table. A query of null asks nothing. every_ms > 0 asks again so long after each answer, while the page
 * is in sight. The question before is given up when another one is asked.
 */
export function useRows(table: string, query: RowsQuery | null, every_ms = 0): Answer {
	const [answer, setAnswer] = useState<Answer>(NOTHING);
	const question = query ? `${table}?${JSON.stringify(query)}` : "";
	const latest = useRef(every_ms);
	latest.current = every_ms;

	useEffect(() => {
		if (!query)
			return undefined;
		const mine = new AbortController();
		let timer = 0;
		const again = (ms: number) => {
			timer = window.setTimeout(() => (document.hidden ? again(ms) : void ask()), ms);
		};
		const ask = async () => {
			try {
				const e = await fetchRows(table, query, mine.signal);
				store.accept(table, query.filter ?? "");
				setAnswer({ state: "there", question, rows: e.rows, envelope: e, error: "", status: 200 });
			} catch (e) {
				if (mine.signal.aborted)
					return;
				const known = e instanceof ApiError ? e : null;
				if (known?.status === 400 && known.message.startsWith("filter"))
					store.refuse(table, query.filter ?? "", known.message);
				setAnswer((a) => ({ ...(a.question === question ? a : NOTHING), question, state: "failed", error: known?.message ?? "", status: known?.status ?? 0 }));
				/* A wrong question stays wrong; a daemon that is away comes back. */
				if (!known || known.status >= 500)
					again(3000);
				return;
			}
			if (latest.current > 0)
				again(latest.current);
		};
		void ask();
		return () => {
			clearTimeout(timer);
			mine.abort();
		};
	}, [question]);
	if (answer.question === question)
		return answer;
	return query ? { ...answer, state: "asking", error: "" } : NOTHING;
}

/** Since when what is shown counts: weir's own start, told by what it saw first. NaN: not known. */
export function useBegun(): number {
	const a = useRows("processes", store.tables.size ? { sort: "-first_seen", limit: 1, fields: "first_seen" } : null);
	return a.rows.length ? Date.parse(textOf(a.rows[0], "first_seen")) : NaN;
}
