"""Targets are held against figures made by hand."""

from __future__ import annotations

import pytest
from frames import letter_frame

from sweep.letter.comparison import beside_letter
from sweep.letter.curves import CurveErrors, CurvePoint
from sweep.letter.later import Alone
from sweep.letter.published import LETTER_KEY
from sweep.letter.targets import CURVES, GROUPS, TARGETS, Measured, Target, Verdict, judge
from sweep.store.settings import figures


def measured(scale: float = 1.0, error: float | None = 0.0) -> Measured:
    """All cells off by `scale`, every curve's one point by `error`; None is no point."""
    points = () if error is None else (CurvePoint(8, 1.0, 1 + error, error),)
    curves = tuple(CurveErrors(curve, points) for curve in CURVES)
    alone = {("tasks-trace+percpu-nhit", "uprobe-nop", n): Alone(scale - 1, None) for n in (2, 3)}
    hand_offs = {("blind locked operation", "same cache"): scale - 1}
    letter = beside_letter(figures(letter_frame(scale), LETTER_KEY))
    return Measured(letter, curves, alone, hand_offs)


def verdicts(made: Measured) -> dict[str, Verdict]:
    return {target.name: judge(target, made) for target in TARGETS}


@pytest.mark.parametrize(
    ("least", "most", "figure", "met"),
    [
        (None, 0.1, 0.1, True),
        (None, 0.1, 0.1001, False),
        (6, None, 6, True),
        (6, None, 5, False),
        (0.8, 0.98, 0.8, True),
        (0.8, 0.98, 0.99, False),
        (0.8, 0.98, 0.79, False),
        (0.8, 0.98, None, None),
    ],
)
def test_both_bounds_are_included(
    least: float | None, most: float | None, figure: float | None, met: bool | None
) -> None:
    verdict = judge(Target("g", "n", lambda _: figure, least, most), measured())
    assert verdict.met is met
    assert bool(verdict.note) is (met is None)


def test_the_letter_meets_every_target_that_needs_no_interval() -> None:
    found = verdicts(measured())
    unknown = [name for name, verdict in found.items() if verdict.met is not True]
    inside = "held-out, inside the 90 % intervals"
    assert unknown == [inside, *(f"the same, {group}" for group in GROUPS)]
    assert found["fall to 32 CPUs and rise to 64"].figure == 6


def test_a_model_off_by_30_percent_misses_every_error_target() -> None:
    found = verdicts(measured(1.3, -0.3))
    missed = [name for name, verdict in found.items() if verdict.met is False]
    assert missed == [t.name for t in TARGETS if t.most is not None and t.least is None]
    assert all(found[name].figure == pytest.approx(0.3) for name in missed)


def test_coverage_is_of_the_held_out_cells() -> None:
    made = letter_frame()
    bounds = {"predicted_low": made["hits_per_s"] * 0.9, "predicted_high": made["hits_per_s"] * 1.1}
    found = verdicts(
        Measured(beside_letter(figures(made.with_columns(**bounds), LETTER_KEY)), measured().curves)
    )
    verdict = found["held-out, inside the 90 % intervals"]
    # Every figure inside is too many for intervals of 90 %.
    assert (verdict.figure, verdict.met) == (1.0, False)


def test_mmap_lock_alone_counts_by_what_its_cpus_meet_over() -> None:
    inside = {3: True, 4: False, 24: True, 48: False, 8: True}  # 8 is a calibration cell.
    alone = {
        ("tasks-trace+percpu-nhit", "uprobe-nop", cpus): Alone(0.0, within)
        for cpus, within in inside.items()
    }
    found = verdicts(Measured(measured().comparison, measured().curves, alone))
    shares = {name: found[f"the same, {name}"].figure for name in GROUPS}
    assert shares == {"one CPU": None, "one socket": 0.5, "two sockets": 1.0, "siblings": 0.0}
    assert found["held-out, inside the 90 % intervals"].figure == 0.5


def test_a_curve_without_a_machine_is_skipped_with_its_name() -> None:
    verdict = verdicts(measured(error=None))["atomic_inc, Milan, whole curve"]
    assert (verdict.met, verdict.note) == (None, "no machine epyc-milan")


def test_without_its_curve_mmap_lock_alone_is_not_judged() -> None:
    verdict = judge(
        next(t for t in TARGETS if t.group.startswith("mmap_lock")),
        Measured(measured().comparison, measured().curves),
    )
    assert verdict.met is None


def test_names_tell_targets_apart() -> None:
    assert len({target.name for target in TARGETS}) == len(TARGETS)
    assert [t.name for t in TARGETS if t.least is None and t.most is None] == []
