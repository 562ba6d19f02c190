// SPDX-License-Identifier: GPL-2.0-or-later
// Makes a screenshot small: at most 256 colours, chosen by median cut, and the rows filtered as they pack best.
import { deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLORS = 256;

const CRC = new Int32Array(256).map((_, n) => {
	for (let k = 0; k < 8; k++)
		n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
	return n;
});

function crc32(bytes) {
	let c = -1;
	for (const b of bytes)
		c = CRC[(c ^ b) & 255] ^ (c >>> 8);
	return ~c >>> 0;
}

function chunk(type, data) {
	const out = Buffer.alloc(12 + data.length);
	out.writeUInt32BE(data.length, 0);
	out.write(type, 4, "latin1");
	data.copy(out, 8);
	out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
	return out;
}

function paeth(a, b, c) {
	const p = a + b - c;
	const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
	return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/** An RGB or RGBA image of 8 bits, not interlaced, as browsers write it. */
export function decode(png) {
	if (!png.subarray(0, 8).equals(SIGNATURE))
		throw new Error("not a PNG");
	let width = 0;
	let height = 0;
	let depth = 3;
	const parts = [];
	for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
		const data = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
		const type = png.toString("latin1", at + 4, at + 8);
		if (type === "IHDR") {
			width = data.readUInt32BE(0);
			height = data.readUInt32BE(4);
			if (data[8] !== 8 || (data[9] !== 2 && data[9] !== 6) || data[12])
				throw new Error("a PNG of a kind that is not read here");
			depth = data[9] === 6 ? 4 : 3;
		} else if (type === "IDAT") {
			parts.push(data);
		}
	}
	const raw = inflateSync(Buffer.concat(parts));
	const stride = width * depth;
	const pixels = Buffer.alloc(stride * height);
	for (let y = 0; y < height; y++) {
		const filter = raw[y * (stride + 1)];
		for (let x = 0; x < stride; x++) {
			const at = y * stride + x;
			const a = x >= depth ? pixels[at - depth] : 0;
			const b = y ? pixels[at - stride] : 0;
			const c = x >= depth && y ? pixels[at - stride - depth] : 0;
			const add = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter];
			pixels[at] = raw[y * (stride + 1) + 1 + x] + add;
		}
	}
	return { width, height, depth, pixels };
}

/* A box of colours; the one with most to gain is cut at its median. */
function spread(box) {
	const low = [255, 255, 255];
	const high = [0, 0, 0];
	for (const [color] of box)
		for (let i = 0; i < 3; i++) {
			const v = (color >> (16 - 8 * i)) & 255;
			low[i] = Math.min(low[i], v);
			high[i] = Math.max(high[i], v);
		}
	const widths = high.map((v, i) => v - low[i]);
	const channel = widths.indexOf(Math.max(...widths));
	return { channel, width: widths[channel] };
}

function cut(box) {
	const shift = 16 - 8 * spread(box).channel;
	box.sort((p, q) => ((p[0] >> shift) & 255) - ((q[0] >> shift) & 255));
	const half = box.reduce((n, [, count]) => n + count, 0) / 2;
	let seen = 0;
	let at = 0;
	while (at < box.length - 2 && (seen += box[at][1]) < half)
		at++;
	return [box.slice(0, at + 1), box.slice(at + 1)];
}

/** [[color, how often]] to a palette of at most COLORS and each colour's place in it. */
function quantise(counts) {
	let boxes = [[...counts]];
	while (boxes.length < COLORS) {
		/* Rare colours matter too: a thin line is seen. */
		const worth = (box) => (box.length < 2 ? 0 : spread(box).width * Math.log1p(box.reduce((n, [, c]) => n + c, 0)));
		const best = boxes.reduce((a, b) => (worth(b) > worth(a) ? b : a));
		if (!worth(best))
			break;
		boxes = boxes.filter((b) => b !== best).concat(cut(best));
	}
	const place = new Map();
	const palette = boxes.map((box, i) => {
		/* The most frequent colour of a box stays as it is: areas keep their colour exactly. */
		const [color] = box.reduce((a, b) => (b[1] > a[1] ? b : a));
		for (const [c] of box)
			place.set(c, i);
		return color;
	});
	return { palette, place };
}

export function shrink(png) {
	const { width, height, depth, pixels } = decode(png);
	const colors = new Int32Array(width * height);
	const counts = new Map();
	for (let i = 0; i < colors.length; i++) {
		const at = i * depth;
		const color = (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2];
		colors[i] = color;
		counts.set(color, (counts.get(color) ?? 0) + 1);
	}
	const { palette, place } = quantise(counts);
	const rows = Buffer.alloc((width + 1) * height);
	for (let y = 0; y < height; y++)
		for (let x = 0; x < width; x++)
			rows[y * (width + 1) + 1 + x] = place.get(colors[y * width + x]);
	const head = Buffer.alloc(13);
	head.writeUInt32BE(width, 0);
	head.writeUInt32BE(height, 4);
	head.set([8, 3, 0, 0, 0], 8);
	const plte = Buffer.from(palette.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
	return Buffer.concat([SIGNATURE, chunk("IHDR", head), chunk("PLTE", plte), chunk("IDAT", deflateSync(rows, { level: 9 })),
		chunk("IEND", Buffer.alloc(0))]);
}
