// SPDX-License-Identifier: GPL-2.0-or-later
// A recording that is served as `weir replay FILE --serve` does, and what the command line says of it.
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { until } from "./browser.mjs";

const TOP = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const WEIR = process.env.WEIR ?? join(TOP, "build/weir");
const run = promisify(execFile);

export const testdata = (name) => join(TOP, "tests/testdata", name);

/** A port of loopback that nobody has just now. */
async function freePort() {
	const server = createServer().listen(0, "127.0.0.1");
	await new Promise((done) => server.once("listening", done));
	const { port } = server.address();
	await new Promise((done) => server.close(done));
	return port;
}

/** Ends a child with all it started, and waits for that. */
async function ended(child) {
	if (child.exitCode !== null || child.signalCode !== null)
		return;
	const gone = new Promise((done) => child.once("exit", done));
	child.kill("SIGTERM");
	const late = setTimeout(() => child.kill("SIGKILL"), 10e3);
	await gone;
	clearTimeout(late);
}

/** `weir ARGUMENTS -j`, parsed; no integer loses a digit on its way into text. */
export async function weirJson(...words) {
	const { stdout } = await run(WEIR, [...words, "-j"], { maxBuffer: 1 << 28 });
	return JSON.parse(stdout);
}

/** Serves a recording: url, -j of what it shows by now, its daemon's process, and close(). */
export async function serveRecording(file, { speed = 1 } = {}) {
	const folder = await mkdtemp(join(tmpdir(), "weir-played-"));
	const socket = join(folder, "weir.sock");
	const url = `http://127.0.0.1:${await freePort()}`;
	const said = [];
	const child = spawn(WEIR, ["replay", file, "--serve", "--speed", String(speed), "--listen", url.slice(7), "--socket", socket], {
		stdio: ["ignore", "pipe", "pipe"],
	});
	for (const out of [child.stdout, child.stderr])
		out.on("data", (d) => said.push(String(d)));
	const close = async () => {
		await ended(child);
		await rm(folder, { recursive: true, force: true });
	};
	try {
		await until(async () => {
			if (child.exitCode !== null)
				throw new Error(`weir replay ended: ${said.join("")}`);
			return (await fetch(`${url}/api/v1/processes?limit=1`)).ok;
		}, `${file} to be served`, 30e3);
	} catch (e) {
		await close();
		throw e;
	}
	return { url, pid: child.pid, close, json: (...words) => weirJson(...words, "--socket", socket) };
}
