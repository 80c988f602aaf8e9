"""Whether all cores of a host are of one kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sweep.machines.cpu_model import ARM
from sweep.machines.sysfs import inexpressible, read, read_number

ALIKE = {"cpu_capacity": 0.8, "cpufreq/cpuinfo_max_freq": 0.8, "acpi_cppc/highest_perf": 0.7}
"""Cores whose value differs by more are of different kinds. Favoured cores of one kind (Turbo Boost
Max, AMD's preferred cores) differ by less."""


def refuse_different_kinds(
    root: Path, folders: Sequence[Path], about: Sequence[Mapping[str, str]], assumed: list[str]
) -> None:
    """Raises UsageError for cores of different kinds, as the `folders` of their CPUs tell.

    Caches of the third level that differ in size are taken as alike, with a sentence in `assumed`.
    """
    if (root / "sys/devices/cpu_atom").exists() and (root / "sys/devices/cpu_core").exists():
        raise inexpressible("CPUs of different kinds: /sys/devices has cpu_core and cpu_atom")
    for key in ("vendor_id", *ARM):
        if len(parts := {entry[key] for entry in about if key in entry}) > 1:
            raise inexpressible(f"CPUs of different kinds: {key} is {_listed(parts)}")
    for name, alike in ALIKE.items():
        values = [v for folder in folders if (v := read_number(folder / name))]
        if values and min(values) < alike * max(values):
            raise inexpressible(
                f"CPUs of different kinds: {name} is {min(values)} to {max(values)}"
            )
    sizes: dict[str, set[str]] = {}
    for folder in folders:
        for index in folder.glob("cache/index*"):
            level, kind = read_number(index / "level") or 0, read(index / "type") or ""
            if size := read(index / "size"):
                sizes.setdefault(f"L{level} {kind.lower()}".strip(), set()).add(size)
    for cache, different in sorted(sizes.items()):
        if len(different) > 1:
            if not cache.startswith(("L3", "L4")):
                raise inexpressible(f"CPUs of different kinds: {cache} is {_listed(different)}")
            assumed.append(f"{cache} caches of {_listed(different)} are taken as alike")


def _listed(values: set[str]) -> str:
    return " and ".join(sorted(values, key=lambda text: (len(text), text)))
