// SPDX-License-Identifier: GPL-2.0-or-later
// Brings src/frontends/words/fields.tsv in line with the declarations: English is taken over, fields that are gone leave,
// new ones come without Chinese and are named.
//   node dev/fields.mjs
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readWords, source } from "../words.mjs";
import { readDeclarations } from "./declarations.mjs";

const HEAD = `# SPDX-License-Identifier: GPL-2.0-or-later
# Titles and help of the fields that the daemon declares: table.field.title, table.field.help; English, Chinese.
# English is the declaration's; \`node dev/fields.mjs\` in the page's folder takes it over and says what lacks Chinese.
`;

const known = readWords("fields");
const missing = [];
let text = HEAD;
for (const table of readDeclarations()) {
	text += `\n# ${table.name}\n`;
	for (const f of table.fields)
		for (const what of ["title", "help"]) {
			const key = `${table.name}.${f.name}.${what}`;
			const zh = known[key]?.[1] ?? "";
			if (!zh)
				missing.push(`${key}\t${f[what]}`);
			text += `${key}\t${f[what]}\t${zh}\n`;
		}
}
writeFileSync(join(source("../../words"), "fields.tsv"), text);
if (missing.length) {
	console.log(`without Chinese:\n${missing.join("\n")}`);
	process.exitCode = 1;
}
