"""This host as a machine: its topology from /sys, its costs from the nearest shipped machine."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.machine.machine import MAX_CPUS, Machine, load_machine
from core.machine.numbering import ORDERS, Numbering, numbered
from sweep.machines.clock import busy_ghz
from sweep.machines.cpu_model import ARM, cpu_model, nearest_machine
from sweep.machines.kinds import refuse_different_kinds
from sweep.machines.sysfs import cpuinfos, inexpressible, read, read_cpus, read_number

HOST = "host"
"""What a spec calls the machine that it is read on; also that machine's name."""

HERE = Path("/")
CPUS = Path("sys/devices/system/cpu")
CPUINFO = Path("proc/cpuinfo")

SIBLINGS = ("topology/thread_siblings_list", "topology/core_cpus_list"), "topology/thread_siblings"
"""Lists of a CPU's siblings, and the mask that older kernels have."""


@dataclass(frozen=True)
class Host:
    """What /sys and /proc tell of a host; `assumed` says, a sentence each, what they did not.

    `ghz` is the clock of every core with all of them busy, None where the table of the same CPU
    holds. `model` is the CPU's, `costs_of` the nearest shipped machine and `same_model` whether
    that is the same CPU.
    """

    model: str
    sockets: int
    cores_per_socket: int
    threads_per_core: int
    cores_per_cache: int
    numbering: Numbering
    ghz: float | None
    costs_of: str
    same_model: bool
    assumed: tuple[str, ...]


def host_file() -> Path:
    """Where `calibrate --host` keeps what it found: in the user's configuration."""
    configuration = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(configuration) / "uprobe-sweep" / "host.yaml"


def is_of(calibrated: Machine, detected: Machine) -> bool:
    """Whether a calibrated machine is this host: of the same shape and CPU model."""
    shape = ("sockets", "cores_per_socket", "threads_per_core", "cores_per_cache", "numbering")
    same = all(getattr(calibrated, key) == getattr(detected, key) for key in shape)
    return same and calibrated.title == measured_title(detected)


def measured_title(detected: Machine) -> str:
    """The title that a detected machine has once its costs are measured."""
    return detected.title.replace("detected)", "measured)")


def host_machine(root: Path = HERE) -> tuple[Machine, Host]:
    """The host as a machine called `host`, and what was detected. Raises as `detect`."""
    host = detect(root)
    like = load_machine(host.costs_of)
    tree: dict[str, Any] = like.model_dump(mode="json", exclude={"calibration"})
    cores = f"{host.cores_per_socket} x {host.threads_per_core} CPUs"
    turbo = [{"active_cores": host.cores_per_socket, "ghz": host.ghz}]
    detected = {
        "name": HOST,
        "title": f"{host.sockets} x {host.model} ({cores}, detected)",
        "sockets": host.sockets,
        "cores_per_socket": host.cores_per_socket,
        "threads_per_core": host.threads_per_core,
        "cores_per_cache": host.cores_per_cache,
        "numbering": host.numbering,
        "turbo": tree["turbo"] if host.ghz is None else turbo,
    }
    return Machine.model_validate({**tree, **detected}), host


def detect(root: Path = HERE) -> Host:
    """The host whose /sys and /proc lie below `root`.

    Online CPUs count, in the order of their numbers. Raises UsageError for what the model cannot
    express: CPUs of different kinds, uneven sockets, cores or caches, a numbering that is none of
    `core.machine.numbering.ORDERS`; and for files that do not hold what the kernel writes.
    """
    assumed: list[str] = []
    cpus = _online(root / CPUS, assumed)
    folders = [root / CPUS / f"cpu{cpu}" for cpu in cpus]
    every = cpuinfos(root / CPUINFO)
    refuse_different_kinds(root, folders, every, assumed)
    sockets = _sockets(folders, assumed)
    cores = _domains(folders, cpus, *SIBLINGS)
    if cores is None:
        assumed.append("one thread a core: /sys names no siblings")
        cores = list(range(len(cpus)))
    threads = _even(cores, "cores", "threads online")
    if threads > 2:
        raise inexpressible(f"{threads} threads a core, but the model has at most 2")
    cores_per_socket = _even(sockets, "sockets", "CPUs online") // threads
    caches = _caches(folders, cpus, sockets, threads, assumed)
    shared_by = _even(caches, "last-level caches", "CPUs online") // threads
    if not shared_by or cores_per_socket % shared_by:
        raise inexpressible("threads of one core are in several caches or sockets")
    shape = max(sockets) + 1, cores_per_socket, shared_by, threads
    numbering = _numbering(sockets, caches, cores, shape)
    about = next((entry for entry in every if "model name" in entry or ARM[0] in entry), {})
    if "hypervisor" in about.get("flags", "").split():
        assumed.append("sockets, siblings and caches are as the hypervisor shows them")
    if root == HERE:
        assumed.extend(confinement(len(cpus)))
    model = cpu_model(about)
    costs_of, same_model = nearest_machine(model, about)
    like = load_machine(costs_of)
    ghz = None
    if not same_model or like.turbo[-1].active_cores < cores_per_socket:
        ghz, source = busy_ghz(root / CPUS, folders, every) or (
            like.turbo[-1].ghz,
            f"the clock of {costs_of}, which lends the costs: /sys and /proc give none",
        )
        assumed.append(f"{ghz:g} GHz with any number of cores busy: {source}")
    return Host(
        model=model,
        sockets=shape[0],
        cores_per_socket=cores_per_socket,
        threads_per_core=threads,
        cores_per_cache=shared_by,
        numbering=numbering,
        ghz=ghz,
        costs_of=costs_of,
        same_model=same_model,
        assumed=tuple(assumed),
    )


