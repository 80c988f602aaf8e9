"""The pages of docs/guide/: their files, their commands, and what these print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "guide"

_FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")


@dataclass
class Command:
    """A line that begins with "$ ", and the lines below it, of which "..." is any."""

    text: str
    printed: list[str] = field(default_factory=list)

    @property
    def args(self) -> list[str]:
        """The words after the program's name. Raises ValueError for another program."""
        program, *args = shlex.split(self.text)
        if program != "uprobe-sweep":
            raise ValueError(self.text)
        return args

    def missing(self, output: str) -> str | None:
        """The first line that is not printed, in its order; None if all are.

        Words are the same, and numbers alike: a figure moves with the calibration.
        """
        lines = iter(_folded(line) for line in output.splitlines())
        for line in self.printed:
            words = _folded(line).removesuffix("...").rstrip()
            cut = words != _folded(line)
            if words and not any(_alike(words, other, cut) for other in lines):
                return line
        return None


def files(page: str) -> dict[str, str]:
    """The files that a page has, by name."""
    return {name: text for _, name, text in _FENCE.findall(page) if name}


def commands(page: str) -> list[Command]:
    """The commands that are run, in order."""
    found: list[Command] = []
    for kind, _, text in _FENCE.findall(page):
        lines = iter(text.splitlines() if kind == "console" else [])
        for line in lines:
            if not line.startswith("$ "):
                found[-1].printed.append(line)
                continue
            whole = line[2:]
            while whole.count('"') % 2:
                whole += "\n" + next(lines)
            found.append(Command(whole))
    return found


def shown(page: str) -> Iterator[str]:
    """The lines of commands that need root, a network, or long."""
    for kind, name, text in _FENCE.findall(page):
        if kind == "sh" and not name:
            yield from (line for line in text.splitlines() if line.strip())


def _folded(line: str) -> str:
    return " ".join(line.split())


def _alike(words: str, other: str, cut: bool) -> bool:
    one, two = _NUMBER.sub("#", words), _NUMBER.sub("#", other)
    if not (two.startswith(one) if cut else one == two):
        return False
    pairs = zip(_NUMBER.findall(words), _NUMBER.findall(other), strict=False)
    return all(_near(*(float(text.replace(",", "")) for text in pair)) for pair in pairs)


def _near(one: float, two: float) -> bool:
    return abs(one - two) <= max(0.35 * max(abs(one), abs(two)), 1)
