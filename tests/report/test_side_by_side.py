"""Ratios of cells side by side, and their intervals."""

from __future__ import annotations

import re
from math import exp
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from frames import frame, row
from shares import frames
from tiny import FakeExecutor

from core.cell import Cell
from core.engine.simulate import simulate
from sweep.cli import cli
from sweep.errors import UsageError
from sweep.executors.in_process import InProcessExecutor
from sweep.plan.plan import plan
from sweep.report.by_axis import by_axis
from sweep.report.side_by_side import (
    MEMBERS,
    REPLICATES,
    UNPAIRED,
    Line,
    Ratio,
    Side,
    SideBySide,
    over_repeats,
    paired,
)
from sweep.report.side_by_side_text import render
from sweep.spec.spec import Spec

BRIEF = {"warmup": "20us", "duration": "100us", "sample": "50us"}


def cells(flavour: str, **given: Any) -> list[Cell]:
    return plan(Spec(**{"bench": "uprobe-nop", "flavour": flavour, "cpus": 2, **BRIEF, **given}))


def rows(*rates: float, **given: Any) -> list[dict[str, Any]]:
    return [
        row(cell_id=f"{given}{n}", replicate=n, hits_per_s=rate, **given)
        for n, rate in enumerate(rates)
    ]


def by(axis: str, *lines: dict[str, Any]) -> Any:
    _, none = frames({})
    return by_axis(frame(*lines), axis, none.clear(), {}, FakeExecutor())


def test_two_kernels_on_the_same_members() -> None:
    before, after = (cells(name, ensemble=3) for name in ("v6.11", "v6.14"))
    [(first, second)] = paired([before, after], 2, InProcessExecutor())
    plain = [simulate(cell).hits_per_s for cell in (before[0], after[0])]
    assert [first.hits_per_s, second.hits_per_s] == plain
    assert first.ratio is None
    ratio = second.ratio
    assert ratio is not None
    assert ratio.over == MEMBERS
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low < ratio.ratio < ratio.high
    assert ratio.ratio == pytest.approx(plain[1] / plain[0], rel=0.02)
    assert ratio.same is False


def test_hits_among_writers_have_an_interval_of_repeats() -> None:
    given = {"attach_threads": 1, "ensemble": 3}
    before, after = (cells(name, **given) for name in ("v6.11", "v6.14"))
    [(_, second)] = paired([before, after], 2, FakeExecutor())
    assert second.ratio is not None
    assert second.ratio.over == REPLICATES


def test_a_design_that_does_the_same_has_no_interval_to_speak_of() -> None:
    [(_, second)] = paired(
        [cells("tasks-trace"), cells("srcu+tasks-trace")], 3, InProcessExecutor()
    )
    assert second.ratio is not None
    assert second.ratio.low == second.ratio.high == 1.0
    assert second.ratio.same


def test_an_interval_over_repeats_by_hand() -> None:
    # Logs 0 and 1: mean 0.5, half width t(0.95, 1) * sqrt(0.5) / sqrt(2) = 6.3138 * 0.5.
    found = over_repeats(1.0, [0.0, 1.0], REPLICATES)
    assert found[1:3] == pytest.approx((exp(0.5 - 3.15688), exp(0.5 + 3.15688)), rel=1e-4)


def test_values_of_an_axis_are_paired_by_replicate() -> None:
    found = by("probes", *rows(1e6, 2e6, 4e6), *rows(2e6, 4e6, 8e6, probes=2))
    [line] = found.lines
    assert found.columns == (1, 2)
    assert line.sides[1].ratio[:3] == pytest.approx((2.0, 2.0, 2.0))
    assert line.sides[1].ratio.over == REPLICATES


def test_machines_stand_side_by_side_though_each_has_a_digest_of_its_own() -> None:
    milan = {"machine": "epyc-milan", "machine_digest": "milan"}
    found = by("machine", *rows(2e6), *rows(3e6, **milan))
    assert [[side.hits_per_s for side in line.sides] for line in found.lines] == [[3e6, 2e6]]


