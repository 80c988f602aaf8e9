"""`uprobe-sweep read-log`: figures of the kernel's own bench tool as a run."""

from __future__ import annotations

from pathlib import Path

import click

from sweep.errors import UsageError, nearest


@click.command("read-log")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option("--kernel", metavar="V", help="The release that was measured, like 6.12.8.")
@click.option("--flavour", metavar="F", help="The design, in place of a release's.")
@click.option("--machine", default="log", show_default=True, metavar="NAME", help="Whose log.")
@click.option("--bench", metavar="B", help="For Summary lines that no line names the bench of.")
@click.option("--cpus", type=click.IntRange(min=1), metavar="N", help="Producers, likewise.")
@click.option("--out", type=click.Path(path_type=Path), help="The run's own folder.")
def read_log(
    files: tuple[Path, ...],
    kernel: str | None,
    flavour: str | None,
    machine: str,
    bench: str | None,
    cpus: int | None,
    out: Path | None,
) -> None:
    """Turn logs of the kernel's bench tool into rows of a run.

    Reads its `Summary: hits ...` lines and lines as the letter prints them, and says what was read.
    Reading a log again adds nothing.

    \b
    uprobe-sweep read-log bench.log --kernel 6.12.8 --machine epyc --out results/runs/epyc
    uprobe-sweep compare epyc cover-letter
    """
    if (kernel is None) == (flavour is None):
        raise UsageError("give either --kernel or --flavour: a log does not say what was measured")
    from core.kernel.bench import NAMED
    from sweep.live.bench_log import NO_MODEL, read, rows
    from sweep.live.code import CALL_OPCODE, INT3
    from sweep.live.kernel import flavour_of, is_release
    from sweep.report.tables import letter_line
    from sweep.spec.axes import AXES
    from sweep.store.provenance import provenance
    from sweep.store.scan import RUNS, finished
    from sweep.store.store import Store

    if kernel is not None and not is_release(kernel):
        from core.kernel.flavours import VERSIONS

        raise UsageError(f"--kernel {kernel}: {nearest(kernel, VERSIONS)}, or any like 6.12.8")
    if flavour is not None:
        flavour = AXES["flavour"]("--flavour", None, flavour)
    if bench is not None and bench.removesuffix("5") not in NAMED:
        raise UsageError(f"--bench {bench}: {nearest(bench, NAMED)}")
    found = [line for path in files for line in read(path, bench, cpus)]
    flavours = [
        flavour
        or flavour_of(kernel or "", NAMED[line.bench], CALL_OPCODE if line.nop_bytes == 5 else INT3)
        for line in found
    ]
    out = out or RUNS / "log"
    made = rows(found, flavours, machine, kernel, out.name)
    there = finished(out)
    about = {**provenance({}), "model_version": NO_MODEL}
    with Store(out, {"run_id": out.name, "spec": {}, "provenance": about}) as store:
        for row in made:
            if row["cell_id"] not in there:
                store.append(row)
    for row in made:
        print(f"{letter_line(row)}  {row['flavour']}")
    print(f"{len(made)} figures: {out}")
