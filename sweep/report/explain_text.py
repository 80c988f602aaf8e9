"""Where the CPUs' time goes, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table

from core.engine.shares import DISTANCES, SAME_CORE
from core.outcome import PRIVATE_WORK
from sweep.report.explain import Curve, Point
from sweep.spec.axes import AXES, REQUIRED
from sweep.store.settings import MHITS, said, telling
from sweep.terminal.text_table import ABSENT, numbers, percent, table, to_text

COLUMNS = 8
"""CPU counts beside each other; more make a further table."""

TOTAL = "total"


def render(curves: Sequence[Curve], by: Sequence[str], top: int | None = None) -> str:
    """For each curve and each of `by` a table; a curve of one point also tells distances apart.

    Rows are the `top` parts that take the largest share at any CPU count, all without it; the rest
    is one row.
    """
    return to_text(list(_parts(curves, by, top)))


def _parts(curves: Sequence[Curve], by: Sequence[str], top: int | None) -> Iterator[RenderableType]:
    varying = set(telling([curve.setting for curve in curves]))
    for number, curve in enumerate(curves):
        if number:
            yield ""
        yield from _heading(curve, varying)
        for name in by:
            yield ""
            if len(curve.points) == 1:
                yield _one(curve.points[0], name, top)
            else:
                yield from _over_cpus(curve.points, name, top)


def _heading(curve: Curve, varying: set[str]) -> Iterator[str]:
    """Which curve it is: what is not a spec's default, and what differs from one to another."""
    setting = curve.setting
    usual = {name: axis.default for name, axis in AXES.items() if name not in REQUIRED}
    which = f"{setting['flavour']}, {setting['bench']} on {setting['machine']}"
    if len(curve.points) == 1:
        [point] = curve.points
        which += f", cpus={point.cpus}: {point.hits_per_s / MHITS:.3f} M hits/s"
    most = max(point.replicates for point in curve.points)
    yield which + (f" ({most} replicates)" if most > 1 else "")
    unusual = {name for name, value in usual.items() if setting[name] != value}
    shown = ("flavour", "bench", "machine")
    named = [name for name in setting if name in varying | unusual and name not in shown]
    if named:
        yield said(setting, named)
    for point in curve.points:
        if point.states is not None:
            low, high = (rate / MHITS for rate in point.states)
            at = "" if len(curve.points) == 1 else f"cpus={point.cpus}: "
            yield f"{at}two states, {low:.3f} and {high:.3f} M hits/s: seen here is {point.seen}"


def _one(point: Point, by: str, top: int | None) -> Table:
    """A column of times, their shares, and their times at each distance."""
    parts = point.parts(by)
    at = {} if by == "distance" else {d: point.parts(by, d) for d in DISTANCES[SAME_CORE:]}
    at = {distance: times for distance, times in at.items() if times}
    made = numbers(table(_corner(by)), "ns", "share", *at)
    made.add_row(PRIVATE_WORK, *_time(point, point.private_ps))
    for name, members in _rows(list(parts), by, top):
        there = (sum(times.get(m, 0) for m in members) for times in at.values())
        whole = sum(parts[m] for m in members)
        made.add_row(name, *_time(point, whole), *(_ns(point, ps) for ps in there))
    made.add_section()
    sums = (_ns(point, sum(times.values())) for times in at.values())
    made.add_row(TOTAL, *_time(point, point.ps), *sums)
    return made


def _time(point: Point, ps: int) -> tuple[str, str]:
    return _ns(point, ps), percent(ps / point.ps)


def _over_cpus(points: Sequence[Point], by: str, top: int | None) -> Iterator[RenderableType]:
    """Times, CPU counts across, then what share of the whole each is."""
    parts = [point.parts(by) for point in points]
    largest = {
        name: max(part.get(name, 0) / point.ps for part, point in zip(parts, points, strict=True))
        for part in parts
        for name in part
    }
    rows = _rows(sorted(largest, key=lambda name: -largest[name]), by, top)
    for first in range(0, len(points), COLUMNS):
        if first:
            yield ""
        yield _across(points[first : first + COLUMNS], parts[first : first + COLUMNS], rows, by)


def _across(
    points: Sequence[Point],
    parts: Sequence[dict[str, int]],
    rows: Sequence[tuple[str, Sequence[str]]],
    by: str,
) -> Table:
    times = {PRIVATE_WORK: [point.private_ps for point in points]}
    for name, members in rows:
        times[name] = [sum(part.get(member, 0) for member in members) for part in parts]
    made = numbers(table(f"CPUs\n{_corner(by)}"), *(f"{point.cpus}\nns" for point in points))
    for name, row in times.items():
        made.add_row(name, *map(_ns, points, row))
    made.add_section()
    made.add_row(TOTAL, *(_ns(point, point.ps) for point in points))
    made.add_section()
    for name, row in times.items():
        shares = (ps / point.ps for point, ps in zip(points, row, strict=True))
        made.add_row(name, *(percent(share or None) for share in shares))
    made.add_section()
    made.add_row("M hits/s", *(f"{point.hits_per_s / MHITS:.3f}" for point in points))
    return made


def _rows(names: Sequence[str], by: str, top: int | None) -> list[tuple[str, Sequence[str]]]:
    """Names of rows and the parts that each holds, distances from near to far.

    `names` are in order of size. What is not among the `top` is one row, if it is more than one.
    """
    count = len(names) if top is None or len(names) <= top + 1 else top
    shown = sorted(names[:count], key=DISTANCES.index) if by == "distance" else names[:count]
    rows: list[tuple[str, Sequence[str]]] = [(name, [name]) for name in shown]
    if rest := names[count:]:
        rows.append((f"{len(rest)} others", rest))
    return rows


def _corner(by: str) -> str:
    return f"a hit's time on a CPU, by {by}"


def _ns(point: Point, ps: int) -> str:
    ns = point.ns_per_hit(ps)
    return f"{ns:,.1f}" if ns else ABSENT
