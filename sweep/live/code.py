"""What is probed: a file of our own machine code, mapped into this process.

No compiler is needed, and the file has no name: a memfd lives as long as this process. The kernel
attaches a uprobe to a file and an offset, whatever the file holds, and puts its breakpoint into
every private mapping of it that may be executed and not written.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import struct
from collections.abc import Callable
from types import TracebackType

from sweep.live.refused import RefusedError

MACHINE = "x86_64"

CALL, RETURN = b"\xe8", b"\xc3"
TARGET = 0x100
"""Where in the file the probed function begins, which is also where the probe is."""

TARGETS = {
    "nop": b"\x90" + RETURN,
    "nop5": b"\x0f\x1f\x44\x00\x00" + RETURN,
    "push": b"\x55\x5d" + RETURN,
    "ret": RETURN,
}
"""The function by instruction. `pop` undoes the `push`."""

HINT = 0x10000
"""Where the mapping is asked for: below all others, as a program's text is. The kernel finds the
mapping of a hit in a tree, and in a big process a place in its middle costs a hit some 10 ns."""

INT3, CALL_OPCODE = 0xCC, CALL[0]


def caller() -> bytes:
    """Machine code of `void caller(uint64_t *calls, const int32_t *stop)`, at offset 0.

    Calls the target and counts the call, until `stop` is not 0; checked after each call.
    """
    loop = CALL + struct.pack("<i", TARGET - 5)
    loop += b"\x48\x83\x07\x01"  # addq $1, (%rdi)
    loop += b"\x83\x3e\x00"  # cmpl $0, (%rsi)
    loop += b"\x74" + struct.pack("b", -(len(loop) + 2))  # je to the start
    return loop + RETURN


class Code:
    """The file with the caller and one target, open and mapped. A context manager.

    `path` names it for this process as long as it is open, `caller` is the mapped caller as a
    function that releases the interpreter's lock. Raises RefusedError where it cannot be mapped.
    """

    def __init__(self, instruction: str) -> None:
        if platform.machine() != MACHINE:
            raise RefusedError(
                f"live measurement knows {MACHINE} only, this is {platform.machine()}"
            )
        page = caller().ljust(TARGET, b"\xcc") + TARGETS[instruction]
        try:
            self.fd = os.memfd_create("uprobe-sweep")
            os.write(self.fd, page.ljust(mmap.PAGESIZE, b"\xcc"))
            self._mapping = Mapping(self.fd)
        except OSError as error:
            raise RefusedError(f"cannot map code of our own: {error.strerror}") from None
        self.path = f"/proc/self/fd/{self.fd}"
        self.caller = function(self._mapping.at)

    def first_byte(self) -> int:
        """What is now in memory where the probe is: INT3, CALL_OPCODE, or the target's own."""
        return self._mapping.byte(TARGET)

    def __enter__(self) -> Code:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._mapping.close()
        os.close(self.fd)


def function(at: int) -> Callable[[int, int, int], None]:
    """Machine code at an address, to be called with three pointers; releases the lock."""
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    return kind(at)


class Mapping:
    """A page of the file `fd`, mapped privately to be read and executed. Raises OSError."""

    def __init__(self, fd: int) -> None:
        protection = mmap.PROT_READ | mmap.PROT_EXEC
        self.at: int = _libc.mmap(HINT, mmap.PAGESIZE, protection, mmap.MAP_PRIVATE, fd, 0)
        if self.at == ctypes.c_void_p(-1).value:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def byte(self, offset: int) -> int:
        """What is in memory there now; a breakpoint is in memory, not in the file."""
        return ctypes.c_ubyte.from_address(self.at + offset).value

    def close(self) -> None:
        """Unmap the page."""
        _libc.munmap(self.at, mmap.PAGESIZE)


# Python's own mmap cannot be asked for its address while it is not writable.
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
