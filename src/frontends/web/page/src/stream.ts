// SPDX-License-Identifier: GPL-2.0-or-later
// Talking to the daemon: documents, and the one stream of events.

import { type Envelope, type Table, parseEnvelope } from "./model";

/** What the daemon answered instead of a document. */
export class ApiError extends Error {
	constructor(
		readonly status: number,
		message: string,
	) {
		super(message);
	}
}

/** Takes the text of a Server-Sent Events stream in any pieces and calls back for each whole event. */
export class EventParser {
	private pending: string[] = []; /* of a line that has not ended; joined once, so that a long line stays cheap */
	private name = "";
	private data: string[] = [];

	constructor(private readonly emit: (name: string, data: string) => void) {}

	push(chunk: string): void {
		let from = 0;
		for (;;) {
			const end = chunk.indexOf("\n", from);
			if (end < 0)
				break;
			this.pending.push(chunk.slice(from, end));
			const line = this.pending.length === 1 ? this.pending[0] : this.pending.join("");
			this.pending = [];
			this.line(line.endsWith("\r") ? line.slice(0, -1) : line);
			from = end + 1;
		}
		if (from < chunk.length)
			this.pending.push(chunk.slice(from));
	}

	private line(line: string): void {
		if (line === "") {
			if (this.data.length)
				this.emit(this.name || "message", this.data.join("\n"));
			this.name = "";
			this.data = [];
			return;
		}
		const colon = line.indexOf(":");
		if (colon === 0)
			return; /* a comment: only keeps the connection warm */
		const field = colon < 0 ? line : line.slice(0, colon);
		const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
		if (field === "event")
			this.name = value;
		else if (field === "data")
			this.data.push(value);
	}
}

/** The one line that says what was wrong, from an answer that is not 200. */
export function errorLine(status: number, body: string): string {
	const text = body.trim();
	if (text.startsWith("{")) {
		try {
			const o = JSON.parse(text) as Record<string, unknown>;
			for (const key of ["error", "message", "reason"])
				if (typeof o[key] === "string" && o[key])
					return (o[key] as string).split("\n")[0];
		} catch {
			/* not JSON after all: shown as it is */
		}
	}
	return text && !text.startsWith("<") ? text.split("\n")[0].slice(0, 400) : `HTTP ${status}`;
}

function address(path: string, parameters: Record<string, string | number | undefined>): string {
	const q = Object.entries(parameters)
		.filter(([, v]) => v !== undefined && v !== "")
		.map(([k, v]) => `${k}=${encodeURIComponent(String(v))}`);
	return path + (q.length ? "?" + q.join("&") : "");
}

/** The daemon is heard every 15 s at the latest: who is silent for longer is gone, though nobody said so. */
const QUIET_MS = 20000;

/** Runs f with a signal that comes with outer's, or when heard() was not called for too long. */
async function listening<T>(outer: AbortSignal | undefined, f: (signal: AbortSignal, heard: () => void) => Promise<T>): Promise<T> {
	const own = new AbortController();
	const end = () => own.abort();
	let timer = setTimeout(end, QUIET_MS);
	outer?.addEventListener("abort", end);
	if (outer?.aborted)
		end();
	try {
		return await f(own.signal, () => {
			clearTimeout(timer);
			timer = setTimeout(end, QUIET_MS);
		});
	} finally {
		clearTimeout(timer);
		outer?.removeEventListener("abort", end);
	}
}

const get = (url: string, outer?: AbortSignal): Promise<string> => listening(outer, async (signal) => {
	const answer = await fetch(url, { signal, headers: { Accept: "application/json" }, cache: "no-store" });
	const body = await answer.text();
	if (!answer.ok)
		throw new ApiError(answer.status, errorLine(answer.status, body));
	return body;
});

/** A document that is no table's. */
export const fetchText = (url: string, signal?: AbortSignal): Promise<string> => get(url, signal);

export interface RowsQuery {
	[name: string]: string | number | undefined;
	filter?: string;
	sort?: string;
	limit?: number;
	fields?: string;
}

export async function fetchRows(table: string, query: RowsQuery, signal?: AbortSignal): Promise<Envelope> {
	return parseEnvelope(await get(address(`/api/v1/${table}`, query), signal));
}

