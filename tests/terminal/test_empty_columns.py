"""Columns that say nothing are not printed."""

from __future__ import annotations

from sweep.terminal.text_table import numbers, table, to_text


def test_columns_of_nothing_are_dropped_and_others_stay() -> None:
    made = numbers(table("name"), "one", "none", "two")
    made.add_row("a", "1", "-", "")
    made.add_row("b", "-", "", "2")
    text = to_text([made], width=80)
    assert text.splitlines()[0].split() == ["name", "one", "two"]
    assert [line.split() for line in text.splitlines()[2:]] == [["a", "1"], ["b", "-", "2"]]


def test_a_table_of_nothing_keeps_its_columns() -> None:
    made = numbers(table("name"), "one")
    made.add_row("a", "-")
    assert to_text([made], width=80).splitlines()[0].split() == ["name", "one"]
