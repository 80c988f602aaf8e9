"""What must hold of grace periods, given when readers were inside: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.grace.engine import Period
from core.grace.sections import Sections
from core.modelcheck.checks import NEVER_ENDING, TOO_SHORT


@dataclass(frozen=True)
class Finding:
    """A period that is wrong: which of the two checks, the period's begin, and why."""

    check: str
    begin_ps: int
    text: str


def too_short(sections: Sections, periods: Sequence[Period]) -> Finding | None:
    """The first period during all of which one reader was inside; None if there is none.

    A reader that enters as the period begins, or leaves as it ends, is not held against it.
    """
    if not len(sections.begin_ps):
        return None
    order = np.argsort(sections.begin_ps, kind="stable")
    begins_ps, ends_ps = sections.begin_ps[order], sections.end_ps[order]
    latest_ps = np.maximum.accumulate(ends_ps)
    for period in periods:
        before = int(np.searchsorted(begins_ps, period.begin_ps))
        if before and latest_ps[before - 1] > period.end_ps:
            worst = int(np.argmax(ends_ps[:before]))
            text = (
                f"the reader on CPU {sections.cpu[order[worst]]} is inside from {begins_ps[worst]} "
                f"to {ends_ps[worst]} ps, the period lasts from {period.begin_ps} to "
                f"{period.end_ps} ps"
            )
            return Finding(TOO_SHORT, period.begin_ps, text)
    return None


def never_ends(
    sections: Sections, begun_ps: int | None, now_ps: int, allowance_ps: int
) -> Finding | None:
    """The period that began at `begun_ps` if it should have ended; None if it may go on.

    A period may wait for a reader that was there, and then for one that came before its flip or
    met its IPI; `allowance_ps` is for everything else.
    """
    if begun_ps is None:
        return None
    during = (sections.end_ps > begun_ps) & (sections.begin_ps < now_ps)
    ends_ps = np.minimum(sections.end_ps[during], now_ps)
    longest_ps = int((ends_ps - sections.begin_ps[during]).max(initial=0))
    if now_ps - begun_ps <= 2 * longest_ps + allowance_ps:
        return None
    text = (
        f"began at {begun_ps} ps, has not ended at {now_ps} ps, and no reader was inside for "
        f"longer than {longest_ps} ps"
    )
    return Finding(NEVER_ENDING, begun_ps, text)
