"""Threads as programs: steps with explicit program counters, each one atomic action."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.modelcheck.world import World

Outcome = tuple[World, str] | None
"""The world after a step and the label it goes on at ("" for the next step); None if it blocks."""

TREE = 1
ALL_READERS = 0xFFFF << 32
"""Footprints are masks: the tree, four objects a key, a reader a thread, detailed counters."""
COUNTERS = 1 << 48


def references(key: int) -> int:
    """References, memory and freed flag of the uprobes of one key."""
    return 1 << (1 + 4 * key)


def consumers(key: int) -> int:
    """The consumers of one key: list, memory, and what the checks know of them."""
    return 1 << (2 + 4 * key)


def register_rwsem(key: int) -> int:
    """The register_rwsem of one key's uprobes."""
    return 1 << (3 + 4 * key)


def consumer_rwsem(key: int) -> int:
    """The consumer_rwsem of one key's uprobes."""
    return 1 << (4 + 4 * key)


def reader(me: int) -> int:
    """Whether thread `me` is inside read sections, and who waits for that."""
    return 0x101 << (32 + me)


@dataclass(frozen=True)
class Step:
    """One atomic action of a kernel function.

    `reads` and `writes` are footprints of shared state, a superset of what `act` does in any
    state; `targets` are the labels it may return.
    """

    function: str
    act: Callable[[World], Outcome]
    reads: int = 0
    writes: int = 0
    targets: tuple[str, ...] = ()


Block = list[Step | str]
"""A stretch of a program: steps, and labels (strings) for the step that follows."""


@dataclass(frozen=True)
class Program:
    """Assembled steps. `future_reads[pc]` and `future_writes[pc]` cover all steps from pc on."""

    name: str
    steps: tuple[Step, ...]
    labels: dict[str, int]
    future_reads: tuple[int, ...]
    future_writes: tuple[int, ...]
    daemon: bool = False
    """Serves the others for ever and may be at its start when they are done."""


def assemble(name: str, block: Iterable[Step | str], *, daemon: bool = False) -> Program:
    """A program of the block's steps. Raises KeyError for a target that has no label."""
    steps: list[Step] = []
    labels: dict[str, int] = {}
    for item in block:
        if isinstance(item, Step):
            steps.append(item)
        elif item in labels:
            raise KeyError(f"{name}: two labels {item}")
        else:
            labels[item] = len(steps)
    size = len(steps)
    after = [{pc + 1, *(labels[t] for t in step.targets)} for pc, step in enumerate(steps)]
    reads = [step.reads for step in steps] + [0]
    writes = [step.writes for step in steps] + [0]
    changed = True
    while changed:
        changed = False
        for pc in reversed(range(size)):
            before = reads[pc], writes[pc]
            for follower in after[pc]:
                reads[pc] |= reads[follower]
                writes[pc] |= writes[follower]
            changed |= before != (reads[pc], writes[pc])
    return Program(name, tuple(steps), labels, tuple(reads), tuple(writes), daemon)
