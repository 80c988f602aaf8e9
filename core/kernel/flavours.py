"""Named designs of the hot path: how far along the series each has gone."""

from __future__ import annotations

from dataclasses import dataclass

from core.kernel.hot_path import baseline
from core.kernel.operation import Path
from core.kernel.patches import PATCHES


@dataclass(frozen=True)
class Flavour:
    """A design: its name, the last stage it contains, and what the letter calls it."""

    name: str
    stage: int
    title: str


FLAVOURS = {
    f.name: f
    for f in (
        Flavour("baseline", 0, "BASELINE (on top of Oleg's clean up patches)"),
        Flavour("srcu", 7, "Up to second-to-last patch (i.e., SRCU-based optimizations)"),
        Flavour("tasks-trace", 8, "RCU Tasks Trace"),
    )
}


def hot_path(flavour: str, bench: str) -> Path:
    """The calls of one hit of `bench` under `flavour`, in program order.

    Raises KeyError for a name that is not in FLAVOURS or BENCHES.
    """
    path = baseline(bench)
    for patch in PATCHES:
        if patch.stage <= FLAVOURS[flavour].stage:
            path = patch.apply(path)
    return path
