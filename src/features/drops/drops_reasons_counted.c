// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/drops/drops_reasons_rows.h"

/* Names of weir's own. Most are losses that are no freed packet: what listeners, processors and devices count; a device's
 * are the members of struct rtnl_link_stats64 (Documentation/networking/statistics.rst). Two say more than the kernel's
 * QDISC_DROP does when the queue refuses a packet because its device cannot send. */

#define CABLE "Look at the cable, the transceiver (ethtool -m DEVICE) and the switch's port; ethtool -S DEVICE counts more."
#define DUPLEX "Speed and duplex of both ends must agree: ethtool DEVICE, the switch's port; tunnels: ip -d link show DEVICE."
#define RING \
	"Make the ring longer (ethtool -G DEVICE rx N), spread the work over more processors (ethtool -L), see /proc/interrupts."

/* clang-format off */
static const struct drops_meaning rows[] = {
	ROW("listen_overflow", TUNE, SOCKET,
	    "{owner} accepts connections too slowly; its listen queue is full",
	    "The queue of connections that the program has not accepted yet is full; clients wait and try again.",
	    "Make the program accept faster, or raise its listen() backlog and sysctl net.core.somaxconn together. "
	    "Queues now: ss -lnt (Recv-Q of Send-Q)."),
	ROW("cpu_backlog", TUNE, QUEUE,
	    "a processor's queue of received packets is full",
	    "A processor's queue of received packets is full, or one flow takes too much of it.",
	    "Raise sysctl net.core.netdev_max_backlog, and spread the work: /sys/class/net/DEVICE/queues/rx-*/rps_cpus, "
	    "ethtool -L. Per processor: /proc/net/softnet_stat."),
	ROW("softirq_squeeze", EXPECTED, QUEUE, NULL,
	    "A processor stopped receiving before its queues were empty, to let others run; nothing is lost by that.",
	    "Only if packets are lost as well (CPU_BACKLOG, device_rx_missed_errors): sysctl net.core.netdev_budget and "
	    "net.core.netdev_budget_usecs."),

	ROW("device_down", EXPECTED, DEVICE, NULL,
	    "The packet was to leave by a device that is down.",
	    "If it should work: ip link set DEVICE up; else see why a route leads to it: ip route get ADDRESS."),
	ROW("no_carrier", EXPECTED, DEVICE, NULL,
	    "The packet was to leave by a device without a carrier: no cable, no radio, or nothing at its other end.",
	    "If it should work: the cable or the other end; ethtool DEVICE (Link detected), ip link show DEVICE (LOWER_UP)."),

	/* --- received --- */
	ROW("device_rx_missed_errors", TUNE, DEVICE,
	    "the network card has more packets than the host fetches",
	    "The card had no free place in its receive ring, because the host did not fetch packets fast enough.", RING),
	ROW("device_rx_fifo_errors", TUNE, DEVICE,
	    "the network card's receive buffer overflows",
	    "The card's receive buffer overflowed, because the host or the bus was too slow.", RING),
	ROW("device_rx_over_errors", TUNE, DEVICE,
	    "the network card receives more than it can take",
	    "More arrived than the card or its receive ring could take.", RING),
	ROW("device_rx_crc_errors", BUG, DEVICE,
	    "frames arrive damaged (wrong checksum on the wire)",
	    "The frame's checksum on the wire is wrong: it was damaged by cable, connector, transceiver or radio.", CABLE),
	ROW("device_rx_frame_errors", BUG, DEVICE,
	    "frames arrive misaligned",
	    "The frame does not end on a byte: damaged on the wire, or the two ends differ in duplex.", CABLE),
	ROW("device_rx_length_errors", BUG, DEVICE,
	    "frames arrive that are too long or too short",
	    "The frame is longer or shorter than the device takes: another MTU at the other end, or damage.",
	    "Compare the MTUs of both ends and of switches between: ip link show DEVICE; ethtool -S DEVICE has more counters."),
	ROW("device_rx_errors", BUG, DEVICE,
	    "a device receives bad frames",
	    "Bad frames that the device received; the counters of single errors, where it has them, are part of this one.", CABLE),
	ROW("device_rx_dropped", EXPECTED, DEVICE, NULL,
	    "Received frames that the driver or the kernel did not take, such as of protocols that nobody here speaks.",
	    "If it grows with the load: ethtool -S DEVICE shows whether the driver lacks memory or ring places."),
	ROW("device_rx_nohandler", EXPECTED, DEVICE, NULL,
	    "Frames that arrived on a device that is not used itself, such as the passive port of a bond.", NULL),
	ROW("device_rx_otherhost_dropped", EXPECTED, DEVICE, NULL,
	    "Frames for other hosts, which the device hears while somebody captures (promiscuous mode).", NULL),

	/* --- sent --- */
	ROW("device_tx_dropped", EXPECTED, DEVICE, NULL,
	    "Packets that the device's driver did not send: it is down, has no room, or nobody reads its other end.",
	    "If the device should work: ip -s link show DEVICE, ethtool -S DEVICE; rows of packets tell the reason."),
	ROW("device_tx_errors", BUG, DEVICE,
	    "a device fails to send packets",
	    "Packets that the device could not send; the counters of single errors, where it has them, are part of this one.",
	    "See dmesg and ethtool -S DEVICE; on tunnels, whether their far end is reachable: ip -d link show DEVICE."),
	ROW("device_tx_fifo_errors", BUG, DEVICE,
	    "the network card runs out of data while it sends",
	    "The card ran out of data in the middle of a frame: the bus or the memory is too slow, or the driver is faulty.",
	    "Update driver and firmware; see ethtool -S DEVICE, and lspci -vv for a bus that is slower than it should be."),
	ROW("device_tx_carrier_errors", BUG, DEVICE,
	    "the carrier is lost while the device sends",
	    "The signal of the other end went away while the device sent; tunnels count missing routes here.", DUPLEX),
	ROW("device_tx_aborted_errors", BUG, DEVICE,
	    "the device gives up sending",
	    "The device gave up sending: too many collisions; tunnels count packets here that went in circles.", DUPLEX),
	ROW("device_tx_heartbeat_errors", BUG, DEVICE,
	    "old Ethernet's heartbeat fails",
	    "The transceiver of an old half-duplex Ethernet gave no heartbeat after sending.", CABLE),
	ROW("device_tx_window_errors", BUG, DEVICE,
	    "collisions come too late, as with cables that are too long",
	    "A collision came later than a correct network allows: a cable is too long, or the two ends differ in duplex.", DUPLEX),
	ROW("device_collisions", BUG, DEVICE,
	    "frames collide on a half-duplex link",
	    "Frames collided, which happens on half-duplex links only; the device sends them again.", DUPLEX),
};
/* clang-format on */

const struct drops_rows drops_rows_counted = DROPS_ROWS(rows);
