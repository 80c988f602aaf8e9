"""How many producers a line of a log is of, from its printed rates."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sweep.errors import UsageError
from sweep.spec.axes import MAX_COUNT

MILLIONS = {"K": 1e-3, "M": 1.0, "G": 1e3}
"""What stands before /s, in millions."""

_COUNTS = re.compile(r"\b(drops|total operations)\s+([0-9]+(?:\.[0-9]+)?)[^KMG,]*([KMG])?/s", re.I)
FASTEST = 1000
"""Million hits a second of a CPU, a nanosecond each, that no probe reaches."""
ROUNDED = 0.002
"""How far hits and operations may be apart, in millions a second or as a fraction."""


def lost(rest: str, hits: float) -> str | None:
    """In words, that not all operations were `hits`, by what stands after these; None if all were.

    Benches of uprobes drop none: one that did is another bench, or a tool of one's own.
    """
    counts = {
        what.lower(): float(number) * MILLIONS[(unit or "M").upper()]
        for what, number, unit in _COUNTS.findall(rest)
    }
    drops, total = counts.get("drops", 0.0), counts.get("total operations", hits)
    if not drops and abs(total - hits) <= ROUNDED * max(1.0, hits):
        return None
    figures = f"{hits:.3f}M hits/s, {drops:.3f}M drops/s, {total:.3f}M operations/s"
    return f"{figures}: a bench of uprobes drops none"


@dataclass(frozen=True)
class Rates:
    """The total and, if it is said, the rate of each producer, as printed."""

    total: str
    unit: str
    each: str | None
    each_unit: str | None

    @property
    def mhits(self) -> float:
        """The total in million hits per second."""
        return float(self.total) * MILLIONS[self.unit.upper()]

    def refuse_impossible(self, cpus: int, place: str) -> None:
        """Raises UsageError for more CPUs, or more hits on each, than any machine has."""
        if cpus > MAX_COUNT or self.mhits > FASTEST * cpus:
            raise UsageError(
                f"{place}: {self.total}{self.unit}/s on {cpus} CPUs: no machine has more than "
                f"{MAX_COUNT:,} or more than {FASTEST:,}M/s on each"
            )

    def producers(self, said: int | None, asked: int | None, place: str) -> int:
        """How many the line is of: as `said` on it or its command, or by the rates, or as `asked`.

        Raises UsageError if the rates do not allow what is said, or leave it open.
        """
        least, most = self._allowed()
        for count, where in ((said, "the log says"), (asked, "--cpus says")):
            if count is None:
                continue
            if least <= count and (most is None or count <= most):
                return count
            if said is not None or least != most:
                raise UsageError(
                    f"{place}: {where} {count} CPUs, its rates {_span(least, most)}: "
                    f"{self.total}{self.unit}/s in all, {self.each}{self.each_unit}/s each"
                )
        if least != most:
            rates = "The rates allow" if self.each else "The line allows"
            raise UsageError(
                f"{place}: how many producers? {rates} {_span(least, most)}: give --cpus"
            )
        return least

    def _allowed(self) -> tuple[int, int | None]:
        """The fewest and the most producers that both rounded rates allow; None: any number."""
        if self.each is None:
            return 1, None
        total, half_total = _rounded(self.total, self.unit)
        each, half_each = _rounded(self.each, self.each_unit or self.unit)
        slack = 1e-9
        least = max(1, math.ceil((total - half_total) / (each + half_each) - slack))
        if each <= half_each:
            return least, None
        return least, math.floor((total + half_total) / (each - half_each) + slack)


def _rounded(number: str, unit: str) -> tuple[float, float]:
    """A printed rate and half of its last digit, in million a second."""
    digits = len(number.partition(".")[2])
    scale = MILLIONS[unit.upper()]
    return float(number) * scale, 0.5 * 10**-digits * scale


def _span(least: int, most: int | None) -> str:
    if most is None:
        return f"{least} or more"
    return f"{least} to {most}" if least < most else f"{least}" if least == most else "none"
