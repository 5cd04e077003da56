"""Prints those of the given ids of BPF programs that the kernel still knows, one a line.

Usage: bpf_ids.py ID... Asks the kernel itself: bpf(BPF_PROG_GET_FD_BY_ID), include/uapi/linux/bpf.h.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

SYSCALL = {"x86_64": 321, "aarch64": 280}[platform.machine()]
BPF_PROG_GET_FD_BY_ID = 13

libc = ctypes.CDLL(None, use_errno=True)
for number in map(int, sys.argv[1:]):
    attributes = ctypes.create_string_buffer(struct.pack("=III", number, 0, 0))
    descriptor = libc.syscall(SYSCALL, BPF_PROG_GET_FD_BY_ID, attributes, 12)
    if descriptor >= 0:
        os.close(descriptor)
        print(number)
    elif ctypes.get_errno() != errno.ENOENT:
        sys.exit(os.strerror(ctypes.get_errno()))
