"""Runs broken off at any moment, by SIGKILL and by writes that fail, then done again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny import FakeExecutor, tiny_spec

from sweep.driver.driver import RunSummary, run
from sweep.errors import InfrastructureError
from sweep.store.scan import finished, scan

HERE = Path(__file__).resolve().parents[1]
DISK = 1 << 20


def broken_off(folder: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(HERE / "kill_anywhere.py"), str(folder), *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)])},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_run_killed_anywhere_or_out_of_room_is_finished_by_the_same_call(tmp_path: Path) -> None:
    found = broken_off(tmp_path, "16")
    assert found["wrong"] == {}
    assert found["disturbed"] == 32
    assert found["lines"] > 1000


@pytest.mark.parametrize(("fault", "moments"), [("in place", 4), ("forget first", 16)])
def test_a_store_with_a_fault_is_caught(tmp_path: Path, fault: str, moments: int) -> None:
    assert broken_off(tmp_path, str(moments), fault)["wrong"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of DISK bytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_fills_up_loses_nothing_and_room_finishes_the_run(small_disk: Path) -> None:
    spec = tiny_spec(cpus=range(1, 81), replicates=3)
    out, ballast = small_disk / "run", small_disk / "ballast"
    ballast.write_bytes(bytes(DISK - (120 << 10)))
    with pytest.raises(InfrastructureError, match=r"No space left on device|no room") as full:
        run(spec, out, FakeExecutor())
    assert "\n" not in str(full.value)
    kept = finished(out)
    assert 0 < len(kept) < 240
    assert set(scan(out).collect()["cell_id"]) == kept
    ballast.unlink()
    assert run(spec, out, FakeExecutor()) == RunSummary(240 - len(kept), len(kept), 0, out)
    assert scan(out).collect().height == 240


def test_a_disk_that_is_full_from_the_start_is_infrastructure(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(DISK))
    assert os.statvfs(small_disk).f_bavail == 0
    with pytest.raises(InfrastructureError, match="No space left"):
        run(tiny_spec(), small_disk / "run", FakeExecutor())
