"""Where the time goes, and what would be gained without a line: rows of the report's bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.outcome import PRIVATE_WORK
from sweep.report.compare import design
from sweep.report.explain import Curve
from sweep.report.html.curves import Row
from sweep.report.what_if import WhatIf
from sweep.report.what_if_text import largest, names
from sweep.spec.axes import AXES, REQUIRED
from sweep.store.settings import MHITS, said, telling

VIEWS = ("line", "operation")

TOP = 7
"""Parts with a colour of their own: those that take most of any point's time."""

COLOURS = ("#D55E00", "#0072B2", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#8877BB")
PRIVATE, OTHERS = "#9a9a9a", "#d0d0d0"


@dataclass(frozen=True)
class Stack:
    """The parts of one curve's time by both of VIEWS, and which curve it is."""

    title: str
    design: str
    rows: list[Row]


def colours(curves: Sequence[Curve]) -> dict[str, dict[str, str]]:
    """Parts with a colour of their own, by view: the same in all charts."""
    found = {}
    for view in VIEWS:
        largest = Counter[str]()
        for curve in curves:
            for point in curve.points:
                for name, ps in point.parts(view).items():
                    largest[name] = max(largest[name], round(1e6 * ps / point.ps))
        top = [name for name, _ in largest.most_common(TOP)]
        named = {PRIVATE_WORK: PRIVATE, **dict(zip(top, COLOURS, strict=False))}
        rest = len(largest) - len(top)
        found[view] = {**named, **({_others(rest): OTHERS} if rest else {})}
    return found


def with_hits(curves: Sequence[Curve]) -> list[Curve]:
    """The curves of cells that somebody hits: of others a hit takes no time."""
    hit = [replace(c, points=tuple(p for p in c.points if p.hits)) for c in curves]
    return [curve for curve in hit if curve.points]


def stacks(curves: Sequence[Curve]) -> list[Stack]:
    """A stack for each curve; parts without a colour of their own are one, called others."""
    known = colours(curves)
    varying = telling([curve.setting for curve in curves])
    usual = {name: axis.default for name, axis in AXES.items() if name not in REQUIRED}
    made = []
    for curve in curves:
        setting = curve.setting
        named = [n for n in setting if n in varying or setting[n] != usual.get(n, setting[n])]
        shown = [name for name in named if name not in ("flavour", "bench", "machine")]
        which = [setting["flavour"], setting["bench"], said(setting, shown, ", ")]
        if "machine" in varying:
            which.insert(2, setting["machine"])
        rows = [row for view in VIEWS for row in _rows(curve, view, known[view])]
        made.append(Stack(", ".join(filter(None, which)), design(setting["flavour"]), rows))
    return made


def gains(found: WhatIf) -> list[Row]:
    """A row for each variant, in million hits per second; `percent` is of the cell as it is."""
    before = found.hits_per_s.mean
    return [
        {
            "made": names(variant.lines, found.shares),
            "mhits": variant.hits_per_s.mean / MHITS,
            "gain": variant.gain.mean / MHITS,
            "low": _mhits(variant.gain.low),
            "high": _mhits(variant.gain.high),
            "percent": variant.gain.mean / before if before else None,
            "private": variant.private_share,
            "then": largest(variant),
        }
        for variant in found.variants
    ]


def title(found: WhatIf) -> str:
    """Which cell it is of."""
    cell = found.cell
    return f"{cell.flavour}, {cell.bench}, {cell.cpus} CPUs"


def of_design(found: WhatIf) -> str:
    """The name that curves of such a cell have in a comparison."""
    return design(found.cell.flavour)


def _rows(curve: Curve, view: str, known: dict[str, str]) -> list[Row]:
    order = list(known)
    rows: list[Row] = []
    for point in curve.points:
        parts = Counter({PRIVATE_WORK: point.private_ps})
        for name, ps in point.parts(view).items():
            parts[name if name in known else order[-1]] += ps
        rows += [
            {
                "by": view,
                "cpus": point.cpus,
                "part": name,
                "ns": point.ns_per_hit(parts[name]),
                "share": parts[name] / point.ps,
                "order": at,
            }
            for at, name in enumerate(order)
            if parts[name]
        ]
    return rows


def _others(count: int) -> str:
    return f"{count} others" if count > 1 else "1 other"


def _mhits(rate: float | None) -> float | None:
    return None if rate is None else rate / MHITS
