"""Tables as text."""

import pytest

from sweep.terminal.text_table import WIDTH, numbers, percent, table, to_text


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


def test_no_line_is_wider_than_allowed() -> None:
    made = table("a")
    made.add_row("word " * 50)
    assert max(map(len, to_text([made]).splitlines())) <= WIDTH


@pytest.mark.parametrize(
    ("share", "sign", "said"),
    [(0.0432, "", "4.3%"), (0.0432, "+", "+4.3%"), (-0.5, "+", "-50.0%"), (None, "+", "-")],
)
def test_percent(share: float | None, sign: str, said: str) -> None:
    assert percent(share, sign) == said
