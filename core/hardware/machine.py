"""One hardware model, read from one YAML file and validated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Count = Annotated[int, Field(ge=1)]
Nanoseconds = Annotated[float, Field(ge=0, le=10_000)]
Number = int | float
"""Kept as it is written: whole or not."""
Cycles = Annotated[int, Field(ge=0, le=100_000)]

MACHINES = resources.files("core.hardware") / "machines"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Turbo(_Strict):
    """Core clock when at most `active_cores` cores of the socket are busy."""

    active_cores: Count
    ghz: Annotated[float, Field(gt=0.1, lt=10)]


class Coherence(_Strict):
    """What moving a cache line costs. docs/model.md explains every field."""

    request_ns: Nanoseconds
    transfer_ns: Nanoseconds
    read_ns: Nanoseconds
    upgrade_ns: Nanoseconds
    other_socket_ns: Nanoseconds
    shared_read_ns: Nanoseconds
    acknowledge_ns: Nanoseconds
    sharer_ns: Nanoseconds
    out_of_order_ns: Nanoseconds
    commit_ns: Nanoseconds
    spread: Annotated[float, Field(ge=0, lt=1)]
    core_clock_share: Annotated[float, Field(ge=0, le=1)]


class Execution(_Strict):
    """What a core does by itself, in core cycles."""

    locked_op_cycles: Cycles
    smt_yield: Annotated[float, Field(ge=1, le=2)]
    jitter: Annotated[float, Field(ge=0, lt=0.5)]
    work_cycles: dict[str, Cycles]


class Discrepancy(_Strict):
    """Standard deviations of the model's own error, in the log of a hit's time.

    `uncontended` is that of the time a hit takes on a single CPU, `contended` that of what other
    CPUs add to it. See docs/model.md.
    """

    uncontended: Annotated[float, Field(ge=0, le=10)]
    contended: Annotated[float, Field(ge=0, le=10)]


class Calibration(_Strict):
    """What the fitted numbers rest on and how well they are known.

    Figures of primitives (name, CPUs) and cells (flavour, bench, CPUs) that were used; for each
    fitted number, by its dotted path in the machine, a 90 % interval; members of the ensemble, each
    with a value for all of them.
    """

    curves: tuple[tuple[str, int], ...]
    cells: tuple[tuple[str, str, int], ...]
    discrepancy: Discrepancy
    intervals: dict[str, tuple[Number, Number]]
    members: tuple[dict[str, Number], ...]


class Machine(_Strict):
    """Sockets, cores, clocks and costs of one machine.

    CPU numbering is the usual Linux one of these boards: first one thread of every core, socket by
    socket, then the second threads in the same order.
    """

    name: str
    title: str
    sockets: Count
    cores_per_socket: Count
    threads_per_core: Annotated[int, Field(ge=1, le=2)]
    turbo: tuple[Turbo, ...]
    coherence: Coherence
    execution: Execution
    calibration: Calibration | None = None

    @model_validator(mode="after")
    def _turbo_covers_the_socket(self) -> Machine:
        bins = [t.active_cores for t in self.turbo]
        if bins != sorted(set(bins)) or not bins or bins[-1] < self.cores_per_socket:
            raise ValueError(
                f"turbo must rise in active_cores and reach {self.cores_per_socket}, got {bins}"
            )
        return self

    def with_numbers(self, values: Mapping[str, float]) -> Machine:
        """This machine with other numbers at dotted paths, and so without its calibration.

        Raises KeyError for a path that leads to no number, ValueError (pydantic.ValidationError)
        for a number that cannot be there.
        """
        tree: dict[str, Any] = self.model_dump(mode="json", exclude={"calibration"})
        for path, value in values.items():
            node, leaf = _place(tree, path)
            node[leaf] = value
        return Machine.model_validate(tree)

    def with_calibration(self, calibration: Calibration | None) -> Machine:
        """This machine with another calibration section, or none."""
        # Not by model_copy, which would keep the cached digest and members.
        tree = self.model_dump(mode="json", exclude={"calibration"})
        return Machine.model_validate({**tree, "calibration": calibration})

    def number(self, path: str) -> float:
        """The number at a dotted path. Raises KeyError for a path that leads to none."""
        node, leaf = _place(self.model_dump(mode="json", exclude={"calibration"}), path)
        number: float = node[leaf]
        return number

    @cached_property
    def members(self) -> tuple[Machine, ...]:
        """The machines of the calibration's ensemble; none without a calibration.

        Raises ValueError, naming the member, for one whose numbers cannot be in this machine.
        """
        if self.calibration is None:
            return ()
        machines = []
        for index, member in enumerate(self.calibration.members):
            where = f"calibration.members[{index}]"
            if odd := sorted(member.keys() ^ self.calibration.intervals.keys()):
                raise ValueError(
                    f"{where}: {odd[0]} is not both there and in calibration.intervals"
                )
            try:
                machines.append(self.with_numbers(member))
            except KeyError as error:
                raise ValueError(f"{where}: no number is at {error.args[0]}") from None
            except ValidationError as error:
                first = error.errors()[0]
                path = ".".join(map(str, first["loc"]))
                raise ValueError(f"{where}: {path}: {first['msg']}") from None
        return tuple(machines)

    @property
    def cpus(self) -> int:
        """Number of logical CPUs."""
        return self.sockets * self.cores_per_socket * self.threads_per_core

    @cached_property
    def digest(self) -> str:
        """Hash of every value of the model, hex; part of a cell's identity."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _place(tree: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """Where the number at `path` is kept: a mapping and a key of it. Raises KeyError."""
    *parents, leaf = path.split(".")
    node: Any = tree
    for parent in parents:
        node = node.get(parent) if isinstance(node, dict) else None
    if not isinstance(node, dict) or not isinstance(node.get(leaf), int | float):
        raise KeyError(path)
    return node, leaf


def machine_names() -> list[str]:
    """Names of the machines that ship with the project."""
    return sorted(
        f.name.removesuffix(".yaml") for f in MACHINES.iterdir() if f.name.endswith(".yaml")
    )


def load_machine(name: str) -> Machine:
    """The shipped machine called `name`, or the one in the YAML file at path `name`.

    Raises KeyError for an unknown name, OSError for a file that cannot be read, ValueError
    (pydantic.ValidationError, yaml.YAMLError) for one that is no machine.
    """
    if name in machine_names():
        text = (MACHINES / f"{name}.yaml").read_text()
    elif name.endswith((".yaml", ".yml")):
        text = Path(name).read_text()
    else:
        raise KeyError(name)
    return _parsed(text)


@lru_cache(maxsize=32)
def _parsed(text: str) -> Machine:
    """The machine of a YAML text: a tenth of a second each, for the ensemble is long."""
    return Machine.model_validate(yaml.safe_load(text))
