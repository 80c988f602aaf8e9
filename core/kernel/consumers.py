"""Paths for any number of consumers: what the benches, which have one, do not show."""

from __future__ import annotations

from core.kernel import hot_path as hp
from core.kernel.design import Design
from core.kernel.flavours import hot_path
from core.kernel.operation import Call, Path, Role
from core.kernel.patches import split_at_return

HANDLER = (Role.DISPATCH, Role.PROGRAM)
STRESS_BENCHES = ("uprobe-multi-nop", "uretprobe-multi-nop")
"""What `calls` is made of: without anybody who waits for the return, and with."""
ARM_RETURN = (Role.ALLOCATE_RETURN, Role.PREPARE_RETURN, Role.HOLD_RETURN)


def with_consumers(path: Path, consumers: int) -> Path:
    """`path` with its handlers run for so many consumers, one after the other.

    Without any, nothing is prepared for the return and nothing happens there.
    """
    call, at_return = split_at_return(path)
    if consumers == 0:
        return tuple(c for c in call if c.role not in (*HANDLER, *ARM_RETURN))
    return _repeated(call, consumers) + _repeated(at_return, consumers)


def calls(flavour: str | Design, rcu: str, entry: int, at_return: int) -> tuple[Path, Path]:
    """What a call and its return do, with so many consumers of each at a uprobe_multi link.

    The second path is empty if nobody waits for the return. Raises as `hot_path` does.
    """
    if at_return == 0:
        return with_consumers(hot_path(flavour, STRESS_BENCHES[0], rcu), entry), ()
    call, after = split_at_return(hot_path(flavour, STRESS_BENCHES[1], rcu))
    arm = next(i for i, c in enumerate(call) if c.role in ARM_RETURN)
    handled = (hp.MULTI_DISPATCH, hp.MULTI_RUN_BPF) * entry
    return call[:arm] + handled + call[arm:], _repeated(after, at_return)


def _repeated(path: Path, consumers: int) -> Path:
    """Every group of handler calls, `consumers` times."""
    out: list[Call] = []
    group: list[Call] = []
    for call in path:
        if call.role in HANDLER:
            group.append(call)
        else:
            out += [*group * consumers, call]
            group = []
    return (*out, *group * consumers)
