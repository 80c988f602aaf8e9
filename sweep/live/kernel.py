"""The running kernel: its release, and which modelled design it is."""

from __future__ import annotations

import os
import platform

from core.kernel import releases
from core.kernel.bench import Bench
from core.kernel.flavours import name_of, spelt
from core.kernel.releases import RELEASES, Modelled, TooOldError
from sweep.errors import UsageError, nearest
from sweep.live.code import CALL_OPCODE
from sweep.live.refused import RefusedError

NOP5 = "nop5"
"""The instruction, and the patch that turns it into a call to the uprobe system call."""


def running() -> str:
    """The release of the running kernel, as `uname -r` prints it. Raises RefusedError off Linux."""
    if platform.system() != "Linux":
        raise RefusedError(f"live measurement needs Linux, this is {platform.system()}")
    return os.uname().release


def modelled(kernel: str) -> Modelled:
    """What `--kernel` takes a release for, and what it assumed. Raises UsageError."""
    try:
        return releases.modelled(kernel)
    except KeyError:
        known = nearest(kernel, RELEASES)
        raise UsageError(f"--kernel {kernel}: {known}, or any like 6.12.8-amd64") from None
    except TooOldError as error:
        raise UsageError(f"--kernel {error}") from None


def described(kernel: Modelled) -> dict[str, str]:
    """JSON-ready: what was asked for, the release that it is taken for, and that one's design."""
    design = spelt(kernel.release.patches)
    return {"asked": kernel.kernel, "release": kernel.release.name, "design": design}


def said(kernel: Modelled) -> str:
    """The same in a line of text."""
    return "kernel {asked}, modelled as {release}: {design}".format(**described(kernel))


def measured_on(kernel: str) -> Modelled:
    """What a measured kernel is filed under: as `modelled`, but the oldest for all before it."""
    try:
        return releases.modelled(kernel)
    except TooOldError as error:
        return Modelled(kernel, next(iter(RELEASES.values())), (str(error),))


def flavour_of(kernel: Modelled, bench: Bench, first_byte: int) -> str:
    """The design that hits went through, from what the kernel has put where the probe is.

    A 5-byte nop that is still a breakpoint (an int3) runs the release's design without `nop5`.
    """
    patches = kernel.release.patches
    if bench.instruction == NOP5 and first_byte != CALL_OPCODE:
        patches -= {NOP5}
    return name_of(patches)
