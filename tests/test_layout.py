"""Numbering of lines, and what a tree walk reads."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.layout import NOWHERE, Layout
from core.kernel.operation import Line


@given(st.integers(1, 300), st.booleans())
def test_lines_do_not_overlap(probes: int, beside: bool) -> None:
    layout = Layout(probes, owner_beside_count=beside)
    per_probe = np.concatenate([layout.line_ids(Line.UPROBE), layout.line_ids(Line.EVENT)])
    fixed = {int(layout.line_ids(line)[0]) for line in Line if not line.per_probe}
    assert len(set(per_probe.tolist())) == 2 * probes
    assert fixed.isdisjoint(per_probe.tolist())
    assert len(fixed) == (3 if beside else 4)
    assert max(per_probe) == layout.lines - 1


def test_a_single_probe_is_found_at_the_root() -> None:
    assert Layout(1).ancestor_ids().size == 0


def test_seven_probes_make_a_tree_of_three_levels() -> None:
    layout = Layout(7)
    uprobe = layout.line_ids(Line.UPROBE)
    walk = layout.ancestor_ids()
    assert walk.shape == (2, 7)
    root, left = uprobe[3], uprobe[1]
    assert walk[:, 3].tolist() == [NOWHERE, NOWHERE]
    assert walk[:, 1].tolist() == [root, NOWHERE]
    assert walk[:, 0].tolist() == [root, left]
    assert walk[:, 6].tolist() == [root, uprobe[5]]


@given(st.integers(1, 500))
def test_walks_are_paths_from_the_root(probes: int) -> None:
    layout = Layout(probes)
    first = int(layout.line_ids(Line.UPROBE)[0])
    root = (probes - 1) // 2
    for probe, column in enumerate(layout.ancestor_ids().T):
        path = [int(line) - first for line in column if line != NOWHERE]
        assert (column[len(path) :] == NOWHERE).all()
        assert probe not in path
        assert len(set(path)) == len(path)
        assert (path[0] if path else probe) == root
        # Every ancestor lies on the near side of the ones before it, as in a search tree.
        for i, ancestor in enumerate(path):
            for deeper in [*path[i + 1 :], probe]:
                assert (deeper < ancestor) == (probe < ancestor)
