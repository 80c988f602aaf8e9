"""`uprobe-sweep mutants` and `replay` as people run them."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path

import pytest
from command_line import cli as cli_in

from core.modelcheck.mutants import MUTANTS, Verdict, verdicts

HERE = Path(__file__).resolve().parents[1]


def cli(*args: str) -> subprocess.CompletedProcess[str]:
    return cli_in(*args, cwd=HERE)


@cache
def all_verdicts() -> list[Verdict]:
    return list(verdicts())


@pytest.fixture
def searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.modelcheck.mutants.verdicts", lambda: iter(all_verdicts()))


@pytest.mark.usefixtures("searched_once")
def test_all_mutants_are_killed() -> None:
    done = cli("mutants")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"{len(MUTANTS)} of {len(MUTANTS)} killed"


@pytest.mark.usefixtures("searched_once")
def test_mutants_as_json_have_schedules_that_replay() -> None:
    report = json.loads(cli("mutants", "--json").stdout)
    assert report["survivors"] == []
    row = next(row for row in report["mutants"] if row["mutant"] == "no-flip")
    done = cli("replay", "no-flip", row["scenario"], row["schedule"], "--json")
    assert done.returncode == 1
    replayed = json.loads(done.stdout)
    assert replayed["violation"] == row["check"] == "grace period too short"
    assert len(replayed["steps"]) == row["steps"]
    assert replayed["steps"][-1]["function"] == "srcu_gp_end"


def test_a_survivor_is_named_and_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from core.modelcheck import mutants as planted
    from sweep.commands.mutants import mutants

    verdict = planted.Verdict(MUTANTS["no-flip"], None, 7, None, 7)
    monkeypatch.setattr(planted, "verdicts", lambda: iter([verdict]))
    done = CliRunner().invoke(mutants, standalone_mode=False)
    assert done.return_value == 1
    assert done.output.splitlines()[-2:] == ["0 of 1 killed", "survives: no-flip"]


def test_a_mutant_knows_its_scenario_and_is_searched() -> None:
    done = cli("replay", "free-without-waiting")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "schedule: hit*2 unregister*6 hit"
    assert lines[-1] == "freed uprobe: uprobe 0 is used after its free"


def test_a_stage_without_violation_exits_0() -> None:
    done = cli("replay", "5", "hit-unregister")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "no violation")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("no-flp",), "RULES: 'no-flp': did you mean 'no-flip'?"),
        (("5",), "SCENARIO is missing; stage 5 has hit-unregister,"),
        (("5", "btach"), "SCENARIO: 'btach': did you mean 'batch'?"),
        (("8", "srcu-one-period"), "did you mean 'trace-one-period'?"),
        (("5", "batch", "rcu0"), "SCHEDULE: step 1: rcu0 cannot step, hit, unregister can"),
        (("5", "batch", "hit*0"), "SCHEDULE: 'hit*0' is not NAME or NAME*COUNT"),
    ],
)
def test_bad_input_is_one_line(args: tuple[str, ...], says: str) -> None:
    done = cli("replay", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert says in done.stderr
