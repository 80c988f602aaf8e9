"""What docs/findings.md says comes of its commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from sweep.commands.replay import replay

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "findings.md").read_text()
SCHEDULE = "call*7 unregister*4 rcu0*2 call*4 rcu0 call rcu0 call"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("10 call-unregister", "freed uprobe"),
        ("8 call-unregister", "no violation"),
        ("checked-lease call-unregister", "no violation"),
        ("checks-before-lease", "freed uprobe"),
        ("checked-lease fork-dying", "freed uprobe"),
        ("two-periods fork-dying", "no violation"),
        ("one-period-of-leases", "freed uprobe"),
        ("expire-gets-null", "null pointer"),
    ],
)
def test_a_command_of_the_page(command: str, says: str) -> None:
    assert f"replay {command}" in PAGE
    done = CliRunner().invoke(replay, command.split(), standalone_mode=False)
    assert done.exception is None
    assert done.output.splitlines()[-1].startswith(says)
    assert done.return_value == (says != "no violation")


def test_the_schedule_of_the_page_is_the_one_found_and_needs_every_step() -> None:
    assert f"replay 10 call-unregister '{SCHEDULE}'" in PAGE
    found = CliRunner().invoke(replay, ["10", "call-unregister"], standalone_mode=False)
    given = CliRunner().invoke(replay, ["10", "call-unregister", SCHEDULE], standalone_mode=False)
    assert found.output.splitlines()[0] == given.output.splitlines()[0] == f"schedule: {SCHEDULE}"
    assert given.output.splitlines()[-1].startswith("freed uprobe")
