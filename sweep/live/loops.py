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


_APART = _IMUL * 128
"""Private work between two operations, a few hundred cycles: the line settles meanwhile."""

_SHARED = b"\x48\x83\xe0\x00\x48\x01\xd0"  # and $0, %rax; add %rdx, %rax
_OWN = b"\x48\x83\xe0\x00\x48\x8d\x44\x38\x60"  # and $0, %rax; lea 96(%rax,%rdi), %rax
"""The word's address, which depends on %rax, so on all the work before: the shared one, or one
behind the thread's own counter."""
_AT = b"\x48\x89\xc1"  # mov %rax, %rcx
_XADD_AT = b"\xf0\x48\x0f\xc1\x01"  # lock xadd %rax, (%rcx)
_LOAD_AT = b"\x48\x8b\x01"  # mov (%rcx), %rax
_FLUSH_AT = b"\x0f\xae\x39\x0f\xae\xf0"  # clflush (%rcx); mfence


@dataclass(frozen=True)
class HandOff:
    """What two threads do to a word in turn, a few hundred cycles apart, and the same apart.

    `own` is on words of their own: the difference is what the line's way takes. Only the second
    thread's time counts if `second`.
    """

    name: str
    shared: Loop
    own: Loop
    second: bool = False


def _hand_off(name: str, operations: bytes) -> HandOff:
    shared, own = (
        Loop(name, _looped(word + _AT + operations + _APART, before=b"\x31\xc0"), 1)
        for word in (_SHARED, _OWN)
    )
    return HandOff(name, shared, own)


def _clean_load() -> HandOff:
    """The first thread throws the line out of all caches and loads it; the second loads it.

    The second is the slower one, so that the line has always been flushed in between.
    """
    first = _looped(_SHARED + _AT + _FLUSH_AT + _LOAD_AT + _APART, before=b"\x31\xc0")

    def loop(word: bytes) -> Loop:
        second = _looped(word + _AT + _LOAD_AT + 4 * _APART, before=b"\x31\xc0")
        # cmpq $0, 64(%rdi): the thread's number; je over the second's loop.
        which = b"\x48\x83\x7f\x40\x00\x0f\x84" + struct.pack("<i", len(second))
        return Loop("load of a clean line", which + second + first, 1)

    return HandOff("load of a clean line", loop(_SHARED), loop(_OWN), second=True)


HAND_OFFS = (
    _hand_off("blind locked operation", _XADD_AT),
    _hand_off("load, then locked operation", _LOAD_AT + _XADD_AT),
    _clean_load(),
)
"""By kind of transaction; the first two are named as in `core.calibrate.hand_offs`."""


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
