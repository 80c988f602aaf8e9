"""A hot path as text and as JSON, alone or beside another. Pure formatting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher, unified_diff
from itertools import islice
from typing import Any

from core.kernel.layout import Layout
from core.kernel.operation import AnyLine, Kind, Line, Operation, Path, own_lines
from sweep.terminal.text_table import WIDEST, columns_text

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

    `line` and `work` are "" where there is none: a barrier has neither. `on` is another line's name
    where the word is on that one, as `mmap_lock.owner` may be.
    """

    function: str
    operation: str
    line: str
    work: str
    on: str = ""

    @property
    def touched(self) -> str:
        """The word and the line that it is on, or the work's name."""
        return f"{self.line or self.work}{f' (line of {self.on})' if self.on else ''}"


def steps(path: Path, layout: Layout) -> list[Step]:
    """Every operation of `path` in program order."""
    return [
        Step(call.function, _name(op), op.line.value if op.line else "", op.work, _on(op, layout))
        for call in path
        for op in call.operations
    ]


def _on(op: Operation, layout: Layout) -> str:
    if op.line is None or layout.home(op.line) is op.line:
        return ""
    return layout.home(op.line).value


def together(path: Path, layout: Layout) -> list[list[str]]:
    """Words that share a line, for every such line that `path` touches."""
    touched = {layout.home(op.line) for call in path for op in call.operations if op.line}
    lines = ([line for line in Line if layout.home(line) is home] for home in Line)
    return [[w.value for w in words] for words in lines if len(words) > 1 and touched & {*words}]


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


Placed = tuple[Path, Layout]
"""A path and the lines of the kernel that it is of."""


def listing(path: Path, layout: Layout) -> str:
    """`path` as aligned columns, the totals below, and which words share a line."""
    [lines] = _lines((path, layout))
    return "\n".join(lines)


def difference(one: Placed, other: Placed, name: str, other_name: str) -> str:
    """Unified diff from the listing of `one` to that of `other`; "" if they do the same."""
    before, after = _lines(one, other)
    return "\n".join(unified_diff(before, after, name, other_name, lineterm=""))


def described(path: Path, layout: Layout) -> dict[str, Any]:
    """JSON-ready: `operations`, `totals`, and the words that are `together` on a line."""
    operations = [asdict(step) for step in steps(path, layout)]
    return {"operations": operations, "totals": totals(path), "together": together(path, layout)}


def differs(one: Placed, other: Placed) -> dict[str, Any]:
    """JSON-ready: operations `removed` from `one` and `added` by `other`, and both totals."""
    before, after = steps(*one), steps(*other)
    removed: list[Step] = []
    added: list[Step] = []
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what != "equal":
            removed += before[a:b]
            added += after[c:d]
    return {
        "removed": [asdict(step) for step in removed],
        "added": [asdict(step) for step in added],
        "totals": totals(one[0]),
        "vs_totals": totals(other[0]),
    }


def _name(op: Operation) -> str:
    return "load (each ancestor)" if op.ancestors else op.instruction or USUAL[op.kind]


def _lines(*placed: Placed) -> list[list[str]]:
    """The lines of each listing; the columns of all are alike, so that their lines compare."""
    listed = [[(s.function, s.operation, s.touched) for s in steps(*one)] for one in placed]
    summed = [
        [
            (name, ", ".join(f"{n} {op}" for op, n in by_operation.items()))
            for name, by_operation in totals(path).items()
        ]
        for path, _ in placed
    ]
    shared = [[f"on one line: {' and '.join(words)}" for words in together(*one)] for one in placed]
    parts = zip(_aligned(listed), _aligned(summed), shared, strict=True)
    return [[*ops, "", f"{TOTALS}:", *sums, *lines] for ops, sums, lines in parts]


def _aligned(blocks: Sequence[Sequence[Sequence[str]]]) -> Iterator[list[str]]:
    """Rows of each block as lines, in columns that are as wide in all of them."""
    rows = [row for block in blocks for row in block]
    lines = iter(columns_text(rows, WIDEST).splitlines())
    yield from (list(islice(lines, len(block))) for block in blocks)
