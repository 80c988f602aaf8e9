"""Predictions beyond a machine's size: the same costs, more cores of the same kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.machine.machine import MAX_CPUS, Machine
from sweep.errors import UsageError


@dataclass(frozen=True)
class Extended:
    """A machine with CPUs enough, and in words what had to be assumed; "" if nothing."""

    machine: Machine
    assumed: str


def extended(machine: Machine, cpus: int) -> Extended:
    """`machine` with at least `cpus` CPUs. Calibration and members stay.

    A machine of one socket gets more cores, in its last-level caches: more caches if it has
    several, a larger one otherwise. One of several sockets gets more sockets, as far apart as
    those that there are. The clock stays that of all its cores. Raises UsageError beyond MAX_CPUS.
    """
    if cpus > MAX_CPUS:
        raise UsageError(f"{cpus:,} CPUs: allowed are 1 to {MAX_CPUS:,}, nearest {MAX_CPUS:,}")
    if cpus <= machine.cpus:
        return Extended(machine, "")
    tree = machine.model_dump(mode="json", exclude={"calibration"})
    costs = f"the costs of {machine.name} ({machine.cpus} CPUs) hold for"
    if machine.sockets > 1:
        socket = machine.cpus // machine.sockets
        tree["sockets"] = -(-cpus // socket)
        assumed = f"{costs} {tree['sockets']} sockets of {socket} CPUs, all equally far apart"
    else:
        several = machine.cores_per_cache < machine.cores_per_socket
        step = machine.cores_per_cache if several else 1
        per_step = step * machine.threads_per_core
        cores = -(-cpus // per_step) * step
        tree["cores_per_socket"] = cores
        tree["cores_per_cache"] = machine.cores_per_cache if several else cores
        tree["turbo"][-1]["active_cores"] = max(cores, tree["turbo"][-1]["active_cores"])
        where = f"in caches of {step} cores" if several else "behind one last-level cache"
        assumed = f"{costs} {cores} cores of this kind on one socket, {where}, at the same clock"
    if tree["sockets"] * tree["cores_per_socket"] * tree["threads_per_core"] > MAX_CPUS:
        raise UsageError(f"{cpus:,} CPUs of whole sockets or caches are more than {MAX_CPUS:,}")
    larger = Machine.model_validate(tree)
    return Extended(larger.with_calibration(machine.calibration), assumed)


def for_counts(machine: Machine, cpus: Sequence[int]) -> Extended:
    """`extended` to the largest of several counts, so that all are of one machine."""
    return extended(machine, max(cpus))
