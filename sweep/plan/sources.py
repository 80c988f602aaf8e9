"""The files that machines and designs of a run are made of, and what these are today.

A row has a name of a machine and of a flavour. Of those that the tree does not have, run.json keeps
what the spec called them, from which folder and on which host.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from core.kernel.design import Design
from core.machine.machine import Machine, load_machine, machine_names
from sweep.errors import UsageError, quoted
from sweep.machines.named import named_machine
from sweep.spec.designs import name_of, named_flavour, names_file
from sweep.spec.spec import Spec
from sweep.store.folder import Location
from sweep.store.scan import read_about, runs_at

T = TypeVar("T")

SOURCES = "files"
"""What run.json calls them."""


class Source(NamedTuple):
    """What a spec called a machine or a flavour, in which working folder, on which host."""

    named: str
    folder: str
    host: str


Sources = Mapping[str, Mapping[str, list[Source]]]
"""By "machine" and "flavour" and the names in rows; runs in one folder may have several of one."""

NO_SOURCES: Sources = {}


def sources_of(spec: Spec) -> dict[str, dict[str, list[Source]]]:
    """Those of a spec that is run now, here."""
    here = os.getcwd(), platform.node()
    own = [name for name in spec.machine if name not in machine_names()]
    files = [name for name in spec.flavour if names_file(name)]
    return {
        "machine": {named_machine(name).name: [Source(name, *here)] for name in own},
        "flavour": {name_of(name): [Source(name, *here)] for name in files},
    }


def sources_at(location: Location) -> dict[str, dict[str, list[Source]]]:
    """Those of the run at `location`, or of the runs in it. Raises as `read_about`."""
    return sources_in(*map(read_about, runs_at(location)))


def sources_in(*abouts: Mapping[str, Any]) -> dict[str, dict[str, list[Source]]]:
    """Those that descriptions of runs have; what is none of the kind is left out."""
    found: dict[str, dict[str, list[Source]]] = {"machine": {}, "flavour": {}}
    for about in abouts:
        kept = about.get(SOURCES)
        for kind, names in found.items():
            entries = kept.get(kind) if isinstance(kept, dict) else None
            for name, known in entries.items() if isinstance(entries, dict) else ():
                for one in known if isinstance(known, list) else ():
                    if isinstance(one, list) and len(one) == 3 and all(map(_is_text, one)):
                        names.setdefault(name, []).append(Source(*one))
    return found


def machines_today(name: str, sources: Sources) -> list[Machine]:
    """The machines that rows call `name`, as they are today, each as one of `sources` has it.

    Raises UsageError if none can be had.
    """
    known = sources.get("machine", {}).get(name, [])
    if not known and name in machine_names():
        return [load_machine(name)]
    return _today(name, known, named_machine)


def flavours_today(name: str, sources: Sources) -> list[str | Design]:
    """As `machines_today`, of a flavour."""
    if not names_file(name):
        return [name]
    return _today(name, sources.get("flavour", {}).get(name, []), named_flavour)


def _today(name: str, known: list[Source], named: Callable[[str, Path], T]) -> list[T]:
    found, errors = [], []
    for source in dict.fromkeys(known):
        try:
            if source.host != platform.node():
                raise UsageError(f"{name} is {source.named} on {source.host}")
            found.append(named(source.named, Path(source.folder)))
        except UsageError as error:
            errors.append(error)
    if not found:
        raise errors[0] if errors else UsageError(f"where {quoted(name)} is from was not kept")
    return found


def _is_text(value: object) -> bool:
    return isinstance(value, str)
