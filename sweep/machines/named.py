"""Machines by what a spec or a command names them: a shipped name, a YAML file, or this host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.kernel.flavours import work_names
from core.machine.machine import (
    Calibration,
    Coherence,
    Execution,
    Machine,
    Turbo,
    load_machine,
    machine_names,
)
from core.machine.work import DERIVED, names_to_give
from sweep.errors import UsageError, nearest, quoted
from sweep.machines.host import HOST, host_file, host_machine, is_of
from sweep.machines.located_yaml import read_located

SUFFIXES = (".yaml", ".yml")

Complaint = tuple[tuple[str | int, ...], str]
"""Where in a machine something is wrong, and what is allowed there."""


class MachineError(UsageError):
    """A machine that cannot be: the keys in `place` lead to what is wrong."""

    def __init__(self, place: tuple[str | int, ...], said: str) -> None:
        self.place = place
        super().__init__(f"{'.'.join(map(str, place))}: {said}" if place else said)


def named_machine(name: str, folder: Path = Path()) -> Machine:
    """The shipped machine called `name`, the one in the file at path `name`, or `host`: this one.

    A relative path is from `folder`. Raises UsageError of one line; for a file that is no machine
    it begins "file:line: key".
    """
    if name == HOST:
        return _host()
    if name.endswith(SUFFIXES):
        return _from_file(folder / name)
    try:
        return load_machine(name)
    except KeyError:
        known = nearest(name, [*machine_names(), HOST])
        raise UsageError(f"unknown machine {quoted(name)}: {known}, or a .yaml file") from None


def calibrated_host() -> Machine | None:
    """This host with the costs that `calibrate --host` found; None if it was never run here.

    Raises UsageError for a file that is no machine, and as `sweep.machines.host.detect`.
    """
    path = host_file()
    if not path.is_file():
        return None
    calibrated = _from_file(path)
    return calibrated if is_of(calibrated, host_machine()[0]) else None


def _host() -> Machine:
    return calibrated_host() or host_machine()[0]


def valid_machine(values: dict[Any, Any]) -> Machine:
    """The machine with these values. Raises MachineError."""
    try:
        machine = Machine.model_validate(values)
    except ValidationError as error:
        raise MachineError(*_first(error)) from None
    if complaint := _work_missing(machine):
        raise MachineError(*complaint)
    try:
        _ = machine.members
    except ValueError as error:
        raise MachineError(("calibration", "members"), str(error)) from None
    return machine


def beside(machines: Any, folder: Path) -> Any:
    """A spec's machine or machines; relative files that are in `folder` lead there."""
    if isinstance(machines, list):
        return [_beside(machine, folder) for machine in machines]
    return _beside(machines, folder)


def _beside(machine: Any, folder: Path) -> Any:
    if isinstance(machine, str) and machine.endswith(SUFFIXES) and (folder / machine).is_file():
        return str(folder / machine)
    return machine


def _from_file(path: Path) -> Machine:
    if not path.is_file():
        near = sorted(str(p) for p in path.parent.glob("*.y*ml"))[:20] or machine_names()
        reason = "it is no file" if path.exists() else "No such file"
        raise UsageError(f"cannot read {quoted(str(path))}: {reason}: {nearest(str(path), near)}")
    located = read_located(path, example="sockets: 2")
    try:
        return valid_machine(located.values)
    except MachineError as error:
        raise UsageError(f"{path}:{located.line(*error.place)}: {error}") from None


def _work_missing(machine: Machine) -> Complaint | None:
    """What is wrong with the names in `work_cycles`; None if nothing is."""
    names, given = names_to_give(work_names()), machine.execution.work_cycles
    unknown = [name for name in given if name not in names]
    missing = [name for name in names if name not in given]
    place = ("execution", "work_cycles")
    if unknown and unknown[0] in DERIVED:
        return (*place, unknown[0]), "follows from other cycles and is not given (docs/model.md)"
    if unknown:
        return (*place, unknown[0]), f"unknown key: {nearest(unknown[0], missing or names)}"
    return (place, f"{', '.join(missing)} missing") if missing else None


def _first(error: ValidationError) -> Complaint:
    """One of pydantic's complaints, a misspelt key first."""
    errors = error.errors()
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    place = first["loc"]
    if first["type"] == "extra_forbidden":
        fields = {
            "coherence": Coherence.model_fields,
            "execution": Execution.model_fields,
            "turbo": Turbo.model_fields,
            "calibration": Calibration.model_fields,
        }
        allowed = fields.get(str(place[0]) if len(place) > 1 else "", Machine.model_fields)
        return place, f"unknown key: {nearest(str(place[-1]), allowed)}"
    if first["type"] == "missing":
        return place, "is missing"
    said = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return place, said
    return place, f"{said}, got {quoted(first['input'])}"
