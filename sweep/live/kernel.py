"""The running kernel: its release, and which modelled design it is."""

from __future__ import annotations

import os
import platform
import re

from core.kernel.bench import Bench
from core.kernel.flavours import FLAVOURS, VERSIONS, parse_flavour
from sweep.live.code import CALL_OPCODE
from sweep.live.refused import RefusedError

NOP5 = "nop5"
"""The patch that turns a 5-byte nop into a call to the uprobe system call."""


def running() -> str:
    """The release of the running kernel, as `uname -r` prints it. Raises RefusedError off Linux."""
    if platform.system() != "Linux":
        raise RefusedError(f"live measurement needs Linux, this is {platform.system()}")
    return os.uname().release


def is_release(text: str) -> bool:
    """Whether `text` is a kernel release, like 6.12.8 or v6.12."""
    return _number(text) > (0, 0)


def version_of(release: str) -> str:
    """The latest of VERSIONS that is not after a kernel release; v6.11 stands for all before."""
    number = _number(release)
    known = sorted(VERSIONS, key=_number)
    return next((v for v in reversed(known) if _number(v) <= number), known[0])


def nop_bytes(release: str) -> int:
    """How long the probed nop is by default: 5 where the kernel can turn it into a call.

    Older kernels single-step a 5-byte nop; they, and the letter, have one of a byte.
    """
    return 5 if NOP5 in parse_flavour(VERSIONS[version_of(release)]).patches else 1


def flavour_of(release: str, bench: Bench, first_byte: int) -> str:
    """The design that hits went through, from what the kernel has put where the probe is.

    A nop that is still a breakpoint (an int3) runs the release's design without `nop5`.
    """
    version = version_of(release)
    patches = parse_flavour(VERSIONS[version]).patches
    if bench.instruction == "nop" and first_byte != CALL_OPCODE:
        patches -= {NOP5}
    named = {flavour.patches: name for name, flavour in FLAVOURS.items()}
    return named.get(patches, version)


def _number(release: str) -> tuple[int, ...]:
    """(6, 18) of "6.18.44-fc" or "v6.18"."""
    found = re.match(r"v?([0-9]+)\.([0-9]+)", release)
    return tuple(map(int, found.groups())) if found else (0, 0)
