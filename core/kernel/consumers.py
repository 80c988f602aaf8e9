"""Paths for any number of consumers: what the benches, which have one, do not show."""

from __future__ import annotations

from core.kernel import hot_path as hp
from core.kernel.flavours import hot_path
from core.kernel.operation import Call, Path
from core.kernel.patches import split_at_return

DISPATCHERS = (
    "uprobe_dispatcher",
    "uretprobe_dispatcher",
    "uprobe_multi_link_handler",
    "uprobe_multi_link_ret_handler",
)
PROGRAMS = (hp.RUN_BPF.function, hp.MULTI_RUN_BPF.function)
PREPARE = "prepare_uretprobe"


def with_consumers(path: Path, consumers: int) -> Path:
    """`path` with its handlers run for so many consumers, one after the other.

    Without any, nothing is prepared for the return and nothing happens there.
    """
    call, at_return = split_at_return(path)
    if consumers == 0:
        return tuple(c for c in _without_return(call) if not _handles(c))
    return _repeated(call, consumers) + _repeated(at_return, consumers)


def calls(flavour: str, rcu: str, entry: int, at_return: int) -> tuple[Path, Path]:
    """What a call and its return do, with so many consumers of each at a uprobe_multi link.

    The second path is empty if nobody waits for the return. Raises as `hot_path` does.
    """
    if at_return == 0:
        return with_consumers(hot_path(flavour, "uprobe-multi-nop", rcu), entry), ()
    call, after = split_at_return(hot_path(flavour, "uretprobe-multi-nop", rcu))
    arm = next(i for i, c in enumerate(call) if c in (hp.ALLOCATE_RETURN, _prepare(call)))
    handled = (hp.MULTI_DISPATCH, hp.MULTI_RUN_BPF) * entry
    return call[:arm] + handled + call[arm:], _repeated(after, at_return)


def _prepare(path: Path) -> Call:
    return next(c for c in path if c.function == PREPARE)


def _handles(call: Call) -> bool:
    return call.function in (*DISPATCHERS, *PROGRAMS)


def _repeated(path: Path, consumers: int) -> Path:
    """Every group of handler calls, `consumers` times."""
    out: list[Call] = []
    group: list[Call] = []
    for call in path:
        if _handles(call):
            group.append(call)
        else:
            out += [*group * consumers, call]
            group = []
    return (*out, *group * consumers)


def _without_return(call: Path) -> Path:
    """A call that prepares nothing for its return."""
    prepared = ("alloc_return_instance", PREPARE, "hprobe_init_leased")
    return tuple(
        c for c in call if c.function not in prepared and "(return instance)" not in c.function
    )
