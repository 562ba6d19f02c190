// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_fields.h"

#include "core/declare.h"

/* The one declaration of every number that this feature shows. */

#define PID_MAX 4194304 /* PID_MAX_LIMIT, include/linux/threads.h */

static const struct weir_field process_fields[] = {
	FIELD(PROCESS_PID, "pid", "PID", UINT, NONE, KEY | COLUMN, "Process id, of the whole thread group.",
	      .max = PID_MAX),
	FIELD(PROCESS_START_TIME_NS, "start_time_ns", "START", UINT, NANOSECONDS, KEY,
	      "When the process started, since boot: tells a reused pid from the one before."),
	FIELD(PROCESS_COMM, "comm", "COMMAND", TEXT, NONE, COLUMN, "Name of the group leader.", .filter = "process"),
	FIELD(PROCESS_EXE, "exe", "EXE", TEXT, NONE, 0, "Path of the executable, as the kernel has it.",
	      .filter = "process"),
	FIELD(PROCESS_UID, "uid", "UID", UINT, NONE, 0, "Effective user id.", .max = UINT32_MAX),
	FIELD(PROCESS_USER, "user", "USER", TEXT, NONE, COLUMN, "Name of that user, when the host knows one.",
	      .filter = "user"),
	FIELD(PROCESS_CGROUP, "cgroup", "CGROUP", TEXT, NONE, 0, "Path of the control group."),
	FIELD(PROCESS_UNIT, "unit", "UNIT", TEXT, NONE, COLUMN, "The systemd unit that the control group belongs to.",
	      .filter = "unit"),
	FIELD(PROCESS_CONTAINER_ID, "container_id", "CONTAINER", TEXT, NONE, COLUMN,
	      "Id of the container that the control group belongs to.", .filter = "container",
	      .named_by = "container_name"),
	FIELD(PROCESS_CONTAINER_NAME, "container_name", "CONTAINER NAME", TEXT, NONE, 0,
	      "Name of that container, when its runtime tells.", .filter = "container"),
	FIELD(PROCESS_POD_NAME, "pod_name", "POD", TEXT, NONE, 0,
	      "The Kubernetes pod: its name when known, its uid from the control group otherwise.", .filter = "pod"),
	FIELD(PROCESS_POD_NAMESPACE, "pod_namespace", "NAMESPACE", TEXT, NONE, 0, "The pod's namespace."),
	FIELD(PROCESS_NETNS, "netns", "NETNS", UINT, NONE, 0, "Inode of the network namespace.",
	      .max = UINT32_MAX),
	FIELD(PROCESS_STATE, "state", "STATE", TEXT, NONE, COLUMN, "running or exited.",
	      .words = "running exited"),
	FIELD(PROCESS_TX_BYTES, "tx_bytes", "SENT", UINT, BYTES, COLUMN,
	      "Bytes that the process handed to IP sockets, each once.", .filter = "sent"),
	FIELD(PROCESS_RX_BYTES, "rx_bytes", "RECEIVED", UINT, BYTES, COLUMN,
	      "Bytes that the process took from IP sockets, each once.", .filter = "received"),
	FIELD(PROCESS_TX_BYTES_PER_SECOND, "tx_bytes_per_second", "SENT/S", UINT, BYTES_PER_SECOND, COLUMN,
	      "Bytes sent in the last second."),
	FIELD(PROCESS_RX_BYTES_PER_SECOND, "rx_bytes_per_second", "RECEIVED/S", UINT, BYTES_PER_SECOND, COLUMN,
	      "Bytes received in the last second."),
	FIELD(PROCESS_BEFORE_TX_BYTES, "before_tx_bytes", "SENT BEFORE", UINT, BYTES, 0,
	      "What TCP's counters prove was sent on its sockets before weir saw them."),
	FIELD(PROCESS_BEFORE_RX_BYTES, "before_rx_bytes", "RECEIVED BEFORE", UINT, BYTES, 0,
	      "What TCP's counters prove was received on its sockets before weir saw them."),
	FIELD(PROCESS_CONNECTIONS_OPEN, "connections_open", "OPEN", UINT, COUNT, COLUMN, "Sockets open now."),
	FIELD(PROCESS_CONNECTIONS_TOTAL, "connections_total", "TOTAL", UINT, COUNT, 0, "Sockets seen so far."),
	FIELD(PROCESS_RETRANSMITS, "retransmits", "RETRANS", UINT, SEGMENTS, COLUMN, "TCP segments sent again.",
	      .filter = "retrans"),
	FIELD(PROCESS_SRTT_US, "srtt_us", "RTT", UINT, MICROSECONDS, COLUMN,
	      "Smoothed round-trip time of its slowest open TCP connection.", .filter = "rtt"),
	FIELD(PROCESS_TCP_TX_BYTES, "by_transport.tcp.tx_bytes", "TCP SENT", UINT, BYTES, 0, "Sent over TCP."),
	FIELD(PROCESS_TCP_RX_BYTES, "by_transport.tcp.rx_bytes", "TCP RECEIVED", UINT, BYTES, 0, "Received over TCP."),
	FIELD(PROCESS_UDP_TX_BYTES, "by_transport.udp.tx_bytes", "UDP SENT", UINT, BYTES, 0, "Sent over UDP."),
	FIELD(PROCESS_UDP_RX_BYTES, "by_transport.udp.rx_bytes", "UDP RECEIVED", UINT, BYTES, 0, "Received over UDP."),
	FIELD(PROCESS_MPTCP_TX_BYTES, "by_transport.mptcp.tx_bytes", "MPTCP SENT", UINT, BYTES, 0,
	      "Sent over Multipath TCP."),
	FIELD(PROCESS_MPTCP_RX_BYTES, "by_transport.mptcp.rx_bytes", "MPTCP RECEIVED", UINT, BYTES, 0,
	      "Received over Multipath TCP."),
	FIELD(PROCESS_UNIX_TX_BYTES, "by_transport.unix.tx_bytes", "UNIX SENT", UINT, BYTES, 0,
	      "Sent over Unix sockets; not part of tx_bytes."),
	FIELD(PROCESS_UNIX_RX_BYTES, "by_transport.unix.rx_bytes", "UNIX RECEIVED", UINT, BYTES, 0,
	      "Received over Unix sockets; not part of rx_bytes."),
	FIELD(PROCESS_OTHER_TX_BYTES, "by_transport.other.tx_bytes", "OTHER SENT", UINT, BYTES, 0,
	      "Sent over other IP protocols."),
	FIELD(PROCESS_OTHER_RX_BYTES, "by_transport.other.rx_bytes", "OTHER RECEIVED", UINT, BYTES, 0,
	      "Received over other IP protocols."),
	FIELD(PROCESS_FIRST_SEEN, "first_seen", "FIRST SEEN", TIME, NONE, 0, "When it first used a socket."),
	FIELD(PROCESS_LAST_SEEN, "last_seen", "LAST SEEN", TIME, NONE, 0, "When its numbers last changed."),
};
_Static_assert(ARRAY_SIZE(process_fields) == _PROCESS_FIELD_MAX, "each index has its declaration");
_Static_assert(_PROCESS_FIELD_MAX <= WEIR_FIELDS_MAX, "one bit each");

