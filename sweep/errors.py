"""The two ways in which a sweep can fail as a whole. A failing cell is neither: see Outcome."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable


class SweepError(Exception):
    """A failure with a message of one line and the exit code that the command line gives it."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))


class UsageError(SweepError):
    """What was asked for cannot be: a bad spec, no such run, a folder that cannot be written."""

    exit_code = 2


class InfrastructureError(SweepError):
    """What was asked for is fine, but what should carry it is not: the cluster, the disk."""

    exit_code = 4


def quoted(value: object) -> str:
    """`value` as an error message shows it: short, on one line."""
    try:
        return "nothing" if value is None else reprlib.repr(value)
    except ValueError:  # Python writes no integers of thousands of digits.
        return f"{type(value).__name__} of thousands of digits"


def counted(number: int, noun: str) -> str:
    """As "1 cell" and "2 cells"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


NEAR = 0.6
"""How alike two words have to be for one to be meant by the other, 0 to 1: difflib's ratio."""

PART = 3
"""Letters that a word has at least if it may stand for a name that begins or ends with it."""


def nearest(word: str, allowed: Iterable[str]) -> str:
    """What to say after an unknown `word`: "did you mean 'x'? allowed: x, y, z".

    A name is meant if it is as alike as NEAR, or begins or ends with the word; where none is, only
    the names are said. The order of `allowed` is kept.
    """
    names = list(allowed)
    if not names:
        return "there are none"
    known = f"allowed: {', '.join(names)}"
    meant = near(word, names)
    return known if meant is None else f"did you mean {meant!r}? {known}"


def near(word: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `word` is near to, see `nearest`; None if it is to none."""
    lower, by_lower = word.lower(), {name.lower(): name for name in names}
    parts = [n for n in by_lower if n.startswith(lower) or n.endswith(lower)]
    found = difflib.get_close_matches(lower, by_lower, n=1, cutoff=NEAR)
    if not found and len(lower) >= PART:
        found = difflib.get_close_matches(lower, parts, n=1, cutoff=0.0)
    return by_lower[found[0]] if found else None
