"""The tasks that a Tasks Trace grace period waits for: kernel/rcu/tasks.h, all CPUs at once.

Every array has shape (2, cpus). Row 0 is the task that the readers tell of on each CPU; row 1 is
what has that CPU while the task does not run, the idle task at least: it is in no section.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.grace.readers import Counts, Flags, TraceReaders


@dataclass(frozen=True)
class Look:
    """The readers at one moment."""

    nesting: Counts
    sections: Counts
    running: Flags

    @classmethod
    def at(cls, readers: TraceReaders) -> Look:
        """What they answer now."""
        nesting, sections, running = readers.nesting(), readers.sections(), readers.running()
        nobody = np.zeros_like(nesting)
        return cls(
            np.stack((nesting, nobody)),
            np.stack((sections, nobody)),
            np.stack((running, ~running)),
        )


class Holdouts:
    """The holdout list: `held`, and what is known of each task on it."""

    def __init__(self, look: Look, skip_running: bool = False) -> None:
        """rcu_tasks_trace_pregp_step(): what runs, then what is blocked inside a section.

        `skip_running` is the planted fault `skips-running-holdouts`.
        """
        blocked = ~look.running & (look.nesting != 0)
        self.held: Flags = blocked if skip_running else look.running | blocked
        self._checked = np.zeros_like(self.held)
        self._marked = np.zeros_like(self.held)
        self._in_ipi = np.zeros_like(self.held)
        self._marked_in = np.zeros_like(look.sections)
        self.marks = 0
        self._trc_inspect_reader(blocked, look)

    def __len__(self) -> int:
        return int(self.held.sum())

    def check_all(self, look: Look) -> Flags:
        """check_all_holdout_tasks_trace(): drops who is done; returns who is to get an IPI.

        A task that does not run is inspected from outside; one that runs has to look itself. Who
        gets an IPI stays on the list until the next look, as the handler has not run yet.
        """
        fresh = self.held & ~self._checked & ~self._marked & ~self._in_ipi
        self._trc_inspect_reader(fresh & ~look.running, look)
        ipis: Flags = fresh & look.running
        self._in_ipi |= ipis
        left = (look.nesting == 0) | (look.sections != self._marked_in)
        done = self._checked | (self._marked & left)
        self.held &= ~done
        return ipis

    def trc_read_check_handler(self, ipis: Flags, look: Look) -> None:
        """The IPI on each of those CPUs, if its task still runs there."""
        self._in_ipi &= ~ipis
        self._trc_inspect_reader(ipis & look.running, look)

    def _trc_inspect_reader(self, who: Flags, look: Look) -> None:
        """Outside: done. Inside: marked, and its unlock reports. In the unlock: try again later."""
        inside = who & (look.nesting > 0)
        self._checked |= who & (look.nesting == 0)
        self._marked |= inside
        self._marked_in = np.where(inside, look.sections, self._marked_in)
        self.marks += int(inside.sum())
