"""The reaper ends what has files open in its folder, and nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sweep.executors.reaper import Reaper

HOLDS = "import sys; held = open(sys.argv[1], 'w'); print('holds', flush=True); sys.stdin.read()"


@pytest.fixture
def holders(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """A process with a file open in `ray`, and one with a file elsewhere."""
    (tmp_path / "ray").mkdir()
    with ExitStack() as stack:
        found = []
        for name in ("ray/log", "other"):
            holder = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", HOLDS, str(tmp_path / name)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            assert holder.stdout is not None
            assert holder.stdout.readline() == "holds\n"
            found.append(holder)
        yield found
        for holder in found:
            holder.kill()


@pytest.mark.parametrize("keep", [False, True])
def test_closing_ends_what_is_in_the_folder(
    holders: list[subprocess.Popen[str]], tmp_path: Path, keep: bool
) -> None:
    reaper = Reaper(tmp_path / "ray")
    with (tmp_path / "ray" / "ours").open("w"):
        reaper.close(keep)
    inside, outside = holders
    assert inside.wait() == -signal.SIGKILL
    assert outside.poll() is None
    assert (tmp_path / "ray").exists() == keep


def test_it_does_so_when_its_driver_is_killed(
    holders: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from sweep.executors.reaper import Reaper;"
        "Reaper(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "ray")])
    assert killed.returncode == -signal.SIGKILL
    inside, outside = holders
    assert inside.wait() == -signal.SIGKILL
    assert outside.poll() is None
