"""Designs keep their look, and no two look alike."""

from __future__ import annotations

import re
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from core.kernel.flavours import FLAVOURS
from core.kernel.releases import RELEASES
from sweep.report.design_style import COLOURS, KNOWN, design_styles

names = st.one_of(
    st.sampled_from(KNOWN), st.text("abc-+~.py", min_size=1, max_size=9), st.just("srcu+my.py")
)


def test_every_flavour_and_release_has_a_place_of_its_own() -> None:
    assert {*FLAVOURS, *RELEASES} == {*KNOWN}
    assert len(KNOWN) < len(COLOURS)


def test_the_letters_designs_have_the_first_colours() -> None:
    styles = design_styles(["tasks-trace", "baseline", "srcu"])
    assert list(styles) == ["tasks-trace", "baseline", "srcu"]
    assert [styles[n].colour for n in ("baseline", "srcu", "tasks-trace")] == [*COLOURS[:3]]
    assert styles["baseline"].dash == ()


def test_colours_are_colours_and_differ() -> None:
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in COLOURS)
    assert len({*COLOURS}) == len(COLOURS) == 42


@given(st.lists(names, max_size=60))
def test_designs_drawn_together_differ_in_colour_and_in_black_and_white(drawn: list[str]) -> None:
    styles = list(design_styles(drawn).values())
    assert len({(s.colour, s.dash) for s in styles}) == len(styles)
    if len(styles) <= len(COLOURS):
        assert len({s.colour for s in styles}) == len(styles)
        assert len({(s.dash, s.marker) for s in styles}) == len(styles)


@given(st.lists(st.sampled_from(KNOWN), unique=True, max_size=34), names, st.randoms())
def test_a_design_keeps_its_look_among_known_ones(
    others: list[str], one: str, order: Random
) -> None:
    drawn = [*others, one]
    order.shuffle(drawn)
    assert design_styles(drawn)[one] == design_styles([one])[one]


def test_more_designs_than_colours_still_differ() -> None:
    styles = design_styles(f"srcu+mine-{at}.py" for at in range(200))
    assert len({(s.colour, s.dash) for s in styles.values()}) == 200
