"""Where the CPUs' time goes, hit by hit, as CPUs grow: a run's attribution, put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from core.cell import CellResult
from core.kernel.flavours import FLAVOURS
from core.kernel.hot_path import BENCHES
from core.outcome import PRIVATE_WORK, Share
from core.two_states import States
from sweep.report.tables import in_order
from sweep.store.schema import SHARE_KEY
from sweep.store.settings import averaged, settings

OWN_LINES = "lines of the CPU's own"

BY: dict[str, Callable[[Share], str]] = {
    "line": lambda share: share.line or OWN_LINES,
    "operation": lambda share: f"{share.function}, {share.operation}",
    "distance": lambda share: share.distance,
}
"""What shares can be put together by, and the name of the part that one belongs to."""


@dataclass(frozen=True)
class Point:
    """The CPU time of one or more replicates of a cell.

    `shares` hold it all, so their sum / `hits` is what a hit takes of a CPU: `cpus` / `hits_per_s`.
    `states` are the rates of two states that the cell falls into by how its CPUs start; `mixed`
    says that the shares are those of many starts, else they are those of one.
    """

    cpus: int
    replicates: int
    hits: int
    hits_per_s: float
    shares: tuple[Share, ...]
    states: tuple[float, float] | None = None
    mixed: bool = False

    @property
    def ps(self) -> int:
        """Time of all CPUs."""
        return sum(share.ps for share in self.shares)

    @property
    def private_ps(self) -> int:
        """Time that no operation on a line took."""
        return sum(share.ps for share in self.shares if share.operation == PRIVATE_WORK)

    @property
    def seen(self) -> str | None:
        """Which of its two states the shares show; None if it has one."""
        if self.states is None:
            return None
        if self.mixed:
            return "both"
        low, high = self.states
        return "the lower" if self.hits_per_s < (low * high) ** 0.5 else "the higher"

    def ns_per_hit(self, ps: int) -> float | None:
        """`ps` of all CPUs' time for each hit; None if there was none."""
        return ps / (1000 * self.hits) if self.hits else None

    def parts(self, by: str, distance: str | None = None) -> dict[str, int]:
        """Time on lines by one of BY, in ps, the longest first; at one distance if it is given."""
        found: dict[str, int] = {}
        for share in self.shares:
            if share.operation != PRIVATE_WORK and distance in (None, share.distance):
                name = BY[by](share)
                found[name] = found.get(name, 0) + share.ps
        return dict(sorted(found.items(), key=lambda part: -part[1]))

    def to_dict(self, by: tuple[str, ...]) -> dict[str, Any]:
        """For JSON: totals, and for each of `by` its parts. Times in ps, and in ns a hit."""
        whole = self.ps
        parts = {
            name: [self._part(part, ps) for part, ps in self.parts(name).items()] for name in by
        }
        return {
            "cpus": self.cpus,
            "replicates": self.replicates,
            "hits": self.hits,
            "hits_per_s": self.hits_per_s,
            "states": self.states and {"hits_per_s": self.states, "seen": self.seen},
            "ps": whole,
            "ns_per_hit": self.ns_per_hit(whole),
            "private_work": self._part(PRIVATE_WORK, self.private_ps),
            "by": parts,
        }

    def _part(self, name: str, ps: int) -> dict[str, Any]:
        return {
            "name": name,
            "ps": ps,
            "ns_per_hit": self.ns_per_hit(ps),
            "share": ps / self.ps,
        }


@dataclass(frozen=True)
class Curve:
    """Points that differ in CPUs only, and the setting, seed too, that they have in common."""

    setting: Mapping[str, Any]
    points: tuple[Point, ...]


def point(cpus: int, results: Sequence[CellResult], states: States | None = None) -> Point:
    """The replicates of one cell, put together; `results` are theirs, `states` the cell's."""
    whole: Counter[Share] = Counter()
    for result in results:
        for share in result.attribution:
            whole[share._replace(ps=0)] += share.ps
    rate = sum(result.hits_per_s for result in results) / len(results)
    shares = tuple(share._replace(ps=ps) for share, ps in whole.items())
    hits = sum(result.hits for result in results)
    return Point(cpus, len(results), hits, rate, shares, states and (states.low, states.high))


def explain(cells: pl.DataFrame, shares: pl.DataFrame) -> list[Curve]:
    """The curves of cells that have shares, in the order of the letter's tables.

    `cells` are rows of `sweep.scan`, `shares` of `sweep.scan_attribution`; replicates are put
    together. A cell without shares is left out.
    """
    known = cells.join(shares, on="cell_id", how="semi")
    curves = []
    for values, rows in settings(known, ("cpus",), seeds=True):
        parts = (
            shares.join(rows.select("cell_id", "cpus"), on="cell_id")
            .group_by("cpus", *SHARE_KEY[1:])
            .agg(pl.col("ps").sum())
            .partition_by("cpus", as_dict=True)
        )
        made = [
            Point(
                **{name: row[name] for name in ("cpus", "replicates", "hits", "hits_per_s")},
                shares=_shares(parts[(row["cpus"],)]),
                states=None if row["state_low"] is None else (row["state_low"], row["state_high"]),
                mixed=True,
            )
            for row in averaged(rows, ("cpus",)).sort("cpus").iter_rows(named=True)
        ]
        curves.append(Curve(values, tuple(made)))
    flavours, benches = (
        in_order(names, (curve.setting[axis] for curve in curves))
        for axis, names in (("flavour", FLAVOURS), ("bench", BENCHES))
    )
    return sorted(
        curves,
        key=lambda c: (flavours.index(c.setting["flavour"]), benches.index(c.setting["bench"])),
    )


def _shares(parts: pl.DataFrame) -> tuple[Share, ...]:
    rows = parts.select(*SHARE_KEY[1:], "ps").sort("ps", *SHARE_KEY[1:], descending=True)
    return tuple(Share(*row) for row in rows.iter_rows())
