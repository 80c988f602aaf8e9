"""The registry of axes: what a spec may vary, and all that the rest of the house knows of it.

A new axis is an entry of AXES and the field of `Cell` (or of `Workload`) that it becomes. Specs,
plans, rows, their schema, what is averaged, tables and help follow from these two.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.cell import Cell
from core.engine.spread import SPREADS
from core.kernel.flavours import FLAVOURS
from core.kernel.hot_path import BENCHES
from core.kernel.layout import BESIDE
from core.kernel.patches import PATCHES
from core.kernel.perf_events import ATTACH_KINDS
from core.kernel.rcu_flavours import RCU
from core.kernel.releases import RELEASES
from core.machine.machine import machine_names
from core.workload import STRESS, Workload
from sweep.errors import UsageError, nearest, quoted
from sweep.machines.named import named_machine
from sweep.spec.designs import named_flavour

MAX_COUNT = 1_000_000
"""The most probes, replicates and samples of a cell: no typo may fill the memory."""
MAX_CELLS = 1_000_000
"""The most cells of a spec: a plan of so many takes 10 s and 200 MB."""
MAX_CONSUMERS = 32
"""The most consumers that stay: half of what a modelled function can have."""
MAX_STALLS = 1000
"""The most stalls a second: beyond, a thread hardly gets anywhere."""
MAX_SEED = 2**63 - 1

_FRACTION = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%|([0-9.]{1,20}(?:e-?[0-9]{1,2})?)")

Check = Callable[[str, int | None, object], Any]
"""From axis, index and raw value to the value kept; raises SpecError."""


class SpecError(UsageError):
    """A spec that cannot be: `axis` and `index` (None for a value that is no list) say where."""

    def __init__(self, axis: str, index: int | None, message: str) -> None:
        self.axis, self.index = axis, index
        super().__init__(f"{axis}: {message}" if index is None else f"{axis}[{index}]: {message}")


@dataclass(frozen=True)
class OneOf:
    """The check of an axis whose values are the names `allowed`."""

    allowed: tuple[str, ...]

    def __call__(self, axis: str, index: int | None, value: object) -> str:
        """The value. Raises SpecError."""
        if not isinstance(value, str) or value not in self.allowed:
            message = f"unknown {axis} {quoted(value)}: {nearest(str(value), self.allowed)}"
            raise SpecError(axis, index, message)
        return value


@dataclass(frozen=True)
class OneWordOf:
    """The check of an axis whose values are the words `allowed`: YAML's true and false are too."""

    allowed: tuple[str, ...]

    def __call__(self, axis: str, index: int | None, value: object) -> str:
        """The word. Raises SpecError."""
        word = str(value).lower() if isinstance(value, bool) else value
        if not isinstance(word, str) or word not in self.allowed:
            raise SpecError(axis, index, f"{quoted(value)} is none of {', '.join(self.allowed)}")
        return word


@dataclass(frozen=True)
class OneNumberOf:
    """The check of an axis whose values are the numbers `allowed`."""

    allowed: tuple[int, ...]

    def __call__(self, axis: str, index: int | None, value: object) -> int:
        """The number. Raises SpecError."""
        if isinstance(value, bool) or value not in self.allowed:
            choice = ", ".join(map(str, self.allowed))
            raise SpecError(axis, index, f"{quoted(value)}: choose from {choice}")
        return operator.index(value)


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
    """The check of a fraction between 0 and 1: 0.005, or as text "0.005" or "0.5%"."""
    number = value
    if isinstance(value, str) and (match := _FRACTION.fullmatch(value)):
        try:
            number = float(match[1]) / 100 if match[1] else float(match[2])
        except ValueError:
            number = None
    if not isinstance(number, float) or not 0 < number < 1:
        allowed = "allowed are 0% to 100%, without these two, as in 0.5% or 0.005"
        raise SpecError(axis, index, f"{quoted(value)} is no fraction: {allowed}")
    return number


def flavour(axis: str, index: int | None, value: object) -> str:
    """The check of a flavour: what `sweep.spec.designs.named_flavour` takes."""
    try:
        text = value if isinstance(value, str) else quoted(value)
        named_flavour(text)
        return text
    except UsageError as error:
        message = str(error)
    except KeyError as error:
        message = _unknown_flavour(value, str(error.args[0]))
    except ValueError as error:
        message = f"{quoted(value)}: {error}"
    raise SpecError(axis, index, message)


def _unknown_flavour(value: object, word: str) -> str:
    """What is wrong with a flavour of which `word` is neither a name nor a patch."""
    named = [*FLAVOURS, *RELEASES]
    if re.split("[+~]", str(value))[0] in named:
        patches = [patch.name for patch in PATCHES]
        return f"unknown patch {word!r} in {quoted(value)}: {nearest(word, patches)}"
    edits = ", each also with +patch, ~patch or +FILE.py after it"
    return f"unknown flavour {quoted(value)}: {nearest(word, named)}{edits}"


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


