"""A hot path as text and as JSON, alone or beside another. Pure formatting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher, unified_diff
from typing import Any

from core.kernel.operation import AnyLine, Kind, Line, Operation, Path, own_lines

USUAL = {
    Kind.LOAD: "load",
    Kind.STORE: "store",
    Kind.LOCKED: "lock xadd",
    Kind.CMPXCHG: "lock cmpxchg",
    Kind.BARRIER: "barrier",
    Kind.WORK: "work",
}
"""What an operation of a kind is, where it does not say itself."""

TOTALS = "shared operations of one hit"


@dataclass(frozen=True)
class Step:
    """One operation: kernel function, what is done, and the line it touches or its work's name.

    `line` and `work` are "" where there is none: a barrier has neither.
    """

    function: str
    operation: str
    line: str
    work: str


def steps(path: Path) -> list[Step]:
    """Every operation of `path` in program order."""
    return [
        Step(call.function, _name(op), op.line.value if op.line else "", op.work)
        for call in path
        for op in call.operations
    ]


def totals(path: Path) -> dict[str, dict[str, int]]:
    """How often each line is touched in one hit, by operation.

    The loads of a tree walk count once, as "load (each ancestor)": how many they are depends on
    the number of probes; one probe has no ancestors.
    """
    counts: dict[AnyLine, Counter[str]] = {}
    for call in path:
        for op in call.operations:
            if op.line is not None:
                counts.setdefault(op.line, Counter())[_name(op)] += 1
    order = (*Line, *own_lines(path))
    return {line.value: dict(counts[line]) for line in order if line in counts}


def listing(path: Path) -> str:
    """`path` as aligned columns, and the totals below."""
    return "\n".join(_lines(path, _widths(path)))


def difference(path: Path, other: Path, name: str, other_name: str) -> str:
    """Unified diff from the listing of `path` to that of `other`; "" if they do the same."""
    widths = [max(pair) for pair in zip(_widths(path), _widths(other), strict=True)]
    lines = _lines(path, widths), _lines(other, widths)
    return "\n".join(unified_diff(*lines, name, other_name, lineterm=""))


def described(path: Path) -> dict[str, Any]:
    """JSON-ready: `operations` and `totals`."""
    return {"operations": [asdict(step) for step in steps(path)], "totals": totals(path)}


def differs(path: Path, other: Path) -> dict[str, Any]:
    """JSON-ready: operations `removed` from `path` and `added` by `other`, and both totals."""
    before, after = steps(path), steps(other)
    removed: list[Step] = []
    added: list[Step] = []
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what != "equal":
            removed += before[a:b]
            added += after[c:d]
    return {
        "removed": [asdict(step) for step in removed],
        "added": [asdict(step) for step in added],
        "totals": totals(path),
        "vs_totals": totals(other),
    }


def _name(op: Operation) -> str:
    return "load (each ancestor)" if op.ancestors else op.instruction or USUAL[op.kind]


def _rows(path: Path) -> list[tuple[str, str]]:
    return [(step.function, step.operation) for step in steps(path)]


def _widths(path: Path) -> list[int]:
    """Widths of functions, operations and, in the totals, names of lines."""
    functions, operations = zip(*_rows(path), strict=True)
    return [max(map(len, column)) for column in (functions, operations, totals(path))]


def _lines(path: Path, widths: Sequence[int]) -> list[str]:
    function, operation, line = widths
    listed = [
        f"{s.function:<{function}}  {s.operation:<{operation}}  {s.line or s.work}".rstrip()
        for s in steps(path)
    ]
    summed = [
        f"{name:<{line}}  {', '.join(f'{n} {op}' for op, n in by_operation.items())}"
        for name, by_operation in totals(path).items()
    ]
    return [*listed, "", f"{TOTALS}:", *summed]
