"""Simulated time as people write it ("3ms") and as the engine counts it (integer picoseconds)."""

from __future__ import annotations

import re
from fractions import Fraction

UNITS = {"ps": 1, "ns": 10**3, "us": 10**6, "ms": 10**9, "s": 10**12}

_DURATION = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?(ps|ns|us|ms|s)")


def parse_duration(text: object) -> int:
    """Picoseconds of a text like "20us" or "1.5 ms".

    Raises ValueError for anything else, a number without a unit and a fraction of a picosecond.
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"is not a time: write a number and one of {', '.join(UNITS)}, as in 5ms")
    time_ps = Fraction(match[1]) * UNITS[match[2]]
    if time_ps.denominator != 1:
        raise ValueError("is no whole number of picoseconds")
    return int(time_ps)


def format_duration(time_ps: int) -> str:
    """`time_ps` picoseconds in the largest unit that needs no fraction: 5000000 is "5us"."""
    name, unit = max(
        ((name, unit) for name, unit in UNITS.items() if time_ps % unit == 0), key=lambda u: u[1]
    )
    return f"{time_ps // unit}{name}"
