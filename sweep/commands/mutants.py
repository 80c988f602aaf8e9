"""`uprobe-sweep mutants`: planted lifetime faults, and the check that catches each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sweep.commands.shared import json_option, print_columns, print_json

if TYPE_CHECKING:
    from core.modelcheck.mutants import Verdict


@click.command()
@json_option
def mutants(as_json: bool) -> int:
    """Plant every known fault in the lifetime rules and say which check catches it.

    A mutant is killed if the expected check fails with the fault, and none without it. The exit
    code is 1 if one survives. `replay` shows a schedule step by step.

    \b
    uprobe-sweep mutants
    uprobe-sweep replay no-flip
    """
    from core.modelcheck.mutants import verdicts

    rows = [_row(verdict) for verdict in verdicts()]
    survivors = [row["mutant"] for row in rows if not row["killed"]]
    if as_json:
        print_json({"mutants": rows, "survivors": survivors})
    else:
        shown = ("mutant", "stage", "scenario", "check", "steps", "states", "states_without")
        print_columns([shown, *([row[name] for name in shown] for row in rows)])
        print(f"{len(rows) - len(survivors)} of {len(rows)} killed")
        for name in survivors:
            print(f"survives: {name}")
    return 1 if survivors else 0


def _row(verdict: Verdict) -> dict[str, Any]:
    from core.modelcheck.schedule import schedule_text

    mutant, finding = verdict.mutant, verdict.finding
    return {
        "mutant": mutant.name,
        "what": mutant.what,
        "stage": mutant.stage,
        "scenario": mutant.scenario,
        "killed": verdict.killed,
        "check": finding.check if finding else "none",
        "steps": len(finding.schedule) if finding else 0,
        "states": verdict.states,
        "states_without": verdict.plain_states,
        "schedule": schedule_text(finding.schedule) if finding else "",
    }
