from __future__ import annotations

from dataclasses import replace

from shares import frames

from sweep.report.explain import Point, explain
from sweep.report.explain_text import COLUMNS, render


def test_one_cell() -> None:
    text = render(explain(*frames({"cpus": 4, "hits_per_s": 4e7})), ["line"])
    assert text.splitlines() == [
        "baseline, uprobe-nop on xeon-gold-6138, cpus=4: 40.000 M hits/s",
        "seed=1",
        "",
        "a hit's time on a CPU, by line     ns   share  same core  same cache  other socket",
        "──────────────────────────────────────────────────────────────────────────────────",
        "private work                     50.0   50.0%",
        "mm->mmap_lock.count              37.5   37.5%       12.5        15.0          10.0",
        "mm->mmap_lock.owner               7.5    7.5%          -         7.5             -",
        "lines of the CPU's own            5.0    5.0%        5.0           -             -",
        "",
        "total                           100.0  100.0%       17.5        22.5          10.0",
    ]


def test_over_cpus() -> None:
    cells = [{"cpus": n, "hits_per_s": 1e7 * n, "seed": 0, "times": n} for n in (1, 4)]
    text = render(explain(*frames(*cells)), ["operation"], top=2)
    assert text.splitlines() == [
        "baseline, uprobe-nop on xeon-gold-6138",
        "",
        "CPUs                                      1       4",
        "a hit's time on a CPU, by operation      ns      ns",
        "───────────────────────────────────────────────────",
        "private work                           50.0   200.0",
        "mmap_read_lock, locked                 25.0   100.0",
        "mmap_read_unlock, locked               12.5    50.0",
        "2 others                               12.5    50.0",
        "",
        "total                                 100.0   400.0",
        "",
        "private work                          50.0%   50.0%",
        "mmap_read_lock, locked                25.0%   25.0%",
        "mmap_read_unlock, locked              12.5%   12.5%",
        "2 others                              12.5%   12.5%",
        "",
        "M hits/s                             10.000  40.000",
    ]


def test_distances_go_from_near_to_far_whatever_their_size() -> None:
    curves = explain(*frames({"cpus": 1}))
    rows = [line.split("  ")[0] for line in render(curves, ["distance"]).splitlines()]
    assert rows[-6:-2] == ["private work", "same core", "same cache", "other socket"]
    rows = [line.split("  ")[0] for line in render(curves, ["distance"], top=1).splitlines()]
    assert rows[-5:-2] == ["private work", "same cache", "2 others"]


def test_a_rest_of_one_is_shown_by_its_name() -> None:
    assert "others" not in render(explain(*frames({"cpus": 1})), ["line"], top=2)


def test_what_tells_curves_apart_is_said() -> None:
    curves = explain(*frames({"seed": 0, "probes": 8}, {"seed": 1}))
    heads = [line for line in render(curves, ["line"]).splitlines() if line.startswith("probes")]
    assert sorted(heads) == ["probes=1  seed=1", "probes=8  seed=0"]
    assert "digest" not in render(curves, ["line"])
    assert "(2 replicates)" in render(explain(*frames({}, {"replicate": 1})), ["line"])


def test_many_cpu_counts_are_several_tables_that_fit() -> None:
    cells = [{"cpus": n, "hits_per_s": 1.0} for n in range(1, COLUMNS + 2)]
    lines = render(explain(*frames(*cells)), ["line"]).splitlines()
    assert len([line for line in lines if line.startswith("total")]) == 2
    assert max(map(len, lines)) <= 100


def test_a_cell_without_a_hit_has_shares_only() -> None:
    [curve] = explain(*frames({"cpus": 1}))
    [point] = curve.points
    idle = Point(1, 1, 0, 0.0, point.shares)
    text = render([type(curve)(curve.setting, (idle,))], ["line"])
    assert [line.split() for line in text.splitlines() if line.startswith("private")] == [
        ["private", "work", "50.0%"]
    ]


def test_which_of_two_states_was_seen() -> None:
    cells, shares = frames({"cpus": 4, "hits_per_s": 3e7, "state_low": 2e7, "state_high": 4e7})
    [curve] = explain(cells, shares)
    text = render([curve], ["line"]).splitlines()
    assert text[2] == "two states, 20.000 and 40.000 M hits/s: seen here is both"
    [mixed] = curve.points
    one = [replace(mixed, mixed=False, hits_per_s=rate) for rate in (2.1e7, 3.9e7)]
    assert [point.seen for point in one] == ["the lower", "the higher"]
    assert mixed.to_dict(())["states"] == {"hits_per_s": (2e7, 4e7), "seen": "both"}
