"""Frames for other programs: what is read back is what was written."""

from __future__ import annotations

import io
import json
from math import inf, nan

import polars as pl
import pytest
from frames import frame, row
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from sweep.errors import UsageError
from sweep.report.written import FORMATS, absent, as_csv, as_json, as_markdown, as_parquet

SCHEMA = {"x": pl.Float64, "n": pl.Int64, "s": pl.String, "b": pl.Boolean}
ROWS = st.lists(
    st.tuples(
        st.none() | st.floats(),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"])) | st.just('a,"b"\nc'),
        st.none() | st.booleans(),
    ),
    min_size=1,
)


def made(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@given(ROWS)
def test_no_number_is_lost_in_csv(rows: list[tuple[object, ...]]) -> None:
    back = pl.read_csv(io.BytesIO(as_csv(made(rows))), schema=SCHEMA)
    assert_frame_equal(back, made(rows), check_exact=True)


@given(ROWS)
def test_no_number_is_lost_in_json(rows: list[tuple[object, ...]]) -> None:
    read = json.loads(as_json(made(rows)), parse_constant=pytest.fail)
    for one in read:
        one["x"] = None if one["x"] is None else float(one["x"])
    assert_frame_equal(pl.DataFrame(read, schema=SCHEMA), made(rows), check_exact=True)


@given(ROWS)
def test_no_number_is_lost_in_parquet(rows: list[tuple[object, ...]]) -> None:
    back = pl.read_parquet(io.BytesIO(as_parquet(made(rows))))
    assert_frame_equal(back, made(rows), check_exact=True)


def test_markdown_has_every_digit_and_its_own_signs_escaped() -> None:
    text = as_markdown(made([(0.1 + 0.2, 2**53 + 1, "a|b\nc", True), (nan, None, "", None)]))
    assert text.decode().splitlines() == [
        "| x | n | s | b |",
        "| --: | --: | :-- | :-- |",
        "| 0.30000000000000004 | 9007199254740993 | a\\|b<br>c | True |",
        "| nan | null |  | null |",
    ]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_frame_of_a_run_is_written(kind: str) -> None:
    assert FORMATS[kind](frame(row(), row(flavour="srcu")))


def test_what_is_null_or_not_finite_is_said() -> None:
    cells = made([(nan, 1, None, None), (inf, 2, "a", None), (1.0, 3, "b", None)])
    assert absent(cells, "csv") == [
        "null, written as nothing: s in 1 rows, 1 columns in every row",
        "no finite number: x in 2 rows",
    ]
    assert absent(cells, "json")[1] == (
        'no finite number, written as "NaN", "Infinity": x in 2 rows'
    )
    assert absent(cells.select("n"), "csv") == []


@pytest.mark.parametrize("kind", ["csv", "markdown"])
def test_nested_columns_are_named(kind: str) -> None:
    nested = pl.DataFrame({"a": [1], "list": [[1, 2]], "struct": [{"x": nan}]})
    with pytest.raises(UsageError, match="lists or structs: list, struct"):
        FORMATS[kind](nested)
    assert json.loads(as_json(nested)) == [{"a": 1, "list": [1, 2], "struct": {"x": "NaN"}}]
