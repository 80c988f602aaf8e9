"""Why this host does not let us place a probe, in one line that says what would allow it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from sweep.errors import InfrastructureError
from sweep.machines.sysfs import read

PMU = Path("sys/bus/event_source/devices/uprobe/type")
STATUS = Path("proc/self/status")
PARANOID = Path("proc/sys/kernel/perf_event_paranoid")

CAPABILITIES = {"CAP_PERFMON": 38, "CAP_SYS_ADMIN": 21}
"""Bits in CapEff: either lets a process open uprobe events (perfmon_capable())."""


class RefusedError(InfrastructureError):
    """The host cannot, or does not let us, measure. Exit code 4."""


class BusyHostError(RefusedError):
    """Something else runs on the CPUs, so that nothing can be measured now. Exit code 4."""


def refuse_if_impossible(root: Path = Path("/")) -> None:
    """Raises RefusedError for what can be known before a probe is tried."""
    if not (root / PMU).exists():
        if not (root / PMU).parents[1].exists():
            raise RefusedError(
                f"/{PMU.parents[1]} is not there: /sys is not mounted here, as in some "
                "containers, or the kernel has no perf events; mount sysfs or measure on the host"
            )
        raise RefusedError(
            "this kernel has no uprobe events: it needs CONFIG_UPROBES and CONFIG_UPROBE_EVENTS"
        )
    if not _capable(root):
        paranoid = read(root / PARANOID)
        setting = f" (perf_event_paranoid is {paranoid}, which uprobes ignore)" if paranoid else ""
        who = "root without CAP_PERFMON, as in a container" if os.geteuid() == 0 else "not root"
        raise RefusedError(
            f"uprobes need CAP_PERFMON or root, and this process is {who}{setting}: "
            "run it as root, or give it CAP_PERFMON and CAP_BPF"
        )


def because(what: str, error: OSError) -> RefusedError:
    """What to raise when `what` failed with `error` although capabilities seemed to suffice."""
    reason = {
        errno.EPERM: "a seccomp filter (a container's default), a lockdown or a missing "
        "capability forbids it; run it on the host as root",
        errno.EACCES: "it needs CAP_PERFMON, and CAP_BPF for a BPF program",
        errno.ENOSYS: "this kernel was built without that system call",
        errno.EMFILE: "too many open files: raise ulimit -n",
        errno.EINVAL: "this kernel does not know it",
    }.get(error.errno or 0, "see dmesg")
    return RefusedError(f"{what}: {os.strerror(error.errno or 0)}: {reason}")


def _capable(root: Path) -> bool:
    status = read(root / STATUS) or ""
    effective = next((s for s in status.splitlines() if s.startswith("CapEff:")), "CapEff: 0")
    bits = int(effective.split()[1], 16)
    return any(bits >> bit & 1 for bit in CAPABILITIES.values())