/** The declarations of all tables. */
export async function fetchTables(signal?: AbortSignal): Promise<Map<string, Table>> {
	const document = JSON.parse(await get("/api/v1", signal)) as unknown;
	return readTables(document);
}

/** Reads them leniently: members that are not there get what they mean when absent. */
export function readTables(document: unknown): Map<string, Table> {
	const list = Array.isArray(document)
		? document
		: ((document as Record<string, unknown>)?.tables ?? (document as Record<string, unknown>)?.rows ?? []);
	const tables = new Map<string, Table>();
	for (const raw of list as Record<string, unknown>[]) {
		const fields = (raw.fields as Record<string, unknown>[] | undefined) ?? [];
		tables.set(String(raw.name), {
			name: String(raw.name),
			summary: String(raw.summary ?? ""),
			sort: String(raw.sort ?? raw.sort_field ?? ""),
			fields: fields.map((f) => ({
				name: String(f.name),
				title: String(f.title ?? f.name),
				type: String(f.type ?? "text"),
				unit: String(f.unit ?? "none"),
				help: String(f.help ?? ""),
				key: f.key === true,
				column: f.column === true,
				filter: typeof f.filter === "string" ? f.filter : null,
			})),
		});
	}
	return tables;
}

/* --- the stream ---------------------------------------------------------------------------------------------- */

export type StreamState = "connecting" | "live" | "offline" | "refused" | "rejected";

export interface StreamCallbacks {
	/** A snapshot (whole) or rows (changes) of one topic. */
	event(whole: boolean, topic: string, e: Envelope): void;
	/** "rejected": the filter is wrong, message says how; nothing is tried again until it changes. */
	state(state: StreamState, message: string): void;
	/** Anything arrived, comments too. */
	alive(): void;
}

const RETRY_FIRST_MS = 400;
const RETRY_MAX_MS = 5000;

/** One connection, opened again with growing pauses for as long as it is wanted. */
export class Stream {
	private controller: AbortController | null = null;
	private timer = 0;
	private pause_ms = RETRY_FIRST_MS;

	constructor(private readonly callbacks: StreamCallbacks) {}

	open(topics: readonly string[], filter: string, fields: readonly string[]): void {
		this.close();
		this.controller = new AbortController();
		const url = address("/api/v1/events", { topics: topics.join(","), filter, fields: fields.join(",") });
		void this.run(url, this.controller);
	}

	close(): void {
		clearTimeout(this.timer);
		this.controller?.abort();
		this.controller = null;
	}

	private async run(url: string, mine: AbortController): Promise<void> {
		let state: StreamState = "offline";
		let message = "";
		this.callbacks.state("connecting", "");
		try {
			await listening(mine.signal, (signal, heard) => this.read(url, mine, signal, heard));
		} catch (e) {
			if (e instanceof ApiError) {
				state = e.status === 400 ? "rejected" : e.status >= 500 ? "offline" : "refused";
				message = e.message;
			}
		}
		if (this.controller !== mine)
			return; /* replaced or closed meanwhile */
		this.callbacks.state(state, message);
		if (state === "rejected")
			return;
		this.timer = window.setTimeout(() => void this.run(url, mine), this.pause_ms);
		this.pause_ms = Math.min(RETRY_MAX_MS, this.pause_ms * 2);
	}

	private async read(url: string, mine: AbortController, signal: AbortSignal, heard: () => void): Promise<void> {
		const answer = await fetch(url, {
			signal,
			headers: { Accept: "text/event-stream" },
			cache: "no-store",
		});
		if (!answer.ok || !answer.body)
			throw new ApiError(answer.status, errorLine(answer.status, await answer.text()));
		const parser = new EventParser((name, data) => {
			if (name !== "snapshot" && name !== "rows")
				return;
			const e = parseEnvelope(data) as Envelope & { topic: string };
			if (this.controller === mine)
				this.callbacks.event(name === "snapshot", e.topic, e);
		});
		const decoder = new TextDecoder();
		const reader = answer.body.getReader();
		this.callbacks.state("live", "");
		for (;;) {
			const { done, value } = await reader.read();
			if (done)
				return;
			this.pause_ms = RETRY_FIRST_MS;
			heard();
			this.callbacks.alive();
			parser.push(decoder.decode(value, { stream: true }));
		}
	}
}
