"""Latencies of grace periods, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from core.grace.timing import US
from sweep.report.grace import ALONE, BACK_TO_BACK, PUBLISHED_TRACE_MS, Grace
from sweep.terminal.text_table import ABSENT, numbers, table, to_text


def render(found: Grace) -> str:
    """The setting, the latencies beside their bounds, and the parts of a period."""
    return to_text(list(_parts(found)))


def _parts(found: Grace) -> Iterator[RenderableType]:
    setting = found.setting
    readers = (
        "idle CPUs, no readers"
        if setting.idle
        else f"{setting.rate:,g} sections of {_us(setting.section_ps)} us a second and CPU"
    )
    yield f"{setting.flavour}: {setting.cpus} CPUs, HZ={setting.hz}, {readers}, seed {setting.seed}"
    latencies = numbers(table("a call waits, us"), "calls", "p50", "p99", "max", "least", "most")
    for row in found.rows:
        times = (row.p50_ps, row.p99_ps, row.max_ps, row.low_ps, row.high_ps)
        latencies.add_row(row.name, str(row.calls), *map(_us, times))
    yield from ("", latencies, "", _lengths(found))
    if setting.flavour == "tasks-trace":
        published = ", ".join(
            f"{mean} ms (sd {sd}) {when}" for when, (mean, sd) in PUBLISHED_TRACE_MS.items()
        )
        yield f"published (8-CPU Skylake VM, 15,000 tasks): {published}"
    parts = numbers(table("of a period alone"), "mean, us")
    for name, mean_ps in found.parts.items():
        parts.add_row(name, _us(mean_ps))
    yield from ("", parts, "")
    wrong = found.finding
    yield f"{wrong.check}: {wrong.text}" if wrong else "no period was too short for its readers"


def _lengths(found: Grace) -> str:
    told = [
        f"{name} {mean / 1000 / US:,.3f} ms (sd {sd / 1000 / US:,.3f})"
        for name, (mean, sd) in found.lengths.items()
        if name in (ALONE, BACK_TO_BACK)
    ]
    return f"a period, begin to end: {', '.join(told)}"


def _us(time_ps: float | None) -> str:
    return ABSENT if time_ps is None else f"{time_ps / US:,.1f}"
