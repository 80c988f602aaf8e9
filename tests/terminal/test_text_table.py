"""Tables as text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.terminal.text_table import (
    MANY,
    WIDTH,
    columns_text,
    kept,
    numbers,
    percent,
    table,
    terminal_width,
    to_text,
)


def widest(text: str) -> int:
    return max(map(len, text.splitlines()))


def test_columns_are_aligned_and_lines_end_without_blanks() -> None:
    made = numbers(table("name"), "figure")
    made.add_row("a", "1.0")
    made.add_row("longer", "12.0")
    assert to_text([made, "", "note"]).splitlines() == [
        "name    figure",
        "─" * 14,
        "a          1.0",
        "longer    12.0",
        "",
        "note",
    ]


def test_text_is_wrapped_at_the_width() -> None:
    made = table("a")
    made.add_row("word " * 50)
    assert widest(to_text([made])) <= WIDTH
    assert widest(to_text([made], width=200)) > WIDTH


def test_what_is_too_wide_is_split_and_names_stay_beside_their_figures() -> None:
    made = kept(numbers(table("name"), "cpus"))
    for group in range(4):
        numbers(made, f"figure {group}", "error")
    made.add_row("one", "1", *("12.345 [11.000, 13.000]", "+0.1%") * 4)
    made.add_row("two", "2", *("1.234 [1.000, 2.000]", "+0.2%", "-", "-") * 2)
    text = to_text([made], width=80)
    assert widest(text) <= 80
    assert text.count("12.345 [11.000, 13.000]  +0.1%") == 4
    assert len(re.findall(r"^one +1 ", text, re.MULTILINE)) == 2
    assert len(to_text([made], width=200).splitlines()) == 4


def test_lines_that_say_nothing_are_only_in_the_first_part() -> None:
    made = kept(table("name"))
    for header in ("first", "second"):
        numbers(made, header)
    made.add_row("one", "1" * 30, "2" * 30)
    made.add_row("none", "-", "-")
    assert to_text([made], width=50).count("none") == 1


FIGURES = st.lists(
    st.lists(st.integers(0, 10**9).map(lambda n: f"{n}.5 [{n}]"), min_size=3, max_size=3),
    min_size=1,
    max_size=3,
)


@settings(deadline=None, max_examples=40)
@given(rows=FIGURES, width=st.integers(1, 200))
def test_no_figure_is_ever_cut_or_broken(rows: list[list[str]], width: int) -> None:
    made = numbers(table("some name of several words"), "a", "b", "c")
    for row in rows:
        made.add_row("words that may be wrapped", *row)
    text = to_text([made], width=width)
    assert "…" not in text
    for row in rows:
        for figure in row:
            assert figure in text


def test_a_listing_is_as_wide_as_it_is_without_a_terminal() -> None:
    assert columns_text([["a", "b " * 100], ["long", 1]]).splitlines() == [
        "a     " + "b " * 99 + "b",
        "long  1",
    ]


def test_a_listing_is_wrapped_on_a_terminal() -> None:
    text = columns_text([["name", "word " * 30], ["other", 123456]], width=60)
    assert widest(text) <= 60
    assert [line[:5].strip() for line in text.splitlines()] == ["name", "", "", "other"]


def test_a_long_listing_costs_no_more_than_its_lines() -> None:
    text = columns_text([["x" * 40, "y" * 40]] * (MANY + 1), width=60)
    assert len(text.splitlines()) == MANY + 1


@pytest.mark.parametrize(("said", "width"), [("80", 80), ("5", 40), ("", None), ("x", None)])
def test_columns_says_how_wide_a_terminal_is(
    said: str, width: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", said)
    assert terminal_width() == width


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.text import Text

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31m" in to_text([Text("red", "red")], colour=True)
    monkeypatch.setenv(name, value)
    assert "\x1b[31m" not in to_text([Text("red", "red")], colour=True)


@pytest.mark.parametrize(
    ("share", "sign", "said"),
    [(0.0432, "", "4.3%"), (0.0432, "+", "+4.3%"), (-0.5, "+", "-50.0%"), (None, "+", "-")],
)
def test_percent(share: float | None, sign: str, said: str) -> None:
    assert percent(share, sign) == said
