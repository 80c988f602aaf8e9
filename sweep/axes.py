"""The axes of a spec and which values each may take."""

from __future__ import annotations

import operator
import reprlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from core.engine.spread import SPREADS
from core.hardware.machine import (
    Calibration,
    Coherence,
    Execution,
    Machine,
    Turbo,
    load_machine,
    machine_names,
)
from core.kernel.flavours import FLAVOURS, VERSIONS, parse_flavour, work_names
from core.kernel.hot_path import BENCHES
from sweep.errors import UsageError, nearest

MAX_COUNT = 1_000_000
"""The most probes, replicates, samples of a cell, cells of a spec: no typo may fill the memory."""
MAX_SEED = 2**63 - 1

Check = Callable[[str, int | None, object], Any]
"""From axis, index and raw value to the value kept; raises SpecError."""


class SpecError(UsageError):
    """A spec that cannot be: `axis` and `index` (None for a value that is no list) say where."""

    def __init__(self, axis: str, index: int | None, message: str) -> None:
        self.axis, self.index = axis, index
        super().__init__(f"{axis}: {message}" if index is None else f"{axis}[{index}]: {message}")


def show(value: object) -> str:
    """`value` as an error message shows it: short, on one line."""
    return "nothing" if value is None else reprlib.repr(value)


def one_of(allowed: Sequence[str]) -> Check:
    """The check of an axis whose values are the names `allowed`."""

    def check(axis: str, index: int | None, value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            message = f"unknown {axis} {show(value)}: {nearest(str(value), allowed)}"
            raise SpecError(axis, index, message)
        return value

    return check


def whole(least: int, most: int, upto: str) -> Check:
    """The check of a whole number, `least` to `most`; `upto` says the latter in messages."""

    def check(axis: str, index: int | None, value: object) -> int:
        allowed = f"allowed are whole numbers from {least} to {upto}"
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise SpecError(axis, index, f"{show(value)} is not a whole number: {allowed}")
        number = operator.index(value)
        if not least <= number <= most:
            near = min(max(number, least), most)
            message = f"{show(number)} is out of range: {allowed}, nearest {near}"
            raise SpecError(axis, index, message)
        return number

    return check


def flavour(axis: str, index: int | None, value: object) -> str:
    """The check of a flavour: a named one or a kernel release, with `+patch` and `~patch` after."""
    try:
        return parse_flavour(value if isinstance(value, str) else show(value)).name
    except KeyError as error:
        word = str(error.args[0])
        message = f"unknown flavour {show(value)}: {nearest(word, [*FLAVOURS, *VERSIONS])}"
    except ValueError as error:
        message = f"{show(value)}: {error}"
    raise SpecError(axis, index, message)


def machine(axis: str, index: int | None, value: object) -> str:
    """The check of a machine: a shipped name, or the path of a YAML file that holds one."""
    if not isinstance(value, str):
        message = f"unknown machine {show(value)}: {nearest(str(value), machine_names())}"
        raise SpecError(axis, index, message)
    named_machine(value, index)
    return value


def named_machine(name: str, index: int | None = None) -> Machine:
    """As `core.hardware.machine.load_machine`, but raises SpecError with `index`."""
    try:
        machine = load_machine(name)
        if not (message := _work_missing(machine)):
            _ = machine.members  # raises for one that cannot be
            return machine
        message = f"{show(name)} is no machine: {message}"
    except KeyError:
        message = f"unknown machine {show(name)}: {nearest(name, machine_names())}, or a .yaml file"
    except OSError as error:
        near = [str(path) for path in Path(name).parent.glob("*.y*ml")] or machine_names()
        message = f"cannot read {show(name)}: {error.strerror}: {nearest(name, sorted(near)[:20])}"
    except ValidationError as error:
        message = f"{show(name)} is no machine: {_first(error)}"
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        message = f"{show(name)} is no machine: {' '.join(str(error).split())}"
    raise SpecError("machine", index, message)


def _work_missing(machine: Machine) -> str:
    """What is wrong with the names in `work_cycles`; "" if nothing is."""
    names, given = work_names(), machine.execution.work_cycles
    unknown = [name for name in given if name not in names]
    missing = [name for name in names if name not in given]
    where = "execution.work_cycles"
    if unknown:
        return f"{where}: unknown {unknown[0]!r}: {nearest(unknown[0], missing or names)}"
    return f"{where}: {', '.join(missing)} missing" if missing else ""


def _first(error: ValidationError) -> str:
    """One of pydantic's complaints, a misspelt key first: where, and what is allowed there."""
    errors = error.errors()
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    *parents, last = [str(part) for part in first["loc"]] or ["the file"]
    where = ".".join([*parents, last])
    if first["type"] != "extra_forbidden":
        return f"{where}: {first['msg']}, got {show(first['input'])}"
    fields = {
        "coherence": Coherence.model_fields,
        "execution": Execution.model_fields,
        "turbo": Turbo.model_fields,
        "calibration": Calibration.model_fields,
    }
    allowed = fields.get(parents[0] if parents else "", Machine.model_fields)
    return f"{where}: unknown key: {nearest(last, allowed)}"


AXES: dict[str, Check] = {
    "bench": one_of(BENCHES),
    "flavour": flavour,
    "cpus": whole(1, MAX_COUNT, "the machine's CPUs"),
    "probes": whole(1, MAX_COUNT, str(MAX_COUNT)),
    "spread": one_of(SPREADS),
    "machine": machine,
    "seed": whole(0, MAX_SEED, str(MAX_SEED)),
}
"""Every axis, in the order of a plan, and the check of one of its values."""

REQUIRED = ("bench", "flavour", "cpus")
