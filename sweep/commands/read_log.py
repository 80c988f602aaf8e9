"""`uprobe-sweep read-log`: figures of the kernel's own bench tool as a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweep.commands import completing
from sweep.commands.shared import note, out_option, print_json
from sweep.errors import UsageError, counted, nearest

if TYPE_CHECKING:
    from core.kernel.releases import Modelled
    from sweep.live.bench_log import Line, Log, Span
    from sweep.store.folder import Location


class SpanType(click.ParamType["Span"]):
    """Lines of a log: `12-80`, `12-` or `12`."""

    name = "lines"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Span:
        """The first and the last line that the text names. Raises UsageError."""
        first, dash, last = str(value).partition("-")
        numbers = [first, last or ("9" * 12 if dash else first)]
        if not all(n.isascii() and n.isdecimal() for n in numbers) or int(first) < 1:
            raise UsageError(f"--lines {value}: write a first and a last line, as in 12-80")
        span = int(numbers[0]), int(numbers[1])
        if span[0] > span[1]:
            raise UsageError(f"--lines {value}: the last line is before the first")
        return span


@click.command("read-log")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option(
    "--kernel",
    metavar="V",
    shell_complete=completing.kernels,
    help="What was measured, as uname -r prints it.",
)
@click.option(
    "--flavour",
    metavar="F",
    shell_complete=completing.axis("flavour"),
    help="The design, in place of a release's.",
)
@click.option("--machine", default="log", show_default=True, metavar="NAME", help="Whose log.")
@click.option(
    "--bench",
    metavar="B",
    shell_complete=completing.axis("bench"),
    help="For Summary lines that no line names the bench of.",
)
@click.option(
    "--cpus", type=click.IntRange(min=1), metavar="N", help="Producers, where no line says."
)
@click.option("--lines", "span", type=SpanType(), metavar="A-B", help="Only these of each log.")
@click.option("--repeats", is_flag=True, help="Figures of one bench and CPU count are repeats.")
@out_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def read_log(
    files: tuple[Path, ...],
    kernel: str | None,
    flavour: str | None,
    machine: str,
    bench: str | None,
    cpus: int | None,
    span: Span | None,
    repeats: bool,
    out: Location | None,
    as_json: bool,
) -> None:
    """Turn logs of the kernel's bench tool into rows of a run.

    Reads its `Summary: hits ...` lines, the lines of run_bench_uprobes.sh and those that the letter
    prints, and says what was read, which design the kernel is taken for and which lines that look
    like a figure were not read. What a line says is never overridden by an option. A figure counts
    once, however often its log is read.

    \b
    uprobe-sweep read-log bench.log --kernel 6.12.8 --machine epyc --out results/runs/epyc
    uprobe-sweep read-log mail.txt --flavour srcu --lines 40-80
    uprobe-sweep compare epyc cover-letter
    """
    from core.kernel.bench import NAMED
    from sweep.live.bench_log import read
    from sweep.live.kernel import described, modelled, said
    from sweep.live.log_rows import rows
    from sweep.report.tables import letter_line
    from sweep.spec.axes import AXES
    from sweep.store.place import run_name
    from sweep.store.provenance import provenance
    from sweep.store.scan import RUNS, is_run, scan
    from sweep.store.schema import LOG, NO_MODEL
    from sweep.store.store import Store

    if kernel is not None and flavour is not None:
        raise UsageError("give either --kernel or --flavour, not both")
    if flavour is not None:
        flavour = AXES["flavour"].check("--flavour", None, flavour)
    if bench is not None and bench not in NAMED:
        raise UsageError(f"--bench {bench}: {nearest(bench, NAMED)}")
    if kernel is not None:
        modelled(kernel)
    logs = [read(path, bench, cpus, span) for path in files]
    releases = [_release(log, kernel, flavour) for log in logs]
    out = out or RUNS / "log"
    name = run_name(out)
    there = scan(out).collect() if is_run(out) else None
    if there is not None and set(there["source"]) - {LOG}:
        raise UsageError(f"{out} holds a run that is not of logs: choose another --out")
    before = [] if there is None else there.to_dicts()
    found = [
        (line, flavour or _design(line, modelled(release or "")), release)
        for log, release in zip(logs, releases, strict=True)
        for line in log.lines
    ]
    made = rows(found, machine, name, before, repeats)
    known = {row["cell_id"] for row in before}
    about = {**provenance({}), "model_version": NO_MODEL}
    with Store(out, {"run_id": name, "spec": {}, "provenance": about}) as store:
        for row in made:
            if row["cell_id"] not in known:
                store.append(row)
    kernels = [] if flavour else [modelled(r) for r in dict.fromkeys(releases) if r]
    assumed = [text for kernel in kernels for text in kernel.assumed]
    if any(NAMED[r["bench"]].instruction in k.release.patches for k in kernels for r in made):
        assumed.append("every 5-byte nop had become a call: a log does not say")
    if as_json:
        read_as = {"kernels": [described(k) for k in kernels], "assumed": assumed}
        print_json({**read_as, "rows": made})
    else:
        for taken in kernels:
            print(said(taken))
        for row in made:
            print(f"{letter_line(row)}  {row['flavour']}")
        for text in assumed:
            print(f"assumed: {text}")
    for text in (text for log in logs for text in log.notes):
        note(text)
    if again := len(found) - sum(row["cell_id"] not in known for row in made):
        note(f"{again} of {len(found)} figures were counted before")
    if not as_json:
        print(f"{counted(len(made), 'figure')}: {out}")


def _design(line: Line, kernel: Modelled) -> str:
    """Nobody can look at a log's probe: the kernel is taken to have made the call that it could."""
    from core.kernel.bench import NAMED
    from sweep.live.code import CALL_OPCODE
    from sweep.live.kernel import flavour_of

    return flavour_of(kernel, NAMED[line.bench], CALL_OPCODE)


def _release(log: Log, kernel: str | None, flavour: str | None) -> str | None:
    """Which kernel a log is of. Raises UsageError if nothing says so, or two say different."""
    said, place = log.system.get("kernel", (None, ""))
    if said is None:
        if kernel is None and flavour is None:
            raise UsageError(
                "give either --kernel or --flavour: the log does not say what was measured"
            )
        return kernel
    asked = None if kernel is None else kernel.removeprefix("v")
    prefixes = (f"{asked}.", f"{asked}-", f"{asked}+")
    if asked is not None and said != asked and not said.startswith(prefixes):
        raise UsageError(f"--kernel {kernel}: {place} says {said}")
    return kernel or said
