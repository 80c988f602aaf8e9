"""The domain's questions to a frame, by hand; and that none of them pools cells that differ."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from frames import frame, letter_frame, row
from polars.testing import assert_frame_equal
from shares import COUNT, frames
from test_nothing_is_pooled import HIGH, KEYS, LOW, made, values_of

import sweep
from sweep.errors import UsageError
from sweep.report.namespace import Uprobe
from sweep.store.settings import keys

CURVE = {1: 4e6, 2: 6e6, 4: 8e6, 8: 8e6, 16: 4e6}
"""Efficiencies 1, 3/4, 1/2, 1/4, 1/16; speed-up squared over CPUs 1, 9/8, 1, 1/2, 1/16."""


def curve(rates: dict[int, float], **given: Any) -> list[dict[str, Any]]:
    return [row(cpus=cpus, hits_per_s=rate, **given) for cpus, rate in rates.items()]


def test_efficiency_is_the_rate_over_that_of_as_many_single_cpus() -> None:
    found = Uprobe(frame(*curve(CURVE))).efficiency()
    assert found.columns == ["bench", "flavour", "machine", "cpus", "hits_per_s", "efficiency"]
    assert found["efficiency"].to_list() == [1, 0.75, 0.5, 0.25, 0.0625]


def test_the_peak_is_the_greatest_rate_and_the_first_of_equal_ones() -> None:
    [peak] = Uprobe(frame(*curve(CURVE))).peak().rows(named=True)
    assert (peak["cpus"], peak["hits_per_s"], peak["at_end"]) == (4, 8e6, False)
    [rising] = Uprobe(frame(*curve({1: 1e6, 2: 2e6}))).peak().rows(named=True)
    assert (rising["cpus"], rising["at_end"]) == (2, True)


def test_the_knee_has_the_most_speed_up_times_efficiency() -> None:
    [knee] = Uprobe(frame(*curve(CURVE))).knee().rows(named=True)
    assert (knee["cpus"], knee["efficiency"], knee["half"], knee["at_end"]) == (2, 0.75, 4, False)


def test_half_efficiency_is_read_between_the_counts_around_it() -> None:
    [knee] = Uprobe(frame(*curve({1: 1e6, 4: 1e6}))).knee().rows(named=True)
    assert knee["half"] == pytest.approx(4 ** (2 / 3))  # two thirds of the way from 1 to 1/4
    [straight] = Uprobe(frame(*curve({1: 1e6, 4: 4e6}))).knee().rows(named=True)
    assert (straight["half"], straight["cpus"], straight["at_end"]) == (None, 4, True)


def test_a_curve_without_one_cpu_has_no_efficiency_and_others_have() -> None:
    cells = frame(*curve(CURVE), *curve({2: 5e6, 4: 9e6}, flavour="srcu"))
    found = Uprobe(cells).efficiency()
    assert found.filter(flavour="srcu")["efficiency"].to_list() == [None, None]
    assert found.filter(flavour="baseline")["efficiency"].null_count() == 0
    knee = Uprobe(cells).knee().filter(flavour="srcu")
    assert knee.select("cpus", "half", "at_end").row(0) == (None, None, None)
    for question in (Uprobe(cells.filter(flavour="srcu")).efficiency, Uprobe(cells[5:]).knee):
        with pytest.raises(UsageError, match="no curve has a cell of cpus=1"):
            question()


def test_speed_up_is_over_the_cell_that_agrees_in_all_else() -> None:
    cells = frame(
        *curve({1: 2e6, 2: 3e6}),
        *curve({1: 3e6, 2: 6e6, 4: 9e6}, flavour="srcu"),
        *curve({1: 5e6}, flavour="srcu", probes=2),
    )
    found = Uprobe(cells).speedup(over="baseline")
    named = found.filter(flavour="srcu").select("probes", "cpus", "speedup").rows()
    assert named == [(1, 1, 1.5), (1, 2, 2.0), (1, 4, None), (2, 1, None)]
    assert found.filter(flavour="baseline")["speedup"].to_list() == [1, 1]


def test_a_machine_that_was_edited_is_two_and_never_averaged() -> None:
    machines = frame(
        row(hits_per_s=2e6),
        row(hits_per_s=8e6, machine_digest="edited"),
        row(hits_per_s=3e6, machine="epyc-milan", machine_digest="edited"),
    )
    over = Uprobe(machines).speedup(over="xeon-gold-6138", by="machine")
    assert sorted(over["hits_per_s"]) == [2e6, 3e6, 8e6]


def test_speed_up_is_over_any_key() -> None:
    machines = frame(
        row(hits_per_s=2e6),
        row(hits_per_s=3e6, machine="epyc-milan", machine_digest="another"),
    )
    over = Uprobe(machines).speedup(over="xeon-gold-6138", by="machine")
    assert dict(over.select("machine", "speedup").rows()) == {
        "xeon-gold-6138": 1.0,
        "epyc-milan": 1.5,
    }
    cpus = Uprobe(frame(*curve(CURVE))).speedup(over=1, by="cpus")
    assert cpus["speedup"].to_list() == [1, 1.5, 2, 2, 1]


def test_speed_up_of_nothing_is_refused() -> None:
    cells = frame(row(), row(flavour="srcu", probes=2))
    with pytest.raises(UsageError, match="no other cell agrees with one of flavour=baseline"):
        Uprobe(cells).speedup(over="baseline")
    with pytest.raises(UsageError, match="flavour=sruc: no such row: did you mean 'srcu'"):
        Uprobe(cells).speedup(over="sruc")
    with pytest.raises(UsageError, match="no such key: flavor: did you mean 'flavour'"):
        Uprobe(cells).speedup(over="srcu", by="flavor")


def test_errors_are_against_published_figures_and_null_where_there_are_none() -> None:
    cells = pl.concat([letter_frame(1.1), frame(row(probes=2), row(cpus=3))])
    found = Uprobe(cells).error()
    inside = found.drop_nulls("published")
    assert len(found) == 44
    assert len(inside) == 42
    assert inside["error"].to_list() == pytest.approx([0.1] * 42)
    assert inside["calibration"].sum() == 14
    with pytest.raises(UsageError, match="nothing is published of any"):
        Uprobe(frame(row(probes=2))).error()


def test_the_share_of_a_line_is_of_the_time_of_all_cpus() -> None:
    cells, shares = frames({"flavour": "srcu"}, {"flavour": "srcu", "cpus": 2, "times": 3})
    found = Uprobe(cells).share(shares, COUNT)
    assert found.select("flavour", "cpus", "ns_per_hit", "share").rows() == [
        ("srcu", 1, 37.5, 0.375),
        ("srcu", 2, 112.5, 0.375),
    ]
    assert Uprobe(cells).share(shares, "private work")["share"].to_list() == [0.5, 0.5]
    with pytest.raises(UsageError, match=r"did you mean 'mm->mmap_lock\.count'"):
        Uprobe(cells).share(shares, "mm->mmap_lock.cont")
    with pytest.raises(UsageError, match="of the same run"):
        Uprobe(frame(row(cell_id="other"))).share(shares, COUNT)


QUESTIONS = {
    "cells": lambda asked: asked.cells()["hits_per_s"],
    "peak": lambda asked: asked.peak()["hits_per_s"],
    "efficiency": lambda asked: asked.efficiency()["hits_per_s"],
    "knee": lambda asked: asked.knee()["hits_per_s"],
    "error": lambda asked: asked.error()["mhits_per_s"] * 1e6,
    "speedup": lambda asked: asked.speedup(over=1, by="cpus")["hits_per_s"],
}


@pytest.mark.parametrize("name", KEYS)
def test_cells_that_differ_in_a_key_are_never_one_answer(name: str) -> None:
    first, second, _ = values_of(name)
    for question, answer in QUESTIONS.items():
        if name == "cpus" and question != "cells":
            continue  # Their business.
        try:
            rates = answer(Uprobe(made(name, first, second)))
        except UsageError:
            continue
        assert sorted(rates) == [LOW, HIGH], question


@pytest.mark.parametrize("name", KEYS)
def test_nor_is_their_time(name: str) -> None:
    first, second, _ = values_of(name)
    cells, shares = frames({name: first}, {name: second, "times": 2})
    assert sorted(Uprobe(cells).share(shares, COUNT)["ns_per_hit"]) == [37.5, 75]


@pytest.mark.parametrize("name", keys(frame(row()).columns))
def test_a_frame_that_lost_a_key_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"the frame lacks {name}"):
        Uprobe(frame(row()).drop(name))


def test_frames_have_the_namespace_and_repeats_are_one_cell() -> None:
    spec = sweep.Spec(
        name="two", bench="uprobe-nop", flavour="srcu", cpus=1, replicates=2,
        warmup="0us", duration="20us", sample="20us",
    )  # fmt: skip
    rows = sweep.predict(spec)
    found = rows.uprobe.cells()  # type: ignore[attr-defined]
    assert found.select("replicates", "hits_per_s").row(0) == (2, rows["hits_per_s"].mean())
    assert_frame_equal(rows.lazy().uprobe.cells(), found)  # type: ignore[attr-defined]
