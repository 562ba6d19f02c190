// SPDX-License-Identifier: GPL-2.0-or-later
// Writes dist/, which the daemon embeds: index.html, app.js and app.css are the first page; each other file is loaded
// when its view is opened first. The same sources give the same bytes on every machine: dist/ is committed, and a rebuild
// is compared with it.
//   node build.mjs          build
//   node build.mjs --test   bundle the unit tests into .test/ instead
//   node build.mjs --sizes  build, then print what goes over the wire
import { build } from "esbuild";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { minify } from "terser";
import { readSaid, wordsPlugin } from "./words.mjs";

const root = dirname(fileURLToPath(import.meta.url));
const FIRST_BYTES = 60 * 1024; // of the first page's three files, gzipped
const LATER_BYTES = 15 * 1024; // of what a view adds, its style sheet with it

/* src/NAME.tsx (or .ts) is the entry of dist/NAME.js. A later one may use an earlier one's modules. */
const BUNDLES = ["fields", ...Object.keys(readSaid()).map((p) => `said_${p}`), "tables", "details", "drops", "doctor", "map", "history"]
	.filter((n) => entryOf(n));

function entryOf(name) {
	return [".tsx", ".ts"].map((end) => `./src/${name}${end}`).find((path) => existsSync(join(root, path)));
}

const shared = {
	absWorkingDir: root,
	bundle: true,
	charset: "utf8",
	jsx: "automatic",
	jsxImportSource: "preact",
	legalComments: "none",
	logLevel: "warning",
};

/* What of uPlot nothing here draws with: kept alive only by being members of the one function that it exports. A line
 * that is not found exactly once stops the build. */
const UNUSED = [
	["uPlot.rangeLog = rangeLog;", ""],
	["uPlot.rangeAsinh = rangeAsinh;", ""],
	["uPlot.orient   = orient;", ""],
	["uPlot.join = join;", ""],
	["uPlot.fmtDate = fmtDate;", ""],
	["uPlot.tzDate  = tzDate;", ""],
	["uPlot.addGap = addGap;", ""],
	["uPlot.clipGaps = clipGaps;", ""],
	["(paths.linear  = linear);", ""],
	["(paths.bars    = bars);", ""],
	["(paths.spline  = monotoneCubic);", ""],
	["const linearPath = linear() ;", "const linearPath = null;"],
	/* Axes have labels of their own, and no legend says a time. */
	["= timeAxisVals(_tzDate, timeAxisStamps((ms == 1 ? _timeAxisStampsMs : _timeAxisStampsS), _fmtDate));", "= null;"],
	["= timeSeriesVal(_tzDate, timeSeriesStamp(_timeSeriesStamp, _fmtDate));", "= null;"],
	["s.value = isTime ? (isStr(sv) ? timeSeriesVal(_tzDate, timeSeriesStamp(sv, _fmtDate)) : sv || _timeSeriesVal) : sv || numSeriesVal;", "s.value = numSeriesVal;"],
	["const _fmtDate = (opts.fmtDate || fmtDate);", ""],
	["timeAxisVals(_tzDate, timeAxisStamps(av, _fmtDate)) :", "av :"],
	["timeAxisVal(_tzDate, av) :", "av :"],
	["\t\t_timeAxisStamps,", "\t\tnull,"],
	["sc.distr == 3 ? logAxisSplits : sc.distr == 4 ? asinhAxisSplits : numAxisSplits", "numAxisSplits"],
	["sc.distr >= 3 && sc.log == 10 ? log10AxisValsFilt : sc.distr == 3 && sc.log == 2 ? log2AxisValsFilt : retArg1", "retArg1"],
];

const lean = {
	name: "lean",
	setup(b) {
		b.onLoad({ filter: /uPlot\.esm\.js$/ }, ({ path }) => {
			let contents = readFileSync(path, "utf8");
			for (const [line, instead] of UNUSED) {
				if (contents.split(line).length !== 2)
					throw new Error(`${path}: "${line}" is not there once`);
				contents = contents.replace(line, instead);
			}
			return { contents };
		});
	},
};

/* --- bundles that share ---
 * A module belongs to the first bundle that needs it; all others import it from there, so that there is one preact and
 * one store. What a bundle exports is what others were found to import. */

/** Leaves modules of other bundles out: an import of one becomes "/BUNDLE.js?MODULE" until it is clear what is exported. */
const sharing = (own, owners) => ({
	name: "sharing",
	setup(b) {
		b.onResolve({ filter: /.*/ }, async ({ path, ...args }) => {
			if (args.pluginData === "resolved" || path.startsWith("words:") || args.kind === "entry-point")
				return undefined;
			const found = await b.resolve(path, { ...args, pluginData: "resolved" });
			const module = relative(root, found.path);
			const owner = owners.get(module);
			return owner && owner !== own && !path.endsWith(".css") ? { path: `/${owner}.js?${module}`, external: true } : undefined;
		});
	},
});

