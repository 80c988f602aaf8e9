"""Every error ends with what to try."""

from __future__ import annotations

import pytest

from sweep.terminal.next_command import with_next


@pytest.mark.parametrize(
    ("message", "args", "end"),
    [
        ("unknown 'srco': did you mean 'srcu'?", "show srco", "; try `uprobe-sweep show srcu`"),
        (
            "did you mean 'percpu-nhit'?",
            "run tiny --set flavour=srcu+nhit",
            "; try `uprobe-sweep run tiny --set flavour=srcu+percpu-nhit`",
        ),
        ("did you mean 'cpus'?", "run tiny.yaml", "; see `uprobe-sweep run --help`"),
        ("it is full", "tables letter", "; see `uprobe-sweep tables --help`"),
        ("No such command 'rum'.", "rum tiny", "; see `uprobe-sweep --help`"),
        ("first `uprobe-sweep plan x`", "run x", "`uprobe-sweep plan x`"),
        ("No such option '--flavor'. Did you mean '--flavour'?", "show --flavor x", "flavour x`"),
        ("Missing argument 'AFTER'.", "diff a", "argument 'AFTER'; see `uprobe-sweep diff --help`"),
        ("bad", "", "bad; see `uprobe-sweep --help`"),
    ],
)
def test_the_end_of_a_message(message: str, args: str, end: str) -> None:
    assert with_next(message, args.split()).endswith(end)
