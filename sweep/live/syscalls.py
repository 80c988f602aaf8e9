"""perf_event_open(2) and bpf(2), which no library of Python's has. x86-64."""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
from pathlib import Path

from sweep.live.refused import PMU

PERF_EVENT_OPEN, BPF = 298, 321

PERF_ATTR_SIZE = 128
"""PERF_ATTR_SIZE_VER7; older kernels take it as long as what they do not know is zero."""
PERF_FLAG_FD_CLOEXEC = 8
PERF_EVENT_IOC_ENABLE, PERF_EVENT_IOC_SET_BPF = 0x2400, 0x40042408

MAP_CREATE, PROG_LOAD, LINK_CREATE = 0, 5, 28
MAP_TYPE_ARRAY, F_MMAPABLE = 2, 1 << 10
PROG_TYPE_KPROBE, TRACE_UPROBE_MULTI, F_UPROBE_MULTI_RETURN = 2, 48, 1
"""From include/uapi/linux/bpf.h."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def open_uprobe(path: str, offset: int, at_return: bool, cpu: int) -> int:
    """A uprobe at `offset` of the file: the fd of an event of all processes on one CPU.

    Closing it, however that comes about, removes the probe. Raises OSError.
    """
    kind = int(Path("/", PMU).read_text())
    name = ctypes.create_string_buffer(path.encode())
    attr = bytearray(PERF_ATTR_SIZE)
    struct.pack_into("<IIQ", attr, 0, kind, PERF_ATTR_SIZE, int(at_return))
    struct.pack_into("<QQ", attr, 56, ctypes.addressof(name), offset)
    block = ctypes.create_string_buffer(bytes(attr), PERF_ATTR_SIZE)
    return _checked(_libc.syscall(PERF_EVENT_OPEN, block, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC))


def run_program_at(event: int, program: int) -> None:
    """Have a perf event run a BPF program at each hit, on whatever CPU. Raises OSError."""
    fcntl.ioctl(event, PERF_EVENT_IOC_SET_BPF, program)
    fcntl.ioctl(event, PERF_EVENT_IOC_ENABLE, 0)


def create_array(value_size: int) -> int:
    """A BPF array of one value that can be mapped into memory. Raises OSError."""
    return _bpf(MAP_CREATE, struct.pack("<IIIII", MAP_TYPE_ARRAY, 4, value_size, 1, F_MMAPABLE))


def load_program(instructions: bytes, multi: bool) -> int:
    """Load a BPF program of kind kprobe, for a uprobe_multi link if `multi`. Raises OSError."""
    code = ctypes.create_string_buffer(instructions, len(instructions))
    license_ = ctypes.create_string_buffer(b"GPL")
    attr = struct.pack(
        "<IIQQIIQII16sII",
        PROG_TYPE_KPROBE,
        len(instructions) // 8,
        ctypes.addressof(code),
        ctypes.addressof(license_),
        *(0, 0, 0, 0, 0),
        b"uprobe_sweep",
        0,
        TRACE_UPROBE_MULTI if multi else 0,
    )
    return _bpf(PROG_LOAD, attr)


def link_uprobe_multi(program: int, path: str, offset: int, at_return: bool) -> int:
    """Attach a program by a uprobe_multi link, for all processes; removed when closed.

    Raises OSError.
    """
    name = ctypes.create_string_buffer(path.encode())
    offsets = (ctypes.c_uint64 * 1)(offset)
    flags = F_UPROBE_MULTI_RETURN if at_return else 0
    attr = struct.pack(
        "<IIIIQQQQIII",
        *(program, 0, TRACE_UPROBE_MULTI, 0),
        *(ctypes.addressof(name), ctypes.addressof(offsets), 0, 0),
        *(1, flags, 0),
    )
    return _bpf(LINK_CREATE, attr)


def _bpf(command: int, attr: bytes) -> int:
    block = ctypes.create_string_buffer(attr.ljust(PERF_ATTR_SIZE, b"\0"), PERF_ATTR_SIZE)
    return _checked(_libc.syscall(BPF, command, block, PERF_ATTR_SIZE))


def _checked(returned: int) -> int:
    if returned < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(returned)
