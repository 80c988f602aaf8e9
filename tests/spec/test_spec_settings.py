"""Axes and values as people write them on the command line."""

from __future__ import annotations

import pytest

from sweep.errors import UsageError, near, nearest
from sweep.spec.settings import read_settings


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("cpus=1-4", {"cpus": [1, 2, 3, 4]}),
        ("cpus=1-3,8", {"cpus": [1, 2, 3, 8]}),
        ("cpus=7-7", {"cpus": 7}),
        ("machine=1-4", {"machine": "1-4"}),
        ("seed=-1", {"seed": -1}),
    ],
)
def test_ranges_are_of_numbers(setting: str, values: dict[str, object]) -> None:
    assert read_settings([setting], "") == values


@pytest.mark.parametrize(
    ("setting", "said"),
    [("cpus=8-1", "8-1 is no range: write 1-8"), ("seed=0-9999999", "more than 1,000,000 values")],
)
def test_what_is_no_range(setting: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_settings([setting], "--set ")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("srco", "srcu"), ("SRCU", "srcu"), ("nhit", "percpu-nhit"), ("zz", None), ("xyzzy", None)],
)
def test_a_name_is_meant_only_if_it_is_near(word: str, meant: str | None) -> None:
    assert near(word, ["srcu", "percpu-nhit"]) == meant
    assert ("did you mean" in nearest(word, ["srcu", "percpu-nhit"])) == (meant is not None)