static const struct weir_field flow_fields[] = {
	FIELD(FLOW_COOKIE, "cookie", "COOKIE", UINT, NONE, KEY, "The kernel's number for the socket, as ss -e shows it."),
	FIELD(FLOW_PID, "pid", "PID", UINT, NONE, COLUMN, "The process that uses it: the first that sent or received.",
	      .max = PID_MAX),
	FIELD(FLOW_COMM, "comm", "COMMAND", TEXT, NONE, COLUMN, "That process's name.", .filter = "process"),
	FIELD(FLOW_USER, "user", "USER", TEXT, NONE, 0, "That process's user.", .filter = "user"),
	FIELD(FLOW_UNIT, "unit", "UNIT", TEXT, NONE, 0, "That process's systemd unit.", .filter = "unit"),
	FIELD(FLOW_CONTAINER_ID, "container_id", "CONTAINER", TEXT, NONE, 0, "That process's container.",
	      .filter = "container", .named_by = "container_name"),
	FIELD(FLOW_CONTAINER_NAME, "container_name", "CONTAINER NAME", TEXT, NONE, 0, "That container's name.",
	      .filter = "container"),
	FIELD(FLOW_POD_NAME, "pod_name", "POD", TEXT, NONE, 0, "That process's pod.", .filter = "pod"),
	FIELD(FLOW_POD_NAMESPACE, "pod_namespace", "NAMESPACE", TEXT, NONE, 0, "The pod's namespace."),
	FIELD(FLOW_NETNS, "netns", "NETNS", UINT, NONE, 0, "Inode of the socket's network namespace.",
	      .max = UINT32_MAX),
	FIELD(FLOW_SCOPE, "scope", "SCOPE", TEXT, NONE, 0,
	      "local (both ends on this host), east_west (a private network) or north_south.",
	      .words = "local east_west north_south"),
	FIELD(FLOW_TRANSPORT, "transport", "PROTO", TEXT, NONE, COLUMN, "tcp, udp or mptcp.",
	      .words = "tcp udp mptcp"),
	FIELD(FLOW_TYPE, "type", "TYPE", TEXT, NONE, 0, "ipv4 or ipv6.", .words = "ipv4 ipv6"),
	FIELD(FLOW_ROLE, "role", "ROLE", TEXT, NONE, COLUMN, "client (connected), server (accepted or listens).",
	      .words = "client server"),
	FIELD(FLOW_LOCAL_ADDRESS, "local_address", "LOCAL", ADDRESS, NONE, COLUMN, "Local address.", .filter = "local"),
	FIELD(FLOW_LOCAL_PORT, "local_port", "LPORT", UINT, NONE, COLUMN | PORT, "Local port.", .filter = "port",
	      .max = UINT16_MAX),
	FIELD(FLOW_PEER_ADDRESS, "peer_address", "PEER", ADDRESS, NONE, KEY | COLUMN, "Peer's address.", .filter = "peer",
	      .named_by = "peer_name"),
	FIELD(FLOW_PEER_PORT, "peer_port", "PPORT", UINT, NONE, KEY | COLUMN | PORT, "Peer's port.", .filter = "port",
	      .max = UINT16_MAX),
	FIELD(FLOW_PEER_NAME, "peer_name", "PEER NAME", TEXT, NONE, 0, "Peer's name, when known.", .filter = "peer"),
	FIELD(FLOW_STATE, "state", "STATE", TEXT, NONE, COLUMN, "TCP's state; open or closed for UDP.",
	      .words = "established syn_sent syn_recv fin_wait1 fin_wait2 time_wait closed close_wait last_ack listen "
		       "closing open"),
	FIELD(FLOW_TX_BYTES, "tx_bytes", "SENT", UINT, BYTES, COLUMN, "Bytes handed to the socket, each once.",
	      .filter = "sent"),
	FIELD(FLOW_RX_BYTES, "rx_bytes", "RECEIVED", UINT, BYTES, COLUMN, "Bytes taken from the socket, each once.",
	      .filter = "received"),
	FIELD(FLOW_TX_BYTES_PER_SECOND, "tx_bytes_per_second", "SENT/S", UINT, BYTES_PER_SECOND, 0,
	      "Bytes sent in the last second."),
	FIELD(FLOW_RX_BYTES_PER_SECOND, "rx_bytes_per_second", "RECEIVED/S", UINT, BYTES_PER_SECOND, 0,
	      "Bytes received in the last second."),
	FIELD(FLOW_BEFORE_TX_BYTES, "before_tx_bytes", "SENT BEFORE", UINT, BYTES, 0,
	      "What TCP's counters prove was sent before weir saw the socket."),
	FIELD(FLOW_BEFORE_RX_BYTES, "before_rx_bytes", "RECEIVED BEFORE", UINT, BYTES, 0,
	      "What TCP's counters prove was received before weir saw the socket."),
	FIELD(FLOW_WIRE_TX_BYTES, "wire_tx_bytes", "WIRE SENT", UINT, BYTES, 0,
	      "Payload that TCP sent, retransmissions apart."),
	FIELD(FLOW_WIRE_RX_BYTES, "wire_rx_bytes", "WIRE RECEIVED", UINT, BYTES, 0, "Payload that arrived, read or not."),
	FIELD(FLOW_RETRANSMITS, "retransmits", "RETRANS", UINT, SEGMENTS, COLUMN, "Segments sent again.", .filter = "retrans"),
	FIELD(FLOW_RETRANSMITTED_BYTES, "retransmitted_bytes", "RETRANS BYTES", UINT, BYTES, 0, "Bytes sent again."),
	FIELD(FLOW_TIMEOUTS, "timeouts", "TIMEOUTS", UINT, COUNT, 0, "Retransmission timers that ran out; kernel 6.7 and newer."),
	FIELD(FLOW_SRTT_US, "srtt_us", "RTT", UINT, MICROSECONDS, COLUMN, "Smoothed round-trip time.", .filter = "rtt"),
	FIELD(FLOW_RTT_MIN_US, "rtt_min_us", "RTT MIN", UINT, MICROSECONDS, 0, "Smallest round-trip time of late."),
	FIELD(FLOW_CWND, "cwnd", "CWND", UINT, SEGMENTS, 0, "Congestion window."),
	FIELD(FLOW_SSTHRESH, "ssthresh", "SSTHRESH", UINT, SEGMENTS, 0, "Slow-start threshold; null while unlimited."),
	FIELD(FLOW_RCV_WND_BYTES, "rcv_wnd_bytes", "RCV WND", UINT, BYTES, 0, "Receive window that is offered."),
	FIELD(FLOW_SND_BUF_BYTES, "snd_buf_bytes", "SND BUF", UINT, BYTES, 0, "Send buffer's limit."),
	FIELD(FLOW_WMEM_QUEUED_BYTES, "wmem_queued_bytes", "QUEUED", UINT, BYTES, 0, "Memory queued for sending."),
	FIELD(FLOW_RWND_LIMITED_US, "rwnd_limited_us", "RWND LIM", UINT, MICROSECONDS, 0,
	      "Time that sending waited for the peer's receive window."),
	FIELD(FLOW_SNDBUF_LIMITED_US, "sndbuf_limited_us", "SNDBUF LIM", UINT, MICROSECONDS, 0,
	      "Time that sending waited for the send buffer."),
	FIELD(FLOW_BUSY_US, "busy_us", "BUSY", UINT, MICROSECONDS, 0, "Time with unacknowledged data."),
	FIELD(FLOW_RESET, "reset", "RESET", TEXT, NONE, 0, "sent, received or both, when a reset was seen.",
	      .words = "sent received both"),
	FIELD(FLOW_BACKLOG, "backlog", "BACKLOG", UINT, COUNT, 0, "Listeners: connections waiting for accept."),
	FIELD(FLOW_MAX_BACKLOG, "max_backlog", "MAX BACKLOG", UINT, COUNT, 0, "Listeners: how many may wait."),
	FIELD(FLOW_LISTEN_DROPS, "listen_drops", "LISTEN DROPS", UINT, COUNT, 0,
	      "Listeners: connections that were turned away, mostly for a full queue."),
	FIELD(FLOW_CONNECT_US, "connect_us", "CONNECT", UINT, MICROSECONDS, 0, "How long connecting took; clients only."),
	FIELD(FLOW_FIRST_SEEN, "first_seen", "FIRST SEEN", TIME, NONE, 0, "When weir first saw it."),
	FIELD(FLOW_LAST_SEEN, "last_seen", "LAST SEEN", TIME, NONE, 0, "When its numbers last changed."),
	FIELD(FLOW_CLOSED_AT, "closed_at", "CLOSED", TIME, NONE, 0, "When it was closed."),
	FIELD(FLOW_CLOSE_REASON, "close_reason", "REASON", TEXT, NONE, 0,
	      "normal, reset_sent, reset_received, refused, timeout, unreachable, aborted or lost_record.",
	      .words = "normal reset_sent reset_received refused timeout unreachable aborted lost_record"),
	FIELD(FLOW_PATH, "path", "PATH", TEXT, NONE, 0, "stack, or spliced when bytes bypassed TCP by a socket map.",
	      .words = "stack spliced"),
};
_Static_assert(ARRAY_SIZE(flow_fields) == _FLOW_FIELD_MAX, "each index has its declaration");
_Static_assert(_FLOW_FIELD_MAX <= WEIR_FIELDS_MAX, "one bit each");

