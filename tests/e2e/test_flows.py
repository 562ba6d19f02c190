# SPDX-License-Identifier: GPL-2.0-or-later
"""What weir knows of each connection beside its bytes."""

import socket
import time
import unittest

import harness
from harness import Daemon, Held, generate


class Flows(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.daemon = cls.enterClassContext(Daemon())

	def row(self, truths, role, flows=None):
		t = next(t for t in truths if t["role"] == role)
		rows = [r for r in (flows or self.daemon.rows("flows")) if r["cookie"] == t["cookie"]]
		self.assertEqual(len(rows), 1, f"{role} {t['cookie']}: {rows}")
		return rows[0]

	def ended(self, case):
		"""Runs the case; its truth and a function role -> row."""
		truths = generate("run", case).of(case)
		flows = self.daemon.rows("flows")
		return truths, lambda role: self.row(truths, role, flows)

	# who and how

	def test_who_connected_and_who_accepted(self):
		for family in ("tcp4", "tcp6"):
			with Held("run", f"{family}-write", "--hold") as held:
				truths = held.truth.of(f"{family}-write", "held")
				flows = self.daemon.rows("flows")
				client, server = self.row(truths, "tx", flows), self.row(truths, "rx", flows)
				self.assertEqual((client["role"], server["role"]), ("client", "server"))
				self.assertEqual((client["state"], server["state"]), ("established", "established"))
				self.assertEqual((client["local_port"], client["peer_port"]),
						 (server["peer_port"], server["local_port"]))
				address = "127.0.0.1" if family == "tcp4" else "::1"
				for row in (client, server):
					self.assertEqual((row["local_address"], row["peer_address"]), (address, address))
					self.assertEqual(row["type"], "ipv4" if family == "tcp4" else "ipv6")
					self.assertEqual((row["scope"], row["path"], row["transport"]), ("local", "stack", "tcp"))
					self.assertIsNone(row["closed_at"])
				self.assertGreater(client["connect_us"], 0)
				self.assertLess(client["connect_us"], 1_000_000)
				self.assertIsNone(server["connect_us"])

	def test_round_trip_time_and_windows(self):
		with Held("run", "tcp4-large", "--hold") as held:
			row = self.row(held.truth.of("tcp4-large", "held"), "tx")
			self.assertGreater(row["srtt_us"], 0)
			self.assertLess(row["srtt_us"], 1_000_000)
			self.assertGreater(row["cwnd"], 0)
			self.assertGreater(row["snd_buf_bytes"], 0)
			self.assertGreater(row["rcv_wnd_bytes"], 0)

	def test_udp(self):
		with Held("run", "udp4-send", "--hold") as held:
			truths = held.truth.of("udp4-send", "held")
			row = self.row(truths, "tx")
			self.assertEqual((row["transport"], row["state"]), ("udp", "open"))
			self.assertEqual(row["peer_address"], "127.0.0.1")
			self.assertTrue(row["peer_port"])

	def test_network_namespace(self):
		with Held("run", "tcp4-write", "--hold", "--netns") as held:
			truths = held.truth.of("tcp4-write", "held")
			row = self.row(truths, "tx")
			pid = truths[0]["pid"]
			inode = int(harness.os.readlink(f"/proc/{pid}/ns/net").split("[")[1].rstrip("]"))
			self.assertEqual(row["netns"], inode)
			process = next(r for r in self.daemon.rows("processes") if r["pid"] == row["pid"])
			self.assertEqual(process["netns"], inode)

	def test_a_redirected_connection_is_called_spliced(self):
		with Held("run", "tcp4-sockmap", "--hold") as held:
			truths = held.truth.of("tcp4-sockmap", "held")
			flows = self.daemon.rows("flows")
			self.assertEqual(self.row(truths, "tx", flows)["path"], "spliced")
			self.assertEqual(self.row(truths, "rx", flows)["path"], "spliced")

	# how it ended

	def test_closed_in_order(self):
		_, row = self.ended("tcp4-write")
		self.assertEqual((row("tx")["close_reason"], row("rx")["close_reason"]), ("normal", "normal"))
		self.assertIsNotNone(row("tx")["closed_at"])
		self.assertEqual(row("tx")["state"], "closed")

	def test_reset_for_unread_bytes(self):
		_, row = self.ended("tcp4-unread")
		self.assertEqual(row("rx")["close_reason"], "reset_sent")
		self.assertEqual(row("tx")["close_reason"], "reset_received")
		self.assertEqual((row("rx")["reset"], row("tx")["reset"]), ("sent", "received"))
		# Arrived is one thing, read another.
		self.assertEqual((row("rx")["wire_rx_bytes"], row("rx")["rx_bytes"]), (20000, 5000))

	def test_aborted(self):
		_, row = self.ended("tcp4-linger")
		self.assertIn(row("tx")["close_reason"], ("reset_sent", "aborted"))
		self.assertEqual(row("rx")["close_reason"], "reset_received")

	def test_refused(self):
		for family in ("tcp4", "tcp6"):
			_, row = self.ended(f"{family}-refused")
			self.assertEqual(row("tx")["close_reason"], "refused")
			self.assertEqual((row("tx")["tx_bytes"], row("tx")["rx_bytes"]), (0, 0))

	def test_never_answered(self):
		_, row = self.ended("tcp4-unanswered")
		self.assertEqual(row("tx")["close_reason"], "timeout")
		self.assertIsNone(row("tx")["connect_us"])

	def test_went_deaf(self):
		_, row = self.ended("tcp4-deaf")
		self.assertEqual(row("tx")["close_reason"], "timeout")
		self.assertGreater(row("tx")["retransmits"], 0)
		if row("tx")["timeouts"] is None:
			self.skipTest("kernels before 6.7 do not count timeouts")
		self.assertGreater(row("tx")["timeouts"], 0)

	def test_lost_and_sent_again(self):
		truths, row = self.ended("tcp4-again")
		sender = row("tx")
		self.assertGreater(sender["retransmits"], 0)
		self.assertGreater(sender["retransmitted_bytes"], 0)
		self.assertEqual(sender["wire_tx_bytes"], 51000)
		self.assertEqual(sender["tx_bytes"], 51000)
		pid = next(t["pid"] for t in truths if t["role"] == "tx")
		process = next(r for r in self.daemon.rows("processes") if r["pid"] == pid)
		self.assertGreaterEqual(process["retransmits"], sender["retransmits"])

	def test_a_socket_that_connects_twice_is_two_flows(self):
		truths = generate("run", "tcp4-reconnect").of("tcp4-reconnect")
		cookie = next(t["cookie"] for t in truths if t["transport"] == "tcp" and t["tx_bytes"] == 15000)
		rows = [r for r in self.daemon.rows("flows") if r["cookie"] == cookie]
		self.assertEqual(sum(r["tx_bytes"] for r in rows), 15000)
		self.assertEqual(sum(r["rx_bytes"] for r in rows), 7500)

	# what holds it up

	def test_a_listener_that_does_not_accept(self):
		with socket.socket() as listener:
			listener.bind(("127.0.0.1", 0))
			listener.listen(1)
			clients = []
			try:
				for _ in range(8):
					s = socket.socket()
					s.setblocking(False)
					s.connect_ex(listener.getsockname())
					clients.append(s)
				time.sleep(0.1)
				port = listener.getsockname()[1]
				row = harness.wait_until("backlog", lambda: next(
					(r for r in self.daemon.rows("flows", f"?filter=port:{port}")
					 if r["state"] == "listen" and r["listen_drops"]), None))
			finally:
				for s in clients:
					s.close()
			self.assertEqual(row["role"], "server")
			self.assertEqual(row["max_backlog"], 1)
			self.assertEqual(row["backlog"], 2) # the kernel takes one more than asked
			self.assertGreater(row["listen_drops"], 0)
			self.assertEqual(row["pid"], harness.os.getpid())

	def test_a_receiver_that_does_not_read(self):
		with socket.socket() as listener, socket.socket() as client:
			listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
			listener.bind(("127.0.0.1", 0))
			listener.listen(1)
			client.connect(listener.getsockname())
			server = listener.accept()[0]
			with server:
				client.setblocking(False)
				try:
					while client.send(b"x" * 65536):
						pass
				except BlockingIOError:
					pass
				time.sleep(0.4)
				port = client.getsockname()[1]
				row = next(r for r in self.daemon.rows("flows", f"?filter=port:{port}") if r["local_port"] == port)
				self.assertGreater(row["rwnd_limited_us"], 200_000)
				# Counted in jiffies, and all limits are part of it.
				self.assertGreaterEqual(row["busy_us"], row["rwnd_limited_us"])
				self.assertGreater(row["wmem_queued_bytes"], 0)
				server.settimeout(1)
				server.recv(1 << 20)

	def test_opens_and_closes_are_pushed_before_the_tick(self):
		"""An event of the stream brings the new flow, before any regular tick would."""
		connection = harness.UnixConnection(self.daemon.socket)
		connection.request("GET", "/api/v1/events?topics=flows")
		stream = connection.getresponse()
		self.assertEqual(stream.status, 200)
		late, early = [], 0
		try:
			stream.readline()
			time.sleep(1.1)
			for _ in range(40):
				if early and len(late) >= 5:
					break
				time.sleep(0.23)
				begun = time.monotonic()
				with socket.socket() as listener, socket.socket() as client:
					listener.bind(("127.0.0.1", 0))
					listener.listen(1)
					client.connect(listener.getsockname())
					port = f"\"local_port\":{client.getsockname()[1]},"
					line = b""
					while port.encode() not in line:
						line = stream.readline()
					late.append(time.monotonic() - begun)
					early += b'"tick":false' in line
		finally:
			connection.close()
		print(f"pushed: {1000 * sorted(late)[2]:.0f} ms after the connection, median of {len(late)}")
		self.assertGreater(early, 0, late)
