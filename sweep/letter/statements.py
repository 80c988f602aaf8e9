"""What the letter says keeps a hit from scaling, as lines that the model can be asked about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.kernel.bench import NAMED
from core.kernel.flavours import LETTER_TITLES
from core.kernel.operation import Line


@dataclass(frozen=True)
class LetterLimit:
    """One statement: `said` in short, the lines that it blames, of returns only or of every hit.

    The letter says it of what is left after its patches; it is held against all its flavours.
    """

    said: str
    lines: frozenset[Line]
    at_return: bool


LETTER_LIMITS = (
    LetterLimit(
        "mmap_lock, taken to resolve address to inode+offset to uprobe",
        frozenset({Line.MMAP_COUNT, Line.MMAP_OWNER}),
        at_return=False,
    ),
    LetterLimit(
        "uretprobes still take a refcount in the hot path (uprobe->ref)",
        frozenset({Line.UPROBE}),
        at_return=True,
    ),
)


def letter_limits(flavour: str, bench: str) -> Iterator[LetterLimit]:
    """What the letter says of a flavour and bench; nothing of those that are not in it."""
    if flavour in LETTER_TITLES:
        yield from (one for one in LETTER_LIMITS if NAMED[bench].at_return or not one.at_return)
