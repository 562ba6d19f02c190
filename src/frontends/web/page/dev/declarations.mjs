// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the declarations of fields out of the feature's C source, so that the mock server and the tests of the
// translation speak of exactly the fields that the daemon has.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PAGE = join(dirname(fileURLToPath(import.meta.url)), "..");
const FIELDS = "../../../features/traffic/traffic_fields.c";

/* Checks may run on a copy of the page whose node_modules is a link to the real one's: the sources are there. */
function source() {
	const here = join(PAGE, FIELDS);
	return existsSync(here) ? here : join(realpathSync(join(PAGE, "node_modules")), "..", FIELDS);
}

function readFields(text) {
	const fields = [];
	const one = /FIELD\(\s*\w+,\s*"([^"]+)",\s*"([^"]+)",\s*(\w+),\s*(\w+),\s*([^,]+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)([^]*?)\),\n/g;
	for (const m of text.matchAll(one)) {
		const help = [...m[6].matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((s) => s[1]).join("");
		const filter = /\.filter\s*=\s*"([^"]+)"/.exec(m[7]);
		fields.push({
			name: m[1],
			title: m[2],
			type: m[3].toLowerCase(),
			unit: m[4].toLowerCase(),
			help,
			key: /\bKEY\b/.test(m[5]),
			column: /\bCOLUMN\b/.test(m[5]),
			filter: filter ? filter[1] : null,
		});
	}
	return fields;
}

/** The tables that have a page: [{name, summary, sort, fields: [...]}]. */
export function readDeclarations(path = source()) {
	const text = readFileSync(path, "utf8");
	const tables = [];
	for (const name of ["processes", "flows"]) {
		const list = { processes: "process_fields", flows: "flow_fields" }[name];
		const body = new RegExp(`struct weir_field ${list}\\[\\] = \\{\\n([^]*?)\\n\\};`).exec(text);
		const summary = new RegExp(`\\.name = "${name}", \\.summary = "([^"]+)"`).exec(text);
		if (!body || !summary)
			throw new Error(`${path}: no declaration of ${name} found`);
		tables.push({ name, summary: summary[1], sort: "tx_bytes", fields: readFields(body[1] + "\n") });
	}
	return tables;
}
