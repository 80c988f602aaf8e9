"""Live measurements as rows of the schema that simulated cells have."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.machine.machine import Machine
from sweep.errors import UsageError
from sweep.live.session import Measurement
from sweep.machines.host import CPUINFO, HOST, host_machine
from sweep.machines.sysfs import cpuinfo
from sweep.store.folder import Location
from sweep.store.place import run_name
from sweep.store.provenance import provenance
from sweep.store.scan import is_run, scan
from sweep.store.schema import LIVE, NO_MODEL, Row, measured_row
from sweep.store.settings import key_of
from sweep.store.store import Store


@dataclass(frozen=True)
class Here:
    """This host, as rows name it: `digest` is of its topology as /sys shows it."""

    cpu_model: str
    topology: str
    digest: str


def here() -> Here:
    """What to say of this host; the topology is left open where the model cannot express it."""
    try:
        machine, host = host_machine()
    except UsageError:
        about = cpuinfo(Path("/") / CPUINFO)
        return Here(about.get("model name", "CPU of unknown model"), "unknown", "unknown")
    return Here(host.model, _topology(machine), machine.digest)


def _topology(machine: Machine) -> str:
    shape = f"{machine.sockets} x {machine.cores_per_socket} x {machine.threads_per_core} CPUs"
    return f"{shape}, {machine.cores_per_cache} cores a cache, {machine.numbering}"


def row(measured: Measurement, host: Here, replicate: int = 0, run_id: str = LIVE) -> Row:
    """The row of a measurement; its identity includes the moment, for no two are the same."""
    identity = json.dumps([LIVE, time.time_ns(), measured.bench.name, measured.cpus, host.digest])
    return measured_row(
        LIVE,
        measured.cpus,
        measured.mean,
        cell_id=hashlib.blake2b(identity.encode(), digest_size=8).hexdigest(),
        run_id=run_id,
        bench=measured.bench.name,
        flavour=measured.flavour,
        machine=HOST,
        machine_digest=host.digest,
        replicate=replicate,
        warmup_s=measured.warmup_s,
        duration_s=measured.sample_s * (len(measured.samples) - 1),
        sample_s=measured.sample_s,
        hits=measured.hits_in_samples,
        sim_seconds=measured.sample_s * len(measured.samples),
        hits_per_s_stddev=measured.stddev,
        samples=len(measured.samples),
        wall_seconds=measured.seconds,
        kernel=measured.kernel,
        cpu_model=host.cpu_model,
        topology=host.topology,
        attach=measured.attach,
        nop_bytes=measured.bench.nop_bytes,
        cpu_share=measured.cpu_share,
    )


class LiveRun:
    """The run folder `out`, open to add measurements to. A context manager.

    What was measured there before stays; a measurement that differs from another in no key of
    `sweep.store.settings` is a further replicate of it. Raises
    UsageError for a folder that cannot be written, or that holds a simulated run.
    """

    def __init__(self, out: Location) -> None:
        self._repeats: Counter[tuple[Any, ...]] = Counter()
        if is_run(out):
            earlier = scan(out).collect()
            if set(earlier["source"]) - {LIVE}:
                raise UsageError(f"{out} holds a run that is not live: choose another --out")
            self._repeats.update(map(key_of, earlier.iter_rows(named=True)))
        self._host = here()
        about = {**provenance({}), "model_version": NO_MODEL}
        self._name = run_name(out)
        self._store = Store(out, {"run_id": self._name, "spec": {}, "provenance": about})

    def append(self, measured: Measurement) -> Row:
        """Keep a measurement. Returns its row. Raises InfrastructureError if it cannot."""
        made = row(measured, self._host, run_id=self._name)
        made["replicate"] = self._repeats[key_of(made)]
        self._repeats[key_of(made)] += 1
        self._store.append(made)
        return made

    def __enter__(self) -> LiveRun:
        return self

    def __exit__(self, *error: object) -> None:
        self._store.close()