@dataclass(frozen=True)
class Axis:
    """One axis: a field of `Cell` or, if there is none, of its `Workload`, by the same name.

    `type` is that of a value, and of the column in a run. `values` says to people what they may
    write. `default` is None where a spec has to choose. Rows of schema versions before `since` are
    read with `before`, what cells were before there was the axis: the default, unless it says
    otherwise. Those of versions before `retyped` have another type, and are cast. `measured` says
    that measurements on a real kernel, and logs, may have other values than the default.
    """

    type: type[str] | type[int] | type[bool]
    check: Check
    values: str
    default: Any = None
    since: int = 1
    before: Any = None
    retyped: int = 0
    measured: bool = False


_COUNT = whole_number(0, MAX_COUNT, "the machine's CPUs")

AXES: dict[str, Axis] = {
    "bench": Axis(
        str,
        OneOf((*BENCHES, STRESS)),
        f"a bench of the kernel's tool (`list benches`), or `{STRESS}`",
        measured=True,
    ),
    "flavour": Axis(
        str,
        flavour,
        "a kernel design or release (`list flavours`), `+patch`, `~patch` or `+FILE.py` after it",
        measured=True,
    ),
    "rcu": Axis(
        str,
        OneOf(tuple(RCU)),
        f"{', '.join(f'`{name}`' for name in RCU)}: read sections of another flavour of RCU. "
        "A design without any, like the baseline, stays as it is",
        Cell.rcu,
        since=2,
    ),
    "owner_beside_count": Axis(
        str,
        OneWordOf(tuple(BESIDE)),
        "`default`, `true`, `false`: whether `mmap_lock.owner` is on the line of its count, by "
        "default as in the release",
        Cell.owner_beside_count,
        since=2,
        before="false",
        retyped=4,
    ),
    "machine": Axis(
        str,
        machine,
        "a machine that ships (`list machines`), a file of yours, or `host`",
        "xeon-gold-6138",
        measured=True,
    ),
    "spread": Axis(
        str,
        OneOf(tuple(SPREADS)),
        f"how CPUs choose among the probes: {', '.join(f'`{name}`' for name in SPREADS)}",
        "shared",
    ),
    "probes": Axis(int, whole_number(1, MAX_COUNT, str(MAX_COUNT)), "how many there are", 1),
    "processes": Axis(
        int,
        whole_number(1, MAX_COUNT, "the CPUs of every cell"),
        "CPUs split over so many processes, neighbours together: each has its own `mmap_lock` and "
        "single-step slots",
        Cell.processes,
        since=2,
    ),
    "attach_threads": Axis(
        int, _COUNT, "threads that attach and detach links", Workload.attach_threads, since=3
    ),
    "mmap_threads": Axis(
        int, _COUNT, "threads that map the probed code", Workload.mmap_threads, since=3
    ),
    "fork_threads": Axis(int, _COUNT, "threads that fork and exec", Workload.fork_threads, since=3),
    "consumers": Axis(
        int,
        whole_number(0, MAX_CONSUMERS, str(MAX_CONSUMERS)),
        "consumers of every probe that stay",
        Workload.consumers,
        since=3,
    ),
    "batch": Axis(
        int,
        whole_number(0, MAX_COUNT, str(MAX_COUNT)),
        "probes of a link that attach threads attach once and detach; 0: as `uprobe-stress` does",
        Workload.batch,
        since=3,
    ),
    "stalls": Axis(
        int,
        whole_number(0, MAX_STALLS, str(MAX_STALLS)),
        "how often a second something keeps every thread that hits where it is",
        Workload.stalls,
        since=3,
    ),
    "hz": Axis(
        int,
        OneNumberOf((100, 250, 300, 1000)),
        "`100`, `250`, `300`, `1000`: the kernel's CONFIG_HZ, which grace periods go by",
        Workload.hz,
        since=4,
    ),
    "attach_kind": Axis(
        str,
        OneOf(tuple(ATTACH_KINDS)),
        "(also `attach`) `multi`, `perf-event`: how probes are attached, by uprobe_multi links of "
        "`batch` probes, or each by a perf event of its own",
        Workload.attach_kind,
        since=4,
    ),
    "seed": Axis(int, whole_number(0, MAX_SEED, str(MAX_SEED)), "of the random numbers", 0),
    "cpus": Axis(int, _COUNT, "how many hit the probes", measured=True),
}
"""Every axis, in the order of a plan: those that change slowest first."""

REQUIRED = tuple(name for name, axis in AXES.items() if axis.default is None)

DISTURBING = {name: AXES[name].default for name in AXES if name in Workload.__dataclass_fields__}
"""The axes of a workload, and what they are where nothing disturbs the hits."""

OF_PLACE = ("machine", "spread", "probes", "processes", "seed", "cpus")

OF_PATH = tuple(name for name in AXES if name not in (*DISTURBING, *OF_PLACE))
"""Axes that a hit's path may follow from: all but who hits what, where, and what disturbs them."""

ORDER = (*(name for name in AXES if name != "cpus"), "replicate", "cpus")
"""What tells the cells of a spec apart, in the order of a plan: a curve over CPUs is one piece."""
