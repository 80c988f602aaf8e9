"""`uprobe-sweep stress`, and cells with writers from spec to table, on the real command line."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from command_line import Done, cli

import sweep as package
from core.modelcheck.checks import TOO_SHORT
from sweep.errors import UsageError
from sweep.plan.plan import plan
from sweep.spec.axes import DISTURBING
from sweep.spec.files import load_spec
from sweep.spec.spec import Spec
from sweep.store.stress_columns import COUNTS, SECONDS


def sweep(folder: Path, *arguments: str) -> Done:
    """Run the command line in `folder`."""
    return cli(*arguments, cwd=folder)


SMALL = ("--functions", "10", "--ms", "40")


def test_a_stress_without_a_violation_says_what_it_saw(tmp_path: Path) -> None:
    done = sweep(tmp_path, "stress", "-t2", "-a2", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "no violation" in done.stdout
    assert "attach" in done.stdout
    assert "ms simulated" in done.stderr


def test_the_replay_line_of_a_violation_fails_in_the_same_way(tmp_path: Path) -> None:
    arguments = ("-t4", "-a4", "--stalls", "50", "--fault", "skips-running-holdouts", "--ms", "400")
    first = sweep(tmp_path, "stress", *arguments, "--functions", "10")
    assert first.returncode == 1
    assert TOO_SHORT in first.stdout
    [line] = [x for x in first.stdout.splitlines() if x.startswith("replay: ")]
    again = sweep(tmp_path, *shlex.split(line.removeprefix("replay: uprobe-sweep ")))
    assert again.returncode == 1
    assert again.stdout == first.stdout


def test_json_has_latencies_and_the_replay_line(tmp_path: Path) -> None:
    done = sweep(tmp_path, "stress", "-a1", *SMALL, "--json")
    made = json.loads(done.stdout)
    assert made["violation"] is None
    assert made["replay"].startswith("uprobe-sweep stress -t1 -a1 ")
    assert made["outcome"]["firings"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "nosuch"], "unknown fault 'nosuch'"),
        (["-a", "80"], "one has to be left for hits"),
        (["-t", "0"], "Invalid value for '-t'"),
        (["--flavour", "scru"], "did you mean 'srcu'?"),
        (["--functions", "0"], "probes: 0 is out of range"),
    ],
)
def test_a_stress_that_cannot_be_is_one_line(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    done = sweep(tmp_path, "stress", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_run_with_writers_has_its_columns_and_its_table(tmp_path: Path) -> None:
    batch = ["--set", "probes=20", "--set", "batch=1,20", "--set", "flavour=baseline,srcu"]
    batch += ["--set", "attach=multi"]
    assert sweep(tmp_path, "run", "detach-batch", *batch, "--out", "run").returncode == 0
    cells = package.scan(tmp_path / "run").sort("flavour", "batch").collect()
    rows = {(row["flavour"], row["batch"]): row for row in cells.iter_rows(named=True)}
    assert [rows["srcu", b]["detaches"] for b in (1, 20)] == [20, 1]
    assert [rows["srcu", b]["grace_waits"] for b in (1, 20)] == [20, 1]
    assert rows["baseline", 1]["grace_periods"] == 0
    assert rows["baseline", 1]["grace_p50_s"] is None
    # One by one every detach waits for a grace period of its own, some milliseconds.
    assert rows["srcu", 1]["detach_p50_s"] > 1e-3
    table = sweep(tmp_path, "tables", "run").stdout
    [head, *_] = [line.split() for line in table.splitlines() if "waits" in line]
    lines = [line.split() for line in table.splitlines() if line.startswith("srcu ")]
    # Nobody hits, so there is no rate; N links wait N times, one link once.
    assert head[:3] == ["flavour", "batch", "attach"]
    assert [line[head.index("waits")] for line in lines[:2]] == ["20", "1"]
    # What they waited for follows: RCU once, for dup_mmap_sem of the first attach, and readers.
    assert [line[4:7] for line in lines[2:]] == [["21", "1", "20"], ["2", "1", "1"]]


def test_cells_without_writers_have_no_such_figures(tmp_path: Path) -> None:
    arguments = ("--set", "cpus=1", "--set", "bench=uprobe-nop", "--set", "flavour=srcu")
    short = ("--set", "warmup=0us", "--set", "duration=100us", "--set", "sample=100us")
    done = sweep(tmp_path, "run", "cover-letter", *arguments, *short, "--out", "run")
    assert done.returncode == 0, done.stderr
    [row] = package.scan(tmp_path / "run").collect().rows(named=True)
    assert {column: row[column] for column in DISTURBING} == DISTURBING
    assert {row[column] for column in (*COUNTS, *SECONDS)} == {None}


def test_only_what_disturbs_makes_a_workload() -> None:
    good = {"bench": "uprobe-nop", "flavour": "srcu", "cpus": 1}
    assert [cell.workload for cell in plan(Spec(**good))] == [None]
    [cell] = plan(Spec(**good, attach_threads=2))
    assert cell.workload is not None
    assert (cell.workload.attach_threads, cell.workload.consumers) == (2, 1)
    [stress] = plan(Spec(**{**good, "bench": "uprobe-stress"}))
    assert stress.workload is not None


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ({"cpus": 0}, "cpus: 0 is out of range without attach_threads"),
        ({"consumers": 0}, "consumers: 0 leaves nothing to hit"),
        ({"batch": 5}, "batch: is what attach_threads do"),
        ({"attach_threads": 79, "cpus": 2}, "79 of them for other threads: allowed are 1 to 1"),
        ({"attach_threads": 1, "processes": 2, "cpus": 2}, "processes: only 1 goes with"),
        ({"stalls": 2000}, "stalls: 2000 is out of range"),
    ],
)
def test_axes_that_do_not_go_together(axes: dict[str, int], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Spec(**{"bench": "uprobe-nop", "flavour": "srcu", "cpus": 1, **axes})
    assert said in str(caught.value)


def test_shipped_specs_are_the_tools_defaults_and_the_batches() -> None:
    [cell, *_] = plan(load_spec("uprobe-stress"))
    assert cell.workload is not None
    threads = cell.workload
    assert (threads.attach_threads, threads.mmap_threads, threads.fork_threads) == (1, 1, 1)
    assert (cell.cpus, cell.probes) == (1, 100)
    batches = {cell.workload.batch for cell in plan(load_spec("detach-batch")) if cell.workload}
    assert batches == {1, 50_000}
