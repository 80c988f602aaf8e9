"""`uprobe-sweep machine`: describe a machine by numbers, detect this host, show any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.machine.numbering import ORDERS, Numbering
from sweep.commands import completing
from sweep.commands.output import force_option, output_option, refuse_output
from sweep.commands.shared import json_option, print_columns, print_json
from sweep.errors import UsageError

if TYPE_CHECKING:
    from core.machine.machine import Machine

_count = click.IntRange(min=1)
_ns = click.FloatRange(min=0, min_open=True, max=10_000)


@click.group()
def machine() -> None:
    """Write machine files, and show machines.

    \b
    uprobe-sweep machine show xeon-gold-6138
    uprobe-sweep machine new big --sockets 4 --cores 28 --siblings 2 -o big.yaml
    uprobe-sweep machine host -o here.yaml

    A spec names a shipped machine, a file (machine: big.yaml) or this host (machine: host).
    """


@machine.command()
@click.argument("name")
@click.option("--sockets", type=_count, required=True, metavar="S")
@click.option("--cores", type=_count, required=True, metavar="C", help="Cores of a socket.")
@click.option(
    "--siblings", type=click.IntRange(1, 2), required=True, metavar="T", help="Threads of a core."
)
@click.option(
    "--cores-per-cache",
    type=_count,
    metavar="K",
    help="Cores that share a last-level cache; without it, all of a socket.",
)
@click.option(
    "--numbering",
    type=click.Choice(list(ORDERS)),
    help="How CPUs are numbered; without it, as --like.",
)
@click.option("--ghz", type=float, metavar="F", help="One clock, however many cores are busy.")
@click.option("--turbo", metavar="N:F,N:F", help="Clock with up to N busy cores of a socket.")
@click.option(
    "--same-cache-ns", type=_ns, metavar="NS", help="A line's way to a core of the same cache."
)
@click.option("--other-cache-ns", type=_ns, metavar="NS", help="To another cache of the socket.")
@click.option("--other-socket-ns", type=_ns, metavar="NS", help="To another socket.")
@click.option(
    "--like",
    default="generic",
    show_default=True,
    metavar="MACHINE",
    shell_complete=completing.axis("machine"),
    help="Whatever is not given is as on this one: a shipped name, a file, or host.",
)
@output_option()
@force_option
def new(
    name: str,
    sockets: int,
    cores: int,
    siblings: int,
    cores_per_cache: int | None,
    numbering: Numbering | None,
    ghz: float | None,
    turbo: str | None,
    same_cache_ns: float | None,
    other_cache_ns: float | None,
    other_socket_ns: float | None,
    like: str,
    output: Path,
    force: bool,
) -> None:
    """Write the machine NAME, built by numbers, to a file.

    Latencies are one way and in ns, as core-to-core tables print them. Where --same-cache-ns is
    given, the costs of loads change in proportion; the file has every cost, to be edited. The
    ensemble, for intervals, is kept unless latencies are given.

    \b
    uprobe-sweep machine new big --sockets 4 --cores 28 --siblings 2 -o big.yaml
    uprobe-sweep machine new rome --sockets 2 --cores 64 --siblings 2 --cores-per-cache 4 \\
        --turbo 8:3.4,64:3.2 --same-cache-ns 25 --other-cache-ns 120 --other-socket-ns 220 \\
        --like epyc-milan -o rome.yaml
    """
    _refuse_name(name)
    if ghz is not None and turbo is not None:
        raise UsageError("--ghz and --turbo exclude each other")
    from sweep.machines.located_yaml import yaml_text
    from sweep.machines.machine_file import (
        machine_text,
        parse_turbo,
        with_latencies,
        write_machine_file,
    )
    from sweep.machines.named import SUFFIXES, named_machine, valid_machine

    refuse_output(output, force, SUFFIXES)
    lender = named_machine(like)
    values: dict[str, Any] = lender.model_dump(mode="json", exclude={"calibration"})
    given = dict(
        zip(
            ("--same-cache-ns", "--other-cache-ns", "--other-socket-ns"),
            (same_cache_ns, other_cache_ns, other_socket_ns),
            strict=True,
        )
    )
    if turbo is not None:
        clocks = parse_turbo(turbo)
    elif ghz is not None:
        clocks = [{"active_cores": cores, "ghz": ghz}]
    else:
        clocks = values["turbo"]
        clocks[-1]["active_cores"] = max(clocks[-1]["active_cores"], cores)
    values |= {
        "name": name,
        "title": f"{sockets} x {cores} cores x {siblings} threads, costs of {lender.name}",
        "sockets": sockets,
        "cores_per_socket": cores,
        "threads_per_core": siblings,
        "cores_per_cache": cores_per_cache or cores,
        "numbering": numbering or lender.numbering,
        "turbo": clocks,
        "coherence": with_latencies(values["coherence"], *given.values()),
    }
    latencies = [f"{option} {ns:g}" for option, ns in given.items() if ns is not None]
    header = [
        f"{name}, written by `uprobe-sweep machine new`: its shape is given by numbers,",
        f"its costs are those of {lender.name}{' but for ' if latencies else ''}"
        f"{', '.join(latencies)}.",
    ]
    section = ""
    if lender.calibration is not None and latencies:
        header.append(f"It has no ensemble: that of {lender.name} is of other latencies.")
    elif lender.calibration is not None:
        header.append(f"Its ensemble is that of {lender.name}.")
        section = yaml_text({"calibration": lender.calibration.model_dump(mode="json")})
    text = machine_text(valid_machine(values), header) + section
    write_machine_file(output, text, force)
    print(output)


@machine.command()
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Read DIR/sys and DIR/proc, a dump of another host's.",
)
@output_option(required=False, said="Write to a file; without it, print.")
@force_option
def host(root: Path | None, output: Path | None, force: bool) -> None:
    """Detect this host and write it as a machine file.

    Sockets, cores, siblings, shared caches and clocks are those in /sys; the costs are borrowed
    from the nearest shipped machine. The file begins with what was assumed. Another host's is made
    from its /sys/devices/system/cpu and /proc/cpuinfo, copied into a folder.

    \b
    uprobe-sweep machine host -o here.yaml
    uprobe-sweep machine host --root dump -o there.yaml
    """
    from sweep.machines.host import CPUS, HERE, host_machine
    from sweep.machines.machine_file import machine_text, write_machine_file
    from sweep.machines.named import SUFFIXES

    if root is not None and not (root / CPUS).is_dir():
        raise UsageError(f"--root {root}: it has no {CPUS}")
    if output is not None:
        refuse_output(output, force, SUFFIXES)
    detected, about = host_machine(root or HERE)
    header = [
        f"{'This host' if root is None else 'A host'}, {about.model}, "
        "written by `uprobe-sweep machine host`.",
        f"The topology is detected, the costs are borrowed from {about.costs_of}.",
        *(f"Assumed: {what}." for what in about.assumed),
    ]
    text = machine_text(detected, header)
    if output is None:
        print(text, end="")
        return
    write_machine_file(output, text, force)
    print(output)


@machine.command()
@click.argument("name", shell_complete=completing.axis("machine"))
@json_option
def show(name: str, as_json: bool) -> None:
    """Print the topology, distances and clocks of machine NAME.

    NAME is a shipped machine, a .yaml file, or host.

    \b
    uprobe-sweep machine show epyc-milan
    """
    from sweep.machines.host import HOST, host_file, host_machine
    from sweep.machines.named import calibrated_host, named_machine

    notes: list[str] = []
    if name == HOST:
        shown, about = host_machine()
        notes = [f"costs of {about.costs_of}", *about.assumed]
        if (calibrated := calibrated_host()) is not None:
            shown, notes = calibrated, [f"costs as measured, in {host_file()}"]
    else:
        shown = named_machine(name)
    if as_json:
        print_json({**_facts(shown), "assumed": notes})
        return
    print(f"{shown.name}: {shown.title}\n")
    print_columns(list(_topology(shown)))
    print("\nan idle line, one way, without the operation itself")
    print_columns([[f"  {way}", f"{ns:.1f} ns"] for way, ns in shown.one_way_ns.items()])
    print("\nclock by busy cores of a socket")
    print_columns(list(_clocks(shown)))
    for note in notes:
        print(f"assumed: {note}")


def _facts(shown: Machine) -> dict[str, Any]:
    shape = shown.model_dump(mode="json", exclude={"coherence", "execution", "calibration"})
    latencies = {way.replace(" ", "_"): round(ns, 2) for way, ns in shown.one_way_ns.items()}
    return {**shape, "cpus": shown.cpus, "one_way_ns": latencies, "digest": shown.digest}


def _topology(shown: Machine) -> Iterator[list[str]]:
    cores, shared_by = shown.cores_per_socket, shown.cores_per_cache
    caches = f"{cores // shared_by} a socket, each of {shared_by} cores"
    yield ["sockets", str(shown.sockets)]
    yield ["cores", f"{cores} a socket"]
    yield ["threads", f"{shown.threads_per_core} a core"]
    yield ["last-level caches", caches]
    yield ["CPUs", f"{shown.cpus:,}, numbered {shown.numbering}"]


def _clocks(shown: Machine) -> Iterator[list[str]]:
    least = 1
    for step in shown.turbo:
        span = str(least) if least == step.active_cores else f"{least}-{step.active_cores}"
        yield [f"  {span}", f"{step.ghz:g} GHz"]
        least = step.active_cores + 1


def _refuse_name(name: str) -> None:
    from core.machine.machine import machine_names
    from sweep.machines.host import HOST

    if name in (*machine_names(), HOST):
        raise UsageError(f"{name} is the name of a shipped machine or of this host; choose another")
