"""One point of a sweep, and what simulating it gives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import MODEL_VERSION
from core.kernel.consumers import STRESS_BENCHES
from core.kernel.design import Design
from core.kernel.digest import path_digest
from core.kernel.flavours import hot_path, layout_of, rules_of
from core.kernel.layout import Layout
from core.kernel.operation import Path
from core.kernel.what_if import edited
from core.machine.machine import Machine
from core.outcome import Share, StressOutcome
from core.two_states import States
from core.workload import STRESS, Workload

PS_PER_SECOND = 10**12

SAMPLES_OF_START = 2
"""Of a cell with a precision: they show how samples of one start vary."""


def identity_hash(model_version: str, identity: Mapping[str, Any]) -> str:
    """The id of the cell with this `identity`, see Cell, under that version of the model."""
    text = json.dumps([model_version, identity], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Cell:
    """Everything that decides a cell's numbers. Times are integer picoseconds.

    `rcu` is the flavour of RCU in the path's read sections, `default` those it came with. The CPUs
    are split over `processes` address spaces, neighbours together. `owner_beside_count`, one
    of `core.kernel.layout.BESIDE`, is by default as the flavour's kernel has it. `edits` change the
    path as `core.kernel.what_if.edited` does. `workload` is what disturbs the hits, if anything
    does. `design` is what a `flavour` is that the tree does not have.

    As the kernel's bench tool does, the mean is over `duration_ps // sample_ps + 1` samples of
    `sample_ps` each, taken after `warmup_ps`. With a `precision` so many are the most, and they are
    SAMPLES_OF_START from each of some starts with a warm-up each: as many as it takes until the
    95 % interval of the mean reaches no further than that share of it to either side. `ensemble` is
    how many members of the machine's ensemble give the prediction its interval; 0: it has none.
    """

    bench: str
    flavour: str
    cpus: int
    probes: int
    spread: str
    machine: Machine
    seed: int
    replicate: int
    warmup_ps: int
    duration_ps: int
    sample_ps: int
    rcu: str = "default"
    processes: int = 1
    owner_beside_count: str = "default"
    ensemble: int = 0
    edits: tuple[str, ...] = ()
    workload: Workload | None = None
    design: Design | None = None
    precision: float | None = None

    @property
    def kernel(self) -> str | Design:
        """Its flavour: a name, or what there is under that name."""
        return self.design or self.flavour

    @property
    def layout(self) -> Layout:
        """Where the words of its kernel are."""
        return layout_of(self.kernel, self.owner_beside_count, self.probes, self.processes)

    @property
    def paths(self) -> tuple[Path, ...]:
        """What a hit does; of STRESS, the paths that those of all its consumers are made of.

        Raises as `hot_path` and `edited`.
        """
        return _paths(self.kernel, self.bench, self.rcu, self.edits)

    @property
    def path_digest(self) -> str:
        """A word for its paths as compiled, and for its kernel's lifetime rules."""
        return _digest(self.kernel, self.bench, self.rcu, self.edits, self.owner_beside_count)

    @property
    def samples(self) -> int:
        """Number of samples that the mean is over; with a precision, at most."""
        return self.duration_ps // self.sample_ps + 1

    @cached_property
    def cell_id(self) -> str:
        """Identity: 16 hex digits of the hash of model version, parameters and seed.

        That is `identity_hash` of `identity`, in a third of the time.
        """
        text = identity_template(self) % tuple(getattr(self, name) for name in VARYING)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def identity(self) -> dict[str, Any]:
        """What the cell is named by beside the model's version; the machine is name and digest.

        `path` is `path_digest`: a patch that is edited makes other cells.
        """
        machine = [self.machine.name, self.machine.digest]
        return {**self._named(), "machine": machine, "path": self.path_digest}

    @cached_property
    def stream_key(self) -> tuple[int, int]:
        """What keys the cell's random numbers: the seed, and a word for what else names the cell.

        Neither the model's version, the machine's numbers, the ensemble, an edit nor what there is
        to the flavour beside its name changes it:
        cells that differ in these alone are compared by common random numbers.
        """
        apart = ("machine", "seed", "ensemble", "edits")
        drawn = {name: value for name, value in self._named().items() if name not in apart}
        text = json.dumps([drawn, self.machine.name], sort_keys=True)
        return self.seed, int(hashlib.blake2b(text.encode(), digest_size=8).hexdigest(), 16)

    def _named(self) -> dict[str, Any]:
        """The fields by name but for the design.

        Without a workload or a precision it is as if there were no such field.
        """
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        del named["design"]
        if self.precision is None:
            del named["precision"]
        if self.workload is None:
            del named["workload"]
        else:
            named["workload"] = asdict(self.workload)
        return named