def confinement(online: int) -> list[str]:
    """In words, what keeps this process from using all of the host's online CPUs."""
    said = []
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else online
    if allowed < online:
        said.append(f"all {online} online CPUs, although this process may run on {allowed} of them")
    quota = (read(HERE / "sys/fs/cgroup/cpu.max") or "max").split()
    if len(quota) == 2 and all(word.isdecimal() for word in quota):
        share = int(quota[0]) / max(int(quota[1]), 1)
        if share < online:
            said.append(
                f"all {online} online CPUs, although this process may use {share:g} at once"
            )
    return said


def _online(folder: Path, assumed: list[str]) -> list[int]:
    found = (p.name.removeprefix("cpu") for p in folder.glob("cpu[0-9]*"))
    there = sorted(int(n) for n in found if n.isascii() and n.isdecimal() and len(n) < 6)
    listed = read_cpus(folder / "online")
    if listed is None:
        listed = frozenset(n for n in there if read(folder / f"cpu{n}/online") != "0")
    online = sorted(listed)
    if not online:
        raise inexpressible(f"{folder} lists no CPUs")
    if len(online) > MAX_CPUS:
        raise inexpressible(f"{len(online):,} CPUs, but the model has at most {MAX_CPUS:,}")
    present = read_cpus(folder / "present") or frozenset(there)
    if offline := len(present - listed):
        assumed.append(f"{offline} of {len(present)} CPUs are offline and left out")
    return online


def _sockets(folders: Sequence[Path], assumed: list[str]) -> list[int]:
    """The socket of every CPU, sockets numbered as they appear."""
    packages = [read_number(folder / "topology/physical_package_id") for folder in folders]
    if any(package is None or package < 0 for package in packages):
        assumed.append("one socket: /sys does not say which socket every CPU is in")
        return [0] * len(folders)
    return as_they_appear(packages)


def _domains(
    folders: Sequence[Path], cpus: Sequence[int], lists: Sequence[str], mask: str
) -> list[int] | None:
    """Which CPUs share what the files tell, numbered as they appear; None if a CPU has none.

    Raises UsageError for files that contradict each other.
    """
    shared: dict[int, frozenset[int]] = {}
    for cpu, folder in zip(cpus, folders, strict=True):
        name = next((n for n in lists if read(folder / n)), lists[0])
        there = read_cpus(folder / name, folder / mask)
        if there is None:
            return None
        shared[cpu] = there & {*cpus}
    for cpu, there in shared.items():
        if cpu not in there or any(shared[other] != there for other in there):
            raise inexpressible(f"{lists[0]} of cpu{cpu} and of the CPUs in it disagree")
    return as_they_appear([*shared.values()])


def _caches(
    folders: Sequence[Path],
    cpus: Sequence[int],
    sockets: Sequence[int],
    threads: int,
    assumed: list[str],
) -> list[int]:
    """The last-level cache of every CPU: the L3, an L2 that several cores share, or the socket."""
    found = [(read_number(i / "level") or 0, i.name) for i in folders[0].glob("cache/index*")]
    for level, name in sorted((f for f in found if f[0] > 1), reverse=True):
        shared = f"cache/{name}/shared_cpu"
        caches = _domains(folders, cpus, [f"{shared}_list"], f"{shared}_map")
        if caches is None or (level == 2 and max(Counter(caches).values()) <= threads):
            continue
        if len({*zip(sockets, caches, strict=True)}) > len({*caches}):
            assumed.append("one last-level cache a socket: /sys has one that is shared by more")
            return list(sockets)
        return caches
    assumed.append("one last-level cache a socket: /sys names no L3 cache")
    return list(sockets)


def _numbering(
    sockets: Sequence[int],
    caches: Sequence[int],
    cores: Sequence[int],
    shape: tuple[int, int, int, int],
) -> Numbering:
    """The first of ORDERS that puts the same CPUs together."""
    for numbering in ORDERS:
        there = numbered(numbering, *shape)
        levels = zip((there.socket, there.cache, there.core), (sockets, caches, cores), strict=True)
        if all(as_they_appear(would.tolist()) == list(sit) for would, sit in levels):
            return numbering
    raise inexpressible(f"CPUs are numbered in none of these ways: {', '.join(ORDERS)}")


def _even(labels: Sequence[int], what: str, of: str) -> int:
    """How many of each label there are. Raises UsageError if they differ."""
    counts = Counter(labels)
    few, many = min(counts.values()), max(counts.values())
    if few != many:
        raise inexpressible(f"uneven {what}: some have {many} {of}, some {few}")
    return many


def as_they_appear(keys: Sequence[Hashable]) -> list[int]:
    """A number for every key, the same for equal ones, from 0 as they appear."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]
