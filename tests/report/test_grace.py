"""`uprobe-sweep grace` as people run it, and the measurements behind it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from command_line import cli as cli_in

from core.grace.checks import Finding
from core.grace.timing import US
from core.modelcheck.checks import NEVER_ENDING, TOO_SHORT
from sweep.errors import UsageError
from sweep.report.grace import ALONE, BACK_TO_BACK, FLAVOURS, PUBLISHED_TRACE_MS, Setting, grace

HERE = Path(__file__).resolve().parents[1]
MS = 1000 * US


def cli(*args: str) -> subprocess.CompletedProcess[str]:
    return cli_in("grace", *args, cwd=HERE)


def test_as_people_run_it() -> None:
    done = cli("--flavour", "tasks-trace", "--periods", "20")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == (
        "tasks-trace: 8 CPUs, HZ=1000, 10,000 sections of 2.0 us a second and CPU, seed 0"
    )
    assert lines[-1] == "no period was too short for its readers"
    assert any(line.startswith("back to back") and "23,000.0" in line for line in lines)


def test_as_json_it_is_the_same_again() -> None:
    args = ("--periods", "5", "--rate", "1000", "--json", "--seed", "7")
    first, again = cli(*args), cli(*args)
    assert first.returncode == 0
    assert first.stdout == again.stdout
    found = json.loads(first.stdout)
    assert [one["setting"]["flavour"] for one in found] == list(FLAVOURS)
    assert [row["name"] for row in found[0]["rows"]] == [
        ALONE,
        BACK_TO_BACK,
        "- expedited",
        "- not expedited",
    ]
    assert all(one["finding"] is None for one in found)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--flavour", "srcu-fst"), "did you mean 'srcu-fast'? allowed: srcu, tasks-trace"),
        (("--cpus", "0"), "'--cpus': 0 is not in the range 1<=x<=1024"),
        (("--section-us", "200"), "--rate 10000: sections fill more than all of a CPU's time"),
        (("--cpus", "64", "--rate", "4e5", "--section-us", "1"), "at most 5,000,000"),
        (("--hz", "50"), "'50' is not one of"),
        (("--rate", "nan"), "--rate nan: give a finite number"),
        (("--section-us", "inf"), "--section-us inf: give a finite number"),
    ],
)
def test_wrong_input(args: tuple[str, ...], message: str) -> None:
    done = cli(*args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_tasks_trace_on_8_cpus_is_near_what_is_published() -> None:
    """A period of callers one after the other: the published mean lies at the very figure."""
    found = grace(Setting("tasks-trace", periods=20))
    mean_ms, sd_ms = PUBLISHED_TRACE_MS["since"]
    for name in (ALONE, BACK_TO_BACK):
        assert abs(found.lengths[name][0] / MS - mean_ms) < sd_ms
    idle = grace(Setting("tasks-trace", rate=0, periods=20))
    assert all(17 <= mean / MS <= 22 for mean, _ in idle.lengths.values())


def test_srcu_alternates_and_lies_in_its_bounds_without_readers() -> None:
    rows = {row.name: row for row in grace(Setting("srcu", rate=0, periods=10)).rows}
    assert rows["- expedited"].calls == rows["- not expedited"].calls == 5
    for row in rows.values():
        if row.low_ps is not None and row.high_ps is not None:
            assert row.low_ps <= row.p50_ps <= row.max_ps <= row.high_ps


@pytest.mark.parametrize(
    ("flavour", "fault"), [("srcu", "no-flip"), ("tasks-trace", "skips-running-holdouts")]
)
def test_a_planted_fault_is_caught_in_random_sections_too(flavour: str, fault: str) -> None:
    setting = Setting(flavour, section_ps=30 * MS, rate=20, periods=10)
    assert grace(setting).finding is None
    found = grace(setting, frozenset({fault})).finding
    assert found is not None
    assert found.check == TOO_SHORT


def test_a_finding_is_printed_and_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from sweep.commands.grace import grace as command
    from sweep.report import grace as module

    found = Finding(NEVER_ENDING, 5, "began at 5 ps")
    monkeypatch.setattr(module, "too_short", lambda *_: found)
    done = CliRunner().invoke(command, ["--periods", "2", "--rate", "0"], standalone_mode=False)
    assert done.return_value == 1
    assert done.output.splitlines()[-1] == "never ends: began at 5 ps"


def test_too_many_sections_say_which_option() -> None:
    with pytest.raises(UsageError, match="lower it or --periods"):
        grace(Setting("srcu", cpus=64, rate=4e5, section_ps=US))
