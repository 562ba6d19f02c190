// SPDX-License-Identifier: GPL-2.0-or-later
// What the address says: view, filter, sort, the row whose details are open. Everything that makes a picture of
// the page the same for somebody else stands in it. It lives behind the '#', so it never leaves the browser.

export interface Route {
	view: string;
	filter: string;
	/** Per view: "tx_bytes", "-tx_bytes". */
	sort: string;
	/** Key of the row with open details, or "". */
	row: string;
}

export const VIEWS = ["now", "processes", "flows"] as const;
export type View = (typeof VIEWS)[number];

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
	const route: Route = { view: "now", filter: "", sort: "", row: "" };
	if ((VIEWS as readonly string[]).includes(view))
		route.view = view;
	for (const pair of cut < 0 ? [] : text.slice(cut + 1).split("&")) {
		const at = pair.indexOf("=");
		const name = at < 0 ? pair : pair.slice(0, at);
		const value = at < 0 ? "" : decode(pair.slice(at + 1));
		if (name === "filter" || name === "sort" || name === "row")
			route[name] = value;
	}
	return route;
}

export function formatRoute(r: Route): string {
	const parts = (["filter", "sort", "row"] as const).filter((n) => r[n]).map((n) => `${n}=${encode(r[n])}`);
	return `#/${r.view}${parts.length ? "?" + parts.join("&") : ""}`;
}
