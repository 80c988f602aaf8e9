"""Where a design's path and its lifetime rules speak of the same thing, they have to say the same.

A path and rules that disagree would be simulated as two kernels: refused.
"""

from __future__ import annotations

from collections import Counter

from core.kernel.operation import Call, Path, Role
from core.kernel.patches import split_at_return
from core.kernel.rcu_flavours import ReadSide
from core.kernel.rules import Rules

Expected = dict[Role, int]


def disagreement(path: Path, rules: Rules) -> str:
    """What `path` and `rules` disagree in, first of all; "" if nothing."""
    call, at_return = split_at_return(path)
    programs = sum(c.role is Role.PROGRAM for c in path)
    if programs != 1:
        return f"the path has {programs} PROGRAM ({Role.PROGRAM.value}), not 1"
    hold = next((c for c in call if c.role is Role.HOLD_RETURN), None)
    if hold and rules.leases != _begins(hold, rules.lease_side):
        lock = rules.lease_side.lock.function
        return f"the path's {hold.function} {'is no' if rules.leases else 'is a'} lease by {lock}"
    for when, part, expected in (
        ("a hit", call, _of_call(rules, returns=bool(at_return))),
        ("the return", at_return, _of_return(rules) if at_return else {}),
    ):
        found = Counter(c.role for c in part)
        for role, count in expected.items():
            if found[role] != count:
                what = f"{role.name} ({role.value}) in {when}"
                return f"the path has {found[role]} {what}, its rules ask for {int(count)}"
    return ""


def _begins(hold: Call, side: ReadSide) -> bool:
    lock = side.lock.operations
    return hold.operations[: len(lock)] == lock


def _of_call(rules: Rules, *, returns: bool) -> Expected:
    return {
        Role.LOOKUP: 1,
        Role.GET: bool(rules.lookup),
        Role.PUT: bool(rules.lookup),
        Role.READ_LOCK: rules.entry_section,
        Role.READ_UNLOCK: rules.entry_section,
        Role.CHAIN_LOCK: rules.chain_rwsem,
        Role.CHAIN_UNLOCK: rules.chain_rwsem,
        Role.PREPARE_RETURN: returns,
        Role.HOLD_RETURN: returns,
        Role.PUT_RETURN: 0,
    }


def _of_return(rules: Rules) -> Expected:
    return {
        Role.ENTER_RETURN: 1,
        Role.LOOKUP: 0,
        Role.READ_LOCK: rules.return_section,
        Role.READ_UNLOCK: rules.return_section,
        Role.CHAIN_LOCK: rules.chain_rwsem,
        Role.CHAIN_UNLOCK: rules.chain_rwsem,
        Role.PUT_RETURN: 1,
    }
