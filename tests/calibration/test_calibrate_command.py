"""`uprobe-sweep calibrate`: what it prints, writes and leaves alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

import sweep.calibration.calibrate
from core.calibrate.calibration import Task
from core.calibrate.fit import Step
from core.machine.machine import Machine, load_machine
from sweep.calibration.calibrate import (
    CELLS_ON,
    PRIMITIVES_ON,
    SHIPPED,
    differences,
    machine_text,
    task,
    write_machine,
)
from sweep.commands.calibrate import calibrate
from sweep.errors import UsageError
from sweep.machines.named import named_machine

Machines = tuple[Machine, ...]
PROJECT = Path(__file__).resolve().parents[2]
AS_SHIPPED = (load_machine(PRIMITIVES_ON), load_machine(CELLS_ON))


def moved() -> Machines:
    """The shipped machines, the second with another value and another member."""
    bare, letter = AS_SHIPPED
    assert letter.calibration is not None
    path = "coherence.residency_ns"
    first, *others = letter.calibration.members
    section = letter.calibration.model_copy(update={"members": ({**first, path: 23.5}, *others)})
    other = letter.with_numbers({path: 27.25})
    return bare, other.with_calibration(section)


def command(
    monkeypatch: pytest.MonkeyPatch, *args: str, gives: Callable[[], Machines] = lambda: AS_SHIPPED
) -> Result:
    """Run the command; `gives` stands in for the minutes of work."""

    def quick(wanted: Task, report: Callable[[Step], None]) -> Machines:
        report(Step("fit", 1, 1, 0.25))
        return gives()

    monkeypatch.setattr(sweep.calibration.calibrate, "calibrate", quick)
    return CliRunner().invoke(calibrate, args, standalone_mode=False)


def shipped_bytes() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(SHIPPED.iterdir()) if path.is_file()}


def test_a_check_names_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    before = shipped_bytes()
    same = command(monkeypatch, "--check")
    assert (same.return_value, same.stdout) == (0, "the shipped files are what it gives\n")
    other = command(monkeypatch, "--check", gives=moved)
    assert other.return_value == 1
    assert other.stdout.splitlines() == [
        f"{CELLS_ON}: coherence.residency_ns differs",
        f"{CELLS_ON}: calibration.members differs",
        "the shipped files differ",
    ]
    said = command(monkeypatch, "--check", "--json", gives=moved)
    assert said.return_value == 1
    assert list(json.loads(said.stdout)["differs"]) == [CELLS_ON]
    assert shipped_bytes() == before


def test_files_land_in_a_folder_of_their_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = shipped_bytes()
    out = tmp_path / "new" / "machines"
    done = command(monkeypatch, "--out", str(out), gives=moved)
    assert done.return_value == 0
    assert done.stdout.splitlines()[-2:] == [
        str(out / f"{PRIMITIVES_ON}.yaml"),
        str(out / f"{CELLS_ON}.yaml"),
    ]
    assert "coherence.residency_ns" in done.stdout
    assert done.stderr.startswith("fit: 1/1 steps, loss 0.2500, ")
    assert tuple(named_machine(str(out / f"{m.name}.yaml")) for m in AS_SHIPPED) == moved()
    assert len(list(out.iterdir())) == 2
    assert shipped_bytes() == before


def test_json_has_values_and_intervals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = command(monkeypatch, "--out", str(tmp_path), "--json")
    said = json.loads(done.stdout)
    assert said["written"] == [str(tmp_path / f"{m.name}.yaml") for m in AS_SHIPPED]
    assert said["differs"] == {}
    letter = said["machines"][CELLS_ON]
    assert letter["values"].keys() == letter["intervals"].keys()
    assert letter["members"] == len(AS_SHIPPED[1].members)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--check", "--out", "x"], "--check writes nothing"),
        (["--out", "/proc/x"], "cannot write to /proc/x"),
        (["--out", f"{__file__}/x"], "Not a directory"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(
    monkeypatch: pytest.MonkeyPatch, args: list[str], said: str
) -> None:
    def never() -> Machines:
        raise AssertionError

    if args[1] == "/proc/x" and os.access("/proc", os.W_OK):
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    refused = command(monkeypatch, *args, gives=never)
    assert isinstance(refused.exception, UsageError)
    assert said in str(refused.exception)


def test_without_the_figures_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sweep.calibration.calibrate, "PUBLISHED", tmp_path / "none")
    with pytest.raises(UsageError, match="no published figures"):
        task()


def test_an_interrupt_leaves_no_file_and_no_process(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, "-m", "sweep", "calibrate", "--out", str(out)],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("fit: 1/")
        os.killpg(process.pid, signal.SIGINT)
        # The pipes' ends are in every process: this returns when the last is gone.
        said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said[0] == ""
    assert said[1].splitlines()[-1] == "interrupted: no file was written"
    assert "Traceback" not in said[1]
    assert not out.exists()


def test_a_written_machine_is_the_same_machine_and_keeps_its_comment(tmp_path: Path) -> None:
    for machine in AS_SHIPPED:
        path = write_machine(machine, tmp_path)
        assert named_machine(str(path)) == machine
        assert path.read_text() == (SHIPPED / path.name).read_text()
    plain = AS_SHIPPED[0].with_calibration(None)
    assert "calibration" not in yaml.safe_load(machine_text(plain))


def test_differences_are_named_by_path() -> None:
    def with_(**changes: Any) -> Machine:
        return AS_SHIPPED[0].model_copy(update=changes)

    assert differences(with_(), with_()) == []
    assert differences(with_(), with_(title="x", turbo=with_().turbo[:1])) == ["title", "turbo"]
    missing = differences(with_(), with_(calibration=None))
    assert missing[:2] == ["calibration.curves", "calibration.cells"]
    assert "calibration.intervals.coherence.residency_ns" in missing
    assert differences(with_(calibration=None), with_()) == missing


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_shipped_files_are_what_calibration_gives() -> None:
    fitted = sweep.calibration.calibrate.calibrate(task())
    assert sweep.calibration.calibrate.differences_from_shipped(fitted) == {}
