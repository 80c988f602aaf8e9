"""Which samples a live measurement keeps, with clocks of our own."""

from __future__ import annotations

from typing import Any, cast

import pytest

from sweep.live import session


class Clocked:
    """A probe and threads on two CPUs, whose samples have these shares of the CPUs."""

    def __init__(self, shares: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
        self.shares = iter(shares)
        self.now = self.busy = self.count = 0.0
        monkeypatch.setattr(session.time, "perf_counter", lambda: self.now)

    def hits(self) -> int:
        return round(self.count)

    def cpu_seconds(self) -> list[float]:
        return [self.busy, self.busy]

    def sleep(self, seconds: float) -> None:
        share = next(self.shares)
        self.now += seconds
        self.busy += share * seconds
        self.count += 1000 * share * seconds


def kept(shares: list[float], wanted: int, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    host = cast(Any, Clocked(shares, monkeypatch))
    found = session._samples(host, host, wanted, 1.0, host.sleep)
    assert [hits for hits, _, _ in found] == [round(1000 * share) for _, _, share in found]
    return [round(share, 3) for _, _, share in found]


def test_undisturbed_samples_are_kept_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept([1.0, 0.98, 0.99], 3, monkeypatch) == [1.0, 0.98, 0.99]


def test_disturbed_samples_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept([0.4, 1.0, 0.6, 0.98], 2, monkeypatch) == [1.0, 0.98]


def test_where_patience_ends_the_best_are_taken_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert kept([0.2, 0.7, 0.3, 1.0, 0.1, 0.5], 2, monkeypatch) == [0.7, 1.0]
