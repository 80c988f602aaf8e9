"""What values of several axes of a spec have to do with one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.workload import STRESS, THREADS
from sweep.errors import quoted
from sweep.machines.named import named_machine
from sweep.spec.axes import AXES, DISTURBING, MAX_CELLS, SpecError
from sweep.spec.designs import name_of

if TYPE_CHECKING:
    from sweep.spec.spec import Spec


def machines_have_the_cpus(spec: Spec) -> None:
    """Every machine has the CPUs of every cell, and no two have one name. Raises SpecError."""
    names: dict[str, str] = {}
    threads = sum(max(getattr(spec, axis)) for axis in THREADS)
    for index, named in enumerate(spec.machine):
        machine = named_machine(named)
        free = machine.cpus - threads
        for at, cpus in enumerate(spec.cpus):
            if cpus <= free:
                continue
            if free < 1:
                message = f"{threads} threads need a CPU each, but {machine.name} has "
                message += f"{machine.cpus}, and one has to be left for hits"
                most = max(THREADS, key=lambda axis: int(max(getattr(spec, axis))))
                raise SpecError(most, None, message)
            other = f", {threads} of them for other threads" if threads else ""
            allowed = f"allowed are 1 to {free}, nearest {free}"
            message = f"{cpus} CPUs, but {machine.name} has {machine.cpus}{other}: {allowed}"
            raise SpecError("cpus", _at(spec.cpus, at), message)
        if machine.name in names:
            message = f"{quoted(named)} has the name of {names[machine.name]}: {machine.name}"
            raise SpecError("machine", index, message)
        names[machine.name] = f"machine[{index}]"


def designs_have_names_of_their_own(spec: Spec) -> None:
    """No two flavours would have one name in rows. Raises SpecError."""
    names: dict[str, str] = {}
    for index, flavour in enumerate(spec.flavour):
        name = name_of(flavour)
        if name in names:
            message = f"{quoted(flavour)} has the name of {names[name]}: {name}"
            raise SpecError("flavour", index, message)
        names[name] = f"flavour[{index}]"


def processes_have_cpus(spec: Spec) -> None:
    """No cell has more processes than CPUs. Raises SpecError."""
    processes_fit(spec.processes, spec.cpus)


def processes_fit(asked: Sequence[int], cpus: Sequence[int]) -> None:
    """Each of these numbers of processes has a CPU in cells of these CPUs. Raises SpecError."""
    fewest = max(min(cpus), 1)
    for index, processes in enumerate(asked):
        if processes > fewest:
            message = f"{processes} processes, but a cell has {fewest} CPUs: allowed are "
            message += f"1 to {fewest}, nearest {fewest}"
            raise SpecError("processes", _at(asked, index), message)


def somebody_hits_or_attaches(spec: Spec) -> None:
    """There are CPUs that hit, or attach threads; and probes, or attach threads.

    A batch, HZ and a kind of attaching need attach threads too, and writers are those of one
    process. Raises SpecError.
    """
    if min(spec.attach_threads) == 0:
        if 0 in spec.cpus:
            message = "0 is out of range without attach_threads: allowed are 1 and more, nearest 1"
            raise SpecError("cpus", _at(spec.cpus, spec.cpus.index(0)), message)
        if 0 in spec.consumers:
            message = "0 leaves nothing to hit without attach_threads: nearest 1"
            raise SpecError("consumers", _at(spec.consumers, spec.consumers.index(0)), message)
        if any(spec.batch):
            message = "is what attach_threads do; give at least 1 of those"
            raise SpecError("batch", None, message)
    if not any(spec.attach_threads):
        for axis in ("hz", "attach_kind"):
            if getattr(spec, axis) != (DISTURBING[axis],):
                message = "changes what attach_threads wait for; give at least 1 of those"
                raise SpecError(axis, None, message)
    processes_go_with(spec, spec.processes)


def processes_go_with(spec: Spec, asked: Sequence[int]) -> None:
    """These numbers of processes go with the axes of `spec`. Raises SpecError."""
    disturbed = any(getattr(spec, axis) != (default,) for axis, default in DISTURBING.items())
    if max(asked) > 1 and (disturbed or STRESS in spec.bench):
        message = f"only 1 goes with {STRESS}, {', '.join(DISTURBING)}"
        raise SpecError("processes", None, message)


def cells_fit(spec: Spec) -> None:
    """There are not more than MAX_CELLS cells. Raises SpecError."""
    lengths = {axis: len(getattr(spec, axis)) for axis in AXES}
    lengths["replicates"] = spec.first_replicates
    cells = math.prod(lengths.values())
    if cells > MAX_CELLS:
        longest = max(lengths, key=lambda axis: lengths[axis])
        message = f"makes {cells:,} cells in all; allowed are {MAX_CELLS:,}: make several specs"
        raise SpecError(longest, None, message)


def writers_have_a_duration(spec: Spec) -> None:
    """Cells with writers last for as long as they are told to. Raises SpecError."""
    disturbed = any(getattr(spec, axis) != (default,) for axis, default in DISTURBING.items())
    if spec.cell_precision is not None and (disturbed or STRESS in spec.bench):
        message = f"auto does not go with {STRESS}, {', '.join(DISTURBING)}: give a time, as 5ms"
        raise SpecError("duration", None, message)


CHECKS = (
    machines_have_the_cpus,
    designs_have_names_of_their_own,
    processes_have_cpus,
    somebody_hits_or_attaches,
    writers_have_a_duration,
    cells_fit,
)
"""In the order in which they are made."""


def _at(values: Sequence[object], index: int) -> int | None:
    """The index that an error names: none for an axis that is one value."""
    return index if len(values) > 1 else None
