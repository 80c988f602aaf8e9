"""The axes of a spec and which values each may take."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from core.engine.spread import SPREADS
from core.kernel.flavours import FLAVOURS, VERSIONS, parse_flavour
from core.kernel.hot_path import BENCHES
from core.kernel.patches import PATCHES
from core.kernel.rcu_flavours import RCU
from core.machine.machine import machine_names
from core.workload import STRESS
from sweep.errors import UsageError, nearest, quoted
from sweep.machines.named import named_machine

MAX_COUNT = 1_000_000
"""The most probes, replicates, samples of a cell, cells of a spec: no typo may fill the memory."""
MAX_CONSUMERS = 32
"""The most consumers that stay: half of what a modelled function can have."""
MAX_STALLS = 1000
"""The most stalls a second: beyond, a thread hardly gets anywhere."""
MAX_SEED = 2**63 - 1

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%")

Check = Callable[[str, int | None, object], Any]
"""From axis, index and raw value to the value kept; raises SpecError."""


class SpecError(UsageError):
    """A spec that cannot be: `axis` and `index` (None for a value that is no list) say where."""

    def __init__(self, axis: str, index: int | None, message: str) -> None:
        self.axis, self.index = axis, index
        super().__init__(f"{axis}: {message}" if index is None else f"{axis}[{index}]: {message}")


def one_of(allowed: Sequence[str]) -> Check:
    """The check of an axis whose values are the names `allowed`."""

    def check(axis: str, index: int | None, value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            message = f"unknown {axis} {quoted(value)}: {nearest(str(value), allowed)}"
            raise SpecError(axis, index, message)
        return value

    return check


def whole_number(least: int, most: int, upto: str) -> Check:
    """The check of a whole number, `least` to `most`; `upto` says the latter in messages."""

    def check(axis: str, index: int | None, value: object) -> int:
        allowed = f"allowed are whole numbers from {least} to {upto}"
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise SpecError(axis, index, f"{quoted(value)} is not a whole number: {allowed}")
        number = operator.index(value)
        if not least <= number <= most:
            near = min(max(number, least), most)
            message = f"{quoted(number)} is out of range: {allowed}, nearest {near}"
            raise SpecError(axis, index, message)
        return number

    return check


def fraction(axis: str, index: int | None, value: object) -> float:
    """The check of a fraction between 0 and 1, given as a number or as text in per cent: "0.5%"."""
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    number = float(match[1]) / 100 if match else value
    if not isinstance(number, float) or not 0 < number < 1:
        allowed = "allowed are 0% to 100%, without these two, as in 0.5%"
        raise SpecError(axis, index, f"{quoted(value)} is no fraction: {allowed}")
    return number


def flavour(axis: str, index: int | None, value: object) -> str:
    """The check of a flavour: a named one or a kernel release, with `+patch` and `~patch` after."""
    try:
        return parse_flavour(value if isinstance(value, str) else quoted(value)).name
    except KeyError as error:
        message = _unknown_flavour(value, str(error.args[0]))
    except ValueError as error:
        message = f"{quoted(value)}: {error}"
    raise SpecError(axis, index, message)


def _unknown_flavour(value: object, word: str) -> str:
    """What is wrong with a flavour of which `word` is neither a name nor a patch."""
    named = [*FLAVOURS, *VERSIONS]
    if re.split("[+~]", str(value))[0] in named:
        patches = [patch.name for patch in PATCHES]
        return f"unknown patch {word!r} in {quoted(value)}: {nearest(word, patches)}"
    edits = ", each also with +patch and ~patch after it"
    return f"unknown flavour {quoted(value)}: {nearest(word, named)}{edits}"


def switch(axis: str, index: int | None, value: object) -> bool:
    """The check of an axis that is true or false."""
    if not isinstance(value, bool):
        raise SpecError(axis, index, f"{quoted(value)} is neither: allowed are true and false")
    return value


def machine(axis: str, index: int | None, value: object) -> str:
    """The check of a machine: what `sweep.machines.named.named_machine` takes."""
    if not isinstance(value, str):
        message = f"unknown machine {quoted(value)}: {nearest(str(value), machine_names())}"
        raise SpecError(axis, index, message)
    try:
        named_machine(value)
    except UsageError as error:
        raise SpecError(axis, index, str(error)) from None
    return value


AXES: dict[str, Check] = {
    "bench": one_of((*BENCHES, STRESS)),
    "flavour": flavour,
    "rcu": one_of(RCU),
    "owner_beside_count": switch,
    "cpus": whole_number(0, MAX_COUNT, "the machine's CPUs"),
    "probes": whole_number(1, MAX_COUNT, str(MAX_COUNT)),
    "processes": whole_number(1, MAX_COUNT, "the CPUs of every cell"),
    "spread": one_of(SPREADS),
    "attach_threads": whole_number(0, MAX_COUNT, "the machine's CPUs"),
    "mmap_threads": whole_number(0, MAX_COUNT, "the machine's CPUs"),
    "fork_threads": whole_number(0, MAX_COUNT, "the machine's CPUs"),
    "consumers": whole_number(0, MAX_CONSUMERS, str(MAX_CONSUMERS)),
    "batch": whole_number(0, MAX_COUNT, str(MAX_COUNT)),
    "stalls": whole_number(0, MAX_STALLS, str(MAX_STALLS)),
    "machine": machine,
    "seed": whole_number(0, MAX_SEED, str(MAX_SEED)),
}
"""Every axis, in the order of a plan, and the check of one of its values."""

REQUIRED = ("bench", "flavour", "cpus")
