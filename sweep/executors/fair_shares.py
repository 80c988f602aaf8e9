"""How sweeps that run at the same time share the placements for actor groups. Pure functions.

Nobody hands placements out. Every sweep sees all placement groups, computes the same shares from
them, and gives back what it has beyond its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TURN_SECONDS = 120.0
"""For how long a sweep of priority 1 may keep its only placement while another has none."""


@dataclass(frozen=True)
class Claim:
    """A sweep's placements: how many it holds and how many it waits for."""

    priority: int
    held: int = 0
    waiting: int = 0


def fair_shares(claims: Mapping[str, Claim]) -> dict[str, int]:
    """Placements for each sweep, of those that all of them hold together.

    First one for everyone, then in proportion to priority, and to nobody more than it wants. Of
    equals the one that holds more goes first, so that no placement changes hands for nothing.
    """
    given = dict.fromkeys(claims, 0)
    for _ in range(sum(claim.held for claim in claims.values())):
        wanting = [n for n, claim in claims.items() if given[n] < claim.held + claim.waiting]
        given[min(wanting, key=lambda name: _rank(name, claims[name], given[name]))] += 1
    return given


def _rank(name: str, claim: Claim, given: int) -> tuple[bool, float, int, str]:
    return given > 0, (given + 1) / claim.priority, -claim.held, name


def allowance(
    me: str, claims: Mapping[str, Claim], held_seconds: float = 0.0, gave_way: bool = False
) -> int | None:
    """How many placements the sweep `me` may hold or wait for now; None: as many as it wants.

    `held_seconds` is for how long it has held any; `gave_way`, that its last turn ended in here.
    Bounded is only who stands in the way of another: of one that waits below its share, or of one
    that holds nothing.
    """
    shares, mine = fair_shares(claims), claims[me]
    others = {name: claim for name, claim in claims.items() if name != me and claim.waiting}
    without = any(claim.held == 0 for claim in others.values())
    if mine.held == 0:
        return 0 if gave_way and without else None
    if any(claim.held < shares[name] for name, claim in others.items()):
        return shares[me]
    if not without:
        return None
    return 0 if mine.held == 1 and held_seconds >= TURN_SECONDS * mine.priority else shares[me]
