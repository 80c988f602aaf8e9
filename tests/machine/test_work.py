"""Cycles that follow from others: the system call in place of the trap, SRCU-fast's counter."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from core.calibrate.one_cpu import Figure, ns_of_a_hit
from core.machine.machine import Machine, load_machine, machine_names
from core.machine.work import SAVING, with_derived
from sweep.cli import cli

LETTER = load_machine("xeon-gold-6138")
TRAP = "execution.work_cycles.trap_entry"


def saved_ns(machine: Machine, bench: str) -> float:
    int3, call = (
        ns_of_a_hit(machine, Figure(name, "v6.18", "default", 1)) for name in (bench, f"{bench}5")
    )
    return int3 - call


@pytest.mark.parametrize("bench", ["uprobe-nop", "uretprobe-nop", "uprobe-multi-nop"])
def test_the_system_call_saves_what_is_published(bench: str) -> None:
    assert 175 <= saved_ns(LETTER, bench) <= 180


@pytest.mark.parametrize("path", [TRAP, "execution.work_cycles.vma_lookup"])
def test_who_moves_the_trap_moves_the_system_call(path: str) -> None:
    moved = LETTER.with_numbers({path: LETTER.number(path) + 57})
    assert saved_ns(moved, "uprobe-nop") == pytest.approx(saved_ns(LETTER, "uprobe-nop"), abs=1)


def test_predict_has_the_published_saving() -> None:
    rates = []
    for bench in ("uprobe-nop", "uprobe-nop5"):
        asked = ["predict", "--kernel", "6.18", "--bench", bench, "--cpus", "1"]
        result = CliRunner().invoke(cli, [*asked, "--machine", LETTER.name])
        assert result.exit_code == 0, result.output
        rates.append(float(result.stdout.split("cpus):")[1].split("M/s")[0]))
    assert 175 <= 1e3 / rates[0] - 1e3 / rates[1] <= 180


@pytest.mark.parametrize("name", machine_names())
def test_other_machines_save_as_many_cycles(name: str) -> None:
    assert load_machine(name).execution.work_cycles[SAVING] == 657


def test_a_trap_that_is_cheaper_than_the_saving_is_all_that_is_saved() -> None:
    work = with_derived(LETTER.execution.work_cycles | {"trap_entry": 10}, 5)
    assert (work["uprobe_syscall_entry"], work["uprobe_syscall_exit"]) == (0, 0)


@pytest.mark.parametrize(("srcu", "fast"), [(9, 6), (20, 17), (2, 0), (0, 0)])
def test_a_pair_of_srcu_fast_spares_one_load_of_the_index(srcu: int, fast: int) -> None:
    assert with_derived({"srcu_counter": srcu}, 5) == {
        "srcu_counter": srcu,
        "srcu_fast_counter": fast,
    }


@pytest.mark.parametrize("release", ["v6.9", "v6.11", "v6.12", "v6.14", "v7.3"])
@pytest.mark.parametrize("kind", ["uprobe", "uretprobe"])
def test_a_link_is_faster_than_a_perf_event(release: str, kind: str) -> None:
    event, link = (
        ns_of_a_hit(LETTER, Figure(f"{kind}-{name}", release, "default", 1))
        for name in ("nop", "multi-nop")
    )
    assert link < event


def test_a_link_spares_five_loads_beside_its_section_and_a_count() -> None:
    work = LETTER.execution.work
    spared = work["consumer_call"] + work["bpf_prog"]
    spared -= work["uprobe_multi_call"] + work["uprobe_multi_prog"]
    assert spared == 5 * LETTER.execution.load_cycles