const IMPORT = /import\s*([^"';]*?)\s*from\s*"\/(\w+)\.js\?([^"]+)";?/g;

/** What this text imports of other bundles goes into wanted; returns it with the addresses as they are served. */
function resolveImports(name, text, wanted) {
	return text.replace(IMPORT, (_all, what, owner, module) => {
		const names = /^\{([^}]*)\}$/.exec(what.trim());
		if (!names)
			throw new Error(`${name}: "import ${what}" of ${module}, which ${owner}.js holds: name what is needed in braces`);
		for (const n of names[1].split(","))
			wanted.get(owner).add(`${module}\n${n.trim().split(/\s+as\s+/)[0]}`);
		return `import${what}from"/${owner}.js";`;
	});
}

async function bundle(name, entry, owners, wanted, styles, minified) {
	const exported = [...wanted.get(name)].sort().map((w) => w.split("\n"));
	const result = await build({
		...shared,
		stdin: {
			contents: [
				name === "app" ? `import "${entry}";` : `export { default } from "${entry}";`,
				...exported.map(([module, what]) => `export { ${what} } from "./${module}";`),
			].join("\n"),
			resolveDir: root,
		},
		outfile: `dist/${name}.js`,
		format: "esm",
		target: ["es2020"],
		define: { STYLES: JSON.stringify(styles) },
		minify: minified,
		metafile: true,
		write: false,
		plugins: [wordsPlugin, sharing(name, owners), lean],
	});
	const text = result.outputFiles.find((f) => f.path.endsWith(".js")).text;
	const css = result.outputFiles.find((f) => f.path.endsWith(".css"))?.text;
	const uses = [...text.matchAll(IMPORT)].map((m) => m[2]);
	return { inputs: Object.keys(result.metafile.inputs), uses, code: resolveImports(name, text, wanted), css };
}

async function page() {
	const all = [["app", "./src/main.tsx"], ...BUNDLES.map((n) => [n, entryOf(n)])];
	const owners = new Map();
	const wanted = new Map(all.map(([name]) => [name, new Set()]));
	const styles = {}; /* of each view: its own style sheet, after those of the bundles that it uses */
	for (const [name, entry] of all) {
		const { inputs, uses, css } = await bundle(name, entry, owners, wanted, {}, false);
		for (const module of inputs)
			if (!owners.has(module))
				owners.set(module, name);
		if (name !== "app")
			styles[name] = [...new Set([...uses.flatMap((u) => styles[u] ?? []), ...(css ? [name] : [])])];
	}
	const files = new Map([["index.html", readFileSync(join(root, "src/index.html"))]]);
	const holds = { app: "; with preact and uPlot (MIT)" };
	for (const [name, entry] of all) {
		const { code, css } = await bundle(name, entry, owners, wanted, styles, true);
		/* esbuild bundles; what terser makes of it is a twentieth smaller on the wire. */
		const packed = await minify(code, {
			module: true,
			compress: { passes: 3 },
			format: { preamble: `/* SPDX-License-Identifier: GPL-2.0-or-later${holds[name] ?? ""} */` },
		});
		files.set(`${name}.js`, packed.code + "\n");
		if (css)
			files.set(`${name}.css`, css);
	}
	/* All at once, so that nobody finds half a page. */
	mkdirSync(join(root, "dist"), { recursive: true });
	for (const [name, content] of files)
		writeFileSync(join(root, "dist", name), content);
	for (const name of readdirSync(join(root, "dist")))
		if (!files.has(name))
			rmSync(join(root, "dist", name));
}

function sizes() {
	const packed = (name) => {
		const path = join(root, "dist", name);
		const raw = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
		const bytes = raw.length ? gzipSync(raw, { level: 9 }).length : 0;
		if (bytes)
			console.log(`${name.padEnd(12)} ${String(raw.length).padStart(8)} bytes ${String(bytes).padStart(8)} gzipped`);
		return bytes;
	};
	const check = (what, names, budget) => {
		const sum = names.reduce((n, name) => n + packed(name), 0);
		console.log(`${what.padEnd(12)} ${" ".repeat(14)} ${String(sum).padStart(8)} of ${budget}\n`);
		if (sum > budget) {
			console.error(`${what} is larger than its budget`);
			process.exitCode = 1;
		}
	};
	check("first page", ["index.html", "app.js", "app.css"], FIRST_BYTES);
	for (const name of BUNDLES)
		check(name, [`${name}.js`, `${name}.css`], LATER_BYTES);
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
		plugins: [wordsPlugin],
		define: { PAGE_ROOT: JSON.stringify(root), BUNDLES: JSON.stringify(BUNDLES), STYLES: "{}" },
	});
}

if (process.argv.includes("--test")) {
	await tests();
} else {
	await page();
	if (process.argv.includes("--sizes"))
		sizes();
}
