"""`run --ray` when what carries it dies, killed by its process id, and when it is itself ended."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from loopback import environment, lives, psutil, wait_until
from polars.testing import assert_frame_equal

import sweep
from sweep.driver.driver import run, survey
from sweep.service.status import latest

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]

SPEC = """\
bench: uprobe-nop
flavour: srcu
cpus: 8
probes: 8
spread: private
duration: 10ms
seed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]
"""
NOTICED_SECONDS = 15


class Driver:
    """`run slow.yaml --ray` in `folder`, with a cell or more done, and the processes of its Ray."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        (folder / "slow.yaml").write_text(SPEC)
        command = [sys.executable, "-m", "sweep", "run", "slow.yaml", "--ray", "--progress", "json"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "--cpus-per-actor", "8", "--actor-groups", "1", "--out", "run"],
                cwd=folder,
                env=environment(folder),
                stdout=log,
                stderr=log,
            )
        wait_until(self._done, 120)
        self.ray: list[Any] = psutil.Process(self.process.pid).children(recursive=True)
        assert "ray::DashboardAgent" in {process.name() for process in self.ray}
        [gcs] = [process for process in self.ray if process.name() == "gcs_server"]
        found = re.search("/tmp/uprobe-sweep-[^/]+", " ".join(gcs.cmdline()))
        assert found
        self.private = Path(found[0])

    def _done(self) -> int:
        assert self.process.poll() is None, self.log.read_text()
        now = latest(self.log.read_text().splitlines())
        return now.done if now else 0

    def kill(self, name: str) -> None:
        """Kill a process of Ray."""
        [victim] = [process for process in self.ray if process.name() == name]
        victim.kill()

    def end(self) -> tuple[int, str]:
        """The exit code, and what was said that is no status."""
        code = self.process.wait(NOTICED_SECONDS)
        lines = self.log.read_text().splitlines()
        return code, "\n".join(line for line in lines if not line.startswith("status "))

    def left(self) -> list[str]:
        """Names of the processes of its Ray that still live."""
        return [process.name() for process in self.ray if lives(process.pid)]


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    for process in (driver.process, *driver.ray):
        if lives(process.pid):
            os.kill(process.pid, signal.SIGKILL)
    driver.process.wait()
    shutil.rmtree(driver.private, ignore_errors=True)


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """What one process gives."""
    folder = tmp_path_factory.mktemp("near")
    (folder / "slow.yaml").write_text(SPEC)
    run(sweep.load_spec(folder / "slow.yaml"), folder / "run")
    return rows(folder)


def rows(folder: Path) -> pl.DataFrame:
    return sweep.scan(folder / "run").drop("wall_seconds").sort("cell_id").collect()


def assert_resumes(driver: Driver, near: pl.DataFrame) -> None:
    """What is finished is kept, and with the rest it is what one process gives."""
    spec, out = sweep.load_spec(driver.folder / "slow.yaml"), driver.folder / "run"
    kept = survey(spec, out).finished
    assert kept
    assert run(spec, out).skipped == len(kept)
    assert_frame_equal(rows(driver.folder), near)


@pytest.mark.parametrize(("name", "said"), [("raylet", "raylet"), ("gcs_server", "GCS")])
def test_a_dead_part_of_ray_is_one_line_and_exit_4(
    driver: Driver, near: pl.DataFrame, name: str, said: str
) -> None:
    driver.kill(name)
    code, text = driver.end()
    assert code == 4
    assert text.startswith("error: Ray's ")
    assert said in text
    assert text.endswith(f"; its logs are in {driver.private}")
    assert len(text.splitlines()) == 1
    assert_resumes(driver, near)
    wait_until(lambda: not driver.left(), NOTICED_SECONDS)


def test_a_terminated_run_is_one_line_and_exit_143(driver: Driver, near: pl.DataFrame) -> None:
    driver.process.terminate()
    code, text = driver.end()
    assert code == 143
    assert "of 25 cells are done and kept in run; the same command again does the rest" in text
    assert len(text.splitlines()) == 1
    assert_resumes(driver, near)
    wait_until(lambda: not driver.left(), NOTICED_SECONDS)


def test_no_process_of_ray_outlives_a_killed_run(driver: Driver, near: pl.DataFrame) -> None:
    driver.process.kill()
    wait_until(lambda: not driver.left(), NOTICED_SECONDS)
    assert not driver.private.exists()
    assert_resumes(driver, near)
