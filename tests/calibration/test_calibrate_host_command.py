"""calibrate --host, of timings that are only said to be: what it prints, and how far it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner
from test_host_calibrate import detected, timed, timing, truth

from core.machine.machine import Machine
from sweep.cli import cli
from sweep.live import host_timings
from sweep.live.host_timings import HostTimings
from sweep.live.timing import Timing
from sweep.machines import host


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    planted = truth()
    about = host.host_machine()[1]

    def measure(machine: Machine, report: Callable[[str, Timing], None]) -> HostTimings:
        for at in range(host_timings.steps(machine)):
            report(f"figure {at}", timing(1234.5))
        return timed(planted)

    monkeypatch.setattr(host, "host_machine", lambda: (detected(planted), about))
    monkeypatch.setattr(host_timings, "measure", measure)
    monkeypatch.setattr(host_timings, "check", lambda machine: iter(()))
    done = CliRunner().invoke(cli, ["calibrate", "--host", "--check"])
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines(), done.stderr.splitlines()


def test_costs_and_the_check_are_tables(output: tuple[list[str], list[str]]) -> None:
    lines, _ = output
    assert lines[0].split() == ["host", "value", "low", "high"]
    [locked] = [line.split() for line in lines if "locked_op_cycles" in line]
    assert locked[1] == "25"
    assert [line.split()[-1] for line in lines if "uretprobe-nop" in line] == ["fitted"]


def test_a_meter_says_how_far_it_is_with_the_last_figure(
    output: tuple[list[str], list[str]],
) -> None:
    _, said = output
    steps = host_timings.steps(detected(truth()))
    assert said[0].startswith(f"1/{steps} timings, figure 0 1,234.50 ns")
    assert any(line.startswith(f"{steps}/{steps} timings") for line in said)
