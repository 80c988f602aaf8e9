"""Every planted fault is found by the check it should be, with a schedule that replays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from apart import APART
from searched import searched

from core.kernel.stages import STAGES
from core.modelcheck import checks
from core.modelcheck.mutants import MUTANTS, Mutant, Verdict, verdicts
from core.modelcheck.scenario import system_of
from core.modelcheck.scenarios import SCENARIOS
from core.modelcheck.schedule import ScheduleError, replay, schedule_text
from core.modelcheck.search import search

ALL = pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda mutant: mutant.name)


def test_every_verdict_is_killed() -> None:
    assert [v.mutant.name for v in verdicts() if v.killed] == list(MUTANTS)


def test_no_fault_survives_being_unknown_to_the_rules() -> None:
    """A switch that nothing reads would survive: killed is not granted."""
    mutant = replace(MUTANTS["free-without-waiting"], name="no-such-switch")
    result = search(system_of(SCENARIOS[mutant.scenario], mutant.rules))
    assert not Verdict(mutant, result.finding, result.states, None, 1).killed


def test_a_fault_whose_stage_is_itself_broken_is_not_killed() -> None:
    mutant = MUTANTS["free-without-waiting"]
    finding = searched(mutant.scenario, mutant.rules).finding
    assert not Verdict(mutant, finding, 1, finding, 1).killed


@ALL
def test_its_schedule_replays_from_text_and_needs_every_step(mutant: Mutant) -> None:
    system = system_of(SCENARIOS[mutant.scenario], mutant.rules)
    finding = searched(mutant.scenario, mutant.rules).finding
    assert finding is not None
    if finding.check == checks.NEVER_ENDING:
        assert replay(system, schedule_text(finding.schedule))[-1].violation is None
        return
    violation = replay(system, schedule_text(finding.schedule))[-1].violation
    assert violation is not None
    assert violation.check == mutant.check
    for place in range(len(finding.schedule) - 1):
        shorter = finding.schedule[:place] + finding.schedule[place + 1 :]
        try:
            last = replay(system, shorter)[-1].violation
        except ScheduleError:
            continue
        assert last is None or last.check != mutant.check


@ALL
def test_the_reduction_does_not_hide_it(mutant: Mutant) -> None:
    system = system_of(SCENARIOS[mutant.scenario], mutant.rules)
    finding = search(system, reduce=False).finding
    assert finding is not None
    assert finding.check == mutant.check


SCENARIO_LATER = {"try-get-takes-zero": "mmap-last"}
"""From stage 3 on a hit takes no reference; the mmap path still does."""

LATER = [
    (mutant, stage)
    for mutant in MUTANTS.values()
    for stage in APART
    if stage > mutant.stage and stage in SCENARIOS[mutant.scenario].stages
]


@pytest.mark.parametrize(("mutant", "stage"), LATER, ids=lambda v: getattr(v, "name", v))
def test_it_stays_a_fault_in_later_stages(mutant: Mutant, stage: int) -> None:
    scenario = SCENARIO_LATER.get(mutant.name, mutant.scenario)
    rules = replace(STAGES[stage], faults=frozenset({mutant.name}))
    assert searched(scenario, STAGES[stage]).finding is None
    assert searched(scenario, rules).finding is not None


def test_the_documentation_lists_them() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "lifetime.md").read_text()
    rows = [f"| `{m.name}` | {m.stage} | `{m.scenario}` | {m.check} |" for m in MUTANTS.values()]
    assert "\n".join(rows) in text
    assert f"{len(SCENARIOS)} scenarios" in text
