"""A word for all that a design is to the engine: a path as compiled, and its lifetime rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from core.kernel.layout import Layout
from core.kernel.operation import AnyLine, Operation, Path
from core.kernel.rules import Rules


def path_digest(paths: Iterable[Path], rules: Rules, layout: Layout) -> str:
    """16 hex digits of the hash of what `paths` and `rules` are, on the lines of `layout`.

    What is for people only (what calls, instructions and designs are named) is no part of it; what
    a machine's file says of a path's work is in the machine's digest.
    """
    paths = tuple(paths)
    lines = {op.line for path in paths for call in path for op in call.operations if op.line}
    described = [
        [[call.role.name, [_operation(op) for op in call.operations]] for call in path]
        for path in paths
    ]
    text = json.dumps([described, _placed(lines, layout), _decided(rules)], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _operation(op: Operation) -> list[Any]:
    line = op.line.name if op.line else ""
    marks = [op.ancestors, op.reference_count, op.sleeps]
    return [op.kind.name, line, op.work, op.cycles, op.lock.name, *marks]


def _placed(lines: Iterable[AnyLine], layout: Layout) -> Mapping[str, Any]:
    """Which of `lines` are one, and of what there are copies."""
    first = {line: layout.first(line) for line in lines}
    order = sorted(set(first.values()))
    return {
        line.name: [order.index(at), layout.stride(line), line.per_probe]
        for line, at in first.items()
    }


def _decided(rules: Rules) -> Mapping[str, Any]:
    apart = ("stage", "name", "faults", "read_side", "lease_side")
    decided = {f.name: getattr(rules, f.name) for f in fields(rules) if f.name not in apart}
    waits = [side.grace_period.name for side in (rules.read_side, rules.lease_side)]
    return {**decided, "grace_periods": waits}
