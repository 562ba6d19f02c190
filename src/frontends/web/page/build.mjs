// SPDX-License-Identifier: GPL-2.0-or-later
// Writes dist/ (index.html, app.js, app.css), which the daemon embeds. The same sources give the same bytes on
// every machine: dist/ is committed, and a rebuild is compared with it.
//   node build.mjs          build
//   node build.mjs --test   bundle the unit tests into .test/ instead
//   node build.mjs --sizes  build, then print what goes over the wire
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = dirname(fileURLToPath(import.meta.url));
const BUDGET_BYTES = 60 * 1024; // of all three files, gzipped

const shared = {
	absWorkingDir: root,
	bundle: true,
	charset: "utf8",
	jsx: "automatic",
	jsxImportSource: "preact",
	legalComments: "none",
	logLevel: "warning",
};

async function page() {
	mkdirSync(join(root, "dist"), { recursive: true });
	await build({
		...shared,
		entryPoints: { app: "src/main.tsx" },
		outdir: "dist",
		format: "iife",
		target: ["es2020"],
		minify: true,
		banner: { js: "/* SPDX-License-Identifier: GPL-2.0-or-later; with preact and uPlot (MIT) */" },
	});
	copyFileSync(join(root, "src/index.html"), join(root, "dist/index.html"));
}

function sizes() {
	let sum = 0;
	for (const name of ["index.html", "app.js", "app.css"]) {
		const raw = readFileSync(join(root, "dist", name));
		const packed = gzipSync(raw, { level: 9 }).length;
		sum += packed;
		console.log(`${name.padEnd(12)} ${String(raw.length).padStart(8)} bytes ${String(packed).padStart(8)} gzipped`);
	}
	console.log(`${"sum".padEnd(12)} ${" ".repeat(14)} ${String(sum).padStart(8)} of ${BUDGET_BYTES}`);
	if (sum > BUDGET_BYTES) {
		console.error("the page is larger than its budget");
		process.exitCode = 1;
	}
}

async function tests() {
	rmSync(join(root, ".test"), { recursive: true, force: true });
	const names = readdirSync(join(root, "src")).filter((n) => /\.test\.tsx?$/.test(n));
	await build({
		...shared,
		entryPoints: names.map((n) => join("src", n)),
		outdir: ".test",
		outExtension: { ".js": ".mjs" },
		format: "esm",
		platform: "node",
		define: { PAGE_ROOT: JSON.stringify(root) },
	});
}

if (process.argv.includes("--test")) {
	await tests();
} else {
	await page();
	if (process.argv.includes("--sizes"))
		sizes();
}
