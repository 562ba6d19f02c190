// SPDX-License-Identifier: GPL-2.0-or-later
// A connection that is dead without saying so, and one that is kept warm.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ApiError, Stream, fetchText } from "./stream";

const settle = async () => {
	for (let i = 0; i < 20; i++)
		await Promise.resolve();
};

/* A daemon that accepts and says nothing, or only what "say" gets. */
function silent(headers: boolean) {
	const asked: { signal: AbortSignal; say: (text: string) => void }[] = [];
	const fetch = (_url: string, { signal }: { signal: AbortSignal }) =>
		new Promise((done, failed) => {
			let read: ((r: unknown) => void) | null = null;
			signal.addEventListener("abort", () => failed(new Error("aborted")));
			const reader = {
				read: () => new Promise((r, f) => {
					read = r;
					signal.addEventListener("abort", () => f(new Error("aborted")));
				}),
			};
			asked.push({ signal, say: (text) => read?.({ done: false, value: new TextEncoder().encode(text) }) });
			if (headers)
				done({ ok: true, status: 200, body: { getReader: () => reader } });
		});
	return { asked, fetch };
}

test("a stream that is silent for longer than its heartbeat is opened again; one that beats is not", async (c) => {
	mock.timers.enable({ apis: ["setTimeout"] });
	const { asked, fetch } = silent(true);
	Object.assign(globalThis, { window: globalThis, fetch });
	c.after(() => mock.timers.reset());
	const states: string[] = [];
	const stream = new Stream({ event: () => undefined, state: (s) => states.push(s), alive: () => undefined });
	stream.open(["processes"], "", []);
	await settle();
	for (let i = 0; i < 4; i++) {
		mock.timers.tick(15000);
		asked[0].say(": beat\n\n");
		await settle();
	}
	assert.deepEqual([asked.length, asked[0].signal.aborted], [1, false]);
	mock.timers.tick(21000);
	await settle();
	assert.equal(asked[0].signal.aborted, true);
	assert.equal(states[states.length - 1], "offline");
	mock.timers.tick(6000);
	await settle();
	assert.equal(asked.length, 2);
	stream.close();
	await settle();
	assert.equal(asked[1].signal.aborted, true);
	mock.timers.tick(60000);
	await settle();
	assert.equal(asked.length, 2);
});

test("a question is given up when there is no answer", async (c) => {
	mock.timers.enable({ apis: ["setTimeout"] });
	const { fetch } = silent(false);
	Object.assign(globalThis, { fetch });
	c.after(() => mock.timers.reset());
	const answer = assert.rejects(fetchText("/metrics"), (e) => !(e instanceof ApiError));
	mock.timers.tick(21000);
	await answer;
});
