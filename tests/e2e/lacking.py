# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command with less than it could have, for the tests of what weir does then:

	lacking.py [--capability NAME]... [--hide DIR]... [--forbid CALL]... [--errno NAME] [--memlock BYTES]
	           [--group DIR] [--user-namespace] [--user UID] -- COMMAND...

Capabilities go from the bounding set, folders are covered by an empty one in a mount namespace of the command's own,
and system calls answer with an error by a seccomp filter.
"""

import argparse
import ctypes
import errno
import os
import pathlib
import platform
import resource
import signal
import struct
import sys

CAPABILITIES = ("chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable "
		"net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot "
		"sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease "
		"audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read "
		"perfmon bpf checkpoint_restore").split()
# The audit architecture and the numbers of the calls.
MACHINES = {"x86_64": (0xC000003E, {"bpf": 321, "perf_event_open": 298}),
	    "aarch64": (0xC00000B7, {"bpf": 280, "perf_event_open": 241})}

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 22, 24, 38
SECCOMP_MODE_FILTER, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO = 2, 0x7FFF0000, 0x00050000
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_REC, MS_PRIVATE = 1 << 14, 1 << 18
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
	if result < 0:
		code = ctypes.get_errno()
		raise OSError(code, f"{what}: {os.strerror(code)}")


def hide(folders):
	check(libc.unshare(CLONE_NEWNS), "unshare")
	check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount /")
	for folder in folders:
		check(libc.mount(b"none", folder.encode(), b"tmpfs", 0, b"size=16k"), f"mount {folder}")


def enter_user_namespace():
	uid, gid = os.getuid(), os.getgid()
	check(libc.unshare(CLONE_NEWUSER), "unshare")
	pathlib.Path("/proc/self/setgroups").write_text("deny")
	pathlib.Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
	pathlib.Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def forbid(calls, answer):
	machine, numbers = MACHINES[platform.machine()]
	wanted = [numbers[call] for call in calls]
	code = [(LOAD, 0, 0, 4), (EQUAL, 0, len(wanted) + 1, machine), (LOAD, 0, 0, 0)]
	for i, number in enumerate(wanted):
		code.append((EQUAL, len(wanted) - i, 0, number))
	code += [(RETURN, 0, 0, SECCOMP_RET_ALLOW), (RETURN, 0, 0, SECCOMP_RET_ERRNO | answer)]
	text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
	program = ctypes.create_string_buffer(struct.pack("HP", len(code), ctypes.addressof(text)))
	check(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0), "seccomp")


def main():
	parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
	parser.add_argument("--capability", action="append", default=[], choices=[*CAPABILITIES, "all"])
	parser.add_argument("--hide", action="append", default=[])
	parser.add_argument("--forbid", action="append", default=[])
	parser.add_argument("--errno", default="EPERM")
	parser.add_argument("--memlock", type=int)
	parser.add_argument("--group")
	parser.add_argument("--user-namespace", action="store_true")
	parser.add_argument("--user", type=int)
	parser.add_argument("command", nargs="+")
	args = parser.parse_args()

	check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
	if args.group:
		pathlib.Path(args.group, "cgroup.procs").write_text(str(os.getpid()))
	if args.memlock is not None:
		resource.setrlimit(resource.RLIMIT_MEMLOCK, (args.memlock, args.memlock))
	if args.hide:
		hide(args.hide)
	if args.user is not None:
		os.setgroups([])
		os.setresgid(args.user, args.user, args.user)
		os.setresuid(args.user, args.user, args.user)
	if args.user_namespace:
		enter_user_namespace()
	if args.forbid:
		if os.geteuid():
			check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
		forbid(args.forbid, getattr(errno, args.errno))
	for name in CAPABILITIES if "all" in args.capability else args.capability:
		check(libc.prctl(PR_CAPBSET_DROP, CAPABILITIES.index(name), 0, 0, 0), f"drop {name}")
	os.execvp(args.command[0], args.command)


if __name__ == "__main__":
	sys.exit(main())
