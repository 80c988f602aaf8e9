from __future__ import annotations

from typing import Any

import click
import pytest

from sweep.commands.run_options import RUN_OPTIONS, as_words, run_options


@click.command()
@run_options
def command(**chosen: Any) -> dict[str, Any]:
    return chosen


def parsed(words: list[str]) -> dict[str, Any]:
    chosen: dict[str, Any] = command.main(words, standalone_mode=False)
    return chosen


@pytest.mark.parametrize(
    "text",
    [
        "",
        "--cpus-per-actor auto --actor-groups 3",
        "--cpus-per-actor 8 --priority 7",
        "--retry-failed",
        "--fail-fast",
        "--cpus-per-actor 2 --actor-groups 1 --priority 100 --retry-failed --fail-fast",
    ],
)
def test_what_is_passed_on_chooses_the_same(text: str) -> None:
    chosen = parsed(text.split())
    assert len(chosen) == len(RUN_OPTIONS)
    assert parsed(as_words(chosen)) == chosen