VARYING = ("cpus", "replicate", "seed")
"""Fields that most cells of a sweep differ in, in the order of JSON's keys. No path knows them."""

_CONSTANT = attrgetter(*(f.name for f in fields(Cell) if f.name not in (*VARYING, "machine")))
_templates: dict[Any, str] = {}
MOST_TEMPLATES = 4096


def identity_template(cell: Cell) -> str:
    """What `identity_hash` hashes for `cell`, with a %d for each of VARYING."""
    machine = cell.machine
    key = (MODEL_VERSION, machine.name, machine.digest, cell.path_digest, _CONSTANT(cell))
    template = _templates.get(key)
    if template is None:
        marked = {**cell.identity, **{name: f"\0{name}" for name in VARYING}}
        template = json.dumps([MODEL_VERSION, marked], sort_keys=True).replace("%", "%%")
        for name in VARYING:
            template = template.replace(json.dumps(f"\0{name}"), "%d")
        if len(_templates) >= MOST_TEMPLATES:
            _templates.clear()
        _templates[key] = template
    return template


@lru_cache(maxsize=1024)
def _paths(kernel: str | Design, bench: str, rcu: str, edits: tuple[str, ...]) -> tuple[Path, ...]:
    benches = STRESS_BENCHES if bench == STRESS else (bench,)
    return tuple(edited(hot_path(kernel, name, rcu), edits) for name in benches)


@lru_cache(maxsize=1024)
def _digest(kernel: str | Design, bench: str, rcu: str, edits: tuple[str, ...], beside: str) -> str:
    # How many probes and processes there are is no part of a path.
    layout = layout_of(kernel, beside)
    return path_digest(_paths(kernel, bench, rcu, edits), rules_of(kernel, rcu), layout)


@dataclass(frozen=True)
class CellResult:
    """What one cell gave.

    `hits_per_sample` has shape (samples,): hits of all CPUs in each. `half_width` is that of the
    mean's 95 % interval as a share of it, if a precision was asked for; 1 if it is not to be told.
    `line_ops` counts the operations on shared lines that the weave served, warm-up included;
    `attribution` says where the CPUs' time in the samples went, `cpus` times that long in all;
    `wall_seconds` is the engine's own wall time. `predicted_low` and `predicted_high` are the ends
    of the 90 % interval of what the machine itself would do, hits per second; None without one.
    `states` are the two that the cell falls into by how its CPUs start, if its ensemble shows two.
    With a precision, or if the rate depends on that at all, hits, samples and attribution are those
    of many starts, a mixture, and `own_stddev` is the standard deviation over the samples of one,
    hits per second. `stress` is what came out beside hits, None without a workload.
    """

    cell_id: str
    hits_per_sample: NDArray[np.int64]
    sample_ps: int
    line_ops: int
    attribution: tuple[Share, ...]
    wall_seconds: float
    predicted_low: float | None = None
    predicted_high: float | None = None
    states: States | None = None
    stress: StressOutcome | None = None
    half_width: float | None = None
    own_stddev: float | None = None

    @property
    def hits(self) -> int:
        """Hits in all samples."""
        return int(self.hits_per_sample.sum())

    @property
    def sim_seconds(self) -> float:
        """Simulated time that the samples cover."""
        return len(self.hits_per_sample) * self.sample_ps / PS_PER_SECOND

    @property
    def hits_per_s(self) -> float:
        """Mean over the samples, hits per simulated second."""
        return float(self.hits_per_sample.mean()) * PS_PER_SECOND / self.sample_ps

    @property
    def hits_per_s_stddev(self) -> float:
        """Sample standard deviation (n - 1) over the samples of one run; 0 for a single one."""
        if self.own_stddev is not None:
            return self.own_stddev
        if len(self.hits_per_sample) < 2:
            return 0.0
        return float(self.hits_per_sample.std(ddof=1)) * PS_PER_SECOND / self.sample_ps
