"""The tree against a dict, consumers' masks, numbers that are taken again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.stress.uprobes import BITS, NOBODY, QUARANTINE, Tree, Uprobes, key_of, one

KEYS = st.integers(0, 12)


def test_a_tree_by_hand() -> None:
    tree = Tree()
    assert tree.find(np.array([3, 5])).tolist() == [NOBODY, NOBODY]
    tree.insert(5, 0)
    tree.insert(3, 1)
    tree.insert(5, 2)
    assert tree.find(np.array([[3, 4], [5, 9]])).tolist() == [[1, NOBODY], [2, NOBODY]]
    assert len(tree) == 2
    # Uprobe 0 has been replaced: its erasure leaves who is there now.
    tree.erase(5, 0)
    assert tree.find(np.array([5])).tolist() == [2]
    tree.erase(5, 2)
    tree.erase(7, 1)
    assert tree.find(np.array([3, 5])).tolist() == [1, NOBODY]


@given(st.lists(st.tuples(st.booleans(), KEYS, st.integers(0, 3))))
def test_a_tree_is_a_dict(steps: list[tuple[bool, int, int]]) -> None:
    tree, model = Tree(), dict[int, int]()
    for inserts, key, uprobe in steps:
        if inserts:
            tree.insert(key, uprobe)
            model[key] = uprobe
        else:
            tree.erase(key, uprobe)
            if model.get(key) == uprobe:
                del model[key]
        found = tree.find(np.arange(13)).tolist()
        assert found == [model.get(key, NOBODY) for key in range(13)]
        assert len(tree) == len(model)


def test_functions_have_keys_of_their_own() -> None:
    assert len(set(key_of(np.arange(50_000)).tolist())) == 50_000


def test_masks_of_consumers() -> None:
    uprobes = Uprobes(2)
    uprobe = uprobes.new(1, references=1)
    entry = uprobes.consumer(1, at_return=False)
    at_return = uprobes.consumer(1, at_return=True)
    assert (entry.bit, at_return.bit) == (0, 1)
    assert (uprobes.known.tolist(), uprobes.returns.tolist()) == ([0, 0b11], [0, 0b10])
    uprobes.add(uprobe, entry)
    uprobes.add(uprobe, at_return)
    assert (uprobes.entry_list[uprobe], uprobes.return_list[uprobe]) == (0b01, 0b10)
    uprobes.delete(at_return)
    # Off the list, but known until it is freed.
    assert (uprobes.return_list[uprobe], uprobes.known[1]) == (0, 0b11)
    uprobes.forget(at_return)
    assert (uprobes.known[1], uprobes.entry_list[uprobe]) == (0b01, 0b01)


def test_bits_are_taken_again_as_late_as_possible() -> None:
    uprobes = Uprobes(1)
    consumers = [uprobes.consumer(0, at_return=bit % 2 == 1) for bit in range(BITS - 1)]
    uprobes.forget(consumers[3])
    last = uprobes.consumer(0, at_return=False)
    assert last.bit == BITS - 1
    assert uprobes.room(0)
    # Bit 3 was a return consumer's.
    assert uprobes.consumer(0, at_return=False).bit == 3
    assert not uprobes.returns[0] & one(3)
    assert not uprobes.room(0)
    with pytest.raises(ValueError, match="function 0 has 64 consumers already"):
        uprobes.consumer(0, at_return=False)


def test_numbers_of_freed_uprobes_are_taken_again() -> None:
    uprobes = Uprobes(1)
    for _ in range(10 * QUARANTINE):
        uprobe = uprobes.new(0, references=1)
        assert not uprobes.freed[uprobe]
        assert not uprobes.dying[uprobe]
        uprobes.ref[uprobe] = 0
        uprobes.dying[uprobe] = True
        uprobes.free(uprobe)
    assert uprobes.count == QUARANTINE + 1
    # The one that was freed last is the last to be somebody else.
    assert uprobes.freed[uprobe]
    assert uprobes.new(0, references=1) != uprobe


def test_the_dead_have_no_reference_of_anybody() -> None:
    uprobes = Uprobes(1)
    for references in (0, 1, 0, 0):
        uprobes.new(0, references)
    uprobes.dying[3] = True
    assert uprobes.dead(np.array([1, 0])) == [2]
    assert uprobes.dead(np.array([1, -1])) == [1, 2]
    assert uprobes.dead(np.zeros(0, dtype=np.int64)) == [0, 2]
