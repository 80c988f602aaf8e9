"""The clock of a host's cores while all are busy, as far as /sys and /proc tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from sweep.machines.sysfs import read, read_number

LOWEST_KHZ, HIGHEST_KHZ = 100_000, 10_000_000
"""Between these a clock is believed; a machine takes no other."""

_NAMED = re.compile(r"@\s*([0-9](?:\.[0-9]{1,3})?)\s*GHz")

BOOST = {
    "cpufreq/boost": 1,
    "amd_pstate/cpb_boost": 1,
    "intel_pstate/no_turbo": 0,
}
"""Files below cpu/ that say whether clocks may rise above the nominal one, and what means yes."""


def busy_ghz(
    cpus: Path, folders: Sequence[Path], about: Sequence[Mapping[str, str]]
) -> tuple[float, str] | None:
    """GHz of every core with all of them busy, and in words where it is from; None if unknown.

    The nominal clock where there is one: the highest is one busy core's where boost is on, and what
    a core does at a moment is an idle one's more often than not.
    """
    if khz := _least(folders, "cpufreq/base_frequency"):
        return _ghz(khz), "the base clock"
    if khz := _least(folders, "acpi_cppc/nominal_freq", khz=1000):
        return _ghz(khz), "the nominal clock"
    if steps := [s for folder in folders if (s := _highest_step(folder))]:
        return _ghz(min(steps)), "the highest clock without boost"
    highest = _least(folders, "cpufreq/cpuinfo_max_freq")
    if highest and _boosted(cpus) is False:
        return _ghz(highest), "the highest clock, boost being off"
    for entry in about:
        named = _NAMED.search(entry.get("model name", ""))
        if named and _is_clock(1e6 * float(named[1])):
            return float(named[1]), "the nominal clock in its model's name"
    if highest:
        said = "boost being on" if _boosted(cpus) else "which may be boosted"
        return _ghz(highest), f"the highest clock, {said}"
    moments = [float(m) for entry in about if (m := _mhz(entry.get("cpu MHz", "")))]
    if moments:
        return _ghz(max(moments) * 1000), "the highest clock in /proc/cpuinfo when it was read"
    return None


def _ghz(khz: float) -> float:
    return round(khz / 1e6, 3)


def _least(folders: Sequence[Path], name: str, khz: int = 1) -> int | None:
    """The least of the CPUs' values, `khz` each, that can be a clock; in kHz."""
    values = [khz * (read_number(folder / name) or 0) for folder in folders]
    return min(filter(_is_clock, values), default=None)


def _is_clock(khz: float) -> bool:
    """Whether a core can have this clock: some firmware says 0."""
    return LOWEST_KHZ < khz < HIGHEST_KHZ


def _boosted(cpus: Path) -> bool | None:
    for name, means_yes in BOOST.items():
        if (said := read_number(cpus / name)) is not None:
            return said == means_yes
    return None


def _highest_step(folder: Path) -> int | None:
    """acpi-cpufreq's list; Intel's first entry 1 MHz above the nominal clock stands for turbo."""
    text = read(folder / "cpufreq/scaling_available_frequencies") or ""
    words = [word for word in text.split() if word.isascii() and word.isdecimal()]
    steps = sorted(filter(_is_clock, map(int, (word for word in words if len(word) < 9))))
    if len(steps) > 1 and steps[-1] - steps[-2] == 1000:
        steps.pop()
    return steps[-1] if steps else None


def _mhz(text: str) -> str | None:
    found = re.fullmatch(r"[0-9]+(\.[0-9]+)?", text)
    return text if found and _is_clock(1000 * float(text)) else None
