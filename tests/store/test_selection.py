"""Rows that are asked for by their values."""

from __future__ import annotations

import pytest
from frames import frame, row

from sweep.errors import UsageError
from sweep.store.selection import only

ROWS = frame(
    row(cpus=1, flavour="srcu", kernel="6.12.8"), row(cpus=2), row(cpus=4, probes=8, seed=3)
)


@pytest.mark.parametrize(
    ("asked", "cpus"),
    [
        ([], [1, 2, 4]),
        (["cpus=1,4"], [1, 4]),
        (["cpus=1,4", "flavour=baseline"], [4]),
        (["cpus=2-9"], [2, 4]),
        (["cpus=1-1,4"], [1, 4]),
        (["seed=3"], [4]),
        (["kernel=none"], [2, 4]),
        (["duration_s=0.0005", "kernel=6.12.8"], [1]),
    ],
)
def test_rows_that_have_one_of_the_values_of_every_key(asked: list[str], cpus: list[int]) -> None:
    assert only(ROWS, asked)["cpus"].to_list() == cpus


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["cpu=1"], "--only cpu: rows have no such key: did you mean 'cpus'"),
        (["hits=1"], "--only hits: rows have no such key"),
        (["cpus=3"], "--only cpus=3: no such row"),
        (["cpus=5-9"], "--only cpus=5-9: no such row: allowed: 1, 2, 4"),
        (["cpus=4-1"], "--only cpus=4-1: 4-1 is no range: write 1-4"),
        (["cpus"], "--only cpus: write axis=value"),
        (["cpus=1,probes=8"], "--only cpus=1,probes=8: probes=8 needs an option of its own"),
        (["flavour=srcu", "cpus=4"], "--only cpus=4: no such row"),
    ],
)
def test_what_there_is_not_is_named(asked: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        only(ROWS, asked)


def test_attach_is_the_axis_where_nothing_was_measured() -> None:
    rows = frame(row(cpus=1, attach_kind="perf-event"), row(cpus=2, attach_kind="multi"))
    assert only(rows, ["attach=multi"])["cpus"].to_list() == [2]
    measured = frame(row(cpus=1, attach="bpf"), row(cpus=2, attach="multi"))
    assert only(measured, ["attach=bpf"])["cpus"].to_list() == [1]
