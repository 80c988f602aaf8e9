"""What a picture of a run shows, before anything is drawn: panels, their curves, what is left out.

Every row is in one point of one curve or counted among those left out; only repeats are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from core.kernel.bench import NAMED
from core.kernel.flavours import FLAVOURS
from core.kernel.releases import RELEASES
from sweep.errors import UsageError, counted, nearest
from sweep.letter.published import LETTER_SETTING, published
from sweep.report.picture_kinds import DRAWN, KINDS, RATE, Kind
from sweep.report.stress_text import with_writers
from sweep.report.tables import in_order
from sweep.spec.axes import AXES
from sweep.store.disturbed import without_disturbed
from sweep.store.settings import (
    MHITS,
    averaged,
    in_setting,
    keys,
    said,
    settings,
    telling,
)

PUBLISHED = "published"
"""What names the letter's own figures beside the sources of rows."""

MOST_ROWS = 8
"""Of panels beneath each other."""

DESIGNS = (*FLAVOURS, *RELEASES)


@dataclass(frozen=True)
class Curve:
    """The points of a `design` in one panel; `low` and `high` are None where there is no band.

    `source` is one of `sweep.store.schema.SOURCES`, or PUBLISHED; `quantile` is "p50", "p99" or "".
    """

    design: str
    source: str
    quantile: str
    x: tuple[int, ...]
    y: tuple[float, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Panel:
    """Curves of one setting under one `title`."""

    title: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Picture:
    """Rows of panels with common axes: `settings` says what of each row the others do not have.

    `setting` is what all rows have in common, `left_out` what is not drawn, "" if all is.
    """

    kind: str
    label: str
    over: str
    settings: tuple[str, ...]
    rows: tuple[tuple[Panel, ...], ...]
    setting: dict[str, Any]
    left_out: str = ""

    @property
    def curves(self) -> list[Curve]:
        """Those of all panels."""
        return [curve for row in self.rows for panel in row for curve in panel.curves]

    @property
    def designs(self) -> list[str]:
        """The designs of all panels, known ones first and in their order."""
        return in_order(DESIGNS, (curve.design for curve in self.curves))


def picture(frame: pl.DataFrame, kind: str | None = None, facet: str | None = None) -> Picture:
    """What there is to draw of `frame`: a curve for each design, over CPUs or over what varies.

    `kind` is one of KINDS, by default throughput, and latency if all cells attach. A column
    of panels is a bench, or a value of `facet`, which is any key of rows; a row of panels is a
    setting. Without a facet, rows of the letter's setting are drawn alone and beside what is
    published, if there are any. Raises UsageError if there is nothing to draw, and for more than
    MOST_ROWS settings.
    """
    if frame.is_empty():
        raise UsageError("nothing to draw: the run has no results")
    if kind is None:
        timed = frame.filter(pl.col("attach_p50_s").is_not_null() & with_writers())
        kind = "latency" if len(timed) == len(frame) else "throughput"
    if kind not in KINDS:
        raise UsageError(f"--kind {kind}: {nearest(kind, KINDS)}")
    if facet is not None and facet not in (known := keys(frame.columns)):
        raise UsageError(f"--facet {facet}: rows have no such key: {nearest(facet, known)}")
    shown, across = KINDS[kind], facet or "bench"
    rows, why = _chosen(frame, shown, alone=facet is None)
    over = "cpus" if shown.over_cpus else _over(rows, across)
    by = tuple(dict.fromkeys(("flavour", over, across)))
    found = settings(rows, by)
    differing = telling([setting.values for setting in found])
    told = tuple(said(setting.values, differing, ", ") for setting in found)
    if len(found) > MOST_ROWS:
        raise UsageError(
            f"a picture shows {MOST_ROWS} settings at most, and this run has {len(found)}: "
            f"{'; '.join(told[:MOST_ROWS])}; ...; choose some by --only, or an axis by --facet"
        )
    if "detach all" in shown.parts:
        # Of cells without a batch it is how long they last.
        total = pl.when(pl.col("batch") > 0).then("detach_total_s")
        found = [s._replace(rows=s.rows.with_columns(detach_total_s=total)) for s in found]
    kept = [without_disturbed(setting.rows, by) for setting in found]
    if disturbed := len(rows) - sum(map(len, kept)):
        why.append(counted(disturbed, "disturbed measurement"))
    values = in_order(NAMED, rows[across]) if across == "bench" else _sorted(rows[across])
    panels = tuple(
        tuple(
            Panel(_title(across, value, part), _curves(cells, shown, over, part))
            for value in values
            for part in shown.parts
            for cells in [those.filter(*in_setting({across: value}))]
        )
        for those in kept
    )
    empty = [at for at in range(len(panels[0])) if not any(row[at].curves for row in panels)]
    panels = tuple(tuple(p for at, p in enumerate(row) if at not in empty) for row in panels)
    common = {k: v for k, v in found[0].values.items() if all(s.values.get(k) == v for s in found)}
    left_out = f"left out: {', '.join(why)}" if why else ""
    label = shown.label
    if shown.parts is DRAWN and any(rows.select(by).is_duplicated().any() for rows in kept):
        label += ", the mean of repeats' own"
    made = Picture(kind, label, over, told, panels, common, left_out)
    if not made.curves:
        raise UsageError(f"nothing to draw: no {kind} is known of these results")
    return made


def _chosen(frame: pl.DataFrame, kind: Kind, alone: bool) -> tuple[pl.DataFrame, list[str]]:
    """The rows that are drawn, and what is said of the others."""
    rows, why = frame, []
    if kind.writers is not None:
        rows = frame.filter(with_writers() == kind.writers)
        if len(rows) < len(frame):
            which = "without" if kind.writers else "with"
            why.append(f"{counted(len(frame) - len(rows), 'result')} {which} writers")
    letter = rows.filter(*in_setting(LETTER_SETTING))
    if kind.against:
        letter = letter.join(published(), on=["flavour", "bench", "cpus"], how="semi")
        if letter.is_empty():
            raise UsageError("nothing to draw: no result has a published figure to err against")
    if (alone or kind.against) and kind.letter and 0 < len(letter) < len(rows):
        which = "without a published figure" if kind.against else "of other settings"
        why.append(f"{counted(len(rows) - len(letter), 'result')} {which}")
        rows = letter
    if rows.is_empty():
        raise UsageError(f"nothing to draw: the run has only {why[0]}; another --kind has them")
    return rows, why


def _over(rows: pl.DataFrame, across: str) -> str:
    """The axis to the right: CPUs, or the one with most values if they do not vary."""
    counts = {
        name: rows[name].n_unique()
        for name, axis in AXES.items()
        if axis.type is int and name not in ("seed", across)
    }
    most = max(counts, key=lambda name: counts[name])
    return "cpus" if counts.get("cpus", 0) > 1 or counts[most] == 1 else most


def _title(across: str, value: object, part: str) -> str:
    named = str(value) if across == "bench" else f"{across}={value}"
    return f"{named}: {part}" if part else named


def _curves(rows: pl.DataFrame, kind: Kind, over: str, part: str) -> tuple[Curve, ...]:
    """The curves of one panel; `rows` are of one setting but for the flavour and `over`."""
    made = []
    columns = kind.parts[part]
    for name in in_order(DESIGNS, rows["flavour"]):
        own = rows.filter(flavour=name)
        also = [column for column in columns.values() if column != RATE]
        points = averaged(own, tuple(dict.fromkeys((over, "cpus"))), also)
        letter = _letter(own) if kind.letter and over == "cpus" else None
        if letter is not None:
            points = points.join(letter.select("cpus", "published"), on="cpus", how="left")
            if not kind.against:
                made.append(_curve(letter, over, kind, name, PUBLISHED, "", RATE))
        for quantile, column in columns.items():
            source = own["source"][0]
            made.append(_curve(points, over, kind, name, source, quantile, column))
    return tuple(curve for curve in made if curve.x)


def _curve(
    points: pl.DataFrame, over: str, kind: Kind, name: str, source: str, quantile: str, column: str
) -> Curve:
    ends = [kind.height(end) for end in ("low", "high")] if column == RATE else []
    none = pl.lit(None, pl.Float64)
    made = (
        points.sort(over)
        .select(
            x=over,
            y=kind.height(column),
            low=pl.min_horizontal(ends) if ends else none,
            high=pl.max_horizontal(ends) if ends else none,
        )
        .filter(pl.col("y").is_finite())
    )
    return Curve(name, source, quantile, *(tuple(made[c].to_list()) for c in made.columns))


def _letter(rows: pl.DataFrame) -> pl.DataFrame | None:
    """The published curve beside rows of one design and setting, if there is one."""
    lines = published().filter(flavour=rows["flavour"][0], bench=rows["bench"][0]).sort("cpus")
    if lines.is_empty() or rows.filter(*in_setting(LETTER_SETTING)).is_empty():
        return None
    rate, none = pl.col("mhits_per_s") * MHITS, pl.lit(None, pl.Float64)
    return lines.select("cpus", hits_per_s=rate, published=rate, low=none, high=none)


def _sorted(values: pl.Series) -> list[Any]:
    return values.unique().sort().to_list()
