"""Replicates until the mean is known well enough."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import cli
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import fake_result, tiny_spec

from core.cell import Cell, CellResult
from sweep.driver.driver import run, survey
from sweep.errors import UsageError
from sweep.executors.base import Outcome
from sweep.plan.plan import plan, run_id
from sweep.plan.precision import cells_wanted, half_width, replicates_wanted, unsure
from sweep.spec.spec import FEWEST_REPLICATES, Spec
from sweep.store.scan import scan

SPEC = tiny_spec(cpus=[1, 2, 4], precision="1.5%", max_replicates=60)


class Noisy:
    """An executor of cells whose rates spread by `cpus` per cent; gives them in any order."""

    def __init__(self, before: Callable[[Cell], None] = lambda cell: None) -> None:
        self.rounds: list[list[Cell]] = []
        self._before = before

    def run(self, cells: Sequence[Cell]) -> Iterator[Outcome]:
        self.rounds.append(list(cells))
        for cell in reversed(cells):
            try:
                self._before(cell)
            except ValueError as error:
                yield Outcome(cell, None, str(error))
            else:
                yield Outcome(cell, noisy_result(cell))

    def close(self) -> None:
        pass


def noisy_result(cell: Cell) -> CellResult:
    draw = np.random.default_rng([cell.cpus, cell.replicate]).normal(1, 0.01 * cell.cpus)
    hits = np.full(cell.samples, round(1e6 * draw))
    fake = fake_result(cell)
    return CellResult(cell.cell_id, hits, cell.sample_ps, 1, fake.attribution, 0.5)


def counts(out: Path) -> dict[int, int]:
    frame = scan(out).group_by("cpus").len().collect()
    return dict(frame.iter_rows())


def test_the_half_width_is_students() -> None:
    # Of 1, 2, 3: standard error 1/sqrt(3), t(0.975, 2) = 4.303, mean 2.
    assert half_width([1, 2, 3]) == pytest.approx(4.3027 / 3**0.5 / 2, rel=1e-4)
    assert half_width([5]) == half_width([0, 1, -1]) == float("inf")
    assert half_width([5, 5]) == half_width([0, 0]) == 0


def test_as_many_replicates_as_the_interval_says_at_most_twice_those_there_are() -> None:
    values = [99.0, 100, 101, 99, 101]
    wide = half_width(values)
    assert replicates_wanted(values, wide, 100) == 5
    assert replicates_wanted(values, wide / 1.2, 100) == 8  # 5 x 1.44
    assert replicates_wanted(values, wide / 10, 100) == 10
    assert replicates_wanted(values, wide / 10, 7) == 7
    assert replicates_wanted([1.0], 0.5, 100) == 2


def test_a_mean_is_as_close_as_asked_in_about_95_of_100_sweeps() -> None:
    rng = np.random.default_rng(2)
    for deviation in (0.005, 0.01):
        close = 0
        for _ in range(400):
            draws, count = rng.normal(1, deviation, 200).tolist(), FEWEST_REPLICATES
            while (more := replicates_wanted(draws[:count], 0.005, 200)) > count:
                count = more
            close += abs(np.mean(draws[:count]) - 1) <= 0.005
        assert close / 400 > 0.93


def test_cells_are_repeated_until_they_are_precise(tmp_path: Path) -> None:
    executor = Noisy()
    summary = run(SPEC, tmp_path, executor)
    found = counts(tmp_path)
    assert found[1] == FEWEST_REPLICATES <= found[2] < found[4] < 60
    assert (summary.done, summary.unsure) == (sum(found.values()), ())
    assert len(executor.rounds) > 2
    for cpus, count in found.items():
        rates = scan(tmp_path).collect().filter(cpus=cpus)["hits_per_s"].to_list()
        assert (len(rates), half_width(rates) <= 0.015) == (count, True)
    again = Noisy()
    assert run(SPEC, tmp_path, again).skipped == summary.done
    assert again.rounds == []


def test_what_stays_imprecise_is_named(tmp_path: Path) -> None:
    spec = tiny_spec(cpus=[1, 8], precision="1.5%", max_replicates=8)
    for _ in range(2):
        summary = run(spec, tmp_path, Noisy())
        [one] = summary.unsure
        assert (one.cell.cpus, one.replicates) == (8, 8)
        assert one.half_width > 0.015
    assert counts(tmp_path)[8] == 8


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 60))
def test_a_run_broken_off_anywhere_ends_with_the_same_cells(
    tmp_path_factory: pytest.TempPathFactory, at: int
) -> None:
    left = at

    def interrupt(cell: Cell) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt

    whole, broken = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("broken")
    run(SPEC, whole, Noisy())
    try:
        run(SPEC, broken, Noisy(interrupt))
    except KeyboardInterrupt:
        run(SPEC, broken, Noisy())
    key = ["cell_id", "hits"]
    assert (
        scan(broken)
        .select(key)
        .sort(key)
        .collect()
        .equals(scan(whole).select(key).sort(key).collect())
    )


def test_a_cell_of_which_a_replicate_failed_asks_for_no_more(tmp_path: Path) -> None:
    def fail(cell: Cell) -> None:
        if (cell.cpus, cell.replicate) == (4, 3):
            raise ValueError("bad luck")

    out = tmp_path / "out"
    summary = run(SPEC, out, Noisy(fail))
    assert (summary.failed, summary.unsure) == (1, ())
    assert counts(out)[4] == FEWEST_REPLICATES - 1
    assert list(survey(SPEC, out).to_do()) == []
    assert run(SPEC, out, Noisy(), retry_failed=True).failed == 0
    run(SPEC, tmp_path / "undisturbed", Noisy())
    assert counts(out) == counts(tmp_path / "undisturbed")


def test_a_looser_precision_finds_its_replicates_there(tmp_path: Path) -> None:
    run(SPEC, tmp_path, Noisy())
    executor = Noisy()
    run(tiny_spec(cpus=[1, 2, 4], precision="5%"), tmp_path, executor)
    assert executor.rounds == []
    assert list(unsure(SPEC, {})) == []


def test_without_a_precision_nothing_is_asked_for() -> None:
    spec = tiny_spec(replicates=3)
    assert list(cells_wanted(spec, {})) == plan(spec)
    assert run_id(spec) == run_id(Spec(**spec.model_dump()))
    assert plan(tiny_spec(precision="1%", replicates=7)) == plan(tiny_spec(replicates=7))


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ({"precision": "0%"}, "precision: '0%' is no fraction: allowed are 0% to 100%"),
        ({"precision": 1}, "precision: 1 is no fraction"),
        ({"precision": "five"}, "precision: 'five' is no fraction"),
        ({"max_replicates": 5}, "max_replicates: of no use without a precision"),
        ({"precision": "1%", "max_replicates": 1}, "max_replicates: 1 is fewer than the 2"),
        ({"precision": "1%", "max_replicates": 5, "replicates": 6}, "fewer than the 6"),
    ],
)
def test_a_precision_that_cannot_be(axes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        tiny_spec(**axes)


def test_a_precision_is_kept_as_it_was_written() -> None:
    spec = tiny_spec(precision="0.5%")
    assert spec.precision == 0.005
    assert spec.model_dump()["precision"] == "0.5%"
    assert Spec(**spec.model_dump()) == spec == tiny_spec(precision=0.005)


def test_the_command_ends_with_3_and_names_the_cells(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(
        json.dumps(tiny_spec(cpus=[2, 8], probes=[1, 2]).model_dump())
    )
    hard = ("tiny.yaml", "--set", "precision=0.0001%", "--set", "max_replicates=3")
    done = cli("run", *hard, "--out", "run", cwd=tmp_path)
    assert done.returncode == 3
    said = done.stderr.splitlines()
    [head] = [line for line in said if line.endswith("with all replicates allowed:")]
    unsure_cells = int(head.split()[0])  # of some cells three replicates happen to be equal
    assert unsure_cells > 0
    assert sum("after 3" in line for line in said) == unsure_cells
    again = cli("run", *hard, "--out", "run", "--json", cwd=tmp_path)
    assert again.returncode == 3
    assert len(json.loads(again.stdout)["unsure"]) == unsure_cells
