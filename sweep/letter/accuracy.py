"""How accurate the model is, from a fresh simulation."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sweep.driver.driver import run
from sweep.errors import SweepError, counted
from sweep.executors.in_process import InProcessExecutor
from sweep.letter.comparison import LetterComparison, beside_letter
from sweep.letter.curves import simulate_curves
from sweep.letter.later import alone, hand_off_errors
from sweep.letter.published import LETTER_KEY
from sweep.letter.targets import CURVES, Measured, Verdict
from sweep.spec.files import load_spec
from sweep.spec.spec import Spec
from sweep.store.scan import scan
from sweep.store.settings import figures, settings

LETTER = "cover-letter"
THREADS = 2


def measure() -> Measured:
    """Simulate the primitives, mmap_lock alone and the shipped spec of the letter; half a minute.

    Raises SweepError where a cell fails or there is no room for the run.
    """
    return Measured(
        simulated_letter(load_spec(LETTER)),
        simulate_curves(CURVES, THREADS),
        alone(THREADS),
        hand_off_errors(),
    )


def simulated_letter(spec: Spec) -> LetterComparison:
    """`spec` run into a folder of its own, which is gone afterwards, beside the letter."""
    with TemporaryDirectory() as folder, closing(InProcessExecutor(THREADS)) as executor:
        summary = run(spec, Path(folder) / "run", executor)
        if summary.failed:
            raise SweepError(
                f"{counted(summary.failed, 'cell')} failed: uprobe-sweep run {spec.name} says why"
            )
        [setting] = settings(scan(summary.out).collect(), LETTER_KEY)
        return beside_letter(figures(setting.rows, LETTER_KEY))


def to_dict(verdicts: list[Verdict], measured: Measured) -> dict[str, Any]:
    """JSON-ready: `targets`, `curves` point by point, and `letter`, what `compare --json` gives."""
    return {
        "targets": [asdict(verdict) for verdict in verdicts],
        "curves": [{**asdict(c), "mean_error": c.mean_error} for c in measured.curves],
        "mmap_lock_only": [
            {"flavour": flavour, "bench": bench, "cpus": cpus, **asdict(one)}
            for (flavour, bench, cpus), one in measured.alone.items()
        ],
        "hand_offs": [
            {"operations": name, "distance": distance, "error": error}
            for (name, distance), error in measured.hand_offs.items()
        ],
        "letter": measured.comparison.to_dict(),
    }
