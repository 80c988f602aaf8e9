"""How a command ends when its output, its process or its own code gives way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import AXES, CELLS, ENVIRONMENT, cli_apart, hooked

from sweep.store.scan import finished


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.yaml").write_text(json.dumps(AXES))
    return tmp_path


def cli_unread(*args: str, cwd: Path) -> tuple[int, str]:
    """Exit code and stderr of a command whose stdout nobody reads."""
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [sys.executable, "-m", "sweep", *args],
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(theirs)
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", ["plan tiny.yaml", "list flavours", "show srcu", "--help"])
def test_a_reader_that_leaves_is_no_error(folder: Path, command: str) -> None:
    assert cli_unread(*command.split(), cwd=folder) == (0, "")


def test_without_a_reader_the_exit_code_is_still_the_work_s(folder: Path) -> None:
    hooked(folder, "raise ArithmeticError('seven')", number=7)
    code, errors = cli_unread("run", "tiny.py", "--out", "run", cwd=folder)
    assert code == 1
    assert errors.splitlines()[-1].startswith("1 cell failed, the first with ArithmeticError")
    assert len(finished(folder / "run")) == CELLS - 1


def test_progress_that_nobody_reads_stops_no_run(folder: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "sweep", "run", "tiny.yaml", "--out", "run"]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, stderr=theirs, check=False)
    os.close(theirs)
    assert done.returncode == 0
    assert len(finished(folder / "run")) == CELLS


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_cannot_be_written_is_exit_4(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sweep", "list", "flavours"],
            cwd=folder,
            env=ENVIRONMENT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 4
    assert done.stderr == "error: OSError: [Errno 28] No space left on device\n"


def test_an_encoding_without_lines_gets_other_characters(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sweep", "list", "machines"],
        cwd=folder,
        env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "xeon-gold-6138" in done.stdout


def test_a_terminated_run_keeps_what_is_finished_and_is_exit_143(folder: Path) -> None:
    hooked(folder, "os.kill(os.getpid(), signal.SIGTERM)")
    done = cli_apart("run", "tiny.py", "--out", "run", cwd=folder)
    assert done.returncode == 143
    kept = len(finished(folder / "run"))
    assert 0 < kept < CELLS
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"interrupted: {kept} of {CELLS} cells are done and kept in run; ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["term", "int"]
)
def test_a_command_that_does_not_expect_it_ends_without_a_word(
    folder: Path, number: signal.Signals, code: int
) -> None:
    (folder / "killed.py").write_text(
        "import os, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"os.kill(os.getpid(), {int(number)})\n"
    )
    done = cli_apart("plan", "killed.py", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (code, "", "")


def test_a_fault_of_our_own_is_told_from_cells_that_failed(folder: Path) -> None:
    (folder / "faulty.py").write_text(
        "from sweep import Spec\n"
        "import sweep.driver.driver as driver\n"
        "def broken(*args):\n    raise ZeroDivisionError\n"
        "driver.cells_wanted = broken\n"
        f"spec = Spec(**{AXES})\n"
    )
    done = cli_apart("plan", "faulty.py", cwd=folder)
    assert done.returncode == 4
    assert "ZeroDivisionError" in done.stderr
    assert done.stderr.splitlines()[-1] == "error: this is a fault of uprobe-sweep itself"
