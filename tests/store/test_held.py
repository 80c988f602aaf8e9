"""A run's folder that is moved, removed or taken while a run writes to it."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import FakeExecutor, fake_result, tiny_spec

from sweep.driver.driver import Progress, run
from sweep.errors import InfrastructureError, UsageError
from sweep.plan.plan import plan
from sweep.store.folder import JOURNAL
from sweep.store.scan import finished
from sweep.store.schema import row
from sweep.store.store import Store

SPEC = tiny_spec(cpus=range(1, 11))
CELLS = plan(SPEC)
ROWS = [row(cell, fake_result(cell), "tiny-0") for cell in CELLS]
ABOUT = {
    "run_id": "tiny-0",
    "provenance": {
        "model_version": ROWS[0]["model_version"],
        "machines": {ROWS[0]["machine"]: ROWS[0]["machine_digest"]},
    },
}


def after(done: int, act: Callable[[], object]) -> Callable[[Progress], None]:
    """A listener that acts once, when so many cells are done."""

    def listen(progress: Progress) -> None:
        if progress.done == done:
            act()

    return listen


def test_a_folder_that_is_moved_keeps_what_is_finished_and_the_run_stops(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with pytest.raises(InfrastructureError, match=f"{a} is gone: it was moved or removed") as e:
        run(SPEC, a, FakeExecutor(), after(4, lambda: a.rename(b)))
    assert e.value.exit_code == 4
    assert not a.exists()
    assert len(finished(b)) == 5
    assert run(SPEC, b, FakeExecutor()).done == 5


@pytest.mark.parametrize("done", [0, 10])
def test_moved_before_the_first_cell_or_after_the_last_it_is_no_success(
    tmp_path: Path, done: int
) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with pytest.raises(InfrastructureError, match="is gone"):
        run(SPEC, a, FakeExecutor(), after(done, lambda: a.rename(b)))
    assert len(finished(b)) == max(1, done)


def test_a_folder_that_is_removed_stops_the_run(tmp_path: Path) -> None:
    a = tmp_path / "a"
    with pytest.raises(InfrastructureError, match=f"{a} is gone: it was moved or removed"):
        run(SPEC, a, FakeExecutor(), after(4, lambda: shutil.rmtree(a)))
    assert not a.exists()
    assert run(SPEC, a, FakeExecutor()).done == 10


def test_another_folder_in_its_place_is_not_written(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"

    def replace() -> None:
        a.rename(b)
        a.mkdir()

    with pytest.raises(InfrastructureError, match="is gone"):
        run(SPEC, a, FakeExecutor(), after(4, replace))
    assert list(a.iterdir()) == []
    assert len(finished(b)) == 5


def test_a_journal_that_is_removed_keeps_what_is_finished_and_the_run_stops(
    tmp_path: Path,
) -> None:
    a = tmp_path / "a"
    with pytest.raises(InfrastructureError, match=rf"{a / JOURNAL} is gone"):
        run(SPEC, a, FakeExecutor(), after(4, (a / JOURNAL).unlink))
    assert len(finished(a)) == 5
    assert run(SPEC, a, FakeExecutor()).done == 5


def test_a_journal_in_its_place_is_another(tmp_path: Path) -> None:
    a = tmp_path / "a"

    def replace() -> None:
        (a / JOURNAL).rename(a / "other")
        (a / JOURNAL).write_bytes((a / "other").read_bytes())

    with pytest.raises(InfrastructureError, match=rf"{a / JOURNAL} is gone"):
        run(SPEC, a, FakeExecutor(), after(4, replace))
    assert len(finished(a)) == 5


def test_a_folder_of_cells_that_is_removed_stops_the_run(tmp_path: Path) -> None:
    a = tmp_path / "a"
    with pytest.raises(InfrastructureError, match=r"cannot write cells/.*No such file"):
        run(SPEC, a, FakeExecutor(), after(4, lambda: shutil.rmtree(a / "cells")))
    (a / "cells").mkdir()
    assert len(finished(a)) == 10


def test_without_its_journal_a_folder_still_has_one_writer(tmp_path: Path) -> None:
    with Store(tmp_path, ABOUT):
        (tmp_path / JOURNAL).unlink()
        with pytest.raises(UsageError, match="another process is writing"):
            Store(tmp_path, ABOUT)
        (tmp_path / JOURNAL).touch()


def test_by_another_name_it_is_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("run")
    with (
        Store(tmp_path / "run", ABOUT),
        pytest.raises(UsageError, match="another process is writing"),
    ):
        Store(tmp_path / "link", ABOUT)


def test_where_a_folder_cannot_be_locked_the_journal_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on NFS, which locks only what is open to be written."""
    flock = fcntl.flock

    def on_nfs(fd: int, operation: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(errno.EBADF, "Bad file descriptor")
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", on_nfs)
    with (
        Store(tmp_path, ABOUT),
        pytest.raises(UsageError, match="another process is writing"),
    ):
        Store(tmp_path, ABOUT)
