"""A run killed at many moments, and finished by another: a program for test_killed.

Every attempt is a process that is forked from this one, which never uses pyarrow itself (its
threads would not come along). Prints, as JSON, how many lines a run has and what was wrong.

    python kill_anywhere.py FOLDER MOMENTS [FAULT]

FAULT is one of FAULTS: a store that has it should not pass.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from tiny import FakeExecutor, tiny_spec

import sweep
import sweep.store.store
from core.cell import Cell
from sweep.driver.driver import run, survey
from sweep.errors import InfrastructureError
from sweep.plan.plan import plan
from sweep.store.journal import Contents, Journal
from sweep.store.local_folder import LocalFolder

SOURCES = str(Path(sweep.__file__).parent), str(Path(__file__))
SPEC = tiny_spec(cpus=range(1, 8))
FAILING = 3
sweep.store.store.ROWS_PER_FILE = 2
"""Parts in the middle of the run, not only at its end."""


READ = Journal.read


def fails(cell: Cell) -> None:
    if cell.cpus == FAILING:
        raise ValueError


def write_in_place(folder: LocalFolder, name: str, content: bytes) -> None:
    """A fault: readers see what is written before it is whole."""
    try:
        (folder.location / name).write_bytes(content)
    except OSError as error:
        raise InfrastructureError(str(error)) from None


def forget_first(journal: Journal) -> Contents:
    """A fault: the journal is cleared before what it had is in Parquet."""
    contents = READ(journal)
    journal.clear()
    return contents


FAULTS = {
    "in place": (LocalFolder, "write", write_in_place),
    "forget first": (Journal, "read", forget_first),
}


class KillAt:
    """Kills this process at the n-th line that runs in the project's own files and in this one."""

    def __init__(self, line: int) -> None:
        self.left = line

    def __call__(self, frame: FrameType, event: str, arg: Any) -> KillAt | None:
        if not frame.f_code.co_filename.startswith(SOURCES):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def forked(work: Callable[[], object]) -> tuple[int, Any]:
    """The status with which a child that does `work` ends, and what `work` gives."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            os.write(writer, json.dumps(work()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    return os.waitpid(child, 0)[1], json.loads(said or b"null")


def begun(out: Path) -> Path:
    """A file with a byte for each cell that began; all but the last have been stored."""
    return out.with_suffix(".begun")


def traced_run(out: Path, line: int) -> int:
    """How many lines a run into `out` has; killed at the `line`-th."""

    def noted(cell: Cell) -> None:
        with begun(out).open("ab") as file:
            file.write(b".")
        fails(cell)

    tracer = KillAt(line)
    sys.settrace(tracer)
    run(SPEC, out, FakeExecutor(noted))
    sys.settrace(None)
    return line - tracer.left


def limited_run(out: Path, size: int) -> str:
    """What a run says whose files may have so many bytes at most."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        run(SPEC, out, FakeExecutor(fails))
    except InfrastructureError as error:
        return str(error)
    return ""


def resumed(out: Path) -> list[str]:
    """What is wrong with a run that was broken off and is done again."""
    import pyarrow.parquet as pq

    for part in out.glob("*/*.parquet"):
        pq.read_table(part)
    work = survey(SPEC, out)
    kept = work.finished
    stored = begun(out).stat().st_size - 1 if begun(out).exists() else 0
    executor = FakeExecutor(fails)
    summary = run(SPEC, out, executor)
    wrong = []
    if len(kept) + len(work.failed) < stored:
        wrong.append("what was stored is gone")
    if kept & {cell.cell_id for cell in executor.seen}:
        wrong.append("a finished cell was simulated again")
    if len(kept) + summary.done != 6 or summary.failed + summary.failed_before != 1:
        wrong.append(f"{summary} after {len(kept)}")
    if (out / "journal.jsonl").read_bytes() or list(out.glob(".*.tmp")):
        wrong.append("something was left over")
    found = {
        row["cell_id"]: {**row, "wall_seconds": 0}
        for part in (out / "cells").glob("*.parquet")
        for row in pq.read_table(part).to_pylist()
    }
    shares = {
        row["cell_id"]
        for part in (out / "attribution").glob("*.parquet")
        for row in pq.read_table(part).to_pylist()
    }
    expected = {cell.cell_id for cell in plan(SPEC) if cell.cpus != FAILING}
    if not found.keys() == shares == expected:
        wrong.append(f"{len(found)} cells, {len(shares)} with shares")
    (out / "rows.json").write_text(json.dumps(sorted(found.items())))
    return wrong


def main() -> None:
    folder, moments = Path(sys.argv[1]), int(sys.argv[2])
    for fault in sys.argv[3:]:
        setattr(*FAULTS[fault])
    status, lines = forked(lambda: traced_run(folder / "undisturbed", 10**9))
    assert status == 0
    forked(lambda: resumed(folder / "undisturbed"))
    rows = (folder / "undisturbed" / "rows.json").read_bytes()
    largest = max(path.stat().st_size for path in folder.rglob("*.parquet"))
    wrong, disturbed = {}, 0
    for n in range(moments):
        line = 1 + n * lines // moments
        broken = (
            (f"killed at line {line}", lambda out, at=line: traced_run(out, at)),
            (
                f"{(size := n * largest // moments)} bytes a file",
                lambda out, size=size: limited_run(out, size),
            ),
        )
        for name, breaking in broken:
            out = folder / name
            status, said = forked(lambda out=out, breaking=breaking: breaking(out))
            disturbed += bool(status or said)
            ended, found = forked(lambda out=out: resumed(out))
            if ended or found:
                wrong[name] = found or f"status {ended}"
            elif (out / "rows.json").read_bytes() != rows:
                wrong[name] = "other rows"
    print(json.dumps({"lines": lines, "disturbed": disturbed, "wrong": wrong}))


if __name__ == "__main__":
    main()
