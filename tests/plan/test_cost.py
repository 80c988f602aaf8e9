"""What a plan costs, from past runs."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tiny import FakeExecutor, tiny_spec

from sweep.driver.driver import run
from sweep.plan.cost import Cost, estimate, past_cells
from sweep.plan.plan import plan
from sweep.spec.axes import DISTURBING
from sweep.terminal.progress import seconds_text


def past(**seconds: float) -> pl.DataFrame:
    """Cells of 1 simulated second, by flavour and CPUs: srcu_4=2.0 took 2 s of wall time."""
    rows = []
    for name, took in seconds.items():
        flavour, _, cpus = name.partition("_")
        row = {"bench": "uprobe-nop", "flavour": flavour, "rcu": "default", "cpus": int(cpus)}
        row |= {"owner_beside_count": "default", "machine": "xeon-gold-6138", "spread": "shared"}
        row |= {"probes": 1, "processes": 1, "ensemble": 0, **DISTURBING}
        [like] = plan(tiny_spec(flavour=flavour, cpus=1))
        row |= {"path_digest": like.path_digest, "machine_digest": like.machine.digest}
        times = {"warmup_s": 0.5, "samples": 5, "sample_s": 0.1, "precision": None}
        rows.append({**row, **times, "wall_seconds": took})
    return pl.DataFrame(rows)


def cells(seconds: int, **axes: object) -> list:  # type: ignore[type-arg]
    """Cells of so many simulated seconds and one more of warm-up."""
    times = {"warmup": "1s", "sample": "1s", "duration": f"{seconds - 1}s"}
    return plan(tiny_spec(**{**times, **axes}))


def test_a_cell_costs_what_it_did_for_each_simulated_second() -> None:
    planned = cells(4, cpus=[1, 4], replicates=2, seed=[7])
    cost = estimate(planned, past(srcu_1=1.0, srcu_4=3.0))
    assert cost == Cost(core_seconds=2 * 5 * (1.0 + 3.0), cells=4, measured=4)
    assert cost.wall_seconds(cores=8) == 5.0


def test_each_start_of_a_cell_with_a_precision_had_its_warmup() -> None:
    # Three starts of 0.5 and 2 x 0.1 s took 6.3 s; seven of 1 and 2 x 1 s are planned.
    rows = past(srcu_1=6.3).with_columns(samples=6, precision=0.005)
    [auto] = plan(tiny_spec(warmup="1s", sample="1s", duration="auto", cpus=1))
    cost = estimate([auto], rows)
    assert cost is not None
    assert cost.core_seconds == pytest.approx(21 * 3.0)


def test_repeats_count_by_their_median() -> None:
    rows = pl.concat([past(srcu_1=s) for s in (1.0, 2.0, 30.0)])
    cost = estimate(cells(4, cpus=1), rows)
    assert cost is not None
    assert cost.core_seconds == pytest.approx(5 * 2.0)


def test_an_unknown_cell_costs_what_the_most_alike_does() -> None:
    known = past(srcu_1=1.0, srcu_8=8.0, baseline_64=64.0)
    for axes, each in (
        ({"cpus": 6}, 8.0),
        ({"cpus": 2}, 1.0),
        ({"cpus": 80}, 64.0),
        ({"cpus": 1, "flavour": "baseline"}, 1.0),
        ({"cpus": 1, "flavour": "baseline", "probes": 64}, 1.0),
    ):
        cost = estimate(cells(4, **axes), known)
        assert cost is not None
        assert (cost.core_seconds, cost.measured) == (pytest.approx(5 * each), 0)


def test_without_a_past_there_is_no_estimate(tmp_path: Path) -> None:
    assert estimate(cells(4), past_cells(tmp_path / "none")) is None
    assert estimate(cells(4), past_cells()) is None


def test_the_past_is_every_run_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(tiny_spec(cpus=[1, 2]), tmp_path / name, FakeExecutor())
    known = past_cells(tmp_path, tmp_path / "a", tmp_path / "none")
    assert known.height == 2
    # A fake cell takes 0.5 s for 60 us.
    cost = estimate(plan(tiny_spec(cpus=[1, 2])), known)
    assert cost is not None
    assert cost.core_seconds == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.354, "0.35 s"), (41.6, "42 s"), (119, "119 s"), (450, "7.5 min"), (10800, "3.0 h")],
)
def test_a_time_in_words(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
