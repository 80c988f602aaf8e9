"""`uprobe-sweep replay`: one interleaving of the lifetime rules, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sweep.commands.shared import json_option, print_columns, print_json
from sweep.errors import UsageError, nearest

if TYPE_CHECKING:
    from core.kernel.rules import Rules
    from core.modelcheck.scenario import Scenario
    from core.modelcheck.system import Move


@click.command()
@click.argument("rules")
@click.argument("scenario", required=False)
@click.argument("schedule", nargs=-1)
@json_option
def replay(rules: str, scenario: str | None, schedule: tuple[str, ...], as_json: bool) -> int:
    """Replay SCHEDULE in SCENARIO under RULES; without SCHEDULE, search for a violation first.

    RULES is a stage (0, 2, 3, 5, 6, 7, 8, 10, 14, 15), a mutant, checked-lease or two-periods; a
    mutant has a scenario of its own, which may be left away. SCHEDULE names who steps, NAME*COUNT
    for several steps. The exit code is 1 if it ends in a violation.

    \b
    uprobe-sweep replay no-flip
    uprobe-sweep replay 10 call-unregister
    uprobe-sweep replay 7 neighbours 'unregister*3 hit*3'
    """
    from core.modelcheck.scenario import system_of
    from core.modelcheck.schedule import ScheduleError, schedule_text
    from core.modelcheck.schedule import replay as replayed
    from core.modelcheck.search import search

    chosen = _rules(rules)
    where = _scenario(rules, chosen, scenario)
    system = system_of(where, chosen)
    text = " ".join(schedule)
    searched: dict[str, Any] = {}
    if not text:
        result = search(system)
        searched = {"states": result.states, "transitions": result.transitions}
        if result.finding is not None:
            text = schedule_text(result.finding.schedule)
    try:
        taken = replayed(system, text)
    except ScheduleError as error:
        raise UsageError(f"SCHEDULE: {error}") from None
    violation = next((move.violation for move in taken if move.violation), None)
    check = violation.check if violation else None
    if searched and text and violation is None:
        check = result.finding.check if result.finding else None
    if as_json:
        steps = [{"actor": move.actor, "function": move.function} for move in taken]
        report = {"rules": rules, "scenario": where.name, "schedule": text, "violation": check}
        print_json({**report, **searched, "steps": steps})
    else:
        _print(taken, text)
        if searched:
            print("{states} states, {transitions} transitions".format(**searched))
        says = str(violation) if violation else check
        print(says or "no violation")
    return 1 if check else 0


def _print(taken: list[Move], text: str) -> None:
    if not taken:
        return
    print(f"schedule: {text}")
    rows = []
    before = None
    for place, move in enumerate(taken, 1):
        shown = "" if move.actor == before else move.actor
        rows.append([place, shown, move.function, _state(move)])
        before = move.actor
    print_columns([["step", "who", "function", "uprobes and their references"], *rows])


def _state(move: Move) -> str:
    if move.world is None:
        return ""
    uprobes = []
    for u, uprobe in enumerate(move.world.uprobes):
        became = "" if uprobe.active else " erased"
        became = " freed" if uprobe.freed else became
        uprobes.append(f"{u}: {uprobe.ref}{became}")
    return ", ".join(uprobes)


def _rules(name: str) -> Rules:
    from core.kernel.stages import CHECKED_LEASE, STAGES, TWO_PERIODS
    from core.modelcheck.mutants import MUTANTS

    named = {str(stage): rules for stage, rules in STAGES.items()}
    named |= {rules.name: rules for rules in (CHECKED_LEASE, TWO_PERIODS)}
    if name in named:
        return named[name]
    if name in MUTANTS:
        return MUTANTS[name].rules
    raise UsageError(f"RULES: {name!r}: {nearest(name, [*named, *MUTANTS])}")


def _scenario(rules: str, chosen: Rules, name: str | None) -> Scenario:
    from core.modelcheck.mutants import MUTANTS
    from core.modelcheck.scenarios import SCENARIOS

    if name is None and rules in MUTANTS:
        name = MUTANTS[rules].scenario
    able = [key for key, scenario in SCENARIOS.items() if chosen.stage in scenario.stages]
    if name is None:
        raise UsageError(f"SCENARIO is missing; stage {chosen.stage} has {', '.join(able)}")
    if name not in able:
        raise UsageError(f"SCENARIO: {name!r}: {nearest(name, able)}")
    return SCENARIOS[name]
