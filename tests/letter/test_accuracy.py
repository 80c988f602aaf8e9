"""The accuracy report: what it simulates and how it is written."""

from __future__ import annotations

from measured import accuracy_off_by

from sweep.letter import accuracy
from sweep.letter.accuracy_text import render
from sweep.letter.targets import TARGETS, judge
from sweep.spec.files import load_spec
from sweep.spec.spec import override


def test_colour_only_when_asked_for() -> None:
    made = accuracy_off_by(0.3)
    verdicts = [judge(target, made) for target in TARGETS]
    assert "\x1b[" in render(verdicts, made.curves, colour=True)
    assert "\x1b[" not in render(verdicts, made.curves)


def test_the_letter_is_simulated_afresh() -> None:
    short = ["cpus=1,2", "warmup=0us", "duration=20us", "sample=20us"]
    found = accuracy.simulated_letter(override(load_spec(accuracy.LETTER), short))
    assert len(found.rows) == 12
    assert len(found.missing) == 30
