"""Which folders of compiled code are kept."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.engine.code_folder import KEPT, LOCK, use


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """One more than are kept, unused, the one used longest ago first."""
    found = [tmp_path / f"{number:016x}" for number in range(KEPT + 1)]
    for number, folder in enumerate(found):
        (folder / "engine").mkdir(parents=True)
        (folder / "engine" / "weave.nbi").touch()
        (folder / LOCK).touch()
        os.utime(folder / LOCK, (number, number))
    return found


def test_the_last_used_are_kept(folders: list[Path], tmp_path: Path) -> None:
    use(tmp_path / ("f" * 16))
    assert [folder.exists() for folder in folders] == [False] + [True] * KEPT


def test_to_use_one_again_is_a_use(folders: list[Path], tmp_path: Path) -> None:
    use(folders[0])
    assert all(folder.exists() for folder in folders)
    use(tmp_path / ("f" * 16))
    assert [folder.exists() for folder in folders] == [True, False] + [True] * (KEPT - 1)


def test_what_another_process_uses_is_kept(folders: list[Path], tmp_path: Path) -> None:
    waits = "import sys; from pathlib import Path; from core.engine.code_folder import use\n"
    waits += "use(Path(sys.argv[1])); print('uses', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", waits, str(folders[0])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"uses\n"
        os.utime(folders[0] / LOCK, (0, 0))
        use(tmp_path / ("e" * 16))
        assert folders[0].exists()
        process.communicate()
    use(tmp_path / ("f" * 16))
    assert not folders[0].exists()


def test_one_that_is_removed_while_it_is_waited_for_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, flock, waits = tmp_path / ("a" * 16), fcntl.flock, [True]

    def late(lock: int, how: int) -> None:
        if waits.pop():
            shutil.rmtree(folder)
            waits.append(False)
        flock(lock, how)

    monkeypatch.setattr(fcntl, "flock", late)
    use(folder)
    assert not waits
    assert (folder / LOCK).exists()


def test_what_else_lies_there_stays(folders: list[Path], tmp_path: Path) -> None:
    journal = tmp_path / "bucket-0123456789abcdef.jsonl"
    journal.touch()
    (tmp_path / "notes").mkdir()
    os.utime(tmp_path / "notes", (0, 0))
    use(tmp_path / ("f" * 16))
    assert journal.exists()
    assert (tmp_path / "notes").exists()
    assert not folders[0].exists()
