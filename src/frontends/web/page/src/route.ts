// SPDX-License-Identifier: GPL-2.0-or-later
// What the address says: view, filter, time, sort, the row whose details are open. Everything that makes a picture of
// the page the same for somebody else stands in it. It lives behind the '#', so it never leaves the browser.

import { VIEWS } from "./views";

export interface Route {
	view: string;
	/** Of all views. */
	filter: string;
	/** The span of time, of all views (time.ts); both "": live. */
	from: string;
	to: string;
	/** Per view: "tx_bytes", "-tx_bytes". */
	sort: string;
	/** Key of the row with open details, or "". */
	row: string;
	/** What else a view keeps in the address, by names of its own: [a-z0-9_]+. */
	more: Readonly<Record<string, string>>;
}

const NAMES = ["filter", "from", "to", "sort", "row"] as const;

/* Kept as they are so that a filter stays readable in the address; '&', '#', '%', '+' and space are not. */
function encode(text: string): string {
	return encodeURIComponent(text).replace(/%(3A|2F|2C|3D|3E|3C|2A|3F|22|40|21)/gi, (hex) =>
		/%(22|3C|3E)/i.test(hex) ? hex : decodeURIComponent(hex),
	);
}

function decode(text: string): string {
	try {
		return decodeURIComponent(text.replace(/\+/g, " "));
	} catch {
		return "";
	}
}

export function parseRoute(hash: string): Route {
	const text = hash.replace(/^#\/?/, "");
	const cut = text.indexOf("?");
	const view = cut < 0 ? text : text.slice(0, cut);
	const more: Record<string, string> = {};
	const route = { view: "now", filter: "", from: "", to: "", sort: "", row: "", more };
	if (VIEWS.some((v) => v.name === view))
		route.view = view;
	for (const pair of cut < 0 ? [] : text.slice(cut + 1).split("&")) {
		const at = pair.indexOf("=");
		const name = at < 0 ? pair : pair.slice(0, at);
		const value = at < 0 ? "" : decode(pair.slice(at + 1));
		const known = NAMES.find((n) => n === name);
		if (known)
			route[known] = value;
		else if (/^[a-z][a-z0-9_]*$/.test(name) && value)
			more[name] = value;
	}
	return route;
}

export function formatRoute(r: Route): string {
	const parts = NAMES.filter((n) => r[n]).map((n) => `${n}=${encode(r[n])}`);
	for (const name of Object.keys(r.more).sort())
		if (r.more[name])
			parts.push(`${name}=${encode(r.more[name])}`);
	return `#/${r.view}${parts.length ? "?" + parts.join("&") : ""}`;
}
