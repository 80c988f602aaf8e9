"""What a spec can name, for people to choose from. Imports nothing heavy before it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.machine.machine import Machine

Entries = list[dict[str, Any]]
"""One for each thing: its name, then what else is worth knowing, ready for JSON."""


def flavours() -> Entries:
    """Kernel designs: name, what the letter calls it or what it adds; then kernel releases."""
    from core.kernel.flavours import FLAVOURS, spelt
    from core.kernel.releases import RELEASES

    named = [{"name": f.name, "title": f.title} for f in FLAVOURS.values()]
    releases = [
        {"name": r.name, "title": f"Linux from {r.first}: {spelt(r.patches)}"}
        for r in RELEASES.values()
    ]
    return named + releases


def patches() -> Entries:
    """Patches in the order of landing: name, what it does, since when, and what it builds on."""
    from core.kernel.patches import PATCHES
    from core.kernel.releases import landed_in

    needs = {p.name: f"; needs {', '.join(p.needs)}" if p.needs else "" for p in PATCHES}
    return [
        {"name": p.name, "title": f"{p.summary} ({landed_in(p.name)}){needs[p.name]}"}
        for p in PATCHES
    ]


def rcu() -> Entries:
    """Flavours of RCU for the read sections of a path: name, what one section does."""
    from core.kernel.rcu_flavours import DEFAULT, READ_SIDES

    own = {"name": DEFAULT, "title": "what the flavour's own patches use"}
    return [own, *({"name": s.name, "title": s.summary} for s in READ_SIDES.values())]


def machines() -> Entries:
    """Shipped machines: name, number of logical CPUs, sockets x cores x threads, title."""
    from core.machine.machine import load_machine, machine_names

    found = [load_machine(name) for name in machine_names()]
    return [{"name": m.name, "cpus": m.cpus, "shape": _shape(m), "title": m.title} for m in found]


def _shape(machine: Machine) -> str:
    return f"{machine.sockets} x {machine.cores_per_socket} x {machine.threads_per_core}"


def specs() -> Entries:
    """Shipped specs: name, number of cells. Raises UsageError for a broken one."""
    from sweep.plan.plan import plan
    from sweep.spec.files import load_spec, spec_names

    return [{"name": name, "cells": len(plan(load_spec(name)))} for name in spec_names()]


def benches() -> Entries:
    """Benches: name, what is probed and how."""
    from core.kernel.bench import NAMED

    return [{"name": bench.name, "title": bench.summary} for bench in NAMED.values()]


def axes() -> Entries:
    """Axes of a spec: name, default ("" where a spec has to choose), what may be written."""
    from sweep.spec.axes import AXES

    return [
        {"name": name, "default": _written(axis.default), "title": axis.values.replace("`", "")}
        for name, axis in AXES.items()
    ]


def _written(value: object) -> str:
    """A value as YAML has it."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


CATALOGUE = {
    "axes": axes,
    "flavours": flavours,
    "patches": patches,
    "rcu": rcu,
    "machines": machines,
    "specs": specs,
    "benches": benches,
}
