"""What several commands print with, and the exit code they share."""

from __future__ import annotations

import json
from collections.abc import Sequence

INTERRUPTED = 130


def print_json(value: object) -> None:
    """Print `value` as JSON."""
    print(json.dumps(value, indent=1))


def print_columns(lines: Sequence[Sequence[object]]) -> None:
    """Print rows of equal length as aligned columns."""
    texts = [[str(value) for value in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for text in texts:
        print("  ".join(v.ljust(w) for v, w in zip(text, widths, strict=True)).rstrip())
