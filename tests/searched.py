"""Searches that several tests look at, each done once."""

from __future__ import annotations

from functools import cache

from core.kernel.rules import Rules
from core.modelcheck.scenario import system_of
from core.modelcheck.scenarios import SCENARIOS
from core.modelcheck.search import Search, search


@cache
def searched(scenario: str, rules: Rules) -> Search:
    """What the search of a scenario that ships sees."""
    return search(system_of(SCENARIOS[scenario], rules))
