"""Measures of the letter's text and curves, on figures made by hand."""

import pytest

from sweep.letter.claims import (
    CLAIMS,
    claims,
    dips,
    interval,
    peak,
    peak_gain,
    rise,
    rises,
    single_gain,
)
from sweep.letter.published import CellKey, published_mhits

CPUS = (1, 2, 4, 8, 16, 32, 64)
BENCH = "uprobe-nop"


def column(flavour: str, *mhits: float) -> dict[CellKey, float]:
    return {(flavour, BENCH, cpus): x for cpus, x in zip(CPUS, mhits, strict=True)}


FIGURES = column("srcu", 2, 3, 4, 8, 6, 4, 5) | column("tasks-trace", 3, 3, 5, 10, 7, 4, 4)


def test_measures_by_hand() -> None:
    assert peak(FIGURES, "srcu", BENCH) == 8
    assert peak_gain(FIGURES, BENCH) == pytest.approx(25)
    assert single_gain(FIGURES, BENCH) == pytest.approx(50)
    assert rise(FIGURES, "srcu", BENCH) == pytest.approx(1.25)


@pytest.mark.parametrize(
    ("mhits", "present"),
    [
        ((6, 4, 5), True),
        ((6, 4, 4), False),
        # Saturated, or still rising: more at 64 CPUs than at 32, but never a fall.
        ((4, 4, 5), False),
        ((3, 4, 5), False),
    ],
)
def test_a_rise_is_there_only_after_a_fall(mhits: tuple[float, ...], present: bool) -> None:
    figures = column("srcu", 1, 2, 3, 4, *mhits)
    assert dips(figures, "srcu", BENCH) is present


def test_only_columns_where_the_letter_rises_are_asked_for() -> None:
    [found] = rises(FIGURES, column("srcu", 1, 1, 1, 1, 3, 2, 3))
    assert (found.flavour, found.published, found.simulated) == ("srcu", 1.25, 1.5)
    assert found.present is True


def test_what_cannot_be_measured_is_none() -> None:
    letter = published_mhits()
    few = {cell: mhits for cell, mhits in letter.items() if cell[2] in (1, 32, 64)}
    assert {(r.simulated is None, r.present) for r in rises(letter, few)} == {(False, None)}
    found = list(claims(letter, few, {}))
    assert [c.name for c in found] == [c.name for c in CLAIMS]
    assert [c.simulated is None for c in found] == [True] * 8 + [False] * 2


def test_the_interval_of_a_ratio_is_its_cells_in_quadrature() -> None:
    ends = {("srcu", BENCH, 1): (1.6, 2.5), ("tasks-trace", BENCH, 1): (3.0, 3.3)}
    low, high = interval(lambda figures: single_gain(figures, BENCH), FIGURES, ends)
    # 3 / 2 is +50 %: 3 / 2.5 is 30 less, 3 / 1.6 is 37.5 more, 3.3 / 2 is 15 more.
    assert (low, high) == pytest.approx((50 - 30, 50 + (37.5**2 + 15**2) ** 0.5))


def test_the_interval_of_a_peak_is_that_of_the_cell_that_is_it() -> None:
    ends = {("srcu", BENCH, 8): (5.0, 8.5), ("srcu", BENCH, 16): (5.5, 27.0)}
    low, high = interval(lambda figures: peak(figures, "srcu", BENCH), FIGURES, ends)
    assert (low, high) == pytest.approx((5.0, 8.5))


def test_a_claim_says_whether_the_tables_figure_is_inside() -> None:
    letter = published_mhits()
    wide = {cell: (0.9 * mhits, 1.1 * mhits) for cell, mhits in letter.items()}
    assert all(claim.inside for claim in claims(letter, letter, wide))
    far = {cell: 1.2 * mhits if cell[0] == "srcu" else mhits for cell, mhits in letter.items()}
    narrow = {cell: (0.99 * mhits, 1.01 * mhits) for cell, mhits in far.items()}
    outside = [claim.name for claim in claims(letter, far, narrow) if claim.inside is False]
    assert outside == [c.name for c in CLAIMS if "srcu" in c.name]
    assert {claim.inside for claim in claims(letter, letter, {})} == {None}
