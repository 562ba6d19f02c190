// SPDX-License-Identifier: GPL-2.0-or-later
// The views: what the navigation shows and the address may ask for. A view's title is the word view_NAME of page.tsv.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

export interface View {
	name: string;
	/** The file that draws it, loaded when it is opened first; "" when it came with the page. */
	bundle: string;
	/** Goes there, from anywhere but a field. */
	key: string;
	/** It asks under the page's filter and time; one that does not (doctor) shows neither. */
	whole?: boolean;
}

export const VIEWS: readonly View[] = [
	{ name: "now", bundle: "", key: "1" },
	{ name: "map", bundle: "map", key: "2" },
	{ name: "processes", bundle: "tables", key: "3" },
	{ name: "flows", bundle: "tables", key: "4" },
	{ name: "drops", bundle: "drops", key: "5" },
	{ name: "history", bundle: "history", key: "6" },
	{ name: "doctor", bundle: "doctor", key: "7", whole: true },
];

export function viewOf(name: string): View | undefined {
	return VIEWS.find((v) => v.name === name);
}

/** What a bundle exports as default. It is drawn while its view is on show, with the view's name. */
export type ViewComponent = ComponentType<{ name: string }>;

const loaded = new Map<string, ViewComponent>();
const attempts = new Map<string, number>();

/** What was loaded already, at once. */
export function loadedView(bundle: string): ViewComponent | undefined {
	return loaded.get(bundle);
}

/* A style sheet has to be there before what it styles is drawn. */
function loadStyle(bundle: string): Promise<void> {
	if (document.querySelector(`link[href="${bundle}.css"]`))
		return Promise.resolve();
	const link = document.createElement("link");
	link.rel = "stylesheet";
	link.href = `${bundle}.css`;
	return new Promise((done, failed) => {
		link.onload = () => done();
		link.onerror = () => {
			link.remove();
			failed(new Error(`${bundle}.css`));
		};
		document.head.append(link);
	});
}

/** Loads a file once. After a failure it is asked for under another address: some browsers remember what failed. */
export async function loadModule<T>(bundle: string): Promise<T> {
	const n = attempts.get(bundle) ?? 0;
	attempts.set(bundle, n + 1);
	const module = (await import(`/${bundle}.js${n ? `?again=${n}` : ""}`)) as { default: T };
	attempts.delete(bundle);
	return module.default;
}

export async function loadView(bundle: string): Promise<ViewComponent> {
	const known = loaded.get(bundle);
	if (known)
		return known;
	const [view] = await Promise.all([loadModule<ViewComponent>(bundle), ...(STYLES[bundle] ?? []).map(loadStyle)]);
	loaded.set(bundle, view);
	return view;
}

/** What a bundle draws, once it is there; how often loading it failed, and another try. */
export function useView<P = { name: string }>(bundle: string) {
	const [failed, setFailed] = useState(0);
	const [, redraw] = useState(0);
	const load = () => loadView(bundle).then(() => setFailed(0), () => setFailed((n) => n + 1));
	useEffect(() => {
		void load().then(() => redraw((n) => n + 1));
	}, [bundle]);
	return { view: loadedView(bundle) as ComponentType<P> | undefined, failed, load };
}
