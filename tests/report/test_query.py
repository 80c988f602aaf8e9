"""SQL about a run's tables."""

from __future__ import annotations

import polars as pl
import pytest
from frames import frame, row

from sweep.errors import UsageError
from sweep.report.query import as_text, described, pooled, query

CELLS = frame(
    row(cell_id="a", flavour="srcu", cpus=1, hits=10, hits_per_s=1e6),
    row(cell_id="b", flavour="srcu", cpus=2, hits=30, hits_per_s=3e6),
    row(cell_id="c", flavour="nop5", cpus=1, hits=7, hits_per_s=5e6),
)
TABLES = {"results": CELLS, "attribution": pl.DataFrame({"cell_id": ["a", "a"], "ps": [1, 2]})}


def test_tables_are_joined_and_put_together() -> None:
    found = query(
        TABLES,
        "select r.flavour, sum(a.ps) as ps from results r join attribution a "
        "on r.cell_id = a.cell_id group by r.flavour",
    )
    assert found.rows() == [("srcu", 3)]


def test_a_number_with_a_point_is_a_double() -> None:
    sql = "select hits/3.0 as x, hits*.5 as y, '-- 1.5' as t from results -- not 2.5\n limit 1"
    assert query(TABLES, sql).row(0) == (10 / 3, 5.0, "-- 1.5")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select flavor from results", "no such column: flavor: did you mean 'flavour'?"),
        ("select r.cpu from results r", "no such column: cpu: did you mean 'cpus'?"),
        ('select hits from results where flavour = "nop5"', "in single quotes: 'nop5'"),
        ("select zzzzzzzzzz from results", "no such column: zzzzzzzzzz: "),
        ("select hits from result", "no such table: result: did you mean 'results'?"),
        ("select hits from results; select 1", "one (and only one) statement"),
        ("select hits, max(cpus) from results", "not a query that can be answered: "),
        ("select hits from", "not a query that can be answered: "),
        ("", "a query begins with SELECT or WITH, and only reads; got ''"),
        ("drop table results", "only reads; got 'drop table results'"),
        ("/* select */ delete from results", "only reads"),
        ("create table x as select 1", "only reads"),
    ],
)
def test_what_is_no_query_is_said_in_a_line(sql: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        query(TABLES, sql)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_an_average_over_keys_that_are_not_named_is_noticed() -> None:
    assert pooled("select avg(hits_per_s) from results", CELLS) == ["flavour", "cpus"]
    by = "select flavour, sum(hits) from results where cpus = 1 group by flavour"
    assert pooled(by, CELLS) == []
    assert pooled("select flavour, mean(hits) from results -- cpus\n group by 1", CELLS) == ["cpus"]
    assert pooled("select max(hits_per_s) from results", CELLS) == []
    assert pooled("select avg(ps) from attribution", CELLS) == []


def test_a_result_is_shown_with_every_digit() -> None:
    shown = as_text(pl.DataFrame({"f": ["srcu", None], "x": [1 / 3, None], "n": [2**53 + 1, 0]}))
    assert shown.splitlines()[0].split() == ["f", "x", "n"]
    assert shown.splitlines()[2].split() == ["srcu", "0.3333333333333333", "9007199254740993"]
    assert shown.splitlines()[3].split() == ["-", "-", "0"]
    assert as_text(pl.DataFrame({"x": []})) == "no rows\n"


def test_tables_are_described_with_what_a_column_is() -> None:
    lines = [line.split() for line in described(TABLES).splitlines()]
    assert ["results,", "3", "rows"] in lines
    assert ["flavour", "String", "key"] in lines
    assert ["hits_per_s", "Float64", "figure"] in lines
    assert ["seed", "Int64", "of", "one", "row"] in lines
