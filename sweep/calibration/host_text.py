"""The machine file of a calibrated host, as text."""

from __future__ import annotations

from collections.abc import Sequence

from core.machine.machine import Machine
from sweep.live.host_timings import HostTimings
from sweep.live.timing import Timing
from sweep.machines.located_yaml import yaml_text
from sweep.machines.machine_file import machine_text


def host_text(
    machine: Machine,
    timings: HostTimings,
    lender: str,
    now: str,
    untold: Sequence[str] = (),
) -> str:
    """The machine file of a calibrated host: what was timed, then the machine as YAML.

    `untold` says which hand-offs told nothing.
    """
    assert machine.calibration is not None
    figures = [("one multiplication", n, "cores", t) for n, t in timings.clock.items()]
    figures += [("system call", n, "cores", t) for n, t in timings.system_call.items()]
    figures += [("locked operation", n, "CPUs", t) for n, t in timings.contended.items()]
    header = [
        f"This host, written by `uprobe-sweep calibrate --host` on {now}, Linux {timings.kernel}.",
        f"Costs that are not among calibration.intervals are those of {lender}.",
        "Timed, in ns of a thread: the median over runs of that of undisturbed windows, the range",
        "of the medians of their eighths in all runs, and the range of the runs' own medians.",
        *(f"  {what}, {n} {of}: {_said(t)}" for what, n, of, t in figures),
        *(f"  a line's way, {distance}: {_said(t)}" for distance, t in timings.one_way.items()),
        *(
            f"  {kind}, {distance}: {_said(t)}"
            for kind, by_distance in timings.hand_offs.items()
            for distance, t in by_distance.items()
        ),
        *(f"  {h.bench}, {h.flavour}: {_said(h.time)}" for h in timings.hits),
        *(f"Not told, so {lender}'s: {said}" for said in untold),
    ]
    section = {"calibration": machine.calibration.model_dump(mode="json")}
    return machine_text(machine, header) + yaml_text(section)


def _said(timing: Timing) -> str:
    return f"{timing.ns:.2f} [{timing.low:.2f}, {timing.high:.2f}] {timing.spread:.1%}"
