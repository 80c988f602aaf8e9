"""The report's file: whole, escaped, and small."""

import re

import pytest
from frames import frame, letter_frame, row
from report_pages import HOSTILE, given, material
from shares import frames

from core.machine.machine import load_machine
from sweep.report.html import page
from sweep.report.html.contents import sections
from sweep.report.html.machine import draw
from sweep.report.html.parts import stacks
from sweep.report.html.waits import TITLES, waits
from sweep.store.stress_columns import LATENCIES


@pytest.fixture(autouse=True)
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_library", lambda: "")


def test_sections_are_those_that_have_something() -> None:
    assert [s.name for s in sections(material(given(frame(row(flavour="x")))))] == [
        *("throughput", "efficiency")
    ]
    letter = sections(material(given(letter_frame())))
    assert [s.name for s in letter] == ["throughput", "efficiency", "errors"]


def test_hostile_names_are_text() -> None:
    run = frame(row(flavour=HOSTILE, machine=HOSTILE, bench=HOSTILE))
    html = page.render(material(given(run, HOSTILE)))
    assert html.count("<script") == html.count("</script>") == 3
    assert "<img" not in html
    assert "\u2028" not in html[html.index('<script id="charts"') :]


def test_nothing_of_the_network_is_named() -> None:
    html = page.render(material(given(letter_frame())))
    shown = re.sub(r'"\$schema":"[^"]*"|http://www.w3.org/\S+', "", html)
    assert not re.search(r"https?:|url\(|@import", shown)
    assert "default-src 'none'" in html


def test_the_parts_of_a_stack_are_all_of_the_time() -> None:
    cells, shares = frames({}, {"cpus": 2, "times": 3})
    found = material(given(cells, shares=shares))
    [stack] = stacks(found.curves)
    for by in ("line", "operation"):
        for cpus in (1, 2):
            rows = [r for r in stack.rows if (r["by"], r["cpus"]) == (by, cpus)]
            assert sum(r["share"] for r in rows) == pytest.approx(1)
            assert sum(r["ns"] for r in rows) == pytest.approx(100 * (1 if cpus == 1 else 3))


def test_a_machine_is_drawn_with_its_cpus_from_when_they_are_used() -> None:
    machine = load_machine("xeon-gold-6138")
    drawing = draw(machine, [0, 2, 40, 4096])
    cpus = {box.cpu: box for box in drawing.boxes if box.cpu is not None}
    assert sorted(cpus) == list(range(80))
    assert drawing.counts == (2, 40)
    assert [cpus[n].step for n in (0, 1, 2, 39, 40, 79)] == [0, 0, 1, 1, None, None]
    assert "socket 1" in cpus[20].title
    assert (cpus[0].x, cpus[40].y - cpus[0].y) == (cpus[40].x, 13)
    assert all(b.x + b.width <= drawing.width for b in drawing.boxes)
    assert all(b.y + b.height <= drawing.height for b in drawing.boxes)


def test_waits_by_quantile_and_of_a_whole_batch() -> None:
    timed = {"attach_threads": 1, "attach_p50_s": 1e-3, "attach_p99_s": 4e-3, "attach_max_s": 9e-3}
    run = frame(
        row(**timed, batch=0),
        row(**{**timed, "attach_p50_s": 3e-3, "replicate": 1}, batch=0),
        row(**timed, batch=50, cpus=0, hits_per_s=0.0, hits_per_s_per_cpu=0, detach_total_s=2.0),
    )
    found = {wait.title: wait.rows for wait in waits({"run": run})}
    first = found["attaching a link, uprobe-nop, batch=0"]
    assert [(r["quantile"], r["ms"]) for r in first] == [("p50", 2.0), ("p99", 4.0), ("max", 9.0)]
    assert set(TITLES) == set(LATENCIES)
    [whole] = found["detaching all probes, uprobe-nop, batch=50"]
    assert whole["ms"] == 2000.0
