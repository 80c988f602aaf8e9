"""What a spec can name, for people to choose from. Imports nothing heavy before it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.hardware.machine import Machine

Entries = list[dict[str, Any]]
"""One for each thing: its name, then what else is worth knowing, ready for JSON."""


def flavours() -> Entries:
    """Kernel designs: name, what the letter calls it or what it adds; then kernel releases."""
    from core.kernel.flavours import FLAVOURS, VERSIONS

    named = [{"name": f.name, "title": f.title} for f in FLAVOURS.values()]
    return named + [{"name": v, "title": f"Linux {v}: {same}"} for v, same in VERSIONS.items()]


def machines() -> Entries:
    """Shipped machines: name, number of logical CPUs, sockets x cores x threads, title."""
    from core.hardware.machine import load_machine, machine_names

    found = [load_machine(name) for name in machine_names()]
    return [{"name": m.name, "cpus": m.cpus, "shape": _shape(m), "title": m.title} for m in found]


def _shape(machine: Machine) -> str:
    return f"{machine.sockets} x {machine.cores_per_socket} x {machine.threads_per_core}"


def specs() -> Entries:
    """Shipped specs: name, number of cells. Raises UsageError for a broken one."""
    from sweep.plan import plan
    from sweep.spec import load_spec, spec_names

    return [{"name": name, "cells": len(plan(load_spec(name)))} for name in spec_names()]


def benches() -> Entries:
    """Benches: name."""
    from core.kernel.hot_path import BENCHES

    return [{"name": name} for name in BENCHES]


CATALOGUE = {"flavours": flavours, "machines": machines, "specs": specs, "benches": benches}
