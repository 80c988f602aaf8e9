"""The accuracy report as a command: what it prints and exits with."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from measured import accuracy_off_by

from sweep.commands.accuracy import accuracy as accuracy_command
from sweep.letter import accuracy
from sweep.letter.targets import CURVES, TARGETS, Measured


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Measured:
    found = accuracy_off_by(0.3)
    monkeypatch.setattr(accuracy, "measure", lambda: found)
    return found


def test_missed_targets_are_no_failure(made: Measured) -> None:
    done = CliRunner().invoke(accuracy_command, [])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert len([line for line in lines if line.endswith("MISSED")]) == 13
    assert len([line for line in lines if line.endswith("  met")]) == 1
    assert "1 of 14 met, 6 skipped" in lines
    assert any(line.endswith("-  skipped: no machine xeon-8176") for line in lines)
    assert "refcnt pair: left out are 144, 160 CPUs, more than xeon-8176 has" in lines
    assert "published ns" not in done.output
    assert max(map(len, lines)) <= 100


def test_curves_are_shown_when_asked_for(made: Measured) -> None:
    lines = CliRunner().invoke(accuracy_command, ["--curves"]).output.splitlines()
    assert lines.count("   8         100.0         130.0  +30.0%") == len(CURVES) - 1
    assert "refcnt pair, simulated on xeon-8176" in lines


def test_json_has_targets_curves_and_cells(made: Measured) -> None:
    said = json.loads(CliRunner().invoke(accuracy_command, ["--json"]).output)
    assert [target["name"] for target in said["targets"]] == [target.name for target in TARGETS]
    assert said["targets"][2]["figure"] == pytest.approx(0.3)
    assert said["curves"][0]["mean_error"] is None
    assert said["curves"][2]["points"][0]["cpus"] == 8
    assert len(said["letter"]["rows"]) == 42