static const struct weir_field group_fields[] = {
	FIELD(GROUP_PROCESS, "process", "PROCESS", TEXT, NONE, KEY | LABEL, "Command, or other."),
	FIELD(GROUP_UNIT, "unit", "UNIT", TEXT, NONE, KEY | LABEL, "Systemd unit."),
	FIELD(GROUP_CONTAINER, "container", "CONTAINER", TEXT, NONE, KEY | LABEL,
	      "Container: its name when known, its id otherwise."),
	FIELD(GROUP_TRANSPORT, "transport", "TRANSPORT", TEXT, NONE, KEY | LABEL, "tcp, udp, mptcp, unix or other."),
	FIELD(GROUP_DIRECTION, "direction", "DIRECTION", TEXT, NONE, KEY | LABEL, "transmit or receive."),
	FIELD(GROUP_BYTES, "bytes", "BYTES", UINT, BYTES, COUNTER,
	      "Bytes that programs handed to and took from sockets, each once.",
	      .metric = "weir_process_network_io_bytes_total"),
};
_Static_assert(ARRAY_SIZE(group_fields) == _GROUP_FIELD_MAX, "each index has its declaration");

static const struct weir_field health_fields[] = {
	FIELD(HEALTH_PROCESS, "process", "PROCESS", TEXT, NONE, KEY | LABEL, "Command, or other."),
	FIELD(HEALTH_UNIT, "unit", "UNIT", TEXT, NONE, KEY | LABEL, "Systemd unit."),
	FIELD(HEALTH_CONTAINER, "container", "CONTAINER", TEXT, NONE, KEY | LABEL,
	      "Container: its name when known, its id otherwise."),
	FIELD(HEALTH_RETRANSMITS, "retransmits", "RETRANS", UINT, SEGMENTS, COUNTER, "TCP segments sent again.",
	      .metric = "weir_process_tcp_retransmits_total"),
	FIELD(HEALTH_SRTT_US, "srtt_us", "RTT", UINT, MICROSECONDS, 0,
	      "Smoothed round-trip time of its slowest open TCP connection.",
	      .metric = "weir_process_tcp_rtt_seconds", .metric_scale = 1e-6),
};
_Static_assert(ARRAY_SIZE(health_fields) == _HEALTH_FIELD_MAX, "each index has its declaration");

#define TABLE(list) .fields = (list), .n_fields = ARRAY_SIZE(list)

const struct weir_table traffic_table_processes = {
	.name = "processes", .summary = "Processes and what they sent and received.",
	TABLE(process_fields), .sort_field = PROCESS_TX_BYTES, .sort_plus = PROCESS_RX_BYTES,
};

const struct weir_table traffic_table_flows = {
	.name = "flows", .summary = "Sockets, open and recently closed.",
	TABLE(flow_fields), .sort_field = FLOW_TX_BYTES, .sort_plus = FLOW_RX_BYTES,
};

const struct weir_table traffic_table_groups = {
	.name = "process_groups", .summary = "Sums per program, for metrics.",
	TABLE(group_fields), .sort_field = GROUP_BYTES, .internal = true,
};

const struct weir_table traffic_table_health = {
	.name = "process_health", .summary = "TCP health per program, for metrics.",
	TABLE(health_fields), .sort_field = HEALTH_RETRANSMITS, .internal = true,
};
