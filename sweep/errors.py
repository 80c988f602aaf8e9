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


def nearest(word: str, allowed: Iterable[str]) -> str:
    """What to say after an unknown `word`: "did you mean 'x'? allowed: x, y, z".

    The nearest match is named however far it is; the order of `allowed` is kept.
    """
    names = list(allowed)
    if not names:
        return "there are none"
    by_lower = {name.lower(): name for name in names}
    [match] = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.0)
    return f"did you mean {by_lower[match]!r}? allowed: {', '.join(names)}"
