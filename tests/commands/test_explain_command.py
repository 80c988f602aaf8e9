"""`uprobe-sweep explain` and `whatif` as people run them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from command_line import cli

from core.kernel.operation import Line

TIMES = ("--set", "warmup=20us", "--set", "duration=40us", "--set", "sample=20us")
AXES = ("--set", "flavour=baseline,tasks-trace", "--set", "cpus=1,8", "--set", "bench=uprobe-nop")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("explain")
    done = cli("run", "cover-letter", *TIMES, *AXES, "--out", "run", cwd=made)
    assert done.returncode == 0, done.stderr
    shutil.copytree(made / "run", made / "old")
    shutil.rmtree(made / "old" / "attribution")
    return made


def test_a_run_is_explained_over_its_cpus(folder: Path) -> None:
    done = cli("explain", "./run", "--flavour", "tasks-trace", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "tasks-trace, uprobe-nop on xeon-gold-6138"
    assert [line.split() for line in lines if line.startswith("CPUs")] == [["CPUs", "1", "8"]]
    both = cli("explain", "run", "--by", "all", cwd=folder).stdout
    assert both.count("CPUs  ") == 6


def test_json_adds_up(folder: Path) -> None:
    done = cli("explain", "run", "--by", "all", "--json", cwd=folder)
    made = json.loads(done.stdout)
    assert made["without_attribution"] == 0
    points = [point for curve in made["curves"] for point in curve["points"]]
    assert [point["cpus"] for point in points] == [1, 8, 1, 8]
    for point in points:
        assert point["ps"] == point["cpus"] * 3 * 20 * 10**6
        assert point["ns_per_hit"] == pytest.approx(1e9 * point["cpus"] / point["hits_per_s"])
        for parts in point["by"].values():
            assert point["private_work"]["ps"] + sum(p["ps"] for p in parts) == point["ps"]


def test_one_cell_of_a_run_by_its_id(folder: Path) -> None:
    planned = cli("plan", "cover-letter", *TIMES, *AXES, "--out", "run", "--json", cwd=folder)
    cell = json.loads(planned.stdout)["cells"][1]
    done = cli("explain", "run", "--cell", cell["cell_id"], cwd=folder)
    head = f"{cell['flavour']}, uprobe-nop on xeon-gold-6138, cpus={cell['cpus']}: "
    assert done.stdout.startswith(head)


def test_without_a_run_one_cell_is_simulated_and_nothing_written(tmp_path: Path) -> None:
    cell = ("--flavour", "v6.14", "--bench", "uretprobe-nop", "--cpus", "3")
    done = cli("explain", *cell, "--machine", "generic", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert re.fullmatch("1/1 cells, .*\n", done.stderr)
    [curve] = json.loads(done.stdout)["curves"]
    [point] = curve["points"]
    assert (curve["machine"], point["cpus"], point["ps"]) == ("generic", 3, 3 * 5 * 8 * 10**8)
    assert list(tmp_path.iterdir()) == []


def test_what_if(tmp_path: Path) -> None:
    cell = ("--flavour", "tasks-trace", "--bench", "uretprobe-nop", "--cpus", "4")
    done = cli("whatif", *cell, "--replicates", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "cells, 0 failed" in done.stderr
    assert "the letter: uretprobes still take a refcount" in done.stdout
    assert "90% interval" in done.stdout
    removed = cli("whatif", *cell, "--replicates", "1", "--remove", "--json", cwd=tmp_path)
    made = json.loads(removed.stdout)
    gains = [variant["gain"]["mean"] for variant in made["variants"]]
    assert gains == sorted(gains, reverse=True)
    assert made["edit"] == "without"
    assert set(made["shares"]) <= {line.value for line in Line}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("explain run --cpus 7", "--only cpus=7: no such row: allowed: 1, 8"),
        ("explain run --flavour srco", "--only flavour=srco: no such row: "),
        ("explain run --bench uprobe-pop", "did you mean 'uprobe-nop'?"),
        ("explain run --machine xeon", "did you mean 'xeon-gold-6138'?"),
        ("explain run --cell 12", "--cell 12: no such cell in the run: `uprobe-sweep query"),
        ("explain run --by lines", "'lines' is not one of 'line', 'operation'"),
        ("explain run --top 0", "0 is not in the range x>=1"),
        ("explain old", "old was made before it was kept where time goes: "),
        ("explain rum", "no such run: results/runs/rum"),
        ("explain --cell 12", "--cell needs RUN"),
        ("explain --flavour srcu --cpus 4", "--bench is missing: give RUN, or --flavour, --bench"),
        ("explain --flavour srco --bench uprobe-nop --cpus 4", "--flavour: unknown flavour 'srco'"),
        ("explain --flavour srcu --bench nop --cpus 4", "--bench: unknown bench 'nop'"),
        ("explain --flavour srcu --bench uprobe-nop --cpus 9999", "9,999 CPUs: allowed are 1 to"),
        ("explain --flavour srcu --bench uprobe-nop --cpus 1 --cpus 2", "--cpus: one cell has one"),
        (
            "whatif --flavour srcu --bench uprobe-nop",
            "--cpus is missing: give --flavour or --kernel",
        ),
        ("whatif --flavour srcu --bench uprobe-nop --cpus 0", "--cpus: 0 is out of range"),
        ("whatif --flavour tasks --bench uprobe-nop --cpus 1", "did you mean 'tasks-trace'?"),
        ("whatif --flavour srcu --bench uprobe-nop --cpus 1 --rcu x", "--rcu: unknown rcu 'x'"),
        ("whatif --flavour srcu --bench uprobe-nop --cpus 1 --machine x", "--machine: unknown"),
        (
            "whatif --flavour srcu --bench uprobe-nop --cpus 1 --replicates 0",
            "0 is not in the range",
        ),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(
    folder: Path, args: str, said: str
) -> None:
    before = sorted(folder.rglob("*"))
    done = cli(*args.split(), cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert sorted(folder.rglob("*")) == before
