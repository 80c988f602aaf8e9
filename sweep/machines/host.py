"""This host as a machine: its topology from /sys, its costs from the nearest shipped machine."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.machine.machine import MAX_CPUS, Machine, load_machine, machine_names
from sweep.errors import UsageError
from sweep.machines.sysfs import cpu_list, cpuinfo, read

HOST = "host"
"""What a spec calls the machine that it is read on; also that machine's name."""

CPUS = Path("sys/devices/system/cpu")
CPUINFO = Path("proc/cpuinfo")

ALIKE = 0.8
"""Cores whose capacity or highest clock differ more than by this are of different kinds. Favoured
cores of one kind (Turbo Boost Max) differ by a few per cent."""

COSTS_OF_VENDOR = {"GenuineIntel": "xeon-gold-6138", "AuthenticAMD": "epyc-milan"}
"""The machine to borrow costs from, by x86 vendor; any arm64 part borrows from kunpeng-920."""


@dataclass(frozen=True)
class Host:
    """What /sys and /proc tell of a host; `assumed` says, a sentence each, what they did not.

    `ghz` is the highest clock, None if unknown. `model` is the CPU's, `costs_of` the nearest
    shipped machine and `same_model` whether that is the same CPU.
    """

    model: str
    sockets: int
    cores_per_socket: int
    threads_per_core: int
    cores_per_cache: int
    numbering: str
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


def host_machine(root: Path = Path("/")) -> tuple[Machine, Host]:
    """The host as a machine called `host`, and what was detected. Raises as `detect`."""
    host = detect(root)
    like = load_machine(host.costs_of)
    tree: dict[str, Any] = like.model_dump(mode="json", exclude={"calibration"})
    cores = f"{host.cores_per_socket} x {host.threads_per_core} CPUs"
    turbo = [{"active_cores": host.cores_per_socket, "ghz": host.ghz or like.turbo[0].ghz}]
    if host.same_model and like.turbo[-1].active_cores >= host.cores_per_socket:
        turbo = tree["turbo"]
    detected = {
        "name": HOST,
        "title": f"{host.sockets} x {host.model} ({cores}, detected)",
        "sockets": host.sockets,
        "cores_per_socket": host.cores_per_socket,
        "threads_per_core": host.threads_per_core,
        "cores_per_cache": host.cores_per_cache,
        "numbering": host.numbering,
        "turbo": turbo,
    }
    return Machine.model_validate({**tree, **detected}), host


def detect(root: Path = Path("/")) -> Host:
    """The host whose /sys and /proc lie below `root`.

    Online CPUs count, in the order of their numbers. Raises UsageError for what the model cannot
    express: CPUs of different kinds, uneven sockets, cores or caches, another numbering.
    """
    assumed: list[str] = []
    cpus = _online(root / CPUS, assumed)
    folders = [root / CPUS / f"cpu{cpu}" for cpu in cpus]
    _refuse_different_kinds(root, folders)
    sockets = _sockets(folders, assumed)
    cores = _domains(folders, cpus, "topology/thread_siblings_list")
    if cores is None:
        assumed.append("one thread a core: /sys names no siblings")
        cores = list(range(len(cpus)))
    threads = _even(cores, "cores", "threads online")
    if threads > 2:
        raise _inexpressible(f"{threads} threads a core, but the model has at most 2")
    cores_per_socket = _even(sockets, "sockets", "CPUs online") // threads
    numbering = _numbering(sockets, cores, cores_per_socket, threads)
    cores_per_cache = _cores_per_cache(folders, cpus, cores, cores_per_socket, assumed)
    about = cpuinfo(root / CPUINFO)
    if "hypervisor" in about.get("flags", "").split():
        assumed.append("sockets, siblings and caches are as the hypervisor shows them")
    model = about.get("model name") or about.get("Processor") or "CPU of unknown model"
    costs_of, same_model = _nearest_machine(model, about)
    ghz = _ghz(folders, about, same_model, assumed)
    return Host(
        model,
        max(sockets) + 1,
        cores_per_socket,
        threads,
        cores_per_cache,
        numbering,
        ghz,
        costs_of,
        same_model,
        tuple(assumed),
    )


def _online(folder: Path, assumed: list[str]) -> list[int]:
    there = sorted(int(p.name[3:]) for p in folder.glob("cpu[0-9]*") if p.name[3:].isdigit())
    listed = read(folder / "online")
    online = cpu_list(listed) if listed else there
    if not online:
        raise _inexpressible(f"{folder} lists no CPUs")
    if len(online) > MAX_CPUS:
        raise _inexpressible(f"{len(online):,} CPUs, but the model has at most {MAX_CPUS:,}")
    present = cpu_list(read(folder / "present") or "") or there
    if offline := len(set(present) - set(online)):
        assumed.append(f"{offline} of {len(present)} CPUs are offline and left out")
    return online


