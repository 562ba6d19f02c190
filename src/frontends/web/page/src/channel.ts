// SPDX-License-Identifier: GPL-2.0-or-later
// One table, kept up to date under one filter by a stream of its own.

import { Dataset, type Envelope, type Table, keyOf } from "./model";
import { Stream, type StreamState, fetchRows } from "./stream";

const STALLED_MS = 3500;

/* What a view needs beside the columns and keys of the declaration; all else is asked for with a row's details. */
const ALSO: Record<string, string[]> = {
	processes: ["container_name", "pod_name", "first_seen"],
	flows: ["peer_name", "tx_bytes_per_second", "rx_bytes_per_second"],
};

export function streamFields(table: Table): string[] {
	const also = ALSO[table.name] ?? [];
	return table.fields.filter((f) => f.key || f.column || also.includes(f.name)).map((f) => f.name);
}

export interface ChannelCallbacks {
	/** The rows are by now those of another filter than before. */
	reset(): void;
	/** whole: a snapshot of all rows; tick: the regular one, with new rates. */
	update(e: Envelope, tick: boolean): void;
	changed(): void;
}

export class Channel {
	set: Dataset;
	state: StreamState = "connecting";
	message = "";
	/** What the daemon says about the wanted filter, or "". */
	filter_error = "";
	/** The filter that the rows on show were selected by; null before there are any. */
	shown: string | null = null;

	private wanted: string | null = null;
	private asked = "";
	private alive_at = performance.now();
	private stream: Stream;

	constructor(
		readonly name: string,
		private readonly callbacks: ChannelCallbacks,
	) {
		this.set = new Dataset(name);
		this.stream = new Stream({
			event: (whole, _topic, e) => this.onEvent(whole, e),
			state: (s, message) => this.onState(s, message),
			alive: () => {
				this.alive_at = performance.now();
			},
		});
	}

	get open(): boolean {
		return this.wanted !== null;
	}

	/** Streams this table under this filter; nothing happens when it does already. */
	want(table: Table, filter: string): void {
		if (this.wanted === filter)
			return;
		this.wanted = filter;
		this.filter_error = "";
		this.ask(table, filter);
	}

	close(): void {
		this.wanted = null;
		this.stream.close();
	}

	/** Seconds since the daemon was last heard, 0 while it keeps its beat. */
	get silence_s(): number {
		const ms = performance.now() - this.alive_at;
		return ms < STALLED_MS ? 0 : Math.floor(ms / 1000);
	}

	private table: Table | null = null;

	private ask(table: Table, filter: string): void {
		this.table = table;
		this.asked = filter;
		this.alive_at = performance.now();
		this.stream.open([this.name], filter, streamFields(table));
	}

	private onState(s: StreamState, message: string): void {
		this.state = s;
		this.message = message;
		if (s === "live")
			this.alive_at = performance.now();
		if (s === "rejected") {
			this.filter_error = message;
			/* Better the rows of the filter before, alive and labelled so, than none. */
			if (this.shown !== null && this.shown !== this.asked)
				this.ask(this.table!, this.shown);
		}
		this.callbacks.changed();
	}

	private onEvent(whole: boolean, e: Envelope): void {
		if (this.shown !== this.asked) {
			this.shown = this.asked;
			this.callbacks.reset();
		}
		if (whole)
			this.set.load(e);
		else
			this.set.merge(e);
		this.callbacks.update(e, whole || Boolean(e.tick));
	}
}

/** The row with all its fields, found by its key; null when it is gone. */
export async function fetchRow(set: Dataset, key: string): Promise<Envelope | null> {
	/* Keys are numbers and addresses: the first is enough for the question, all of them for the choice. */
	const id = key.split("~")[0];
	if (!/^\d+$/.test(id))
		return null;
	const e = await fetchRows(set.name, { filter: `${set.keys[0]}:${id}`, limit: 100 });
	const row = e.rows.find((r) => keyOf(r, set.keys) === key);
	return row ? { ...e, rows: [row] } : null;
}
