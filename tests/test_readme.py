"""README's figures are the model's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import mean

from sweep.letter.accuracy import LETTER, simulated_letter
from sweep.letter.comparison import LetterComparison
from sweep.letter.later import Alone, alone
from sweep.letter.published import CellKey
from sweep.report.tables import letter_line
from sweep.spec.files import load_spec

README = Path(__file__).resolve().parents[1] / "README.md"
DESIGNS = {"baseline": "the baseline", "srcu": "SRCU", "tasks-trace": "Tasks Trace"}
PROBES = {"uprobe-nop": "uprobes", "uretprobe-nop": "uretprobes"}
SHOWN = ("tasks-trace", "uprobe-nop", 8)


def test_its_figures_are_those_of_the_model() -> None:
    said = " ".join(README.read_text().split())
    figures = figures_of(simulated_letter(load_spec(LETTER)), list(alone().values()))
    stale = [text for text in figures if " ".join(text.split()) not in said]
    assert stale == [], "put these into README.md:\n" + "\n".join(stale)


def figures_of(letter: LetterComparison, others: list[Alone]) -> Iterator[str]:
    """Every part of README that has a figure of the model."""
    [shown] = [row for row in letter.rows if row.cell == SHOWN]
    rates = {"hits_per_s": shown.simulated, "hits_per_s_stddev": shown.within_run_stddev or 0.0}
    rates["hits_per_s_per_cpu"] = shown.simulated / shown.cpus
    known = {"bench": shown.bench, "cpus": shown.cpus, "cpu_share": None}
    known |= {"state_low": None, "half_width": None}
    yield letter_line({**known, **{name: 1e6 * rate for name, rate in rates.items()}})
    errors = letter.summary["held-out"]
    assert None not in (errors.median, errors.worst, errors.worst_cell, errors.coverage)
    yield f"over those {errors.cells} the median error is {percent(errors.median, 1)}"
    yield f"the worst, {named(errors.worst_cell)}, {percent(errors.worst)};"
    yield f"{percent(errors.coverage)} lie inside their 90 % intervals"
    yield f"with mmap_lock alone, comes out at {percent(mean(abs(o.error) for o in others), 1)}"
    gains = {claim.name: claim for claim in letter.claims if "at the peak" in claim.name}
    ups, rets = (gains[f"{bench}, srcu -> tasks-trace at the peak"] for bench in PROBES)
    yield (
        f"Of the letter's {ups.letter} % from SRCU to RCU Tasks Trace at the peak the model gives "
        f"{ups.simulated:+.0f} %, of the uretprobes' {rets.letter} % {rets.simulated:+.0f} %"
    )


def named(cell: CellKey | None) -> str:
    assert cell is not None
    flavour, bench, cpus = cell
    return f"{DESIGNS[flavour]}'s {PROBES[bench]} at {cpus} CPU{'s' * (cpus > 1)}"


def percent(share: float | None, digits: int = 0) -> str:
    assert share is not None
    return f"{100 * share:.{digits}f} %"
