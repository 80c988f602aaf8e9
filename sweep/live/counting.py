"""The BPF program of the kernel's bench: a locked increment of the CPU's own counter."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

from sweep.live import syscalls
from sweep.machines.sysfs import read_cpus

STRIDE_SHIFT = 7
"""Counters are 128 bytes apart, as the bench's are."""
POSSIBLE = Path("/sys/devices/system/cpu/possible")
GET_SMP_PROCESSOR_ID = 8

_CALL, _EXIT, _MOV, _AND, _SHIFT, _ADD, _LOCKED, _LOAD_64 = (
    *(0x85, 0x95, 0xB7, 0x57, 0x67, 0x0F, 0xDB),
    0x18,
)
_MAP_VALUE = 2


def program(counters: int, slots: int) -> bytes:
    """BPF instructions that add 1 to the CPU's slot of the map with fd `counters`; 0 is returned.

    `slots` is a power of two.
    """
    return b"".join(
        (
            _instruction(_CALL, imm=GET_SMP_PROCESSOR_ID),
            _instruction(_AND, 0, imm=slots - 1),
            _instruction(_SHIFT, 0, imm=STRIDE_SHIFT),
            _instruction(_LOAD_64, 1, _MAP_VALUE, imm=counters),
            _instruction(0),
            _instruction(_ADD, 1, 0),
            _instruction(_MOV, 2, imm=1),
            _instruction(_LOCKED, 1, 2),
            _instruction(_MOV, 0, imm=0),
            _instruction(_EXIT),
        )
    )


class Counters:
    """A loaded program and its counters, both gone when closed. Raises OSError."""

    def __init__(self, multi: bool) -> None:
        possible = max(read_cpus(POSSIBLE) or {0}) + 1
        slots = 1 << (possible - 1).bit_length()
        size = -(-(slots << STRIDE_SHIFT) // mmap.PAGESIZE) * mmap.PAGESIZE
        self._map = syscalls.create_array(size)
        try:
            self._memory = mmap.mmap(self._map, size, mmap.MAP_SHARED, mmap.PROT_READ)
            self.program = syscalls.load_program(program(self._map, slots), multi)
        except BaseException:
            os.close(self._map)
            raise
        self._slots = slots

    def total(self) -> int:
        """Hits that all CPUs have counted."""
        counts = (
            struct.unpack_from("<Q", self._memory, slot << STRIDE_SHIFT)[0]
            for slot in range(self._slots)
        )
        return sum(counts)

    def close(self) -> None:
        """Unload the program, unless a probe still runs it."""
        self._memory.close()
        os.close(self.program)
        os.close(self._map)


def _instruction(opcode: int, destination: int = 0, source: int = 0, imm: int = 0) -> bytes:
    return struct.pack("<BBhi", opcode, source << 4 | destination, 0, imm)
