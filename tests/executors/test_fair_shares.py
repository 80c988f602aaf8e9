"""Shares of places, and that sweeps which keep to them end up with them."""

from __future__ import annotations

from itertools import cycle, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.executors.fair_shares import TURN_SECONDS, Claim, allowance, fair_shares

CLAIMS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2),
    st.builds(Claim, st.integers(1, 9), st.integers(0, 9), st.integers(0, 9)),
    max_size=6,
)


@pytest.mark.parametrize(
    ("claims", "shares"),
    [
        ({"a": Claim(1, 4, 4)}, {"a": 4}),
        ({"a": Claim(1, 4, 4), "b": Claim(1, 0, 8)}, {"a": 2, "b": 2}),
        ({"a": Claim(1, 6, 4), "b": Claim(2, 0, 8)}, {"a": 2, "b": 4}),
        # b wants but one; the rest is a's
        ({"a": Claim(1, 4, 4), "b": Claim(1, 0, 1)}, {"a": 3, "b": 1}),
        # one each before priority counts
        ({"a": Claim(9, 2, 4), "b": Claim(1, 0, 4)}, {"a": 1, "b": 1}),
        # a place does not change hands for nothing
        ({"a": Claim(1, 0, 4), "b": Claim(1, 1, 4)}, {"a": 0, "b": 1}),
        ({"a": Claim(1, 1, 2), "b": Claim(1, 2, 2)}, {"a": 1, "b": 2}),
        ({}, {}),
    ],
)
def test_hand_computed(claims: dict[str, Claim], shares: dict[str, int]) -> None:
    assert fair_shares(claims) == shares


@given(CLAIMS)
def test_all_places_are_shared_and_none_twice(claims: dict[str, Claim]) -> None:
    shares = fair_shares(claims)
    assert sum(shares.values()) == sum(claim.held for claim in claims.values())
    for name, claim in claims.items():
        assert 0 <= shares[name] <= claim.held + claim.waiting


@given(CLAIMS)
def test_nobody_who_wants_more_has_far_less_than_another(claims: dict[str, Claim]) -> None:
    shares = fair_shares(claims)
    for name, claim in claims.items():
        if shares[name] < claim.held + claim.waiting:
            for other in claims.keys() - {name}:
                # A place less for the other would not let it have fewer than `name` then has.
                fewer = max(shares[other] - 1, 0) / claims[other].priority
                assert fewer <= (shares[name] + 1) / claim.priority or shares[other] <= 1


def test_who_is_alone_may_have_all_it_wants() -> None:
    assert allowance("a", {"a": Claim(1, 2, 30)}) is None


def test_who_holds_nothing_may_ask_even_if_all_wait() -> None:
    assert allowance("a", {"a": Claim(1, 0, 5), "b": Claim(1, 0, 5)}) is None


def test_who_has_too_much_gives_back_down_to_its_share() -> None:
    claims = {"a": Claim(1, 4, 4), "b": Claim(1, 0, 8)}
    assert allowance("a", claims) == 2
    assert allowance("b", claims) is None


def test_the_only_place_is_taken_in_turns() -> None:
    claims = {"a": Claim(1, 1, 4), "b": Claim(1, 0, 4)}
    assert allowance("a", claims, TURN_SECONDS - 1) == 1
    assert allowance("a", claims, TURN_SECONDS) == 0
    given_up = {"a": Claim(1, 0, 5), "b": Claim(1, 0, 4)}
    assert allowance("a", given_up, gave_way=True) == 0
    assert allowance("b", given_up) is None
    taken = {"a": Claim(1, 0, 5), "b": Claim(1, 1, 3)}
    assert allowance("a", taken, gave_way=True) is None


def test_a_higher_priority_has_longer_turns() -> None:
    claims = {"a": Claim(3, 1, 4), "b": Claim(1, 0, 4)}
    assert allowance("a", claims, 2 * TURN_SECONDS) == 1


@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9)), min_size=1, max_size=4),
)
def test_sweeps_that_come_one_after_another_end_with_their_shares(
    places: int, sweeps: list[tuple[int, int]]
) -> None:
    """A model of the cluster: requests are served oldest first, sweeps look one after another."""
    held = {str(i): 0 for i in range(len(sweeps))}
    queue: list[str] = []
    gave_way = dict.fromkeys(held, False)
    for name in islice(cycle(held), 40 * len(held)):
        claims = {
            other: Claim(sweeps[int(other)][0], held[other], queue.count(other)) for other in held
        }
        priority, wanted = sweeps[int(name)]
        claims[name] = Claim(priority, held[name], max(0, wanted - held[name]))
        allowed = allowance(name, claims, gave_way=gave_way[name])
        gave_way[name] = allowed == 0
        allowed = wanted if allowed is None else min(allowed, wanted)
        while held[name] + queue.count(name) > allowed:
            if name in queue:
                queue.remove(name)
            else:
                held[name] -= 1
        queue += [name] * (allowed - held[name] - queue.count(name))
        while queue and sum(held.values()) < places:
            held[queue.pop(0)] += 1
    wanted_all = sum(wanted for _, wanted in sweeps)
    assert sum(held.values()) == min(places, wanted_all)
    claims = {n: Claim(sweeps[int(n)][0], held[n], sweeps[int(n)][1] - held[n]) for n in held}
    assert held == fair_shares(claims)
