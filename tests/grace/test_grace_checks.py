"""The checks of periods, on periods made by hand."""

from __future__ import annotations

import pytest
from grace_engines import sections as some_sections
from hypothesis import given
from hypothesis import strategies as st

from core.grace.checks import never_ends, too_short
from core.grace.engine import Period
from core.grace.sections import Sections
from core.modelcheck.checks import NEVER_ENDING, TOO_SHORT


def period(begin_ps: int, end_ps: int) -> Period:
    return Period(begin_ps, end_ps, False, {}, 0)


@pytest.mark.parametrize(
    ("begin_ps", "end_ps", "wrong"),
    [(99, 201, True), (100, 201, False), (99, 200, False), (150, 160, False), (0, 300, True)],
)
def test_a_reader_inside_all_of_it(begin_ps: int, end_ps: int, wrong: bool) -> None:
    found = too_short(Sections.of([0, 7], [5, begin_ps], [50, end_ps]), [period(100, 200)])
    assert (found is not None) == wrong
    if found:
        assert (found.check, found.begin_ps) == (TOO_SHORT, 100)
        assert found.text == (
            f"the reader on CPU 7 is inside from {begin_ps} to {end_ps} ps, "
            "the period lasts from 100 to 200 ps"
        )


@given(
    some_sections(3),
    st.lists(st.tuples(st.integers(0, 10**11), st.integers(0, 10**11)), max_size=5),
)
def test_it_says_what_a_comparison_of_all_with_all_says(
    sections: Sections, spans: list[tuple[int, int]]
) -> None:
    periods = [period(begin, begin + length) for begin, length in spans]
    wrong = [
        p.begin_ps
        for p in periods
        if ((sections.begin_ps < p.begin_ps) & (sections.end_ps > p.end_ps)).any()
    ]
    found = too_short(sections, periods)
    assert (found.begin_ps if found else None) == (wrong[0] if wrong else None)


def test_a_period_that_goes_on() -> None:
    sections = Sections.of([0, 1], [0, 90], [100, 10_000])
    assert never_ends(sections, None, 10**6, 10) is None
    # By 300 the longest reader has been inside for 210: it may last 2 * 210 + 10.
    assert never_ends(sections, 50, 300, 10) is None
    only = Sections.of([0], [0], [100])
    assert never_ends(only, 50, 260, 10) is None
    found = never_ends(only, 50, 261, 10)
    assert found is not None
    assert (found.check, found.begin_ps) == (NEVER_ENDING, 50)
    assert never_ends(Sections.none(), 50, 61, 10) is not None
