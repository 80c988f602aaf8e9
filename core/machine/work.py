"""Private work whose cycles follow from others': no machine file gives them.

Who moves what they follow from, a calibration or a member of its ensemble, moves them too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

SAVING = "uprobe_syscall_saving"
"""What no path does and every machine gives: by how much a hit is shorter for the `uprobe` system
call in place of int3. 175 to 180 ns (published) are 657 cycles at the 3.7 GHz of one busy core. On
another machine it is as many cycles, as the trap is."""

SYSCALL_EXIT = 0.4
"""Share of that system call that is its way out (estimated); on one CPU only their sum counts."""

Work = Mapping[str, int]


def uprobe_syscall(work: Work, load_cycles: int) -> int:
    """Both ways of the `uprobe` system call: the trap's, less SAVING and what the call adds.

    It looks the VMA up once more, with two loads of `mm_lock_seq`, and emulates nothing. On a
    machine whose trap is shorter than SAVING it takes no time.
    """
    trap = work["trap_entry"] + work["emulate"] + work["trap_exit"]
    return max(0, trap - work["vma_lookup"] - 2 * load_cycles - work[SAVING])


def _exit(work: Work, load_cycles: int) -> int:
    return round(SYSCALL_EXIT * uprobe_syscall(work, load_cycles))


def _entry(work: Work, load_cycles: int) -> int:
    return uprobe_syscall(work, load_cycles) - _exit(work, load_cycles)


def _srcu_fast_counter(work: Work, load_cycles: int) -> int:
    """That of SRCU: beside its barriers, a pair spares one load of the index."""
    return max(0, (2 * work["srcu_counter"] - load_cycles) // 2)


DISPATCH_LOADS = 2
WALK_LOADS = 3
"""Loads that a perf event has and a uprobe_multi link has not (v6.11, from memory), priced as if
one came after the other. In the dispatchers: of `current->utask`, `uprobe_cpu_buffer`, the event
and its flags, against the link and its task. In running the program: of the array, its first
program, that one's cookie and the array's end, against the link's program."""


def _uprobe_multi_call(work: Work, load_cycles: int) -> int:
    return max(0, work["consumer_call"] - DISPATCH_LOADS * load_cycles)


def _uprobe_multi_prog(work: Work, load_cycles: int) -> int:
    return max(0, work["bpf_prog"] - WALK_LOADS * load_cycles)


DERIVED: dict[str, Callable[[Work, int], int]] = {
    "uprobe_syscall_entry": _entry,
    "uprobe_syscall_exit": _exit,
    "uprobe_multi_call": _uprobe_multi_call,
    "uprobe_multi_prog": _uprobe_multi_prog,
    "srcu_fast_counter": _srcu_fast_counter,
}
"""By name of work: its cycles, from those given and those of a load."""


def with_derived(given: Work, load_cycles: int) -> dict[str, int]:
    """`given` and what follows from it; what it lacks the names for is left out."""
    work = dict(given)
    for name, rule in DERIVED.items():
        try:
            work[name] = rule(given, load_cycles)
        except KeyError:
            continue
    return work


def names_to_give(names: Iterable[str]) -> tuple[str, ...]:
    """What a machine gives so that there are cycles for all of `names`, sorted."""
    return tuple(sorted({*names, SAVING} - DERIVED.keys()))
