"""Edits of a flavour that nothing modelled tells apart."""

from __future__ import annotations

import re

from core.kernel.flavours import hot_path, layout_of, rules_of
from core.kernel.hot_path import BENCHES


def idle_edits(flavour: str) -> tuple[str, ...]:
    """The edits of `flavour`, as "+filter-ctx", without any of which it would do the same.

    That is: the same path in every bench, the same lifetime rules and layout. Raises as `hot_path`.
    """
    first, *words = re.split("([+~])", flavour)
    edits = [sign + name for sign, name in zip(words[::2], words[1::2], strict=True)]
    others = (first + "".join(e for e in edits if e != edit) for edit in edits)
    return tuple(e for e, other in zip(edits, others, strict=True) if _do_the_same(flavour, other))


def _do_the_same(flavour: str, other: str) -> bool:
    try:
        if rules_of(flavour) != rules_of(other) or layout_of(flavour) != layout_of(other):
            return False
        return all(hot_path(flavour, bench) == hot_path(other, bench) for bench in BENCHES)
    except ValueError:
        return False  # Another edit builds on this one.
