// SPDX-License-Identifier: GPL-2.0-or-later
// Tables of words (src/frontends/words), read by words.mjs when the page is built.

/** Key to Chinese: titles and help of fields; English is what the daemon declares. */
declare module "words:fields" {
	const words: Record<string, string>;
	export default words;
}

/** FIELD.VALUE to Chinese: values that are few words of the kernel's. */
declare module "words:values" {
	const words: Record<string, string>;
	export default words;
}

/** Key to English alone, and to Chinese alone. */
declare module "words:map" {
	const words: Record<string, readonly [string]>;
	export default words;
}
declare module "words:zh_map" {
	const words: Record<string, string>;
	export default words;
}

/** English to Chinese. */
declare module "words:said_*" {
	const words: Record<string, string>;
	export default words;
}

/** Key to English and Chinese. */
declare module "words:*" {
	const words: Record<string, readonly [string, string]>;
	export default words;
}

/** The style sheets of each bundle, in order. */
declare const STYLES: Record<string, readonly string[]>;
