"""`uprobe-sweep explain-id`: what a cell's identity is made of."""

from __future__ import annotations

from collections.abc import Mapping

import click

from sweep.commands import completing
from sweep.commands.shared import json_option, load, print_columns, print_json, run_path, set_option
from sweep.errors import UsageError


@click.command("explain-id")
@click.argument("cell")
@click.option(
    "--run",
    metavar="RUN",
    shell_complete=completing.runs,
    help="Where to look, instead of in all of results/runs.",
)
@click.option(
    "--spec", metavar="SPEC", shell_complete=completing.specs, help="Look in the plan of SPEC."
)
@set_option
@json_option
def explain_id(
    cell: str, run: str | None, spec: str | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Say what the id of CELL is the hash of; the id's first digits will do.

    A cell is simulated again only if one of these parts changes. What would be another today, the
    model's version or the machine's values, is said.

    \b
    uprobe-sweep explain-id 1f0c6a --run cover-letter
    uprobe-sweep explain-id 1f0c6a --spec cover-letter --set cpus=1,2
    """
    if spec is not None and run is not None:
        raise UsageError("--run and --spec: give one of them")
    if settings and spec is None:
        raise UsageError("--set needs --spec")
    from sweep.plan.identity import of_cells, of_run
    from sweep.plan.plan import plan
    from sweep.plan.sources import sources_at
    from sweep.store.scan import RUNS

    if spec is not None:
        identity = of_cells(cell, plan(load(spec, settings)))
    else:
        identity = of_run(cell, RUNS if run is None else run_path(run))
    sources = {} if spec is not None else sources_at(RUNS if run is None else run_path(run))
    changed, unknown = identity.today(sources)
    if as_json:
        print_json(
            {
                "cell_id": identity.cell_id,
                "model_version": identity.model_version,
                **identity.parts,
                "whole": identity.is_whole,
                "now": changed,
                "unknown": unknown,
            }
        )
        return
    print(f"{identity.cell_id} is the hash of")
    lines = [["model version", identity.model_version, _now(changed, "model_version")]]
    for name, value in identity.parts.items():
        shown = " with values ".join(value) if name == "machine" else value
        lines.append([name, shown if shown != () else "none", _now(changed, name)])
    print_columns([["", *line] for line in lines])
    for why in unknown:
        print(f"what it would be today is not known: {why}")
    if not identity.is_whole:
        print("and of something else: another version of uprobe-sweep made it")


def _now(changed: Mapping[str, str], part: str) -> str:
    return f"today {changed[part]}" if part in changed else ""
