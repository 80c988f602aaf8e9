"""One hardware model, read from one YAML file and validated."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=1)]
Nanoseconds = Annotated[float, Field(ge=0, le=10_000)]
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
    other_socket_ns: Nanoseconds
    shared_read_ns: Nanoseconds
    out_of_order_ns: Nanoseconds
    commit_ns: Nanoseconds
    spread: Annotated[float, Field(ge=0, lt=1)]
    snoop_share: Annotated[float, Field(ge=0, le=1)]
    core_clock_share: Annotated[float, Field(ge=0, le=1)]


class Execution(_Strict):
    """What a core does by itself, in core cycles."""

    locked_op_cycles: Cycles
    smt_yield: Annotated[float, Field(ge=1, le=2)]
    jitter: Annotated[float, Field(ge=0, lt=0.5)]
    work_cycles: dict[str, Cycles]


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

    @model_validator(mode="after")
    def _turbo_covers_the_socket(self) -> Machine:
        bins = [t.active_cores for t in self.turbo]
        if bins != sorted(set(bins)) or not bins or bins[-1] < self.cores_per_socket:
            raise ValueError(
                f"turbo must rise in active_cores and reach {self.cores_per_socket}, got {bins}"
            )
        return self

    @property
    def cpus(self) -> int:
        """Number of logical CPUs."""
        return self.sockets * self.cores_per_socket * self.threads_per_core

    @cached_property
    def digest(self) -> str:
        """Hash of every value of the model, hex; part of a cell's identity."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


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
    return Machine.model_validate(yaml.safe_load(text))
