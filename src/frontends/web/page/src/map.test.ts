// SPDX-License-Identifier: GPL-2.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { Placer, STAY_TICKS } from "./map_layout";
import { MEAN_TICKS, MapModel, together } from "./map_model";
import { type Choice, Composer, LINKS_SHOWN, type Picture } from "./map_picture";
import type { Row } from "./model";

const flow = (more: Row = {}): Row => ({
	pid: 7, comm: "nginx", unit: "nginx.service", container_id: null, container_name: null, pod_name: null, role: "client",
	state: "established", transport: "tcp", local_port: 40000, peer_address: "10.0.0.8", peer_port: 443, peer_name: null,
	tx_bytes: 0, rx_bytes: 0, tx_bytes_per_second: 0, rx_bytes_per_second: 0, wire_tx_bytes: 0, retransmits: 0,
	retransmitted_bytes: 0, timeouts: 0, srtt_us: null, reset: null, close_reason: null, ...more,
});

const choice = (more: Partial<Choice> = {}): Choice => ({
	limit: LINKS_SHOWN, hidden: new Set(), pinned: new Set(), errors: false, ...more,
});

const BOX = { width: 1000, height: 460, x: [200, 500, 800] as [number, number, number], bar: 10 };

const only = (m: MapModel) => {
	assert.equal(m.links.size, 1);
	return [...m.links.values()][0];
};

test("flows of one program with one peer are one link, by the port of the server's side", () => {
	const m = new MapModel();
	m.put("1", flow({ tx_bytes_per_second: 100, tx_bytes: 1000 }));
	m.put("2", flow({ tx_bytes_per_second: 50, rx_bytes_per_second: 5, local_port: 40001, pid: 8 }));
	m.tick();
	const l = only(m);
	assert.deepEqual(l.nodes.map((n) => n.id), ["process:nginx", "unit:nginx.service", "to:10.0.0.8:443"]);
	assert.deepEqual([l.tx, l.rx, l.flows, l.open, l.tx_bytes, l.pids.size], [150, 5, 2, 2, 1000, 2]);
	const old = new MapModel();
	old.put("1", flow({ role: null, local_port: 5432, peer_port: 51000 }));
	assert.equal(only(old).nodes[2].id, "from:10.0.0.8:5432", "without a role the ports tell");
	const served = new MapModel();
	served.put("1", flow({ role: "server", local_port: 80, peer_port: 51000, container_name: "web" }));
	assert.deepEqual(only(served).nodes.map((n) => n.id), ["process:nginx", "container:web", "from:10.0.0.8:80"]);
});

test("what could not be kept apart is in the sums and at the foot of each column, and no node", () => {
	const m = new MapModel();
	const peer: Row = { program: "other", uid: 5, unit: "x", role: "client", peer_address: "10.0.0.8", port: 443, tx_bytes: 10, rx_bytes: 0 };
	m.load([peer, { program: "other", uid: null, unit: null, role: null, peer_address: null, port: null, tx_bytes: 90, rx_bytes: 0, retransmits: 80 }]);
	const p = new Composer().compose(m.links.values(), choice(), 0);
	assert.deepEqual([p.known, p.summed, p.failing, p.tx], [1, 0, 0, 100]);
	assert.deepEqual(p.columns.map((c) => c.map((n) => [n.id, n.tx, n.count])), [
		[["process:other", 10, 1], ["other0", 90, 0]], [["unit:x", 10, 1], ["other1", 90, 0]], [["to:10.0.0.8:443", 10, 1], ["other2", 90, 0]],
	]);
});

test("who only listens is no link, and a peer whose name becomes known moves", () => {
	const m = new MapModel();
	m.put("l", flow({ state: "listen" }));
	assert.equal(m.links.size, 0);
	m.put("1", flow({ tx_bytes_per_second: 100 }));
	m.put("1", flow({ tx_bytes_per_second: 100, peer_name: "db.internal" }));
	const [old, named] = [...m.links.values()];
	assert.deepEqual([old.now_tx, old.flows], [0, 0]);
	assert.equal(named.nodes[2].id, "to:db.internal:443");
	assert.deepEqual([named.now_tx, named.flows], [100, 1]);
});

