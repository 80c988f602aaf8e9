"""Which edits of a flavour are said to change nothing."""

from __future__ import annotations

import pytest

from core.kernel.idle_edits import idle_edits


@pytest.mark.parametrize(
    ("flavour", "idle"),
    [
        ("srcu", ()),
        ("baseline+filter-ctx", ("+filter-ctx",)),
        ("v6.14~filter-ctx", ("~filter-ctx",)),
        ("srcu+percpu-nhit", ()),
        ("srcu+mm-cid-cpus-allowed", ()),
        ("srcu+mm-cid-aligned", ("+mm-cid-aligned",)),  # it is as it was
        ("srcu+percpu-nhit~filter-ctx", ("~filter-ctx",)),
        ("tasks-trace~split-unregister", ()),  # it changes a rule, though no path
        ("nop5~nop5~filter-ctx", ("~filter-ctx",)),
    ],
)
def test_an_edit_is_idle_if_no_path_and_no_rule_changes(
    flavour: str, idle: tuple[str, ...]
) -> None:
    assert idle_edits(flavour) == idle
