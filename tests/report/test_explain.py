"""Where time goes, from frames made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from shares import COUNT, LOCK, OWNER, SHARES, UNLOCK, frames

from core.cell import CellResult
from sweep.report.explain import OWN_LINES, Point, explain, point


def one() -> Point:
    [curve] = explain(*frames({"cpus": 4, "hits_per_s": 4e7}))
    [found] = curve.points
    return found


def test_the_parts_by_hand() -> None:
    found = one()
    assert (found.cpus, found.replicates, found.hits) == (4, 1, 2)
    assert (found.ps, found.private_ps) == (200_000, 100_000)
    assert list(found.parts("line").items()) == [
        (COUNT, 75_000),
        (OWNER, 15_000),
        (OWN_LINES, 10_000),
    ]
    assert found.parts("operation") == {
        f"{LOCK}, locked": 50_000,
        f"{UNLOCK}, locked": 25_000,
        f"{LOCK}, store": 15_000,
        "smp_mb, barrier": 10_000,
    }
    assert found.parts("distance") == {
        "same cache": 45_000,
        "same core": 35_000,
        "other socket": 20_000,
    }
    assert found.parts("line", "same cache") == {COUNT: 30_000, OWNER: 15_000}


@pytest.mark.parametrize("by", ["line", "operation", "distance"])
def test_the_parts_make_the_whole(by: str) -> None:
    found = one()
    assert found.private_ps + sum(found.parts(by).values()) == found.ps


def test_a_hits_time_is_cpus_by_rate() -> None:
    found = one()
    assert found.ns_per_hit(found.ps) == 100.0
    assert found.ns_per_hit(found.ps) == pytest.approx(1e9 * found.cpus / found.hits_per_s)


def test_replicates_are_put_together() -> None:
    cells = [{"cpus": 2, "replicate": i, "hits_per_s": 1e6 * (i + 1), "times": i} for i in (1, 2)]
    [curve] = explain(*frames(*cells))
    [found] = curve.points
    assert (found.replicates, found.hits, found.hits_per_s) == (2, 4, 2.5e6)
    assert found.parts("line")[COUNT] == 3 * 75_000


def test_a_cell_without_shares_is_left_out() -> None:
    assert explain(*frames({"cpus": 1, "times": 0}, {"cpus": 2}))[0].points[0].cpus == 2
    cells, shares = frames({"cpus": 1})
    assert explain(cells, shares.clear()) == []


def test_curves_are_in_the_letters_order_and_differ_in_more_than_cpus() -> None:
    settings = [
        {"flavour": "tasks-trace", "cpus": 2},
        {"flavour": "tasks-trace", "cpus": 1},
        {"flavour": "srcu+percpu-nhit", "cpus": 1},
        {"flavour": "baseline", "bench": "uretprobe-nop", "cpus": 1},
        {"flavour": "baseline", "cpus": 1, "probes": 64},
        {"flavour": "baseline", "cpus": 1},
    ]
    curves = explain(*frames(*settings))
    assert [
        (c.setting["flavour"], c.setting["bench"], c.setting["probes"], [p.cpus for p in c.points])
        for c in curves
    ] == [
        ("baseline", "uprobe-nop", 1, [1]),
        ("baseline", "uprobe-nop", 64, [1]),
        ("baseline", "uretprobe-nop", 1, [1]),
        ("tasks-trace", "uprobe-nop", 1, [1, 2]),
        ("srcu+percpu-nhit", "uprobe-nop", 1, [1]),
    ]


def test_results_and_frames_give_the_same() -> None:
    results = [CellResult("x", np.array([2]), 10**6, 1, SHARES, 0.1) for _ in range(3)]
    found = point(4, results)
    assert (found.ps, found.hits, found.replicates) == (600_000, 6, 3)
    assert found.parts("operation") == {k: 3 * v for k, v in one().parts("operation").items()}
    assert found.hits_per_s == 2e6


def test_json_has_all_of_it() -> None:
    made = one().to_dict(("line", "distance"))
    assert list(made["by"]) == ["line", "distance"]
    assert made["by"]["line"][0] == {
        "name": COUNT,
        "ps": 75_000,
        "ns_per_hit": 37.5,
        "share": 0.375,
    }
    assert made["private_work"]["share"] == 0.5
    assert (made["ps"], made["ns_per_hit"]) == (200_000, 100)
    idle = Point(1, 1, 0, 0.0, SHARES).to_dict(("line",))
    assert idle["ns_per_hit"] is None
