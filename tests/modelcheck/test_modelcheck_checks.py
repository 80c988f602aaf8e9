"""Each check on worlds made by hand."""

from __future__ import annotations

import pytest

from core.kernel.rules import Rules
from core.kernel.stages import STAGES
from core.modelcheck import checks
from core.modelcheck.tree import chain, erase, erased, take
from core.modelcheck.world import GONE, NOBODY, REGISTERED, Consumer, Thread, Uprobe, World

CONSUMER = Consumer(0, 1, state=REGISTERED, uprobe=0)


def world(uprobe: Uprobe, consumer: Consumer = CONSUMER, **thread: int) -> World:
    return World((consumer,), (Thread(**thread),), (uprobe,), root=0)


@pytest.mark.parametrize(
    ("uprobe", "consumer", "check"),
    [
        (Uprobe(0, 2), CONSUMER, checks.REFERENCES),
        (Uprobe(0, 1, freed=True), CONSUMER, checks.REFERENCES),
        (Uprobe(0, 0), CONSUMER._replace(state=GONE, freed=True), checks.REFERENCES),
        (Uprobe(0, 0, freed=True), CONSUMER._replace(state=GONE), checks.REFERENCES),
        (
            Uprobe(0, 0, freed=True),
            CONSUMER._replace(state=GONE, freed=True),
            checks.FREED_UPROBE,
        ),
    ],
)
def test_an_end_that_is_none(uprobe: Uprobe, consumer: Consumer, check: str) -> None:
    with pytest.raises(checks.Violation) as caught:
        checks.at_the_end(world(uprobe, consumer), tree_reference=False)
    assert caught.value.check == check


def test_ends_that_are() -> None:
    checks.at_the_end(world(Uprobe(0, 1)), tree_reference=False)
    gone = world(Uprobe(0, 0, freed=True), CONSUMER._replace(state=GONE, freed=True))
    checks.at_the_end(gone._replace(root=NOBODY), tree_reference=True)
    with pytest.raises(checks.Violation, match="never left"):
        checks.at_the_end(world(Uprobe(0, 1))._replace(readers=1), tree_reference=False)


def test_references_uprobes_and_links() -> None:
    with pytest.raises(checks.Violation, match="loses one"):
        checks.drops_reference(world(Uprobe(0, 0)), 0)
    with pytest.raises(checks.Violation, match="after its free"):
        checks.touches_uprobe(world(Uprobe(0, 0, freed=True)), 0)
    with pytest.raises(checks.Violation, match="RCU head"):
        checks.follows_links(world(Uprobe(0, 0, clobbered=True)), 0)
    with pytest.raises(checks.Violation, match="freed twice"):
        checks.frees(world(Uprobe(0, 0, freed=True)), 0)
    with pytest.raises(checks.Violation, match="consumer 0"):
        checks.touches_consumer(world(Uprobe(0, 1), CONSUMER._replace(freed=True)), 0)


def test_traversals_and_grace_periods() -> None:
    uprobe = Uprobe(0, 1)
    checks.traversal_ends(world(uprobe, must_call=1, called=1), 0)
    with pytest.raises(checks.Violation, match=checks.NOT_CALLED):
        checks.traversal_ends(world(uprobe, must_call=1), 0)
    with pytest.raises(checks.Violation, match=checks.CALLED_GONE):
        checks.calls(world(uprobe, must_not_call=1), 0, 0)
    checks.period_ends(world(uprobe), 0)
    with pytest.raises(checks.Violation, match="reader 2"):
        checks.period_ends(world(uprobe, wait=4), 0)


@pytest.mark.parametrize("rules", STAGES.values(), ids=lambda rules: rules.name)
def test_a_zero_count_is_not_taken(rules: Rules) -> None:
    assert take(rules, world(Uprobe(0, 0)), 0, "try_get_uprobe") is None
    taken = take(rules, world(Uprobe(0, 1)), 0, "try_get_uprobe")
    assert taken is not None
    assert taken.uprobes[0].ref == 2


def test_an_erased_node_keeps_its_link_and_the_rest_is_hidden_meanwhile() -> None:
    both = World((), (), (Uprobe(0, 1, link=1), Uprobe(1, 1)), root=0)
    hidden, at = erase(both, 0)
    assert (chain(hidden), hidden.seq, at) == ([], 1, 1)
    assert hidden.uprobes[0].link == 1
    after = erased(hidden, at)
    assert (chain(after), after.seq) == ([1], 2)
    assert erase(after, 0) == (after, 0)
