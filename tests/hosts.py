"""Made-up /sys and /proc trees of hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

INTEL = "vendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) Silver 4114 CPU @ 2.20GHz\n"


@dataclass(frozen=True)
class Cpu:
    """Where one CPU sits. Cores and caches are numbered over all of the host; None: not told."""

    core: int | None
    socket: int | None = 0
    cache: int | None = 0
    max_khz: int | None = 3_000_000
    capacity: int | None = None
    online: bool = True


def write_host(root: Path, cpus: Sequence[Cpu], cpuinfo: str = INTEL) -> Path:
    """A host whose CPU i is `cpus[i]`. Offline CPUs keep a bare folder, as the kernel has it."""
    base = root / "sys/devices/system/cpu"
    online = [i for i, cpu in enumerate(cpus) if cpu.online]

    def put(path: Path, text: object) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")

    def like(i: int, name: str) -> str:
        mine = getattr(cpus[i], name)
        return ",".join(str(j) for j in online if getattr(cpus[j], name) == mine)

    put(base / "online", ",".join(map(str, online)))
    put(base / "present", f"0-{len(cpus) - 1}")
    for i, cpu in enumerate(cpus):
        folder = base / f"cpu{i}"
        folder.mkdir(parents=True)
        if not cpu.online:
            continue
        if cpu.socket is not None:
            put(folder / "topology/physical_package_id", cpu.socket)
        if cpu.core is not None:
            put(folder / "topology/thread_siblings_list", like(i, "core"))
        put(folder / "cache/index0/level", 1)
        put(folder / "cache/index0/shared_cpu_list", i)
        if cpu.cache is not None:
            put(folder / "cache/index3/level", 3)
            put(folder / "cache/index3/shared_cpu_list", like(i, "cache"))
        if cpu.max_khz is not None:
            put(folder / "cpufreq/cpuinfo_max_freq", cpu.max_khz)
        if cpu.capacity is not None:
            put(folder / "cpu_capacity", cpu.capacity)
    put(root / "proc/cpuinfo", f"processor\t: 0\n{cpuinfo}\nprocessor\t: 1\n{cpuinfo}")
    return root


def cores_first(sockets: int, cores: int, threads: int = 2) -> list[Cpu]:
    """Linux on bare metal, one cache a socket."""
    all_cores = range(sockets * cores)
    return [Cpu(c, c // cores, c // cores) for _ in range(threads) for c in all_cores]


def siblings_adjacent(sockets: int, cores: int, shared_by: int) -> list[Cpu]:
    """As many guests number, `shared_by` cores a cache."""
    return [Cpu(c, c // cores, c // shared_by) for c in range(sockets * cores) for _ in range(2)]
