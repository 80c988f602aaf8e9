"""Worker processes: order, errors, and that none is left behind."""

from __future__ import annotations

import math
import operator
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.calibration.workers import worker_processes

PROJECT = Path(__file__).resolve().parents[2]

HOLDS = """
import time
from sweep.calibration.workers import worker_processes
if __name__ == "__main__":
    with worker_processes("math", 2) as each:
        found = each(time.sleep, [600.0, 600.0])
        print("begun", flush=True)
        list(found)
"""


def test_the_order_is_kept_and_the_work_is_elsewhere() -> None:
    with worker_processes("math", 2) as each:
        assert list(each(math.sqrt, [i * i for i in range(50)])) == list(range(50))
        assert os.getpid() not in each(operator.call, [os.getpid] * 4)


def test_an_error_in_a_process_is_raised_here() -> None:
    with worker_processes("math", 1) as each, pytest.raises(ValueError, match="domain"):
        list(each(math.sqrt, [1.0, -1.0]))


def test_processes_end_with_their_parent(tmp_path: Path) -> None:
    script = tmp_path / "holds.py"
    script.write_text(HOLDS)
    with subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGKILL)
        # Ends of the pipes are in every process: they close when the last is gone.
        process.communicate(timeout=60)
