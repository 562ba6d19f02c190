// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the declarations of fields out of the C sources, so that the mock server and the tests of the translation speak
// of exactly the fields that the daemon has.
import { readFileSync } from "node:fs";
import { source } from "../words.mjs";

const TRAFFIC = "../../../features/traffic/traffic_fields.c";
const DROPS = "../../../features/drops/drops_fields.c";
const CORE = "../../../core/tables_core.c";
const PAST = "../../../core/tables_history.c";

/* name: [file, its list of fields, what it is sorted by] */
const TABLES = {
	processes: [TRAFFIC, "process_fields", "tx_bytes"],
	flows: [TRAFFIC, "flow_fields", "tx_bytes"],
	drops: [DROPS, "fields", "packets_per_second"],
	findings: [CORE, "findings_fields", ""],
	doctor: [CORE, "doctor_fields", ""],
	hooks: [CORE, "hooks_fields", ""],
	audit: [CORE, "audit_fields", ""],
	history: [PAST, "programs_fields", "tx_bytes"],
	history_rates: [PAST, "rates_fields", ""],
	history_peers: [PAST, "peers_fields", "tx_bytes"],
	history_losses: [PAST, "losses_fields", "packets"],
	history_days: [PAST, "days_fields", ""],
	history_months: [PAST, "months_fields", ""],
	history_events: [PAST, "events_fields", ""],
	history_changes: [PAST, "changes_fields", ""],
	history_store: [PAST, "store_fields", ""],
};

/* The arguments of a call that begins at the parenthesis at; and where it ends. */
function readCall(text, at) {
	const args = [""];
	let depth = 0;
	for (let i = at; i < text.length; i++) {
		const c = text[i];
		if (c === '"') {
			const end = /"(?:[^"\\]|\\.)*"/y;
			end.lastIndex = i;
			const whole = end.exec(text)[0];
			args[args.length - 1] += whole;
			i += whole.length - 1;
		} else if (c === "," && depth === 1) {
			args.push("");
		} else {
			depth += c === "(" ? 1 : c === ")" ? -1 : 0;
			if (depth === 0)
				return { args: args.map((s) => s.trim()), end: i + 1 };
			if (depth > 1 || c !== "(")
				args[args.length - 1] += c;
		}
	}
	throw new Error("a call that does not end");
}

/* What several tables have is a macro of the file: X_FIELD(...), X_FIELDS(...). */
function expandMacros(text) {
	const macros = new Map();
	let rest = text.replace(/\\\n/g, " ").replace(/^#define (\w+_FIELDS?)\(([^)]*)\)(.*)$/gm, (_m, name, params, body) => {
		macros.set(name, { params: params.split(",").map((s) => s.trim()), body });
		return "";
	});
	for (let round = 0; round < 3; round++)
		for (const [name, { params, body }] of macros)
			for (let at = rest.search(new RegExp(`\\b${name}\\(`)); at >= 0; at = rest.search(new RegExp(`\\b${name}\\(`))) {
				const { args, end } = readCall(rest, at + name.length);
				const filled = params.reduce((s, p, i) => s.replace(new RegExp(`\\b${p}\\b(?=[^"]*(?:"[^"]*"[^"]*)*$)`, "g"), () => args[i]), body);
				rest = rest.slice(0, at) + filled + rest.slice(end);
			}
	return rest;
}

const string = (text) => [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((s) => s[1].replace(/\\(.)/g, "$1")).join("");

function readFields(text) {
	const fields = [];
	for (const m of text.matchAll(/\bFIELD\(/g)) {
		const [, name, title, type, unit, flags, help, ...more] = readCall(text, m.index + 5).args;
		const filter = more.map((s) => /^\.filter\s*=\s*"([^"]+)"/.exec(s)).find((x) => x);
		fields.push({
			name: string(name),
			title: string(title),
			type: type.toLowerCase(),
			unit: unit.toLowerCase(),
			help: string(help),
			key: /\bKEY\b/.test(flags),
			column: /\bCOLUMN\b/.test(flags),
			filter: filter ? filter[1] : null,
		});
	}
	return fields;
}

/** The tables that the page draws: [{name, summary, sort, fields: [...]}]. */
export function readDeclarations() {
	const files = new Map();
	return Object.entries(TABLES).map(([name, [file, list, sort]]) => {
		const path = source(file);
		if (!files.has(path))
			files.set(path, expandMacros(readFileSync(path, "utf8")));
		const text = files.get(path);
		const body = new RegExp(`struct weir_field ${list}\\[\\] =\\s([^]*?);\\n`).exec(text);
		const summary = new RegExp(`\\.name = "${name}",\\s+\\.summary = "([^"]+)"`).exec(text);
		if (!body || !summary)
			throw new Error(`${path}: no declaration of ${name} found`);
		return { name, summary: summary[1], sort, fields: readFields(body[1]) };
	});
}
