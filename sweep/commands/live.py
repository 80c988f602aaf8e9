"""`uprobe-sweep live`: the benches on the running kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sweep.commands import completing
from sweep.commands.asked import MEMBERS, not_calibrated
from sweep.commands.shared import load, out_option, print_json, shown_cells, strict_option
from sweep.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.store.folder import Location
    from sweep.store.schema import Row

_seconds = click.FloatRange(min=0)

USUAL = ("uprobe-nop", "uretprobe-nop")


@click.command()
@click.argument("spec", required=False, shell_complete=completing.specs)
@click.option(
    "--bench",
    metavar="B,B",
    shell_complete=completing.axis("bench"),
    help="Benches, in place of SPEC's.",
)
@click.option("--cpus", metavar="N,N", help="Numbers of CPUs; without it, 1, 2, 4, ... and all.")
@click.option("--warmup", type=_seconds, default=1.0, show_default=True, metavar="S")
@click.option("--duration", type=_seconds, default=5.0, show_default=True, metavar="S")
@click.option("--sample", type=_seconds, default=1.0, show_default=True, metavar="S")
@click.option(
    "--attach",
    type=click.Choice(["bpf", "perf"]),
    default="bpf",
    show_default=True,
    help="A BPF program counts, as in the kernel's bench, or the perf events do, one a CPU.",
)
@click.option("--predict", is_flag=True, help="Then print what is predicted of this host beside.")
@out_option
@strict_option
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def live(
    spec: str | None,
    bench: str | None,
    cpus: str | None,
    warmup: float,
    duration: float,
    sample: float,
    attach: str,
    predict: bool,
    out: Location | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Measure real uprobes on this host's kernel.

    SPEC is a spec, whose benches and CPU counts are measured, or benches by name. Needs root, or
    CAP_PERFMON and CAP_BPF. Probes a file of its own only, in which as many threads as CPUs call
    one function, and checks that every call was counted. Times are in seconds. Measurements add up
    in the run's folder, as replicates.

    \b
    uprobe-sweep live uprobe-nop --cpus 1,2
    uprobe-sweep live uprobe-nop5                  # a call, not int3, from v6.18 on
    uprobe-sweep live uprobe-nop --cpus 1,2 --predict
    uprobe-sweep tables live
    """
    from sweep.live.kernel import measured_on, running, said

    kernel = running()
    benches, counts = _asked(spec, bench, cpus)
    from sweep.live.refused import BusyHostError, refuse_if_impossible
    from sweep.live.rows import LiveRun
    from sweep.live.session import check_request, measure_one
    from sweep.report.tables import letter_line
    from sweep.store.scan import RUNS
    from sweep.store.schema import UNSHARED

    check_request(benches, counts, attach, (warmup, duration, sample))
    refuse_if_impossible()
    out = out or RUNS / "live"
    rows, flavour = [], ""
    with LiveRun(out) as run:
        if not as_json:
            print(said(measured_on(kernel)))
            for assumption in measured_on(kernel).assumed:
                print(f"assumed: {assumption}")
        for name in benches:
            for count in counts:
                made = measure_one(name, count, warmup, duration, sample, attach)
                if strict and made.cpu_share < UNSHARED:
                    raise BusyHostError(
                        f"{name}, {count} CPUs: the threads had {made.cpu_share:.0%} of their "
                        "CPUs; stop what else runs here"
                    )
                rows.append(run.append(made))
                if as_json:
                    continue
                if made.flavour != flavour:
                    print(f"\n{made.flavour}: {made.path_taken}")
                flavour = made.flavour
                print(letter_line(rows[-1]), flush=True)
    if predict:
        _beside(rows, attach, as_json)
    elif as_json:
        print_json(rows)
    if not as_json:
        if any(row["cpu_share"] < UNSHARED for row in rows):
            print("\n! something else ran on these CPUs: the figures are too low")
        print(f"\n{len(rows)} measurements, every call counted: {out}")


def _beside(rows: Sequence[Row], attach: str, as_json: bool) -> None:
    from contextlib import closing

    from sweep.executors.in_process import InProcessExecutor
    from sweep.machines.host import HOST
    from sweep.report.beside_live import beside, render

    assumed = not_calibrated(HOST)
    if attach == "perf":
        assumed.append("one consumer a hit, as a BPF program is; perf events are one a CPU")
    with closing(InProcessExecutor()) as executor, shown_cells() as report:
        found = beside(rows, MEMBERS, executor, report)
    if as_json:
        print_json({"assumed": assumed, "rows": [one.to_dict() for one in found]})
        return
    print(f"\n{render(found)}", end="")
    for assumption in assumed:
        print(f"assumed: {assumption}")


def _asked(spec: str | None, bench: str | None, cpus: str | None) -> tuple[list[str], list[int]]:
    """Benches and CPU counts. Raises UsageError."""
    from core.kernel.bench import NAMED
    from sweep.live.session import usable_cpus
    from sweep.spec.axes import AXES
    from sweep.spec.files import names_spec, spec_names

    there = len(usable_cpus())
    counts = sorted({n for n in (2**i for i in range(12)) if n < there} | {there})
    benches = list(USUAL)
    if spec is not None and all(part in NAMED for part in spec.split(",")):
        benches = spec.split(",")
    elif spec is not None:
        if not names_spec(spec):
            from sweep.errors import nearest

            known = nearest(spec, [*NAMED, *spec_names()])
            raise UsageError(f"no such spec or bench: {spec}: {known}, or a .yaml or .py file")
        loaded = load(spec, ())
        for name, axis in AXES.items():
            if not axis.measured and name != "seed" and getattr(loaded, name) != (axis.default,):
                raise UsageError(f"{spec}: {name}: live measures {axis.default} only")
        benches, counts = list(loaded.bench), list(loaded.cpus)
    if bench is not None:
        benches = bench.split(",")
    if cpus is not None:
        counts = _numbers(cpus.split(","))
    return benches, counts


def _numbers(texts: Sequence[str]) -> list[int]:
    for text in texts:
        if not text.strip().isdecimal():
            raise UsageError(f"--cpus {','.join(texts)}: write whole numbers, as in 1,2")
    return [int(text) for text in texts]
