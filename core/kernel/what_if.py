"""What if a line were not shared: edits of a path that no patch makes, to see what limits it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.kernel.operation import AnyLine, Call, Kind, Line, Operation, Path, own_lines

LOCKED = (Kind.LOCKED, Kind.CMPXCHG)


def per_cpu(path: Path, line: AnyLine) -> Path:
    """`path` with every operation on `line` private to its CPU.

    A locked one still drains the store buffer and takes its time (Kind.BARRIER); what a plain load
    or store of the CPU's own costs is nothing beside that.
    """
    return _without(path, line, keep=LOCKED)


def without(path: Path, line: AnyLine) -> Path:
    """`path` without the operations on `line`; a call that does nothing else is gone."""
    return _without(path, line, keep=())


EDITS = {"per-cpu": per_cpu, "without": without}


def edit(kind: str, line: AnyLine) -> str:
    """How a cell spells one edit: "per-cpu:MMAP_COUNT"."""
    return f"{kind}:{line.name}"


def edited(path: Path, edits: Iterable[str]) -> Path:
    """`path` after `edits`, each as `edit` spells it. Raises KeyError for one that there is not."""
    own = {line.name: line for line in own_lines(path)}
    for spelt in edits:
        kind, _, line = spelt.partition(":")
        path = EDITS[kind](path, own[line] if line in own else Line[line])
    return path


def _without(path: Path, line: AnyLine, keep: tuple[Kind, ...]) -> Path:
    calls = (replace(call, operations=_operations(call, line, keep)) for call in path)
    return tuple(call for call in calls if call.operations)


def _operations(call: Call, line: AnyLine, keep: tuple[Kind, ...]) -> tuple[Operation, ...]:
    kept = []
    for op in call.operations:
        if op.line != line:
            kept.append(op)
        elif op.kind in keep:
            instruction = op.instruction or op.kind.name.lower()
            kept.append(Operation(Kind.BARRIER, instruction=f"{instruction} (own line)"))
    return tuple(kept)
