"""The loops that host calibration times: they fit their page, run, count and end."""

from __future__ import annotations

import mmap
import os

import pytest

from sweep.live.callers import Callers
from sweep.live.code import function
from sweep.live.loops import CLOCK, HAND_OFFS, LOCKED, PING_PONG, Loop
from sweep.live.timing import Timing, mapped, pooled

HANDED = [loop for kind in HAND_OFFS for loop in (kind.shared, kind.own)]


@pytest.mark.parametrize("loop", [CLOCK, LOCKED, *HANDED], ids=lambda loop: loop.name)
@pytest.mark.parametrize("threads", [1, 2])
def test_every_thread_makes_passes_and_ends_when_told(loop: Loop, threads: int) -> None:
    assert len(loop.code) <= mmap.PAGESIZE
    cpu = min(os.sched_getaffinity(0))
    with mapped(loop.code) as at, Callers(function(at), [cpu] * threads) as callers:
        pass
    assert all(calls > 0 for calls in callers.calls_each())
    assert callers.calls() == sum(callers.calls_each())


def test_the_two_that_take_turns_fit_their_page() -> None:
    assert len(PING_PONG.code) <= mmap.PAGESIZE


def test_a_hand_off_below_nought_has_a_spread_all_the_same() -> None:
    runs = [Timing(ns, ns - 1, ns + 1, 10, 10) for ns in (-4.0, -2.0, 0.0)]
    found = pooled(runs)
    assert (found.ns, found.spread) == (-2.0, 2.0)
    assert pooled([Timing(0.0, -1, 1, 10, 10)]).spread == 0
