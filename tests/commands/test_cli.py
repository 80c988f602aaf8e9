"""The command line as people run it: a process of its own, its exit code and what it leaves."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from command_line import AXES, CELLS, ENVIRONMENT, cli, cli_apart, hooked
from polars.testing import assert_frame_equal

from sweep.cli import cli as group
from sweep.store.scan import finished, read_run, scan

COMMANDS = sorted(
    " ".join((name, *([inner] if inner else [])))
    for name, command in group.commands.items()
    for inner in ("", *getattr(command, "commands", ()))
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.yaml").write_text(json.dumps(AXES))
    return tmp_path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "tiny.yaml").write_text(json.dumps(AXES))
    done = cli("run", "tiny.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{CELLS} cells done: results/runs/tiny\n"
    assert f"{CELLS}/{CELLS} cells, 0 failed, " in done.stderr.splitlines()[-1]
    return collect(folder / "results" / "runs" / "tiny")


def collect(run: Path) -> pl.DataFrame:
    return scan(run).drop("wall_seconds").sort("cell_id").collect()


def assert_resumes(folder: Path, undisturbed: pl.DataFrame) -> None:
    """The run can be finished, and is then the one that nothing disturbed."""
    kept = len(finished(folder / "run"))
    assert 0 < kept < CELLS
    done = cli("run", "tiny.yaml", "--out", "run", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "done": CELLS - kept,
        "skipped": kept,
        "failed": 0,
        "out": "run",
        "failed_before": 0,
        "left": 0,
        "unsure": [],
    }
    assert_frame_equal(collect(folder / "run"), undisturbed)


def test_a_run_killed_in_the_middle_is_finished_by_the_same_command(
    folder: Path, undisturbed: pl.DataFrame
) -> None:
    hooked(folder, "os.kill(os.getpid(), signal.SIGKILL)")
    done = cli_apart("run", "tiny.py", "--out", "run", cwd=folder)
    assert done.returncode == -signal.SIGKILL
    assert_resumes(folder, undisturbed)


def test_an_interrupted_run_keeps_what_is_finished_and_says_how_to_go_on(
    folder: Path, undisturbed: pl.DataFrame
) -> None:
    hooked(folder, "os.kill(os.getpid(), signal.SIGINT)")
    done = cli_apart("run", "tiny.py", "--out", "run", cwd=folder)
    assert done.returncode == 130
    kept = len(finished(folder / "run"))
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"interrupted: {kept} of {CELLS} cells are done and kept in run; ")
    assert "Traceback" not in done.stderr
    assert (folder / "run" / "journal.jsonl").read_bytes() == b""
    assert_resumes(folder, undisturbed)


def test_of_two_drivers_on_one_folder_one_is_turned_away(
    folder: Path, undisturbed: pl.DataFrame
) -> None:
    command = [sys.executable, "-m", "sweep", "run", "tiny.yaml", "--out", "run"]
    pipe = subprocess.PIPE
    drivers = [
        subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=pipe, stderr=pipe, text=True)
        for _ in range(2)
    ]
    said = [driver.communicate(timeout=120) for driver in drivers]
    # Who starts after the other has ended finds nothing to do.
    codes = sorted(driver.returncode for driver in drivers)
    assert codes in ([0, 0], [0, 2])
    if codes == [0, 2]:
        assert any(e.startswith("error: another process is writing to run") for _, e in said)
    assert_frame_equal(collect(folder / "run"), undisturbed)


def test_a_failing_cell_is_exit_1_and_the_others_are_done(folder: Path) -> None:
    hooked(folder, "raise ArithmeticError('seven')", number=7)
    done = cli_apart("run", "tiny.py", "--out", "run", cwd=folder)
    assert done.returncode == 1
    assert done.stdout == f"{CELLS - 1} cells done: run\n"
    assert done.stderr.splitlines()[-1] == (
        "1 cell failed, the first with ArithmeticError: seven; see uprobe-sweep failures run"
    )
    assert len(finished(folder / "run")) == CELLS - 1
    shown = cli("failures", "run", cwd=folder)
    command, error, _, count = shown.stdout.splitlines()
    assert (shown.returncode, error) == (1, "ArithmeticError: seven")
    assert count == "1 cell failed in run"
    [failure] = json.loads(cli("failures", "run", "--json", cwd=folder).stdout)
    assert failure["error"].startswith("Traceback (most recent call last):\n")
    assert command == f"{failure['cell_id']}  {failure['rerun']}"

    silent = cli("run", "tiny.yaml", "--out", "run", cwd=folder)
    assert silent.returncode == 1
    assert silent.stdout == f"nothing was simulated; {CELLS - 1} cells are in run\n"
    assert "1 cell failed before, not tried again" in silent.stderr

    rerun = failure["rerun"].split()[1:]
    alone = json.loads(cli(*rerun, "--json", cwd=folder).stdout)
    assert alone["cell_id"] == failure["cell_id"]
    retried = cli("run", "tiny.yaml", "--out", "run", "--retry-failed", cwd=folder)
    assert retried.returncode == 0
    [kept] = scan(folder / "run").filter(pl.col("cell_id") == alone["cell_id"]).collect().to_dicts()
    assert {**kept, "wall_seconds": 0.0, "run_id": ""} == {
        **alone,
        "wall_seconds": 0.0,
        "run_id": "",
    }
    assert cli("failures", "run", cwd=folder).stdout == "0 cells failed in run\n"


def test_lost_infrastructure_is_exit_4(folder: Path) -> None:
    (folder / "lost.py").write_text(
        "from sweep import Spec\n"
        "from sweep.errors import InfrastructureError\n"
        "from sweep.executors.in_process import InProcessExecutor\n"
        "def run(self, cells):\n    raise InfrastructureError('the cluster is gone')\n"
        "InProcessExecutor.run = run\n"
        f"spec = Spec(**{AXES})\n"
    )
    done = cli_apart("run", "lost.py", cwd=folder)
    assert (done.returncode, done.stderr) == (4, "error: the cluster is gone\n")


def test_a_finished_run_is_done_nothing_to(folder: Path) -> None:
    few = ("tiny.yaml", "--set", "replicates=1", "--set", "cpus=1,2", "--out", "run")
    assert cli("run", *few, cwd=folder).returncode == 0
    before = {p: p.stat().st_mtime_ns for p in (folder / "run").rglob("*")}
    done = cli("run", *few, cwd=folder)
    assert done.returncode == 0
    assert done.stdout == "nothing to do: all 4 cells are in run\n"
    assert {p: p.stat().st_mtime_ns for p in (folder / "run").rglob("*")} == before
    assert read_run(folder / "run")["spec"]["cpus"] == [1, 2]
    planned = cli("plan", *few, cwd=folder)
    assert planned.stdout.splitlines()[-1] == "4 cells: 4 done in run, 0 to do"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("run nothing", "no such spec: nothing: allowed: "),
        ("run tiny.yml", "no such spec file: tiny.yml"),
        ("run bad.yaml", "bad.yaml:2: cpu: unknown axis: did you mean 'cpus'?"),
        ("run tiny.yaml --set cpus=0", "--set cpus=0: cpus: 0 is out of range"),
        ("run tiny.yaml --set flavour=srco", "did you mean 'srcu'? allowed: baseline, "),
        ("run tiny.yaml --out tiny.yaml/run", "cannot write to tiny.yaml/run: Not a directory"),
        ("run tiny.yaml --address x", "--address needs --ray"),
        ("run tiny.yaml --cpus-per-actor 0", "'0': allowed are auto, or 1 and more"),
        ("run tiny.yaml --cpus-per-actor al", "'al': allowed are auto, or 1 and more"),
        ("run tiny.yaml --actor-groups 2", "--actor-groups needs --ray"),
        ("plan", "Missing argument 'SPEC'"),
        ("rum tiny.yaml", "No such command 'rum'. (Did you mean one of: 'rm', 'run'?)"),
        ("tables letter", "no such run: results/runs/letter: there is none in results/runs"),
        ("compare ./tiny.yaml", "no such run: tiny.yaml"),
        ("plot letter -o x.jpg", "-o x.jpg: allowed are .svg, .png, .pdf"),
        ("show srcuu", "unknown flavour 'srcuu': did you mean 'srcu'? allowed: baseline, "),
        ("run tiny.yaml --set flavour=srcu+nhit", "unknown patch 'nhit' in 'srcu+nhit': did you"),
        ("run tiny.yaml --set processes=2", "processes: 2 processes, but a cell has 1 CPUs"),
        ("rerun bench=uprobe-nop", "flavour: is missing; a spec needs bench, flavour, cpus"),
        ("rerun bench=uprobe-nop flavour=srcu cpus=1,2", "cpus: a cell has one value"),
        ("rerun bench=uprobe-nop flavour=srcu cpus=1 replicate=-1", "replicate: -1 is out of"),
        ("rerun cpus", "cpus: write axis=value"),
        ("run tiny.yaml --out s4://bucket/x", "s4://bucket/x: no such object store: allowed: s3"),
        ("failures no", "no such run: results/runs/no: there is none in results/runs"),
        ("explain-id abcd", "no such run: results/runs: there is none in results"),
        ("explain-id abcd --spec tiny.yaml", "abcd: the plan has no such cell"),
        ("explain-id abcd --set cpus=1", "--set needs --spec"),
        ("list flavour", "'flavour' is not one of 'axes', 'flavours'"),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(
    folder: Path, args: str, said: str
) -> None:
    (folder / "bad.yaml").write_text("bench: uprobe-nop\ncpu: 3\n")
    before = sorted(folder.rglob("*"))
    done = cli(*args.split(), cwd=folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert sorted(folder.rglob("*")) == before


def test_a_plan_lists_every_cell(folder: Path) -> None:
    done = cli("plan", "tiny.yaml", "--set", "replicates=1", "--set", "cpus=64", cwd=folder)
    assert done.stdout.splitlines() == [
        "bench       flavour   cpus",
        "uprobe-nop  baseline  64    to do",
        "uprobe-nop  srcu      64    to do",
        "2 cells: 0 done in results/runs/tiny, 2 to do",
        "no past run to estimate the cost from",
    ]
    planned = json.loads(cli("plan", "cover-letter", "--json", cwd=folder).stdout)
    assert (planned["count"], planned["done"], planned["to_do"]) == (42, 0, 42)
    assert len({cell["cell_id"] for cell in planned["cells"]}) == 42
    assert planned["run_id"].startswith("cover-letter-")
    assert sorted(path.name for path in folder.iterdir()) == ["tiny.yaml"]


def test_an_id_is_explained(folder: Path) -> None:
    few = ("tiny.yaml", "--set", "replicates=1", "--set", "cpus=1", "--set", "flavour=srcu")
    planned = json.loads(cli("plan", *few, "--json", cwd=folder).stdout)["cells"][0]
    begins = planned["cell_id"][:6]
    said = cli("explain-id", begins, "--spec", *few, cwd=folder).stdout.splitlines()
    assert said[0] == f"{planned['cell_id']} is the hash of"
    assert any(line.split() == ["flavour", "srcu"] for line in said)
    assert cli("run", *few, cwd=folder).returncode == 0
    assert cli("explain-id", begins, cwd=folder).stdout.splitlines() == said
    parts = json.loads(cli("explain-id", begins, "--run", "tiny", "--json", cwd=folder).stdout)
    assert (parts["whole"], parts["now"], parts["cpus"]) == (True, {}, 1)


def test_the_letter_is_tabled_compared_and_drawn(folder: Path) -> None:
    letter = ("cover-letter", "--set", "duration=20us", "--set", "sample=20us")
    out = ("--out", "results/runs/cover-letter")
    assert cli("run", *letter, "--set", "warmup=0us", *out, cwd=folder).returncode == 0
    tables = cli("tables", "cover-letter", cwd=folder).stdout.splitlines()
    assert len([line for line in tables if "M/s/cpu)" in line]) == 42
    compared = cli("compare", "cover-letter", cwd=folder)
    assert compared.returncode == 0
    assert "uretprobe-nop" in compared.stdout
    figures = json.loads(cli("compare", "results/runs/cover-letter", "--json", cwd=folder).stdout)
    assert len(figures["rows"]) == 42
    for name in ("x.svg", "x.png"):
        assert cli("plot", "cover-letter", "-o", name, cwd=folder).returncode == 0
        assert (folder / name).stat().st_size > 1000
    nowhere = cli("plot", "cover-letter", "-o", "no/x.svg", cwd=folder)
    assert nowhere.returncode == 2
    assert nowhere.stderr.count("\n") == 1


def test_an_empty_run_has_no_tables(folder: Path) -> None:
    (folder / "results" / "runs" / "empty" / "cells").mkdir(parents=True)
    done = cli("tables", "empty", cwd=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "has no finished cells yet" in done.stderr


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("flavours", "tasks-trace"),
        ("machines", "xeon-gold-6138"),
        ("specs", "cover-letter"),
        ("benches", "uretprobe-multi-push"),
        ("patches", "percpu-nhit"),
        ("rcu", "srcu-lite"),
    ],
)
def test_lists(tmp_path: Path, what: str, name: str) -> None:
    assert name in cli("list", what, cwd=tmp_path).stdout
    entries = json.loads(cli("list", what, "--json", cwd=tmp_path).stdout)
    assert name in [entry["name"] for entry in entries]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_has_an_example_and_imports_nothing_heavy(command: str, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from sweep.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "heavy = {'numpy', 'numba', 'polars', 'pyarrow', 'pydantic', 'yaml', 'ray', 'rich'}\n"
        "sys.exit(sorted(heavy.intersection(sys.modules)) or 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command.split(), "--help"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"\n  uprobe-sweep {command}" in done.stdout


def test_no_command_prints_the_help(tmp_path: Path) -> None:
    done = cli(cwd=tmp_path)
    assert done.returncode == 2
    assert "Usage: uprobe-sweep" in done.stderr


def test_a_terminal_gets_a_bar(folder: Path) -> None:
    ours, theirs = pty.openpty()
    few = ("tiny.yaml", "--set", "replicates=1", "--set", "cpus=1,2")
    with subprocess.Popen(
        [sys.executable, "-m", "sweep", "run", *few],
        cwd=folder,
        env={**ENVIRONMENT, "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as process:
        os.close(theirs)
        shown = read_all(ours)
        assert process.stdout is not None
        assert process.stdout.read() == "4 cells done: results/runs/tiny\n"
    assert process.returncode == 0
    assert "4/4" in shown
    assert "cells, 0 failed, " in shown


def read_all(terminal: int) -> str:
    """Everything written to a terminal until its last writer closes it."""
    chunks: list[bytes] = []
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # EIO: nobody has the other side open any more
            chunk = b""
        if not chunk:
            os.close(terminal)
            return b"".join(chunks).decode()
        chunks.append(chunk)


def test_a_machine_without_an_ensemble_is_said_to_give_no_interval(tmp_path: Path) -> None:
    axes = ["--set", "cpus=1", "--set", "machine=generic,xeon-8176", "--set", "ensemble=20"]
    done = cli("plan", "cover-letter", *axes, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "note: another run than cover-letter, with a folder of its own: cover-letter.ensemble-20",
        "note: generic has no ensemble, so its cells get no interval",
        "note: the ensemble of xeon-8176 has 16 members, all used",
    ]
