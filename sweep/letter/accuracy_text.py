"""The accuracy report as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sweep.letter.curves import CurveErrors
from sweep.letter.targets import Verdict
from sweep.terminal.text_table import numbers, percent, table, to_text


def render(
    verdicts: Sequence[Verdict],
    curves: Sequence[CurveErrors],
    points: bool = False,
    colour: bool = False,
) -> str:
    """The targets, how many are met, what was left out, and with `points` each curve's points."""
    return to_text(list(_parts(verdicts, curves, points)), colour)


def _parts(
    verdicts: Sequence[Verdict], curves: Sequence[CurveErrors], points: bool
) -> Iterator[RenderableType]:
    known = [verdict.met for verdict in verdicts if verdict.met is not None]
    skipped = len(verdicts) - len(known)
    yield from (_targets(verdicts), "")
    yield f"{sum(known)} of {len(known)} met" + (f", {skipped} skipped" if skipped else "")
    for errors in curves:
        if errors.left_out:
            counts = ", ".join(map(str, errors.left_out))
            name, machine = errors.curve.name, errors.curve.machine
            yield f"{name}: left out are {counts} CPUs, more than {machine} has"
    for errors in curves:
        if points and errors.points:
            yield from ("", f"{errors.curve.name}, simulated on {errors.curve.machine}")
            yield _points(errors)


def _targets(verdicts: Sequence[Verdict]) -> Table:
    made = numbers(table("accuracy"), "target", "figure")
    made.add_column("")
    group = ""
    for verdict in verdicts:
        if verdict.group != group:
            group = verdict.group
            made.add_section()
            made.add_row(group)
        figures = (_meant(verdict), _figure(verdict, verdict.figure))
        made.add_row(f"  {verdict.name}", *figures, _said(verdict))
    return made


def _said(verdict: Verdict) -> Text:
    if verdict.met is None:
        return Text(f"skipped: {verdict.note}")
    return Text("met") if verdict.met else Text("MISSED", "red")


def _meant(verdict: Verdict) -> str:
    least, most = _figure(verdict, verdict.least), _figure(verdict, verdict.most)
    if verdict.least is None:
        return f"<= {most}"
    return f">= {least}" if verdict.most is None else f"{least} to {most}"


def _figure(verdict: Verdict, figure: float | None) -> str:
    if verdict.unit == "share" or figure is None:
        return percent(figure)
    return f"{figure:.0f} {verdict.unit}"


def _points(errors: CurveErrors) -> Table:
    made = numbers(table(), "cpus", "published ns", "simulated ns", "error")
    for point in errors.points:
        figures = (f"{point.published:.1f}", f"{point.simulated:.1f}", percent(point.error, "+"))
        made.add_row(str(point.cpus), *figures)
    return made
