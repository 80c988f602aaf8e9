"""What a picture shows of a run, and what it says that it does not."""

from __future__ import annotations

import pytest
from frames import frame, letter_frame, row

from sweep.errors import UsageError
from sweep.report.picture import PUBLISHED, picture

STRESS = {"attach_threads": 1, "attach_p50_s": 1e-3, "attach_p99_s": 2e-3}


def heights(kind: str, *cells: dict[str, object]) -> list[float]:
    [curve] = [c for c in picture(frame(*cells), kind).curves if c.source != PUBLISHED]
    return list(curve.y)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("throughput", [3.0, 4.0]),
        ("efficiency", [1.0, 4 / 6]),
        ("time", [1000 / 3, 500.0]),
        ("error", [100 * (3.0 / 3.032 - 1), 100 * (4.0 / 3.452 - 1)]),
    ],
)
def test_heights_by_hand(kind: str, expected: list[float]) -> None:
    cells = row(hits_per_s=3e6), row(cpus=2, hits_per_s=4e6)
    assert heights(kind, *cells) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "ends"),
    [("throughput", (2.0, 4.0)), ("efficiency", (2 / 3, 4 / 3)), ("time", (250.0, 500.0))],
)
def test_the_band_is_the_interval(kind: str, ends: tuple[float, float]) -> None:
    shown = picture(frame(row(hits_per_s=3e6, predicted_low=2e6, predicted_high=4e6)), kind)
    [curve] = [c for c in shown.curves if c.source != PUBLISHED]
    assert (curve.low[0], curve.high[0]) == pytest.approx(ends)


def test_cells_with_writers_have_their_latencies() -> None:
    shown = picture(frame(row(**STRESS), row(**STRESS, cpus=2)))
    assert shown.kind == "latency"
    assert [panel.title for panel in shown.rows[0]] == ["uprobe-nop: attach"]
    assert [(c.quantile, c.y) for c in shown.curves] == [
        ("p50", (1e-3, 1e-3)),
        ("p99", (2e-3, 2e-3)),
    ]


def test_quantiles_of_repeats_are_said_to_be_the_mean_of_their_own() -> None:
    cells = [row(**STRESS), row(**STRESS, cpus=2)]
    assert picture(frame(*cells)).label == "seconds"
    again = [{**cell, "replicate": 1, "attach_p99_s": 4e-3} for cell in cells]
    shown = picture(frame(*cells, *again))
    assert shown.label == "seconds, the mean of repeats' own"
    assert shown.curves[1].y == pytest.approx((3e-3, 3e-3))


def test_a_batch_has_its_whole_detach_and_others_have_not() -> None:
    cells = [row(**STRESS, batch=n, detach_total_s=3.0) for n in (0, 1, 8)]
    [total] = [p for p in picture(frame(*cells)).rows[0] if p.title.endswith("detach all")]
    assert [(c.x, c.y) for c in total.curves] == [((1, 8), (3.0, 3.0))]


def test_what_varies_is_to_the_right() -> None:
    shown = picture(frame(*(row(probes=n, spread="zipf") for n in (2, 4, 8))))
    assert (shown.over, shown.curves[0].x) == ("probes", (2, 4, 8))


def test_a_facet_is_a_panel_for_each_value() -> None:
    cells = [row(probes=n, cpus=c) for n in (1, 2) for c in (1, 2)]
    shown = picture(frame(*cells), facet="probes")
    assert [panel.title for panel in shown.rows[0]] == ["probes=1", "probes=2"]
    assert [c.source for c in shown.rows[0][0].curves] == [PUBLISHED, "simulated"]
    assert [c.source for c in shown.rows[0][1].curves] == ["simulated"]


def test_what_is_left_out_is_said() -> None:
    cells = [row(), row(probes=2), row(stalls=9), row(source="live", cpu_share=0.5)]
    said = picture(frame(*cells)).left_out
    assert said == "left out: 2 results of other settings"
    said = picture(frame(*cells), "time").left_out
    assert said == "left out: 1 result with writers, 1 result of other settings"
    disturbed = row(source="live", cpu_share=0.5)
    both = frame(disturbed, row(source="live", cpu_share=1.0))
    assert picture(both).left_out == "left out: 1 disturbed measurement"
    assert picture(letter_frame()).left_out == ""


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"kind": "latency"}, "only 1 result without writers"),
        ({"kind": "thruput"}, "did you mean 'throughput'"),
        ({"facet": "probe"}, "--facet probe: rows have no such key: did you mean 'probes'"),
    ],
)
def test_what_cannot_be_drawn(how: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        picture(frame(row()), **how)


def test_an_error_needs_a_published_figure() -> None:
    with pytest.raises(UsageError, match="no result has a published figure"):
        picture(frame(row(probes=2)), "error")


def test_too_many_settings() -> None:
    cells = frame(*(row(probes=n, processes=m) for n in range(2, 12) for m in range(1, 12)))
    with pytest.raises(UsageError, match=r"this run has 10: .*choose some by --only"):
        picture(cells)
