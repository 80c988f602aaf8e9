"""The accuracy report: what it simulates, prints and exits with."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from frames import letter_frame

from sweep.errors import InfrastructureError
from sweep.letter import accuracy
from sweep.letter.accuracy_text import render
from sweep.letter.comparison import compare
from sweep.letter.curves import CurveErrors, CurvePoint
from sweep.letter.targets import CURVES, TARGETS, Measured, judge
from sweep.spec.files import load_spec
from sweep.spec.spec import override


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Measured:
    """A model that is 30 % off everywhere, on a machine with too few CPUs for one curve."""
    point = CurvePoint(8, 100.0, 130.0, 0.3)
    absent, *others = CURVES
    curves = (CurveErrors(absent, ()), *(CurveErrors(c, (point,), (144, 160)) for c in others))
    found = Measured(compare(letter_frame(1.3)), curves)
    monkeypatch.setattr(accuracy, "measure", lambda: found)
    return found


def test_missed_targets_are_no_failure(made: Measured) -> None:
    done = CliRunner().invoke(accuracy.main, [])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert len([line for line in lines if line.endswith("MISSED")]) == 9
    assert len([line for line in lines if line.endswith("  met")]) == 1
    assert "1 of 10 met, 2 skipped" in lines
    assert any(line.endswith("-  skipped: no machine xeon-8176") for line in lines)
    assert "refcnt pair: left out are 144, 160 CPUs, more than xeon-8176 has" in lines
    assert "published ns" not in done.output
    assert max(map(len, lines)) <= 100


def test_curves_are_shown_when_asked_for(made: Measured) -> None:
    lines = CliRunner().invoke(accuracy.main, ["--curves"]).output.splitlines()
    assert lines.count("   8         100.0         130.0  +30.0%") == len(CURVES) - 1
    assert "refcnt pair, simulated on xeon-8176" in lines


def test_json_has_targets_curves_and_cells(made: Measured) -> None:
    said = json.loads(CliRunner().invoke(accuracy.main, ["--json"]).output)
    assert [target["name"] for target in said["targets"]] == [target.name for target in TARGETS]
    assert said["targets"][2]["figure"] == pytest.approx(0.3)
    assert said["curves"][0]["mean_error"] is None
    assert said["curves"][2]["points"][0]["cpus"] == 8
    assert len(said["letter"]["rows"]) == 42


def test_colour_only_when_asked_for(made: Measured) -> None:
    verdicts = [judge(target, made) for target in TARGETS]
    assert "\x1b[" in render(verdicts, made.curves, colour=True)
    assert "\x1b[" not in render(verdicts, made.curves)


def test_what_goes_wrong_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Measured:
        raise InfrastructureError("no room")

    monkeypatch.setattr(accuracy, "measure", fail)
    done = CliRunner().invoke(accuracy.main, [])
    assert (done.exit_code, done.output) == (4, "error: no room\n")


def test_the_letter_is_simulated_afresh() -> None:
    short = ["cpus=1,2", "warmup=0us", "duration=20us", "sample=20us"]
    found = accuracy.simulated_letter(override(load_spec(accuracy.LETTER), short))
    assert len(found.rows) == 12
    assert len(found.missing) == 30
    assert found.left_out == 0
