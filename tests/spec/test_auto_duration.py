"""`duration: auto`: cells that are simulated for as long as their precision needs."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from command_line import cli
from tiny import tiny_spec

from sweep.driver.driver import run
from sweep.errors import UsageError
from sweep.plan.cost import _simulated_seconds
from sweep.plan.plan import plan
from sweep.plan.precision import cells_wanted
from sweep.spec.spec import AUTO_STARTS, Spec, override
from sweep.spec.trial import as_trial
from sweep.store.scan import scan


def test_its_cells_have_a_precision_and_a_most() -> None:
    for asked, precision in ((None, 0.005), ("2%", 0.02)):
        for cell in plan(tiny_spec(duration="auto", precision=asked)):
            assert cell.precision == precision
            assert cell.samples == 2 * AUTO_STARTS
    assert {cell.precision for cell in plan(tiny_spec(precision="2%"))} == {None}


def test_it_is_the_default_but_for_cells_with_writers() -> None:
    asked = {"bench": "uprobe-nop", "flavour": "srcu", "cpus": 1}
    assert Spec(**asked) == Spec(**asked, duration="auto")
    assert Spec(**asked, precision="1%").repeats_for is None
    for disturbed in ({"consumers": 2}, {"attach_threads": [0, 1]}, {"bench": "uprobe-stress"}):
        written = Spec(**{**asked, **disturbed}).model_dump()
        assert [written[time] for time in ("warmup", "duration", "sample")] == ["3ms", "5ms", "1ms"]


def test_a_start_is_brief_unless_its_times_are_given() -> None:
    asked = {"bench": "uprobe-nop", "flavour": "srcu", "cpus": 1}
    [brief] = plan(Spec(**asked, duration="auto"))
    assert (brief.warmup_ps, brief.sample_ps) == (4 * 10**8, 4 * 10**8)
    [given] = plan(Spec(**asked, duration="auto", warmup="3ms", sample="1ms"))
    assert (given.warmup_ps, given.sample_ps) == (3 * 10**9, 10**9)
    fixed = Spec(**asked, duration="5ms")
    assert (fixed.warmup, fixed.sample) == (3 * 10**9, 10**9)
    assert plan(override(fixed, ["duration=auto"])) == [brief]
    assert override(Spec(**asked), ["duration=5ms"]) == fixed


def test_it_is_written_as_it_is_read() -> None:
    spec = tiny_spec(duration="auto")
    assert spec.model_dump()["duration"] == "auto"
    assert Spec(**spec.model_dump()) == spec
    assert override(tiny_spec(), ["duration=auto"]) == spec
    assert as_trial(spec, tiny_spec()).name == "tiny.duration-auto"


def test_no_replicates_follow_for_its_precision() -> None:
    spec = tiny_spec(duration="auto", precision="1%")
    assert list(cells_wanted(spec, {c.cell_id: 1.0 for c in plan(spec)})) == plan(spec)
    with pytest.raises(UsageError, match="max_replicates: of no use without a duration"):
        tiny_spec(duration="auto", precision="1%", max_replicates=7)


def test_cells_with_writers_are_told_how_long_they_last() -> None:
    with pytest.raises(UsageError, match="duration: auto does not go with uprobe-stress"):
        tiny_spec(duration="auto", consumers=[2])


def test_its_cost_is_not_that_of_the_most() -> None:
    fixed, auto = (
        sum(s.sum for s in _simulated_seconds(plan(tiny_spec(duration=d))).values())
        for d in ("100us", "auto")
    )
    # Seven starts of 60 us; 20 us and six samples.
    assert (fixed, auto) == pytest.approx((2 * 140e-6, 2 * 420e-6))


def test_rows_say_how_long_and_how_well(tmp_path: Path) -> None:
    spec = tiny_spec(duration="auto", precision="5%")
    assert run(spec, tmp_path / "run").unsure == ()
    rows = scan(tmp_path / "run").collect()
    assert rows["precision"].to_list() == [0.05, 0.05]
    assert (rows["half_width"] <= 0.05).all()
    assert rows["samples"].is_in(range(10, 2 * AUTO_STARTS, 2)).all()
    assert (rows["sim_seconds"] - rows["samples"] * 20e-6).abs().max() < 1e-12
    run(tiny_spec(), tmp_path / "fixed")
    fixed = scan(tmp_path / "fixed").collect()
    assert fixed.select(pl.col("precision", "half_width").is_null().all()).row(0) == (True, True)


ODD = "bench: uprobe-nop\nflavour: srcu\ncpus: 32\nwarmup: 10us\nsample: 10us\nduration: auto\n"


def test_cells_that_end_before_their_precision_are_named(tmp_path: Path) -> None:
    spec = tmp_path / "odd.yaml"
    spec.write_text(ODD + "precision: 0.0001%\n")
    done = cli("run", str(spec), "--out", "run", cwd=tmp_path)
    assert done.returncode == 3
    assert "1 cell less precise than asked, with all starts allowed" in done.stderr
    assert cli("run", str(spec), "--out", "run", cwd=tmp_path).returncode == 3


def test_without_a_precision_asked_for_they_are_counted_and_marked(tmp_path: Path) -> None:
    spec = tmp_path / "odd.yaml"
    spec.write_text(ODD)
    done = cli("run", str(spec), "--out", "run", cwd=tmp_path)
    assert done.returncode == 0
    assert "1 cell known less well than to ±0.5%: see tables" in done.stderr
    shown = cli("tables", "run", cwd=tmp_path)
    assert re.search(r"\( *32 cpus\).*  ±[0-9.]+% by start", shown.stdout)
