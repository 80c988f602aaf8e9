"""`uprobe-sweep explore`: a page on which predictions are asked for."""

from __future__ import annotations

import click

from sweep.commands.shared import note


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="a free one",
    metavar="N",
    help="Of 127.0.0.1, where the page is.",
)
def explore(port: int) -> None:
    """Open a page that answers as you choose: machine, kernel or patches, CPUs, probes, bench.

    It shows the curve and its 90 % interval, what limits it, and the gain over another kernel,
    within about a second for 64 CPUs. It is on this machine's loopback only, and the URL has a
    token; whoever has that can choose what is simulated, and nothing else. Ctrl-C ends it.

    \b
    uprobe-sweep explore
    uprobe-sweep explore --port 8080     # then: ssh -L 8080:127.0.0.1:8080 HOST
    """
    from sweep.explore.answer import make_ready
    from sweep.explore.server import serve

    note("compiling what the answers need, seconds the first time")
    make_ready()
    serve(port, _say)


def _say(url: str) -> None:
    click.echo(f"open {url}")
    note("Ctrl-C ends it")