def _sockets(folders: Sequence[Path], assumed: list[str]) -> list[int]:
    """The socket of every CPU, sockets numbered as they appear."""
    packages = [read(folder / "topology/physical_package_id") for folder in folders]
    if any(package is None or package.startswith("-") for package in packages):
        assumed.append("one socket: /sys does not say which socket every CPU is in")
        return [0] * len(folders)
    return _as_they_appear(packages)


def _domains(folders: Sequence[Path], cpus: Sequence[int], name: str) -> list[int] | None:
    """Which CPUs share what file `name` lists, numbered as they appear; None if one lacks it."""
    lists = [read(folder / name) for folder in folders]
    if not all(lists):
        return None
    return _as_they_appear([tuple(sorted({*cpu_list(text or "")} & {*cpus})) for text in lists])


def _cores_per_cache(
    folders: Sequence[Path],
    cpus: Sequence[int],
    cores: Sequence[int],
    cores_per_socket: int,
    assumed: list[str],
) -> int:
    """Cores that share an L3 cache, or all of a socket."""
    indices = sorted(folders[0].glob("cache/index*"))
    shared = [index.name for index in indices if int(read(index / "level") or 0) >= 3]
    caches = _domains(folders, cpus, f"cache/{shared[0]}/shared_cpu_list") if shared else None
    if caches is None:
        assumed.append("one last-level cache a socket: /sys names no L3 cache")
        return cores_per_socket
    cache_of_core = dict(zip(cores, caches, strict=True))
    shared_by = _even([cache_of_core[core] for core in sorted(cache_of_core)], "L3 caches", "cores")
    if shared_by > cores_per_socket:
        assumed.append("one last-level cache a socket: /sys has one that is shared by more")
        return cores_per_socket
    for core, cache in cache_of_core.items():
        if cache != core // shared_by:
            raise _inexpressible(f"cores that share an L3 cache are not neighbours (core {core})")
    return shared_by


def _numbering(
    sockets: Sequence[int], cores: Sequence[int], cores_per_socket: int, threads: int
) -> str:
    for cpu, (socket, core) in enumerate(zip(sockets, cores, strict=True)):
        if socket != core // cores_per_socket:
            raise _inexpressible(f"CPUs are not numbered socket by socket (the CPU in place {cpu})")
    places = range(len(cores))
    if list(cores) == [cpu % (len(cores) // threads) for cpu in places]:
        return "cores-first"
    if list(cores) == [cpu // threads for cpu in places]:
        return "siblings-adjacent"
    raise _inexpressible("CPUs are numbered neither cores first nor siblings adjacent")


def _refuse_different_kinds(root: Path, folders: Sequence[Path]) -> None:
    for name in ("cpu_capacity", "cpufreq/cpuinfo_max_freq"):
        values = [int(text) for folder in folders if (text := read(folder / name))]
        if values and min(values) < ALIKE * max(values):
            low, high = min(values), max(values)
            raise _inexpressible(f"CPUs of different kinds: {name} is {low} to {high}")
    if (root / "sys/devices/cpu_atom").exists() and (root / "sys/devices/cpu_core").exists():
        raise _inexpressible("CPUs of different kinds: /sys/devices has cpu_core and cpu_atom")


def _ghz(
    folders: Sequence[Path], about: Mapping[str, str], same_model: bool, assumed: list[str]
) -> float | None:
    highest = [int(f) for folder in folders if (f := read(folder / "cpufreq/cpuinfo_max_freq"))]
    if highest:
        ghz = round(min(highest) / 1e6, 3)
        if not same_model:
            assumed.append(f"{ghz} GHz, the highest clock, with any number of cores busy")
        return ghz
    moment = re.fullmatch(r"[0-9]+(\.[0-9]+)?", about.get("cpu MHz", ""))
    if moment and 100 < float(moment[0]) < 10_000:
        ghz = round(float(moment[0]) / 1000, 3)
        assumed.append(f"{ghz} GHz, the clock in /{CPUINFO} when it was read: /sys has none")
        return ghz
    assumed.append("the clock of the machine that lends the costs: /sys and /proc give none")
    return None


def _nearest_machine(model: str, about: Mapping[str, str]) -> tuple[str, bool]:
    """The shipped machine to borrow costs from, and whether it is of the same CPU."""
    words = set(re.findall("[a-z0-9]+", model.lower()))
    for name in machine_names():
        if words.issuperset(name.split("-")):
            return name, True
    if "CPU implementer" in about:
        return "kunpeng-920", False
    return COSTS_OF_VENDOR.get(about.get("vendor_id", ""), "generic"), False


def _even(labels: Sequence[int], what: str, of: str) -> int:
    """How many of each label there are. Raises UsageError if they differ."""
    counts = Counter(labels)
    few, many = min(counts.values()), max(counts.values())
    if few != many:
        raise _inexpressible(f"uneven {what}: some have {many} {of}, some {few}")
    return many


def _as_they_appear(keys: Sequence[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _inexpressible(what: str) -> UsageError:
    return UsageError(f"cannot model this host: {what}; 'uprobe-sweep machine new' takes numbers")
