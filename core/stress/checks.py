"""What must hold in a cell with writers; checked at every change of the kernel's state.

What hits do is checked as it is replayed, in `replay.py`; here are the frees, the grace periods and
the references. The names of checks are those of `core.modelcheck.checks`.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.grace.engine import Engine
from core.kernel.rules import Rules
from core.modelcheck import checks as names
from core.modelcheck.checks import Violation
from core.stress.cosimulation import Cosimulation
from core.stress.inside import Inside, inside
from core.stress.records import CALLED_GONE, LEASE, NOBODY, NOT_CALLED, USED_FREED
from core.stress.uprobes import Consumer, Uprobes, one

STRAY_BREAKPOINT = "stray breakpoint"
"""A process has a breakpoint that no filter takes it for. Not a check of `core.modelcheck`."""

FOUND_BY_REPLAY = {
    USED_FREED: names.FREED_UPROBE,
    NOT_CALLED: names.NOT_CALLED,
    CALLED_GONE: names.CALLED_GONE,
}


class Checks:
    """The checks of one cell. A method returns, or raises Violation."""

    def __init__(self, cosimulation: Cosimulation, uprobes: Uprobes, rules: Rules) -> None:
        self._cosimulation, self._uprobes, self._rules = cosimulation, uprobes, rules
        self._begun: dict[str, NDArray[np.int64]] = {}
        self.made = 0
        """How many of frees, periods and references."""

    def watch(self, engines: dict[str, Engine]) -> None:
        """Compare the readers of every grace period of these engines."""
        for whose, engine in engines.items():
            engine.on_begin = partial(self._period_begins, whose)
            engine.on_end = partial(self._period_ends, whose)

    def after_replay(self) -> None:
        """What hits found when they were replayed."""
        threads = self._cosimulation.snapshot.thread
        if not (wrong := threads["wrong"]).any():
            return
        thread = int(np.argmax(wrong != 0))
        function = int(threads["wrong_function"][thread])
        self._fail(FOUND_BY_REPLAY[int(wrong[thread])], f"hit of function {function}", thread)

    def frees_uprobe(self, uprobe: int) -> None:
        """No hit uses an uprobe that is freed, and it is freed once."""
        self.made += 1
        used = self._inside()
        if self._uprobes.freed[uprobe]:
            self._fail(names.FREED_UPROBE, f"uprobe {uprobe} is freed twice")
        if (used.uprobe == uprobe).any():
            self._fail(names.FREED_UPROBE, f"uprobe {uprobe} is freed while a hit uses it")
        if self._references(uprobe):
            self._fail(names.REFERENCES, f"uprobe {uprobe} is freed with references")

    def frees_consumer(self, consumer: Consumer) -> None:
        """No hit can still call a consumer that is freed."""
        self.made += 1
        used = self._inside()
        meets = (used.function == consumer.function) & (used.visible & one(consumer.bit) != 0)
        if meets.any():
            text = f"a consumer of function {consumer.function} is freed while a hit may call it"
            self._fail(names.FREED_CONSUMER, text)

    def references(self, uprobe: int) -> None:
        """References are never fewer than none."""
        self.made += 1
        if self._references(uprobe) < 0:
            self._fail(names.REFERENCES, f"uprobe {uprobe} has {self._references(uprobe)}")

    def breakpoints(self, installed: NDArray[np.bool_]) -> None:
        """A child has those breakpoints that a filter takes any process for."""
        self.made += 1
        u = self._uprobes
        lacks = ~installed & (u.must_call & u.anywhere != 0)
        if lacks.any():
            text = f"function {int(np.argmax(lacks))} has no breakpoint in a child"
            self._fail(names.NOT_CALLED, text)
        stray = installed & (u.known & u.anywhere == 0)
        if stray.any():
            self._fail(STRAY_BREAKPOINT, f"in a child, of function {int(np.argmax(stray))}")

    def periods_end(self, engines: dict[str, Engine], patience_ps: int) -> None:
        """No grace period lasts longer than patience does."""
        for whose, engine in engines.items():
            begun = engine.begun_ps
            if begun is not None and self._cosimulation.now_ps - begun > patience_ps:
                self._fail(names.NEVER_ENDING, f"a grace period of {whose} readers does not end")

    def at_the_end(self) -> None:
        """With everything detached: no section, no reference, everything freed."""
        self.after_replay()
        snapshot = self._cosimulation.snapshot
        self.made += 1
        if (snapshot.locks.sum(axis=0) != snapshot.unlocks.sum(axis=0)).any():
            self._fail(names.REFERENCES, "a read section is never left")
        if (snapshot.leases.sum(axis=0) != snapshot.ended.sum(axis=0)).any():
            self._fail(names.REFERENCES, "a return instance keeps its lease")
        if self._uprobes.known.any():
            function = int(np.flatnonzero(self._uprobes.known)[0])
            self._fail(names.REFERENCES, f"a consumer of function {function} is never freed")
        for uprobe in range(self._uprobes.count):
            self.made += 1
            if self._references(uprobe):
                self._fail(names.REFERENCES, f"uprobe {uprobe} ends with references")
            if not self._uprobes.freed[uprobe]:
                self._fail(names.REFERENCES, f"uprobe {uprobe} is never freed")

    def _period_begins(self, whose: str) -> None:
        self._cosimulation.replay()
        self._begun[whose] = self._readers(whose)

    def _period_ends(self, whose: str) -> None:
        self.made += 1
        self._cosimulation.replay()
        before, now = self._begun[whose], self._readers(whose)
        still = (before >= 0) & (before == now)
        if still.any():
            thread = int(np.argmax(still)) % len(self._cosimulation.snapshot.thread)
            text = f"a reader of {whose} was inside as it began and still is"
            self._fail(names.TOO_SHORT, text, thread)

    def _readers(self, whose: str) -> NDArray[np.int64]:
        """Serials of the sections that readers are in, or of their leases by frame; else -1."""
        snapshot = self._cosimulation.snapshot
        if whose == "entry":
            t = snapshot.thread
            return np.where(t["nesting"] > 0, t["sections"], -1)
        frame = snapshot.frame
        leased = (frame["uprobe"] != NOBODY) & (frame["holds"] == LEASE)
        return np.where(leased, frame["serial"], -1).T.ravel()

    def _inside(self) -> Inside:
        return inside(self._cosimulation.snapshot, chain_rwsem=self._rules.chain_rwsem)

    def _references(self, uprobe: int) -> int:
        return int(self._uprobes.ref[uprobe]) + self._cosimulation.held_of(uprobe)

    def _fail(self, check: str, text: str, thread: int | None = None) -> None:
        where = "" if thread is None else f", thread {thread}"
        now_us = self._cosimulation.now_ps / 10**6
        raise Violation(check, f"{text}{where}, at {now_us:.3f} us")
