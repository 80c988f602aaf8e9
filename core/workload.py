"""Writers beside the hits of a cell: threads that attach and detach, map code, and fork."""

from __future__ import annotations

from dataclasses import dataclass

STRESS = "uprobe-stress"
"""The bench whose threads call random functions at random depth, as the tool of that name does."""

MAX_DEPTH = 72
"""uprobe-stress: how deep its trigger threads call."""

MAX_LINKS = 5
"""uprobe-stress: links that one attach thread has at most."""

MOST_PROBES = 9
"""uprobe-stress: probes of one link, 0 to so many."""

MAX_MAPPINGS = 10
"""uprobe-stress: mappings that one mmap thread has at most, and children of one fork thread."""

MAX_SLEEP_PS = 25 * 10**9
"""uprobe-stress: an attach thread sleeps up to so long. Taken for mmap and fork threads as well."""

MAX_STALL_PS = 20 * 10**9
"""How long a stall may last: as long as a grace period."""

THREADS = ("attach_threads", "mmap_threads", "fork_threads")
"""Fields of Workload that count threads, each of which takes a CPU."""


@dataclass(frozen=True)
class Workload:
    """Threads of one process, each on a CPU of its own behind those that hit.

    `consumers` are registered for every probe before the cell begins and stay. With `batch` 0
    attach threads do what uprobe-stress's do; otherwise each attaches all probes once, `batch` of
    them a link, detaches link after link, and the cell lasts until all have. So many times a second
    something `stalls` every thread that hits, where it is, for up to MAX_STALL_PS: an interrupt, a
    slow program. Without stalls no reader is ever inside for as long as a grace period lasts.
    `hz` is the kernel's CONFIG_HZ, which scales all periods; `attach_kind` one of
    `core.kernel.perf_events.ATTACH_KINDS`.
    """

    attach_threads: int = 0
    mmap_threads: int = 0
    fork_threads: int = 0
    consumers: int = 1
    batch: int = 0
    stalls: int = 0
    hz: int = 1000
    attach_kind: str = "multi"

    @property
    def threads(self) -> int:
        """How many there are."""
        return sum(getattr(self, kind) for kind in THREADS)
