"""Rows of the report's curves: what shares a panel, what never shares a line."""

import polars as pl
import pytest
from frames import frame, letter_frame, row
from report_pages import given, material

from sweep.errors import UsageError
from sweep.report.compare import together
from sweep.report.html.curves import MOST, errors, panels, sources
from sweep.store.schema import COLUMNS, Role

LOW, HIGH = 1e6, 9e6


def two(name: str, first: object, second: object) -> pl.DataFrame:
    return frame(row(**{"hits_per_s": LOW, name: first}), row(**{"hits_per_s": HIGH, name: second}))


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        *[("probes", 1, 8), ("machine", "xeon-gold-6138", "generic"), ("spread", "shared", "zipf")],
        *[("processes", 1, 2), ("flavour", "baseline", "srcu"), ("bench", "uprobe-nop", "x")],
        *[("model_version", "1", "2"), ("source", "live", "log"), ("kernel", "6.1", "6.2")],
        ("path_digest", "a", "b"),
    ],
)
def test_two_values_of_a_key_never_share_a_line(name: str, first: object, second: object) -> None:
    assert next(c for c in COLUMNS if c.name == name).role in (Role.KEY, Role.PATH)
    found = panels(together({"run": two(name, first, second)}))
    lines = [
        (panel.title, row["source"], row["design"], row["mhits"])
        for panel in found
        for row in panel.rows
    ]
    assert sorted(line[3] for line in lines) == [1.0, 9.0]
    assert len({line[:3] for line in lines}) == 2


def test_efficiency_is_per_cpu_over_the_same_curve_on_one_cpu() -> None:
    run = frame(row(hits_per_s=4e6), row(cpus=4, hits_per_s=8e6), row(cpus=8, flavour="srcu"))
    [panel] = panels(together({"run": run}))
    assert [(r["cpus"], r["efficiency"]) for r in panel.rows] == [(1, 1.0), (4, 0.5), (8, None)]


def test_calibration_cells_are_marked_where_they_were_simulated() -> None:
    simulated, live = letter_frame(), letter_frame(source="live", kernel="6.1")
    found = panels(together({"published": None, "run": simulated, "live": live}))
    marked = {r["source"] for panel in found for r in panel.rows if r["calibration"]}
    assert marked == {"run"}
    assert {r["calibration"] for r in errors(together({"p": None, "r": simulated}))} == {
        True,
        False,
    }


def test_cells_that_nobody_hits_are_no_points() -> None:
    [panel] = panels(
        together({"run": frame(row(), row(cpus=0, hits_per_s=0.0, hits_per_s_per_cpu=0.0))})
    )
    assert [r["cpus"] for r in panel.rows] == [1]


def test_baselines_are_sources_of_their_own() -> None:
    found = material(given(letter_frame()))
    kinds = [source.kind for source in sources(panels(found.comparison))]
    assert [kind for kind in kinds if kind != "published"] == ["simulated", *["baseline"] * 4]


def test_no_line_has_two_figures_of_a_number_of_cpus_whoever_published_them() -> None:
    alone = frame(*(row(flavour="tasks-trace+percpu-nhit", cpus=n) for n in (1, 2, 8)))
    late = frame(row(flavour="v6.14"), row(flavour="tasks-trace+percpu-nhit+speculative-vma"))
    found = panels(material(given(letter_frame()), given(alone, "a"), given(late, "b")).comparison)
    points = [(p.title, r["source"], r["design"], r["cpus"]) for p in found for r in p.rows]
    assert len(set(points)) == len(points)
    published = {source for _, source, *_ in points if source.startswith("published")}
    assert len(published) > 2


def test_what_is_published_of_other_designs_is_left_out() -> None:
    found = panels(together({"published": None, "run": frame(row(flavour="srcu"))}))
    assert [(panel.bench, {r["design"] for r in panel.rows}) for panel in found] == [
        ("uprobe-nop", {"srcu"})
    ]


def test_too_many_panels_are_refused_with_a_way_to_choose() -> None:
    run = frame(*(row(probes=n + 1) for n in range(MOST + 1)))
    with pytest.raises(UsageError, match=r"room for 40 .* have 41: .*--only probes=1$"):
        panels(together({"run": run}))
