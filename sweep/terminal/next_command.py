"""What to try after an error: every message ends with a command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from sweep.errors import near

NAME = "uprobe-sweep"

_MEANT = re.compile(r"did you mean '([^' ]+)'", re.IGNORECASE)


def with_next(message: str, args: Sequence[str]) -> str:
    """The message of an error of the command line `args`, and at its end what to try.

    That is the same command with the word that was meant, if there is one; its help otherwise.
    Nothing is added to a message that names a command itself.
    """
    if f"`{NAME}" in message:
        return message
    message = message.rstrip(".")
    match = _MEANT.search(message)
    tried = corrected(args, match[1]) if match else None
    if tried is not None:
        return f"{message}; try `{shlex.join([NAME, *tried])}`"
    words = [word for word in args[:1] if re.fullmatch("[a-z-]+", word) and word[0] != "-"]
    words = [] if "No such command" in message else words
    return f"{message}; see `{' '.join([NAME, *words, '--help'])}`"


def corrected(args: Sequence[str], meant: str) -> list[str] | None:
    """The arguments with the one word that is near to `meant` in its place; None without one."""
    found = []
    for at, arg in enumerate(args):
        parts = re.split(r"([=,+~:/])", arg)
        for number, part in enumerate(parts):
            if part != meant and near(part, [meant]) is not None:
                word = "".join([*parts[:number], meant, *parts[number + 1 :]])
                found.append([*args[:at], word, *args[at + 1 :]])
    return found[0] if len(found) == 1 else None
