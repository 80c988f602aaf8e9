"""The line that runs a cell again names that very cell."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_spec

from core.kernel.layout import BESIDE
from core.machine.machine import load_machine
from sweep.driver.rerun import cell_named
from sweep.errors import UsageError
from sweep.executors.base import Outcome
from sweep.plan.plan import plan
from sweep.spec.spec import Spec
from sweep.store.failures import failure_row, last_line, rerun_command

[CELL] = plan(tiny_spec(cpus=8))


@settings(deadline=None, max_examples=40)
@given(
    st.builds(
        replace,
        st.just(CELL),
        bench=st.sampled_from(["uprobe-nop", "uretprobe-multi-push"]),
        flavour=st.sampled_from(["srcu", "v6.12", "baseline+percpu-nhit"]),
        probes=st.sampled_from([1, 64]),
        spread=st.sampled_from(["shared", "zipf"]),
        processes=st.sampled_from([1, 2]),
        owner_beside_count=st.sampled_from(BESIDE),
        seed=st.integers(0, 2**63 - 1),
        replicate=st.integers(0, 99),
        ensemble=st.sampled_from([0, 12]),
        machine=st.sampled_from([load_machine("xeon-gold-6138"), load_machine("epyc-milan")]),
        warmup_ps=st.sampled_from([0, 3 * 10**9, 1]),
    )
    | st.sampled_from(plan(tiny_spec(duration="auto", warmup="0us", precision="0.1%")))
    | st.sampled_from(plan(Spec(bench="uprobe-nop", flavour="srcu", cpus=1, duration="auto")))
)
def test_a_rerun_command_names_its_cell(cell: object) -> None:
    from core.cell import Cell

    assert isinstance(cell, Cell)
    words = shlex.split(rerun_command(cell, {"machine": cell.machine.name}))
    assert words[:2] == ["uprobe-sweep", "rerun"]
    assert cell_named(words[2:]).cell_id == cell.cell_id


def test_what_a_spec_has_by_default_is_left_away() -> None:
    [cell] = plan(Spec(bench="uprobe-nop", flavour="srcu", cpus=8))
    expected = "uprobe-sweep rerun bench=uprobe-nop flavour=srcu cpus=8"
    assert rerun_command(cell, {"machine": "xeon-gold-6138"}) == expected


def test_a_machine_is_what_the_spec_calls_it_quoted_for_the_shell() -> None:
    command = rerun_command(CELL, {"machine": "my machines/big.yaml"})
    assert "'machine=my machines/big.yaml'" in command
    assert "machine=my machines/big.yaml" in shlex.split(command)


@pytest.mark.parametrize("setting", ["name=x", "replicates=2", "edits=x", "cpus=9"])
def test_a_setting_that_is_no_axis_of_a_cell_is_refused(setting: str) -> None:
    with pytest.raises(UsageError, match=setting.partition("=")[0]):
        cell_named(["bench=uprobe-nop", "flavour=srcu", "cpus=8", setting])


def test_a_failure_without_a_reason_still_has_a_row(tmp_path: Path) -> None:
    assert failure_row(Outcome(CELL, None), "r", {"machine": "m"})["error"] == "no reason was given"
    assert last_line("") == ""
