"""What a cell costs beside others, before anything is known of past runs."""

from __future__ import annotations

from math import log2

from core.cell import SAMPLES_OF_START, Cell

TYPICAL_STARTS = 7
"""Of a cell that ends at a precision, taken for all: the mean of the letter's at 0.5 %."""


def weight(cell: Cell) -> float:
    """What `cell` costs beside others, in no unit: its simulated time, times 1 + log2 of its CPUs.

    So the engine's own cost grows, see docs/performance.md: 1, 4 and 6 times at 1, 8 and 64 CPUs.
    """
    time = simulated_ps(cell)
    if cell.ensemble and cell.workload is None:
        from core.predict import MEMBER_PS, MEMBER_WARMUP_PS  # It loads the engine.

        brief = min(cell.warmup_ps, MEMBER_WARMUP_PS) + min(
            cell.samples * cell.sample_ps, MEMBER_PS
        )
        time += cell.ensemble * brief * (2 if cell.cpus > 1 else 1)  # As many starts as members.
    return time * (1 + log2(max(cell.cpus, 1)))


def simulated_ps(cell: Cell) -> int:
    """Simulated time of `cell` itself, warm-up too, ps; a typical one if it goes by a precision."""
    if cell.precision is None:
        return cell.warmup_ps + cell.samples * cell.sample_ps
    samples = min(cell.samples, TYPICAL_STARTS * SAMPLES_OF_START)
    return -(-samples // SAMPLES_OF_START) * cell.warmup_ps + samples * cell.sample_ps
