// SPDX-License-Identifier: GPL-2.0-or-later
// One table, kept up to date under one filter by a stream of its own.

import { Dataset, type Envelope, type Row, type Table, keyOf, keysOf, selector } from "./model";
import { Stream, type StreamState, fetchRows } from "./stream";

const STALLED_MS = 3500;

/* What a view needs beside the columns and keys of the declaration; all else is asked for with a row's details. */
const ALSO: Record<string, string[]> = {
	processes: ["container_name", "pod_name", "first_seen"],
	flows: ["peer_name", "tx_bytes_per_second", "rx_bytes_per_second"],
	drops: [
		"class", "layer", "packets", "packets_per_second", "last_seen", "meaning", "overlaps",
		"comm", "container_id", "container_name", "pod_name", "unit",
	],
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
	/** The daemon cannot read the filter, and says why. Nothing more comes until another one is wanted. */
	refused(filter: string, message: string): void;
	changed(): void;
}

export class Channel {
	set: Dataset;
	state: StreamState = "connecting";
	message = "";
	/** The filter that the rows on show were selected by; null before there are any. */
	shown: string | null = null;

	private wanted: string | null = null;
	private asked = "";
	private alive_at = performance.now();
	private stream: Stream;

	constructor(
		readonly name: string,
		private readonly callbacks: ChannelCallbacks,
		/** What a view needs that is not what tables need. */
		private readonly fields: readonly string[] = [],
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
		this.ask(table, filter);
	}

	/** Nobody looks: what was there is old when somebody does again, and takes memory until then. */
	close(): void {
		this.wanted = this.shown = null;
		this.stream.close();
		this.set.clear();
		this.callbacks.reset();
	}

	/** Seconds since the daemon was last heard, 0 while it keeps its beat. */
	get silence_s(): number {
		const ms = performance.now() - this.alive_at;
		return ms < STALLED_MS ? 0 : Math.floor(ms / 1000);
	}

	private ask(table: Table, filter: string): void {
		this.set.keys = keysOf(table);
		this.asked = filter;
		/* Rows that are on show are as old as they are. */
		if (!this.set.loaded)
			this.alive_at = performance.now();
		this.stream.open([this.name], filter, this.fields.length ? this.fields : streamFields(table));
	}

	private onState(s: StreamState, message: string): void {
		this.state = s;
		this.message = message;
		if (s === "rejected")
			this.callbacks.refused(this.asked, message);
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
export async function fetchRow(set: Dataset, known: Row): Promise<Envelope | null> {
	const e = await fetchRows(set.name, { filter: selector(set.name, known), limit: 100 });
	const key = keyOf(known, set.keys);
	const row = e.rows.find((r) => keyOf(r, set.keys) === key);
	return row ? { ...e, rows: [row] } : null;
}
