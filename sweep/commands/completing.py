"""What the shell may offer for a value that is being typed: the names that the commands take.

Values for `shell_complete` of click's options and arguments. Nothing here imports the engine, and
a run is read only if one of its values is asked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from sweep.errors import SweepError

if TYPE_CHECKING:
    import click

    from sweep.commands.catalogue import Entries

Names = Iterable[tuple[str, str | None]]
"""Names, each with what it is in a few words."""

Offered = list[CompletionItem]
Completer = Callable[["click.Context", "click.Parameter", str], Offered]


def _offers(names: Callable[[click.Context, str], Names]) -> Completer:
    """The completer that offers those of the names which begin with what is typed."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> Offered:
        try:
            found = dict(names(ctx, incomplete))
        except (SweepError, OSError):
            return []  # The command itself will say what is wrong.
        return [
            CompletionItem(name, help=title)
            for name, title in found.items()
            if name.startswith(incomplete)
        ]

    complete.__doc__ = names.__doc__
    return complete


def axis(name: str) -> Completer:
    """The completer of one value of an axis, or of several with commas."""
    return _offers(lambda ctx, text: _listed(text, _values(name, text.rpartition(",")[2])))


def _listed(text: str, values: Names) -> Names:
    """The values, each after those of a list that are typed already."""
    before = "".join(text.rpartition(",")[:2])
    typed = set(before.split(","))
    return ((before + name, title) for name, title in values if name not in typed)


def _flavours(text: str) -> Names:
    """Designs and releases; after + or ~ the patches that fit there, and files."""
    from core.kernel.flavours import parse_flavour
    from core.kernel.patches import PATCHES

    found = re.fullmatch(r"(.*)([+~])([^+~]*)", text)
    if not found:
        from sweep.commands.catalogue import flavours

        yield from _titled(flavours())
        yield from _paths(text, (".py",))
        return
    before = "".join(found.groups()[:2])
    for patch in PATCHES:
        name = before + patch.name
        try:
            parse_flavour(name)
        except (KeyError, ValueError):
            continue
        yield name, patch.summary
    if found[2] == "+":
        yield from ((before + path, title) for path, title in _paths(found[3], (".py",)))


def _machines(text: str) -> Names:
    """Machines that ship, this host, and files."""
    from sweep.commands.catalogue import machines
    from sweep.machines.host import HOST
    from sweep.machines.named import SUFFIXES

    yield from _titled(machines())
    yield HOST, "this host"
    yield from _paths(text, SUFFIXES)


@_offers
def kernels(ctx: click.Context, text: str) -> Names:
    """Releases that have a design of their own."""
    from core.kernel.releases import RELEASES
    from sweep.commands.catalogue import flavours

    return _listed(text, [(n, title) for n, title in _titled(flavours()) if n in RELEASES])


@_offers
def specs(ctx: click.Context, text: str) -> Names:
    """Specs that ship, and files."""
    from sweep.spec.files import SUFFIXES, spec_names

    yield from ((name, None) for name in spec_names())
    yield from _paths(text, SUFFIXES)


@_offers
def runs(ctx: click.Context, text: str) -> Names:
    """Runs in results/runs, and folders."""
    from sweep.store.scan import RUNS, is_run, run_names

    yield from ((name, None) for name in run_names(RUNS))
    if ctx.command.name == "compare":
        from sweep.report.compare import PUBLISHED

        yield PUBLISHED, "the letter's figures"
    for path, _ in _paths(text, ()):
        yield path, None
        if is_run(Path(path)):
            yield path.rstrip("/"), "a run"


@_offers
def settings(ctx: click.Context, text: str) -> Names:
    """An axis and "=", or its values after that."""
    from sweep.spec.axes import AXES
    from sweep.spec.spec import ALIASES, Spec

    name, equals, value = text.partition("=")
    if equals:
        values = _values(ALIASES.get(name, name), value.rpartition(",")[2])
        yield from ((f"{name}={one}", title) for one, title in _listed(value, values))
        return
    for name in Spec.model_fields:
        if name != "name":
            yield f"{name}=", AXES[name].values.replace("`", "") if name in AXES else None


@_offers
def axes(ctx: click.Context, text: str) -> Names:
    """Names of axes."""
    from sweep.spec.axes import AXES

    return ((name, axis.values.replace("`", "")) for name, axis in AXES.items())


@_offers
def cells(ctx: click.Context, text: str) -> Names:
    """A key of rows and "=", or the values that rows of the command's run have, after that."""
    from sweep.store.scan import named_run, scan
    from sweep.store.settings import keys

    name, equals, value = text.partition("=")
    # While an option lacks its value, click leaves arguments where they are.
    named = ctx.params.get("run") or ctx.params.get("runs") or ctx.args
    chosen = [named] if isinstance(named, str) else [run for run in named if _is_run(run)]
    if not chosen:
        return
    rows = scan(named_run(chosen[0]))
    known = [*keys(rows.collect_schema().names()), "seed", "replicate"]
    if not equals:
        yield from ((f"{one}=", None) for one in known)
    elif name in known:
        there = rows.select(name).unique().sort(name).collect()[name]
        values = [(_text(one), None) for one in there]
        yield from ((f"{name}={one}", title) for one, title in _listed(value, values))


def _paths(text: str, suffixes: Sequence[str]) -> Iterator[tuple[str, None]]:
    """Folders, with a slash, and files of these suffixes that begin with `text`."""
    head, tail = os.path.split(text)
    try:
        entries = sorted(os.scandir(os.path.expanduser(head) or "."), key=lambda e: e.name)
    except OSError:
        return
    for entry in entries:
        hidden = entry.name.startswith(".") and not tail.startswith(".")
        if hidden or not entry.name.startswith(tail):
            continue
        if entry.is_dir():
            yield os.path.join(head, entry.name) + "/", None
        elif entry.name.endswith(tuple(suffixes)):
            yield os.path.join(head, entry.name), None


def _values(name: str, text: str) -> Names:
    """The values that an axis takes, as far as they have names or are few."""
    if name == "flavour":
        return _flavours(text)
    if name == "machine":
        return _machines(text)
    from sweep.commands.catalogue import CATALOGUE
    from sweep.spec.axes import AXES, OneNumberOf, OneOf, OneWordOf

    check = AXES[name].check if name in AXES else None
    allowed = check.allowed if isinstance(check, (OneOf, OneWordOf, OneNumberOf)) else ()
    entries = CATALOGUE[TITLED[name]]() if name in TITLED else []
    titles = dict(_titled(entries))
    return [(str(value), titles.get(str(value))) for value in allowed]


def _titled(entries: Entries) -> Names:
    return ((entry["name"], entry["title"]) for entry in entries)


def _is_run(run: str) -> bool:
    from sweep.store.scan import is_run, named_run

    return is_run(named_run(run))


def _text(value: object) -> str:
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


TITLED = {"bench": "benches", "rcu": "rcu"}
"""Axes whose values the catalogue has words for."""
