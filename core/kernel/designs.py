"""Patches of the user's own on a flavour of the tree, worked out into a `Design`.

What is imported here is what the file of a design needs, see docs/designs.md.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace as changed

from core.kernel import hot_path as hp
from core.kernel import primitives
from core.kernel.agreement import disagreement
from core.kernel.design import Design
from core.kernel.flavours import layout_of, parse_flavour, rules_of, unsided_path, work_names
from core.kernel.hot_path import BENCHES
from core.kernel.operation import Call, Kind, Line, Lock, Operation, OwnLine, Path, Role, work
from core.kernel.patches import PATCHES, Patch, replace
from core.kernel.rcu_flavours import READ_SIDES, GracePeriod, ReadSide

__all__ = [
    "READ_SIDES",
    "Call",
    "DesignError",
    "GracePeriod",
    "Kind",
    "Line",
    "Lock",
    "Operation",
    "OwnLine",
    "Patch",
    "Path",
    "ReadSide",
    "Role",
    "hp",
    "primitives",
    "replace",
    "work",
    "worked_out",
]

TOUCHES = (Kind.LOAD, Kind.STORE, Kind.LOCKED, Kind.CMPXCHG)
ENDS = {
    Lock.READ: Lock.READ_END,
    Lock.WRITE: Lock.WRITE_END,
    Lock.SLOT: Lock.SLOT_END,
}


class DesignError(ValueError):
    """A design that cannot be; `patch` names the one of its own patches that is to blame."""

    def __init__(self, patch: str, said: str) -> None:
        self.patch = patch
        super().__init__(f"{patch}: {said}")


def worked_out(name: str, base: str, patches: Sequence[Patch]) -> Design:
    """`patches`, in this order, on the flavour `base`.

    Raises as `parse_flavour` for a base that is none, DesignError for a patch that cannot be, and
    whatever a patch's own code raises.
    """
    has = set(parse_flavour(base).patches)
    rules, beside = rules_of(base), layout_of(base).owner_beside_count
    paths = {bench: unsided_path(base, bench) for bench in BENCHES}
    for patch in patches:
        before = paths, rules, beside
        if patch.name in {known.name for known in PATCHES} or patch.name in has:
            raise DesignError(patch.name, "there is a patch of this name already")
        if missing := [need for need in patch.needs if need not in has]:
            raise DesignError(patch.name, f"needs {', '.join(missing)}, which {base} lacks")
        paths = {bench: _patched(patch, path) for bench, path in paths.items()}
        rules = changed(rules, **patch.rules)
        if patch.owner_beside_count is not None:
            beside = patch.owner_beside_count
        if (paths, rules, beside) == before:
            raise DesignError(patch.name, f"changes nothing of {base}: it has no such call")
        for bench, path in paths.items():
            if wrong := _impossible(path) or disagreement(path, rules):
                raise DesignError(patch.name, f"{bench}: {wrong}")
        has.add(patch.name)
    text = repr((sorted(paths.items()), rules, beside))
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return Design(name, digest, beside, paths, rules)


def _patched(patch: Patch, path: Path) -> Path:
    made = patch.path(path)
    if not isinstance(made, tuple) or not all(isinstance(call, Call) for call in made):
        raise DesignError(patch.name, "its path is no tuple of Calls")
    if patch.path(path) != made:
        raise DesignError(patch.name, "its path is another when it is asked for again")
    return made


def _impossible(path: Path) -> str:
    """Why the engine could not play `path`; "" if it can."""
    if not path:
        return "nothing is left of the path"
    for call in path:
        for before, op in zip((None, *call.operations), call.operations, strict=False):
            if wrong := _wrong(op, before):
                return f"{call.function}: {wrong}"
    operations = tuple(_operations(path))
    return _two_of_a_name(operations) or _held(operations)


def _wrong(op: object, before: Operation | None) -> str:
    if not isinstance(op, Operation):
        return f"{op!r} is no Operation"
    if op.kind in TOUCHES and not isinstance(op.line, Line | OwnLine):
        return f"a {op.kind.name} needs a line, not {op.line!r}"
    if op.kind is Kind.CMPXCHG and (before is None or before.line != op.line):
        return "a CMPXCHG comes right after a LOAD of its line"
    if op.kind is not Kind.WORK:
        return ""
    known = op.work in work_names()
    if op.cycles is None:
        return "" if known else f"no machine knows work {op.work!r}: give it cycles"
    if known or not op.work:
        return f"work {op.work!r} with cycles of its own needs another name"
    whole = isinstance(op.cycles, int) and not isinstance(op.cycles, bool) and op.cycles >= 0
    return "" if whole else f"work {op.work!r}: {op.cycles!r} is no whole number of cycles from 0"


def _two_of_a_name(operations: Sequence[Operation]) -> str:
    lines = {op.line for op in operations if isinstance(op.line, OwnLine)}
    words = Counter(line.name for line in lines)
    words.update({line.value: 1 for line in Line} | {line.name: 1 for line in Line})
    for line in lines:
        if words[line.name] > 1 or not line.name or set(line.name) & set(":,"):
            return f"the line {line.name!r} needs a name that no other has, without : and ,"
        if line.per_probe and line.per_process:
            return f"the line {line.name!r} is either per probe or per process"
    lengths = {(op.work, op.cycles) for op in operations if op.cycles is not None}
    for name, count in Counter(name for name, _ in lengths).items():
        if count > 1:
            return f"work {name!r} has two lengths"
    return ""


def _held(operations: Sequence[Operation]) -> str:
    """A lock that a hit does not give back, or gives back without having it."""
    held: Counter[tuple[object, Lock]] = Counter()
    for op in operations:
        if op.lock in ENDS:
            held[op.line, ENDS[op.lock]] += 1
        elif op.lock is not Lock.NONE:
            held[op.line, op.lock] -= 1
            if held[op.line, op.lock] < 0:
                return f"{op.line.value if op.line else op}: {op.lock.name} without the lock"
    for (line, end), count in held.items():
        if count:
            return f"{getattr(line, 'value', line)}: no {end.name} for its lock"
    return ""


def _operations(path: Path) -> Iterator[Operation]:
    for call in path:
        yield from call.operations
