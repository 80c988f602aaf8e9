"""Errors in a few figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.letter.summary import Summary


def cells(*errors: float) -> dict[tuple[str, str, int], float]:
    """These errors, of cells with 1, 2, ... CPUs."""
    return {("f", "b", cpus): error for cpus, error in enumerate(errors, 1)}


def test_by_hand() -> None:
    summary = Summary.of(cells(0.1, -0.4, 0.2, 0.0))
    assert summary.cells == 4
    assert summary.mean == pytest.approx(0.175)
    assert summary.median == pytest.approx(0.15)
    assert summary.worst == pytest.approx(0.4)
    assert summary.worst_cell == ("f", "b", 2)
    # Ranks 0 to 3 hold 0, 0.1, 0.2, 0.4; nine tenths of the way is rank 2.7.
    assert summary.p90 == pytest.approx(0.2 + 0.7 * 0.2)


def test_nothing_has_no_figures() -> None:
    assert Summary.of({}) == Summary(0, None, None, None, None, None, 0, None)


def test_of_equally_bad_cells_the_first_is_the_worst() -> None:
    assert Summary.of(cells(0.0, -0.3, 0.3)).worst_cell == ("f", "b", 2)


def test_coverage_is_over_the_cells_with_an_interval() -> None:
    summary = Summary.of(cells(0.1, 0.2, 0.3, 0.4), [True, False, True])
    assert (summary.intervals, summary.coverage) == (3, pytest.approx(2 / 3))
    assert Summary.of(cells(0.1)).coverage is None


@given(st.lists(st.floats(-1, 10), min_size=1, max_size=30))
def test_figures_are_in_order(errors: list[float]) -> None:
    summary = Summary.of(cells(*errors))
    assert summary.median is not None
    assert summary.p90 is not None
    assert summary.worst is not None
    assert summary.mean is not None
    assert 0 <= summary.median <= summary.p90 <= summary.worst
    assert summary.mean <= summary.worst + 1e-12
