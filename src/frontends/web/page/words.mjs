// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the tables of words, src/frontends/words/NAME.tsv: lines of key, English, Chinese.
import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PAGE = dirname(fileURLToPath(import.meta.url));

/** A path of the source tree, seen from the page. Checks may run on a copy of the page whose node_modules is a link to
 *  the real one's: the sources are there. */
export function source(path) {
	const here = join(PAGE, path);
	return existsSync(here) ? here : join(realpathSync(join(PAGE, "node_modules")), "..", path);
}

const FOLDER = "../../words";

const plain = (text) => text.replace(/\\u([0-9a-f]{4})/g, (_m, hex) => String.fromCharCode(parseInt(hex, 16)));

/** {key: [English, Chinese]}; a line that is none, or a key that is there twice, is an error. */
export function readWords(name) {
	const path = join(source(FOLDER), `${name}.tsv`);
	const words = {};
	readFileSync(path, "utf8").split("\n").forEach((line, i) => {
		if (line === "" || line.startsWith("#"))
			return;
		const [key, ...texts] = line.split("\t");
		if (!/^[\w.]+$/.test(key) || texts.length !== 2 || key in words)
			throw new Error(`${path}:${i + 1}: not a key, English, Chinese, or the key is there already`);
		words[key] = texts.map(plain);
	});
	return words;
}

export function hasWords(name) {
	return existsSync(join(source(FOLDER), `${name}.tsv`));
}

export function wordFiles() {
	return readdirSync(source(FOLDER)).filter((n) => n.endsWith(".tsv")).map((n) => n.slice(0, -4)).sort();
}

/** What the daemon says: {part: {English: Chinese}}, in the order of said.tsv. tools/said checks its lines. */
export function readSaid() {
	const parts = {};
	let part = "";
	for (const line of readFileSync(join(source(FOLDER), "said.tsv"), "utf8").split("\n")) {
		if (line.startsWith("#part "))
			parts[(part = line.slice(6).trim())] = {};
		else if (line !== "" && !line.startsWith("#"))
			parts[part][line.slice(0, line.indexOf("\t"))] = line.slice(line.indexOf("\t") + 1);
	}
	return parts;
}

/* Of these only the Chinese: the English is what the daemon declares, or the value itself. */
const CHINESE = ["fields", "values"];
/* And of these the Chinese comes with that, as words:zh_NAME: who reads English does not load it. */
const APART = ["map"];

/** For esbuild: import words from "words:NAME"; of the fields only what the daemon does not declare itself, and
 *  "words:said_PART". */
export const wordsPlugin = {
	name: "words",
	setup(b) {
		b.onResolve({ filter: /^words:/ }, ({ path }) => ({ path: path.slice(6), namespace: "words" }));
		b.onLoad({ filter: /.*/, namespace: "words" }, ({ path }) => {
			if (path.startsWith("said_"))
				return { contents: JSON.stringify(readSaid()[path.slice(5)]), loader: "json" };
			const name = path.replace(/^zh_/, "");
			const one = CHINESE.includes(name) || name !== path ? 1 : APART.includes(name) ? 0 : null;
			const words = readWords(name);
			const contents = one === null ? words : Object.fromEntries(Object.entries(words).map(([k, v]) => [k, one ? v[1] : [v[0]]]));
			return { contents: JSON.stringify(contents), loader: "json" };
		});
	},
};
