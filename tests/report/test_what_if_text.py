from __future__ import annotations

from dataclasses import replace

from shares import SHARES
from tiny import tiny_spec

from core.kernel.operation import Line
from sweep.plan.interval import Interval
from sweep.plan.plan import plan
from sweep.report.explain import Point
from sweep.report.what_if import Variant, WhatIf
from sweep.report.what_if_text import render, short

COUNT, OWNER, UPROBE = Line.MMAP_COUNT, Line.MMAP_OWNER, Line.UPROBE


def variant(*lines: Line, mhits: float, largest: tuple[Line, float] | None = None) -> Variant:
    gain = (mhits - 4) * 1e6
    interval = Interval(gain, gain - 2e5, gain + 2e5)
    rate = Interval(mhits * 1e6, mhits * 1e6 - 1e5, mhits * 1e6 + 1e5)
    return Variant(frozenset(lines), rate, interval, largest, 0.25)


def found(bench: str = "uprobe-nop") -> WhatIf:
    apart = {"owner_beside_count": "false"}
    [cell] = plan(tiny_spec(flavour="tasks-trace", bench=bench, cpus=4, **apart))
    return WhatIf(
        cell,
        "per-cpu",
        0,
        Point(4, 5, 2, 4e6, SHARES),
        Interval(4e6, 3.9e6, 4.1e6),
        {COUNT: 0.375, OWNER: 0.075, UPROBE: 0.0},
        (
            variant(COUNT, OWNER, mhits=15),
            variant(COUNT, mhits=6, largest=(OWNER, 0.5)),
            variant(OWNER, mhits=3.9, largest=(COUNT, 0.625)),
        ),
    )


def test_a_cell_of_the_letter() -> None:
    lines = render(found()).splitlines()
    assert lines[:2] == [
        "tasks-trace, uprobe-nop on xeon-gold-6138, cpus=4: 4.000 [3.900, 4.100] M hits/s",
        "5 replicates; in brackets the 95% interval of the mean",
    ]
    text = " ".join(" ".join(lines).split())
    assert "inode+offset 45.0% +11.0 [+10.8, +11.2] to uprobe" in text
    assert "the model: mm->mmap_lock.count 37.5% +2.000 [+1.800, +2.200]" in text
    assert "not shared: private work 50.0%" in text
    assert "mm->mmap_lock.count 6.000 +2.000 [+1.800, +2.200] +50.0% 25.0%" in text
    assert "uretprobes" not in text
    assert max(map(len, lines)) <= 100


def test_the_curve_that_decides_is_quoted_for_the_cells_that_it_is_about() -> None:
    assert "20.1 at 8 CPUs, 20.2 at 10 CPUs" in render(found())
    assert found().to_dict()["mmap_lock_alone"][32] == 11.252
    assert "What decides" not in render(found("uretprobe-nop"))


def test_a_line_that_takes_little_was_not_tried() -> None:
    text = " ".join(render(found("uretprobe-nop")).split())
    assert "the letter: uretprobes still take a refcount" in text
    assert " 0.0% under 1%, not tried" in text


def test_one_replicate_has_no_interval() -> None:
    was = found()
    alone = Interval(6e6, None, None)
    one = replace(was.variants[1], hits_per_s=alone, gain=alone)
    text = render(replace(was, base=Point(4, 1, 2, 4e6, SHARES), hits_per_s=alone, variants=(one,)))
    assert "[" not in text
    assert "replicates" not in text


def test_nothing_shared_is_contended() -> None:
    text = render(replace(found(), shares={}, variants=()))
    assert text.endswith("No shared line takes more than 1% of the CPUs' time.\n")


def test_three_lines_are_called_all() -> None:
    all_three = variant(COUNT, OWNER, UPROBE, mhits=20)
    assert "\nall 3 " in render(replace(found(), variants=(all_three,)))


def test_short_names_tell_lines_apart() -> None:
    assert len({short(line) for line in Line}) == len(Line)
    assert short(UPROBE) == "struct uprobe"