test("who receives from peers that are not told apart is on the map, and who is merely open is not", () => {
	const m = new MapModel();
	const open = flow({ comm: "statsd", role: null, transport: "udp", state: "open", local_port: 8125, peer_address: null, peer_port: null });
	m.put("1", open);
	assert.equal(m.links.size, 0, "it has moved nothing yet");
	m.put("1", { ...open, rx_bytes: 600, rx_bytes_per_second: 600 });
	m.tick();
	const { nodes, rx } = only(m);
	assert.deepEqual([nodes[2].id, nodes[2].name, nodes[2].role, nodes[2].port, rx], ["from::8125", "", "server", 8125, 600]);
	m.put("1", { ...open, rx_bytes: 600, peer_name: "other" });
	assert.equal([...m.links.values()].pop()!.nodes[2].id, "from::8125", "the rest beyond those that are told apart is the same");
	m.load([{ program: "statsd", uid: 0, role: "client", peer_name: "other", peer_address: null, port: null, tx_bytes: 0, rx_bytes: 9 }]);
	assert.deepEqual([only(m).nodes[2].id, only(m).nodes[2].role], ["to::0", ""]);
});

const lost = (more: Row = {}): Row => ({
	pid: 9, netns: 1, packets_per_second: 150, sample: "udp 127.0.0.1:42893 > 127.0.0.1:8125 len 628", ...more,
});

test("packets that find no room at a socket mark who receives them and who sends them, and nobody else", () => {
	const m = new MapModel();
	const udp = (more: Row) => flow({ role: null, transport: "udp", state: "open", netns: 1, rx_bytes: 1, ...more });
	m.put("r", udp({ pid: 9, comm: "statsd", local_port: 8125, peer_address: null, peer_port: null }));
	m.put("s", udp({ comm: "push", local_port: 42893, peer_address: "127.0.0.1", peer_port: 8125, peer_name: "localhost" }));
	m.put("a", udp({ comm: "apart", local_port: 42893, peer_address: "127.0.0.1", peer_port: 8125, netns: 2 }));
	m.put("t", flow({ pid: 9, comm: "statsd", local_port: 8125, role: "server", netns: 1 }));
	m.put("d", udp({ pid: 9, comm: "statsd", local_port: 40001, peer_address: "10.0.0.2", peer_port: 53 }));
	const levels = () => Object.fromEntries([...m.links.values()].map((l) => [l.nodes[0].name + l.nodes[2].id, l.health.level]));
	m.lose([lost({ packets_per_second: 100 }), lost({ packets_per_second: 50, sample: "udp 10.0.0.3:9 > 127.0.0.1:8125 len 628" })]);
	assert.deepEqual(levels(), {
		"statsdfrom::8125": 2, "pushto:localhost:8125": 2, "apartto:127.0.0.1:8125": 0, "statsdfrom:10.0.0.8:8125": 0, "statsdto:10.0.0.2:53": 0,
	});
	assert.deepEqual(together(m.links.values()).causes, [{ kind: "lost", n: 150, usual: 0 }], "the same packets are not counted twice");
	m.lose([lost({ sample: null }), lost({ sample: "tcp 10.0.0.8:9 > 10.0.0.1:8125 len 60" }), lost({ sample: "unix len 64" })]);
	for (let i = 0; i < 20; i++)
		m.tick();
	assert.deepEqual(new Set(Object.values(levels())), new Set([0]), "and it passes");
	m.put("6", udp({ pid: 10, local_port: 53, peer_address: null }));
	m.lose([lost({ pid: 10, sample: "udp [2001:db8::1]:9 > [2001:db8::2]:53 len 60" })]);
	assert.equal(levels()["nginxfrom::53"], 2);
});

test("what is wrong is shown a while longer, so that it does not come and go", () => {
	const m = new MapModel();
	m.put("1", flow());
	const seen: number[] = [];
	for (let i = 0; i < 40; i++) {
		/* A second with losses, two without, and then none any more. */
		m.put("1", flow({ local_port: 8125, transport: "udp", pid: 9 }));
		m.lose(i < 20 && i % 3 === 0 ? [lost()] : []);
		m.tick();
		seen.push(only(m).health.level);
	}
	assert.deepEqual(seen.slice(0, 20), new Array(20).fill(2));
	assert.equal(seen[39], 0);
});

