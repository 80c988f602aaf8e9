"""Machine code of the primitives that host calibration times. No probe is involved.

Every loop is `void loop(uint64_t *count, const int32_t *stop, void *word)`: `count` and `stop` as
`sweep.live.code.caller` has them, `word` a word on a line of its own, which all threads share.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

RETURN = b"\xc3"
GETPPID = 110


@dataclass(frozen=True)
class Loop:
    """A loop whose passes do `operations` of what is timed."""

    name: str
    code: bytes
    operations: int


def _looped(body: bytes, before: bytes = b"") -> bytes:
    """`body`, one count and the look at `stop`, over and over."""
    body += b"\x48\x83\x07\x01"  # addq $1, (%rdi)
    body += b"\x83\x3e\x00"  # cmpl $0, (%rsi)
    body += b"\x0f\x84" + struct.pack("<i", -(len(body) + 6))  # je to the body
    return before + body + RETURN


_XADD = b"\xf0\x48\x0f\xc1\x02"  # lock xadd %rax, (%rdx)
_IMUL = b"\x48\x0f\xaf\xc0"  # imul %rax, %rax
IMUL_CYCLES = 3
"""Latency of a 64-bit imul on every x86-64 core since 2008 (Fog, Instruction tables)."""

CLOCK = Loop("core clock", _looped(_IMUL * 64), 64)
"""A chain of dependent multiplications: what a core's cycle lasts."""

LOCKED = Loop("lock xadd", _looped(_XADD * 16, before=b"\x31\xc0"), 16)
"""On the shared word: uncontended by one thread, contended by several."""

_GETPPID = b"\xb8" + struct.pack("<i", GETPPID) + b"\x0f\x05"  # mov $110, %eax; syscall
SYSTEM_CALL = Loop("system call", _looped(_GETPPID), 1)


def _take_turns() -> bytes:
    """Spin on a cmpxchg from the thread's own turn, 0 or 1, to the other's; then count.

    The turn is what is 64 bytes after the thread's counter.
    """
    turns = b"\x4c\x8b\x47\x40"  # mov 64(%rdi), %r8
    turns += b"\x41\x8d\x48\x01\x83\xe1\x01"  # lea 1(%r8), %ecx; and $1, %ecx
    take = b"\x44\x89\xc0\xf0\x0f\xb1\x0a"  # mov %r8d, %eax; lock cmpxchg %ecx, (%rdx)
    take += b"\x74\x06"  # je over the next two: it was ours
    take += b"\x83\x3e\x00"  # cmpl $0, (%rsi)
    take += b"\x74" + struct.pack("b", -(len(take) + 2))  # je to take
    return _looped(take + b"\x90", before=turns)


PING_PONG = Loop("one way of a line", _take_turns(), 2)
"""Two threads take turns at a word, each by a cmpxchg that fails until the other's has succeeded,
as core-to-core latencies are commonly measured. A pass is two ways and two locked operations."""
