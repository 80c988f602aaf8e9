"""One hardware model, as one YAML file describes it, validated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib import resources
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from ruamel.yaml import YAML

from core.machine.numbering import Numbering
from core.machine.work import with_derived

MAX_CPUS = 1024

Count = Annotated[int, Field(ge=1, le=100_000)]
Nanoseconds = Annotated[float, Field(ge=0, le=10_000)]
Number = int | float
"""Kept as it is written: whole or not."""
Cycles = Annotated[int, Field(ge=0, le=100_000)]

MACHINES = resources.files("core.machine") / "machines"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Turbo(_Strict):
    """Core clock when at most `active_cores` cores of the socket are busy."""

    active_cores: Count
    ghz: Annotated[float, Field(gt=0.1, lt=10)]


class Coherence(_Strict):
    """What moving a cache line costs. docs/model.md explains every field.

    `other_cache_ns` is added between two last-level caches of a socket, `other_socket_ns` between
    sockets, instead of it; to a load of a modified line `load_crossing` times that, to a sharer's
    request to write `upgrade_crossing` times.
    """

    request_ns: Nanoseconds
    snoop_ns: Nanoseconds
    transfer_ns: Nanoseconds
    spread: Annotated[float, Field(ge=0, lt=1)]
    residency_ns: Nanoseconds
    store_residency_ns: Nanoseconds
    residency_spread: Annotated[float, Field(ge=0, lt=1)]
    locked_per_stay: Count
    load_hold_ns: Nanoseconds
    upgrade_hold_ns: Nanoseconds
    waiter_ns: Nanoseconds = 0.0
    sibling_ns: Nanoseconds = 0.0
    other_cache_ns: Nanoseconds = 0.0
    other_socket_ns: Nanoseconds
    load_crossing: Annotated[float, Field(ge=0, le=10)]
    upgrade_crossing: Annotated[float, Field(ge=0, le=10)]
    snoop_crossing: Annotated[float, Field(ge=0, le=1)]
    shared_read_ns: Nanoseconds

    @property
    def one_way_ns(self) -> float:
        """What a line that nobody else wants takes within a last-level cache."""
        return self.request_ns + self.snoop_ns + self.transfer_ns


class Execution(_Strict):
    """What a core does by itself, in core cycles."""

    locked_op_cycles: Cycles
    load_cycles: Cycles
    commit_cycles: Cycles
    cmpxchg_cycles: Cycles
    late_answer_cycles: Cycles
    barrier_answer_cycles: Cycles
    mispredict_cycles: Cycles = 20
    smt_window_cycles: Cycles
    smt_yield: Annotated[float, Field(ge=1, le=2)]
    jitter: Annotated[float, Field(ge=0, lt=0.5)]
    work_cycles: dict[str, Cycles]

    @property
    def work(self) -> dict[str, int]:
        """Cycles of all private work: `work_cycles`, and what follows from it."""
        return with_derived(self.work_cycles, self.load_cycles)


class Discrepancy(_Strict):
    """Standard deviations of the model's own error, in the log of a hit's time.

    `uncontended` is that of a hit that meets nobody, `contended` that of one that only waits. See
    docs/model.md.
    """

    uncontended: Annotated[float, Field(ge=0, le=10)]
    contended: Annotated[float, Field(ge=0, le=10)]


class Calibration(_Strict):
    """What the fitted numbers rest on and how well they are known.

    Figures of primitives (name, CPUs) and cells (flavour, bench, CPUs) that were used; for each
    fitted number, by its dotted path in the machine, a 90 % interval; members of the ensemble, each
    with a value for all of them.
    """

    model_config = ConfigDict(strict=False)

    curves: tuple[tuple[str, int], ...]
    cells: tuple[tuple[str, str, int], ...]
    discrepancy: Discrepancy
    intervals: dict[str, tuple[Number, Number]]
    members: tuple[dict[str, Number], ...]


class Machine(_Strict):
    """Sockets, cores, caches, clocks and costs of one machine of at most MAX_CPUS CPUs.

    `cores_per_cache` cores share a last-level cache: a CCX, a die of an arm64 part, by default the
    socket. Every rule is of one field, so that an error can name the field's line.
    """

    name: Annotated[str, Field(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z")]
    title: str
    sockets: Count
    cores_per_socket: Count
    threads_per_core: Annotated[int, Field(ge=1, le=2)]
    cores_per_cache: Count = Field(default_factory=lambda data: data.get("cores_per_socket", 1))
    numbering: Numbering = "cores-first"
    other_busy_cores: Annotated[int, Field(ge=0, le=MAX_CPUS)] = 0
    turbo: Annotated[tuple[Turbo, ...], Strict(False)]
    coherence: Coherence
    execution: Execution
    calibration: Calibration | None = None

    @field_validator("threads_per_core")
    @classmethod
    def _not_too_many(cls, threads: int, info: ValidationInfo) -> int:
        sockets, cores = info.data.get("sockets", 1), info.data.get("cores_per_socket", 1)
        if (cpus := sockets * cores * threads) > MAX_CPUS:
            product = f"{sockets} sockets x {cores} cores x {threads} threads are {cpus:,} CPUs"
            raise ValueError(f"{product}: allowed are at most {MAX_CPUS:,}")
        return threads

    @field_validator("cores_per_cache")
    @classmethod
    def _caches_divide_the_socket(cls, shared_by: int, info: ValidationInfo) -> int:
        cores = info.data.get("cores_per_socket", shared_by)
        if cores % shared_by:
            allowed = [n for n in range(1, cores + 1) if cores % n == 0]
            near = min(allowed, key=lambda n: abs(n - shared_by))
            raise ValueError(f"{shared_by} does not divide {cores} cores: nearest {near}")
        return shared_by

    @field_validator("turbo")
    @classmethod
    def _turbo_covers_the_socket(
        cls, turbo: tuple[Turbo, ...], info: ValidationInfo
    ) -> tuple[Turbo, ...]:
        cores = info.data.get("cores_per_socket", 0)
        bins = [step.active_cores for step in turbo]
        if bins != sorted(set(bins)) or not bins or bins[-1] < cores:
            raise ValueError(f"turbo must rise in active_cores and reach {cores}, got {bins}")
        return turbo

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

    @property
    def one_way_ns(self) -> dict[str, float]:
        """Mean latency of an idle modified line by distance, for the distances that there are.

        At the highest clock, without the operation itself: siblings share their core's copy.
        """
        near = self.coherence.one_way_ns
        latency = {"same core": 0.0} if self.threads_per_core > 1 else {}
        if self.cores_per_cache > 1:
            latency["same cache"] = near
        if self.cores_per_cache < self.cores_per_socket:
            latency["other cache"] = near + self.coherence.other_cache_ns
        if self.sockets > 1:
            latency["other socket"] = near + self.coherence.other_socket_ns
        return latency

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
    """The shipped machine called `name`. Raises KeyError for an unknown name."""
    if name not in machine_names():
        raise KeyError(name)
    return _parsed((MACHINES / f"{name}.yaml").read_text())


@lru_cache(maxsize=32)
def _parsed(text: str) -> Machine:
    """The machine of a YAML text: a tenth of a second each, for the ensemble is long."""
    return Machine.model_validate(YAML(typ="safe", pure=True).load(text))