test("a program's round trip is that of its slowest open connection", () => {
	const m = new MapModel();
	m.put("1", flow({ srtt_us: 300 }));
	m.put("2", flow({ srtt_us: 90800 }));
	m.put("3", flow({ srtt_us: 99999, state: "close" }));
	m.put("4", flow({ comm: "else", srtt_us: 200000 }));
	const own = [...m.links.values()].filter((l) => l.nodes[0].name === "nginx");
	assert.equal(m.slowest(own), 90800);
	assert.equal(m.slowest([]), 0);
});

test("a width is the mean of the last ticks", () => {
	const m = new MapModel();
	const seen: number[] = [];
	for (const tx of [100, 0, 0, 0, 0, 0, 50]) {
		m.put("1", flow({ tx_bytes_per_second: tx }));
		m.tick();
		seen.push(Math.round(only(m).tx * 10) / 10);
	}
	assert.equal(MEAN_TICKS, 5);
	assert.deepEqual(seen, [100, 50, 33.3, 25, 20, 0, 10]);
});

test("incremental sums equal sums made anew, whatever came and went", () => {
	const m = new MapModel();
	const rows = new Map<string, Row>();
	let seed = 5;
	const random = (n: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
	for (let i = 0; i < 5000; i++) {
		const key = String(random(200));
		if (random(4) === 0) {
			m.remove(key);
			rows.delete(key);
			continue;
		}
		const row = flow({
			comm: "p" + random(5), peer_address: "10.0.0." + random(6), tx_bytes_per_second: random(1000),
			rx_bytes_per_second: random(1000), tx_bytes: random(1e6), retransmits: random(5),
			close_reason: random(9) ? null : "refused", srtt_us: random(3) ? random(1000) + 1 : null,
		});
		m.put(key, row);
		rows.set(key, row);
	}
	const fresh = new MapModel();
	for (const [key, row] of rows)
		fresh.put(key, row);
	for (const [id, l] of fresh.links) {
		const other = m.links.get(id)!;
		for (const name of ["now_tx", "now_rx", "flows", "open", "tx_bytes", "retransmits", "srtt_us", "srtts"] as const)
			assert.equal(other[name], l[name], `${id} ${name}`);
		assert.equal(other.faults.get("refused") ?? 0, l.faults.get("refused") ?? 0);
		assert.deepEqual(new Map([...other.pids].sort()), new Map([...l.pids].sort()));
	}
	for (const [id, l] of m.links)
		assert.ok(fresh.links.has(id) || (l.flows === 0 && l.now_tx === 0 && l.pids.size === 0), id);
});

test("health: what failed, what is sent again, what is slower than usual", () => {
	const m = new MapModel();
	m.put("1", flow({ close_reason: "refused", state: "closed" }));
	assert.deepEqual(only(m).health, { level: 2, causes: [{ kind: "refused", n: 1, usual: 0 }] });
	const again = new MapModel();
	again.put("1", flow({ wire_tx_bytes: 1e9, retransmits: 5000, retransmitted_bytes: 9e8 }));
	again.tick();
	assert.equal(only(again).health.level, 0, "what was before does not count");
	again.put("1", flow({ wire_tx_bytes: 1e9 + 98000, retransmits: 5004, retransmitted_bytes: 9e8 + 2000 }));
	assert.equal(only(again).health.level, 1);
	assert.equal(only(again).health.causes[0].n, 2);
	for (let i = 0; i < 60; i++)
		again.tick();
	assert.equal(only(again).health.level, 0, "and it passes");
	const slow = new MapModel();
	for (let i = 0; i < 40; i++) {
		slow.put("1", flow({ srtt_us: 10000 }));
		slow.tick();
	}
	assert.equal(only(slow).health.level, 0);
	slow.put("1", flow({ srtt_us: 90000 }));
	const { level, causes } = only(slow).health;
	assert.equal(level, 1);
	assert.deepEqual([causes[0].kind, causes[0].n, Math.round(causes[0].usual)], ["slow", 90000, 10000]);
});

test("a span's rows are bytes, and their retransmits are judged by full segments", () => {
	const m = new MapModel();
	m.load([
		{ program: "nginx", unit: "nginx.service", container_name: null, role: "client", peer_name: "db", peer_address: "10.0.0.1",
			port: 5432, tx_bytes: 1e6, rx_bytes: 5, connections: 3, retransmits: 40 },
		{ program: "nginx", unit: "nginx.service", container_name: null, role: "client", peer_name: "db", peer_address: "10.0.0.2",
			port: 5432, tx_bytes: 1e6, rx_bytes: 5, connections: 1, retransmits: 0 },
	]);
	const l = only(m);
	assert.deepEqual([l.tx, l.rx, l.connections, l.retransmits], [2e6, 10, 4, 40]);
	assert.equal(l.health.level, 1);
});

test("in a span, what was sent again more than once a minute is told, however small a share it is", () => {
	const row = (retransmits: number, more: Row = {}): Row => ({
		program: "ingest", uid: 0, role: "client", peer_address: "10.71.0.2", port: 9000, tx_bytes: 8.5e9, rx_bytes: 0, retransmits,
		first_seen: "2026-11-23T13:39:09Z", last_seen: "2026-11-23T14:00:00Z", ...more,
	});
	const from_ms = Date.parse("2026-11-23T13:45:00Z");
	const health = (...rows: Row[]) => {
		const m = new MapModel();
		m.load(rows, from_ms);
		return only(m).health;
	};
	assert.deepEqual(health(row(70)), { level: 1, causes: [{ kind: "again", n: 70, usual: 0 }] });
	assert.equal(health(row(15)).level, 1, "since the span begins, and not since it is known");
	assert.equal(health(row(14)).level, 0);
	assert.equal(health(row(2, { first_seen: "2026-11-23T13:59:50Z" })).level, 0, "one or two are no news");
	assert.deepEqual(health(row(70), row(30)).causes.map((c) => c.n), [100]);
});

function crowd(programs: number, peers: number): MapModel {
	const m = new MapModel();
	for (let i = 0; i < programs * peers; i++)
		m.put(String(i), flow({
			pid: i, comm: "p" + (i % programs), unit: `u${i % (programs >> 1 || 1)}.service`,
			peer_address: `10.0.${i % peers}.1`, tx_bytes_per_second: 1e6 / (i + 1), rx_bytes_per_second: 10,
		}));
	m.tick();
	return m;
}

const totals = (p: Picture) => p.links.reduce((n, l) => n + l.tx + l.rx, 0);

test("the widest are drawn, the rest is summed and nothing is missing", () => {
	const m = crowd(30, 20);
	const p = new Composer().compose(m.links.values(), choice(), m.ticks);
	assert.equal(p.known, m.links.size);
	assert.equal(p.links.filter((l) => l.of.length === 1 && l.ends.every((e) => e.node)).length, LINKS_SHOWN);
	assert.equal(p.summed, p.known - LINKS_SHOWN);
	assert.ok(Math.abs(totals(p) - p.tx - p.rx) < 1e-6);
	for (const column of p.columns)
		assert.ok(column.slice(0, -1).every((n) => n.node), "other stands at the foot");
	for (const n of p.columns[0]) {
		const drawn = p.links.filter((l) => l.ends[0] === n).reduce((s, l) => s + l.tx + l.rx, 0);
		assert.ok(Math.abs(drawn - n.tx - n.rx) < 1e-6, `${n.id}: what a program moves is all drawn`);
	}
	assert.ok(p.links.length <= 3 * LINKS_SHOWN);
	const more = new Composer().compose(m.links.values(), choice({ limit: 300 }), m.ticks);
	assert.equal(more.known - more.summed, Math.min(300, more.known));
});

test("hidden nodes are in no sum, pinned ones are drawn and stand first, errors only leaves what failed", () => {
	const m = crowd(30, 20);
	m.put("x", flow({ comm: "tiny", unit: null, close_reason: "refused", state: "closed", peer_address: "10.9.9.9" }));
	m.tick();
	const plain = new Composer().compose(m.links.values(), choice(), m.ticks);
	assert.ok(plain.columns[0].some((n) => n.id === "process:tiny"), "what failed is drawn however little it moves");
	const hidden = new Composer().compose(m.links.values(), choice({ hidden: new Set(["process:p0"]) }), m.ticks);
	assert.ok(!hidden.columns[0].some((n) => n.id === "process:p0"));
	assert.ok(hidden.tx < plain.tx);
	const pinned = new Composer().compose(m.links.values(), choice({ pinned: new Set(["process:p29"]) }), m.ticks);
	assert.equal(pinned.columns[0][0].id, "process:p29");
	const errors = new Composer().compose(m.links.values(), choice({ errors: true }), m.ticks);
	assert.deepEqual(errors.columns.map((c) => c.map((n) => n.id)), [["process:tiny"], ["host"], ["to:10.9.9.9:443"]]);
});

test("places stay while values change, and order is by identity", () => {
	const m = crowd(8, 4);
	const composer = new Composer();
	const placer = new Placer();
	const first = placer.place(composer.compose(m.links.values(), choice(), m.ticks), BOX);
	for (let round = 0; round < 30; round++) {
		for (let i = 0; i < 32; i++)
			m.put(String(i), flow({
				pid: i, comm: "p" + (i % 8), unit: `u${i % 4}.service`, peer_address: `10.0.${i % 4}.1`,
				tx_bytes_per_second: (1e6 / (i + 1)) * (0.85 + 0.3 * ((round * 7 + i * 3) % 10) / 10), rx_bytes_per_second: 10,
			}));
		m.tick();
		const now = placer.place(composer.compose(m.links.values(), choice(), m.ticks), BOX);
		assert.deepEqual(now.nodes.map((n) => [n.at.id, n.x, n.y, n.height]), first.nodes.map((n) => [n.at.id, n.x, n.y, n.height]));
	}
});

test("whatever grows, places are given anew at most once in STAY_TICKS, and the last growth gets its room", () => {
	const m = crowd(8, 4);
	const composer = new Composer();
	const placer = new Placer();
	const put = (i: number, tx: number) => m.put(String(i), flow({
		pid: i, comm: "p" + (i % 8), unit: `u${i % 4}.service`, peer_address: `10.0.${i % 4}.1`, tx_bytes_per_second: tx,
	}));
	const look = () => {
		const layout = placer.place(composer.compose(m.links.values(), choice(), m.ticks), BOX);
		for (const n of layout.nodes)
			assert.ok(n.bar_height <= n.height, `${n.at.id}: ${n.bar_height} in ${n.height}`);
		return layout;
	};
	m.tick();
	let { epoch } = look();
	let given = -Infinity;
	let times = 0;
	for (let round = 0; round < 200; round++) {
		/* One after the other takes nearly all. */
		for (let i = 0; i < 32; i++)
			put(i, i === (round >> 1) % 32 ? 1e8 * (1 + (round % 7)) : 1000 * (1 + ((round * 5 + i) % 11)));
		m.tick();
		/* A look that is no tick, as when the pointer moves, changes nothing. */
		const now = look();
		assert.equal(look().epoch, now.epoch);
		if (now.epoch === epoch)
			continue;
		assert.equal(now.epoch, epoch + 1);
		assert.ok(round - given >= STAY_TICKS, `again after ${round - given} ticks`);
		({ epoch } = now);
		given = round;
		times++;
	}
	assert.ok(times > 3, "such growth does need new places");
	for (let round = 0; round < 2 * STAY_TICKS; round++) {
		m.tick();
		look();
	}
	const thick = look().links.reduce((n, l) => n + l.thickness, 0);
	const fresh = new Placer().place(composer.compose(m.links.values(), choice(), m.ticks), BOX).links.reduce((n, l) => n + l.thickness, 0);
	assert.ok(thick > 0.3 * fresh, `${thick} of ${fresh}`);
});

test("slots hold their bars, nothing overlaps, what grows gets room", () => {
	const m = crowd(30, 20);
	const composer = new Composer();
	const placer = new Placer();
	const check = () => {
		const layout = placer.place(composer.compose(m.links.values(), choice(), m.ticks), BOX);
		for (const x of BOX.x) {
			const column = layout.nodes.filter((n) => n.x === x).sort((a, b) => a.y - b.y);
			column.forEach((n, i) => {
				assert.ok(n.bar_height <= n.height, `${n.at.id}: ${n.bar_height} in ${n.height}`);
				assert.ok(!i || column[i - 1].y + column[i - 1].height <= n.y + 1e-9);
				assert.ok(n.y + n.height <= layout.height + 1e-9);
			});
		}
		for (const l of layout.links)
			assert.doesNotMatch(l.tx + l.rx + l.line, /NaN|undefined|Infinity/);
	};
	check();
	m.put("big", flow({ comm: "big", tx_bytes_per_second: 5e7 }));
	for (let i = 0; i < 8; i++) {
		m.tick();
		check();
	}
	m.clear();
	m.tick();
	assert.deepEqual(composer.compose(m.links.values(), choice(), 0).links, []);
	check();
});

test("many links that move nothing are together thinner than one that moves something", () => {
	const m = new MapModel();
	m.put("big", flow({ comm: "big", tx_bytes_per_second: 3e7 }));
	m.put("push", flow({ comm: "push", peer_address: "10.0.0.7", tx_bytes_per_second: 2000, rx_bytes_per_second: 10 }));
	for (let i = 0; i < 4; i++)
		m.put(`still${i}`, flow({ comm: "still", peer_address: `10.0.1.${i}` }));
	m.tick();
	const { nodes } = new Placer().place(new Composer().compose(m.links.values(), choice(), m.ticks), BOX);
	const height = (id: string) => nodes.find((n) => n.at.id === id)!.bar_height;
	assert.ok(height("process:still") < height("process:push"), `${height("process:still")} ${height("process:push")}`);
});

/* Time is checked where nothing else is (make bench-check), against one walk over the same links as JSON in the same rounds. */
test("10,000 nodes: what is drawn is bounded, and a second of it costs little", () => {
	const m = new MapModel();
	const rows: Row[] = [];
	for (let i = 0; i < 20000; i++)
		rows.push(flow({ pid: i, comm: "p" + (i % 5000), unit: `u${i % 1000}.service`, peer_address: `10.${i % 16}.${i % 250}.1`,
			tx_bytes_per_second: 1e6 / (i + 1) }));
	rows.forEach((r, i) => m.put(String(i), r));
	const composer = new Composer();
	const placer = new Placer();
	const layouts: number[] = [];
	const seconds: number[] = [];
	const floors: number[] = [];
	for (let round = 0; round < 30; round++) {
		const start = performance.now();
		for (let i = 0; i < 1000; i++)
			m.put(String(i), { ...rows[i], tx_bytes_per_second: 1e6 / (i + 1 + (round % 3)) });
		m.tick();
		const p = composer.compose(m.links.values(), choice({ limit: 300 }), m.ticks);
		const middle = performance.now();
		const placed = placer.place(p, BOX);
		const placed_at = performance.now();
		assert.ok(JSON.stringify(rows).length > 0);
		floors.push(performance.now() - placed_at);
		layouts.push(placed_at - middle);
		seconds.push(middle - start);
		assert.ok(p.links.length <= 3 * 301, `${p.links.length} links`); /* and "all others" */
		assert.equal(placed.nodes.length, p.columns.flat().length);
	}
	/* The best of all rounds: others may have the processor in the rest. */
	const [second, layout, floor] = [seconds, layouts, floors].map((all) => Math.min(...all));
	console.log(`# ${m.links.size} links: ${second.toFixed(1)} ms a second, layout ${layout.toFixed(1)} ms, floor ${floor.toFixed(1)} ms`);
	if (process.env.WEIR_BENCH_CHECK) {
		assert.ok(layout < floor / 5, `the layout: ${layout} ms, floor ${floor} ms`);
		assert.ok(second < 2 * floor, `a second: ${second} ms, floor ${floor} ms`);
	}
});
