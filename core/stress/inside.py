"""What threads may be using at one moment, without a reference: what may not be freed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrays import IntArray
from core.stress.programs import ENTERED, FOUND, LEFT, UNWALKED, WALKING
from core.stress.records import LEASE, NOBODY, Snapshot


class Inside(NamedTuple):
    """What threads may be using, an entry for each use.

    `uprobe` by hits that know theirs and by leases; `function` and `visible`, which consumers of a
    function hits may be calling.
    """

    uprobe: IntArray
    function: IntArray
    visible: NDArray[np.uint64]


def inside(snapshot: Snapshot, *, chain_rwsem: bool) -> Inside:
    """`chain_rwsem`: register_rwsem protects the list of consumers, not the read section."""
    t, frame = snapshot.thread, snapshot.frame
    level = np.where(t["begun"] & t["hit"], t["level"], 0)
    knows = (level >= FOUND) & (level < LEFT) & (t["uprobe"] != NOBODY)
    leased = (frame["uprobe"] != NOBODY) & (frame["holds"] == LEASE)
    first = WALKING if chain_rwsem else ENTERED
    end = UNWALKED if chain_rwsem else np.where(t["returns"] == 1, UNWALKED, LEFT)
    walks = (level >= first) & (level < end)
    uprobe = np.concatenate((t["uprobe"][knows], frame["uprobe"][leased]))
    return Inside(uprobe, t["function"][walks], t["visible"][walks])
