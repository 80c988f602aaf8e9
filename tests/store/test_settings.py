"""Rows by setting, and repeats as one."""

from __future__ import annotations

import polars as pl
import pytest
from frames import frame, row

from sweep.store.settings import CELL_KEY, averaged, figures, key_of, settings, telling


def test_a_setting_is_what_rows_have_in_common_beside_what_they_may_differ_in() -> None:
    rows = frame(row(cpus=1), row(cpus=2, probes=8), row(cpus=4, probes=8, bench="uretprobe-nop"))
    one, many = settings(rows, CELL_KEY)
    assert (one.values["probes"], one.rows["cpus"].to_list()) == (1, [1])
    assert (many.values["probes"], many.rows["cpus"].to_list()) == (8, [2, 4])
    assert not {"bench", "flavour", "cpus", "seed", "hits_per_s"} & set(one.values)
    assert telling([one.values, many.values]) == ["probes"]


def test_a_column_that_nobody_has_thought_of_tells_rows_apart() -> None:
    rows = frame(row(), row()).with_columns(weather=pl.Series(["rain", "sun"]))
    found = settings(rows, CELL_KEY)
    assert telling([setting.values for setting in found]) == ["weather"]


def test_what_follows_from_the_path_splits_only_rows_that_agree_in_all_else() -> None:
    benches = {"uprobe-nop": "p", "uretprobe-nop": "r"}
    rows = [
        row(bench=bench, cpus=n, path_digest=word)
        for bench, word in benches.items()
        for n in (1, 2)
    ]
    [one] = settings(frame(*rows), CELL_KEY)
    assert "path_digest" not in one.values
    edited = row(cpus=4, path_digest="edited")
    found = settings(frame(*rows, edited), CELL_KEY)
    assert {s.values["path_digest"]: s.rows["cpus"].to_list() for s in found} == {
        "p": [1, 2],
        "r": [1, 2],
        "edited": [4],
    }
    assert telling([setting.values for setting in found]) == ["path_digest"]


def test_digests_are_told_only_if_nothing_else_tells() -> None:
    both = [{"machine": "a", "machine_digest": "1"}, {"machine": "b", "machine_digest": "2"}]
    assert telling(both) == ["machine"]
    assert telling([{**values, "machine": "a"} for values in both]) == ["machine_digest"]
    assert telling([{"machine": "a", "ensemble": 2}, {"machine": "a"}]) == []


def test_repeats_by_hand() -> None:
    rows = frame(
        row(replicate=0, hits=1, hits_per_s=2e6, hits_per_s_stddev=3e5),
        row(replicate=1, hits=2, hits_per_s=4e6, hits_per_s_stddev=4e5),
    )
    [(key, figure)] = figures(rows).items()
    assert key == ("uprobe-nop", "baseline", 1)
    assert (figure.mean, figure.replicates, figure.low) == (3.0, 2, None)
    assert figure.stddev == pytest.approx((0.25 / 2) ** 0.5)
    assert figure.between == pytest.approx(2**0.5)
    assert averaged(rows, ("cpus",))["hits"].to_list() == [3]


def test_rows_of_several_settings_are_not_averaged() -> None:
    with pytest.raises(ValueError, match="several settings that agree in bench, flavour, cpus"):
        averaged(frame(row(), row(consumers=8)), CELL_KEY)


def test_the_key_of_repeats() -> None:
    assert key_of(row(seed=3, replicate=4, wall_seconds=9.0, hits=7)) == key_of(row())
    assert key_of(row(kernel="6.12.8")) != key_of(row())