def test_a_machine_that_was_edited_is_two_and_never_averaged() -> None:
    milan = {"machine": "epyc-milan", "machine_digest": "milan"}
    found = by("machine", *rows(2e6), *rows(8e6, machine_digest="edited"), *rows(3e6, **milan))
    rates = [side.hits_per_s for line in found.lines for side in line.sides if side]
    assert sorted(rates) == [2e6, 3e6, 8e6]


@pytest.mark.parametrize(("over", "said"), [(MEMBERS, "90 %"), (REPLICATES, "90 % of repeats")])
def test_an_interval_says_what_it_is_of(over: str, said: str) -> None:
    """Of a machine nobody measured, repeats scatter by a thousandth and the model by who knows."""
    sides = Side(1e6), Side(2e6, ratio=Ratio(2.0, 1.99, 2.01, over))
    text = render(SideBySide("flavour", ("v6.11", "v6.14"), (Line({"cpus": 2}, sides),)))
    assert re.search(rf"ratio +{said}\n", text)
    assert ("how wrong a simulated rate is, is not in them" in text) == (over == REPLICATES)


def test_measurements_are_not_paired() -> None:
    rng = np.random.default_rng(0)
    live = [
        rows(*rng.normal(m, m / 50, 9), source="live", probes=n) for n, m in ((1, 2e6), (2, 3e6))
    ]
    ratio = by("probes", *live[0], *live[1]).lines[0].sides[1].ratio
    assert ratio.over == UNPAIRED
    assert 1 < ratio.low < ratio.ratio < ratio.high
    assert not ratio.same


def test_one_repeat_has_no_interval_and_nothing_is_the_same() -> None:
    ratio = by("probes", *rows(1e6), *rows(1e6, probes=2)).lines[0].sides[1].ratio
    assert ratio == Ratio(1.0)
    assert ratio.same is None


def test_a_value_without_the_cell_is_a_gap() -> None:
    found = by("probes", *rows(1e6), *rows(2e6, probes=2, cpus=2))
    assert [[side and side.hits_per_s for side in line.sides] for line in found.lines] == [
        [1e6, None],
        [None, 2e6],
    ]
    assert "-" in render(found)


@pytest.mark.parametrize(
    ("axis", "said"),
    [("probe", "did you mean 'probes'"), ("probes", "all rows have probes=1")],
)
def test_what_cannot_stand_side_by_side(axis: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        by(axis, *rows(1e6))


ON = ["--machine", "xeon-gold-6138", "--bench", "uprobe-nop"]


def test_upgrade_says_ratio_limit_and_what_it_assumed() -> None:
    asked = ["upgrade", "v6.11", "6.14.2-amd64", "--cpus", "4", "--probes", "2", "--ensemble", "2"]
    done = CliRunner().invoke(cli, [*asked, *ON])
    assert done.exit_code == 0, done.output
    text = done.stdout
    assert text.startswith("v6.11 -> v6.14 on 2 x Intel Xeon Gold 6138")
    assert "probes=2" in text
    assert re.search(r"\b4 +[0-9.]+ +[0-9.]+ +[0-9.]+x +\[[0-9.]+, [0-9.]+\]", text)
    assert "private work" in text
    assert "assumed: what '-amd64' was built with" in text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["v6.12", "6.12.8"], "both modelled as v6.12"),
        (["v6.12", "v6.1"], "older than 6.4"),
        (["srcu", "srco"], "did you mean 'srcu'"),
        (["srcu", "baseline", "--flavour", "srcu"], "are the arguments"),
        (["v6.11", "v6.14", "--cpus", "0", "--attach-threads", "1"], "nothing hits with 0"),
    ],
)
def test_upgrades_that_cannot_be(asked: list[str], said: str) -> None:
    done = CliRunner().invoke(
        cli, ["upgrade", *asked, *([] if "--cpus" in asked else ["--cpus", "1"]), *ON]
    )
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
