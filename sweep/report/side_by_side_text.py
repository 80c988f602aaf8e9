"""Values of an axis side by side as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import RenderableType

from sweep.report.side_by_side import MEMBERS, Line, Side, SideBySide
from sweep.store.settings import MHITS, said, telling
from sweep.terminal.text_table import ABSENT, TextTable, kept, numbers, percent, table, to_text

LEGEND = (
    "M hits/s; ratios are to {first}, for the same random numbers, with their paired 90 % interval "
    "over {over}."
)
LUCK = "These intervals say how repeats scatter; how wrong a simulated rate is, is not in them."
UNSURE = (
    "A ratio without an interval is of single repeats, and of no ensemble that the model of now "
    "can simulate again."
)
SAME = "= the same within the interval."


def render(found: SideBySide) -> str:
    """A table for each setting: CPU counts down, the values of the axis across."""
    return to_text(list(_parts(found)))


def _parts(found: SideBySide) -> Iterator[RenderableType]:
    down = "flavour" if found.by == "cpus" else "cpus"
    settings = [line.axes for line in found.lines]
    differing = [name for name in telling(settings) if name != down]
    titled = [said(setting, differing, ", ") for setting in settings]
    for title, pairs in groupby(zip(titled, found.lines, strict=True), key=lambda pair: pair[0]):
        if title:
            yield title
        yield from _table(found, down, [line for _, line in pairs])
        yield ""
    ratios = [s.ratio for line in found.lines for s in line.sides if s is not None and s.ratio]
    over = sorted({ratio.over for ratio in ratios if ratio.over})
    legend = LEGEND if over else "M hits/s; ratios are to {first}."
    yield legend.format(first=f"{found.by} {found.columns[0]}", over=" or ".join(over))
    if any(ratio.over not in ("", MEMBERS) for ratio in ratios):
        yield LUCK
    if any(ratio.same for ratio in ratios):
        yield SAME
    if any(ratio.low is None for ratio in ratios):
        yield UNSURE


def _table(found: SideBySide, down: str, lines: Sequence[Line]) -> Iterator[RenderableType]:
    first, *others = map(str, found.columns)
    made = numbers(_down(down), first)
    ratios = [side.ratio for line in lines for side in line.sides if side and side.ratio]
    interval = max((ratio.confidence for ratio in ratios), key=len, default="90 %")
    for name in others:
        numbers(made, name, "ratio", interval, "")
    for line in lines:
        texts = [_rate(line.sides[0])]
        for side in line.sides[1:]:
            texts += [_rate(side), *_ratio(side)]
        made.add_row(str(line.axes[down]), *texts)
    yield made
    if any(side is not None and side.limit for line in lines for side in line.sides):
        limits = _down(down)
        for name in found.columns:
            limits.add_column(f"what limits {name}")
        for line in lines:
            limits.add_row(str(line.axes[down]), *map(_limit, line.sides))
        yield ""
        yield limits


def _down(name: str) -> TextTable:
    """A table with its first column: names to the left, numbers to the right."""
    return table(name) if name == "flavour" else kept(numbers(table(), name))


def _rate(side: Side | None) -> str:
    return ABSENT if side is None else f"{side.hits_per_s / MHITS:.3f}"


def _ratio(side: Side | None) -> tuple[str, str, str]:
    if side is None or side.ratio is None:
        return ABSENT, ABSENT, ""
    found = side.ratio
    if found.low is None or found.high is None:
        return f"{found.ratio:.2f}x", ABSENT, ""
    return f"{found.ratio:.2f}x", f"[{found.low:.2f}, {found.high:.2f}]", "=" if found.same else ""


def _limit(side: Side | None) -> str:
    if side is None or not side.limit:
        return ABSENT
    return f"{side.limit} {percent(side.limit_share)}"
