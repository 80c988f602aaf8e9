"""Machines larger than they are, and the command that predicts on them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.machine.machine import Machine, load_machine
from sweep.cli import cli
from sweep.errors import UsageError
from sweep.machines.larger import extended
from sweep.machines.machine_file import machine_text
from sweep.plan.beyond import beyond

GENERIC = load_machine("generic")


def small(**shape: int) -> Machine:
    tree = GENERIC.model_dump(mode="json", exclude={"calibration"})
    return Machine.model_validate({**tree, "sockets": 1, **shape})


def test_a_machine_that_is_large_enough_stays_as_it_is() -> None:
    assert extended(GENERIC, GENERIC.cpus).machine is GENERIC
    assert extended(GENERIC, 1).assumed == ""


def test_one_cache_becomes_a_larger_one() -> None:
    machine = small(cores_per_socket=2, threads_per_core=1, cores_per_cache=2)
    larger = extended(machine, 65)
    assert (larger.machine.cpus, larger.machine.cores_per_cache) == (65, 65)
    assert larger.machine.coherence == machine.coherence
    assert larger.machine.turbo[-1].ghz == machine.turbo[-1].ghz
    assert "65 cores of this kind on one socket, behind one last-level cache" in larger.assumed


def test_several_caches_become_more_of_them() -> None:
    machine = small(cores_per_socket=8, threads_per_core=2, cores_per_cache=4)
    larger = extended(machine, 17).machine
    assert (larger.cores_per_socket, larger.cores_per_cache, larger.cpus) == (12, 4, 24)


def test_several_sockets_become_more_of_them() -> None:
    larger = extended(GENERIC, GENERIC.cpus + 1)
    assert larger.machine.sockets == 3
    assert "3 sockets of 64 CPUs" in larger.assumed


def test_the_ensemble_stays() -> None:
    letter = load_machine("xeon-gold-6138")
    assert len(extended(letter, 100).machine.members) == len(letter.members)


@pytest.mark.parametrize("cpus", [1025, 10**6])
def test_there_is_an_end(cpus: int) -> None:
    with pytest.raises(UsageError, match="allowed are 1 to 1,024"):
        extended(GENERIC, cpus)


def test_the_command_says_what_it_assumed() -> None:
    asked = ["predict", "--cpus", "1,81", "--kernel", "6.12.8", "--machine", "xeon-gold-6138"]
    done = CliRunner().invoke(cli, [*asked, "--bench", "uprobe-nop", "--ensemble", "2", "--json"])
    found = json.loads(done.stdout)
    assert [(row["cpus"], row["flavour"]) for row in found["rows"]] == [(1, "v6.12"), (81, "v6.12")]
    assert all(r["predicted_low"] < r["hits_per_s"] < r["predicted_high"] for r in found["rows"])
    assert found["kernel"] == {"asked": "6.12.8", "release": "v6.12", "design": "srcu+percpu-nhit"}
    kernel, machine = found["assumed"]
    assert "v6.12-late begins at 6.12.75" in kernel
    assert "hold for 3 sockets" in machine


def test_the_kernel_asked_for_is_printed_with_its_design() -> None:
    asked = ["predict", "--cpus", "1", "--machine", "xeon-gold-6138", "--ensemble", "0"]
    asked += ["--bench", "uprobe-nop", "--kernel"]
    done = CliRunner().invoke(cli, [*asked, "7.0.3-amd64"])
    first, second, _, assumed = done.stdout.splitlines()
    assert first == "kernel 7.0.3-amd64, modelled as v7.0: srcu-fast"
    assert second.startswith("v7.0 on xeon-gold-6138")
    assert assumed == "assumed: what '-amd64' was built with is not known: 7.0 as kernel.org has it"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--cpus", "1", "--kernel", "six"], "--kernel six: allowed: v6.9"),
        (["--cpus", "1", "--kernel", "5.15.0-1051-aws"], "older than 6.4, the oldest modelled"),
        (["--cpus", "0"], "--cpus: 0 is out of range"),
        (["--cpus", "1,x"], "--cpus: 'x' is not a whole number"),
        ([], "--cpus is missing"),
        (["--cpus", "1", "--bench", "uprobe"], "--bench: unknown bench 'uprobe': did you mean"),
        (["--cpus", "1", "--flavour", "srcv", "--machine", "generic"], "unknown flavour 'srcv'"),
        (["--cpus", "1", "--flavour", "srcu", "--kernel", "v6.12"], "exclude each other"),
        (["--cpus", "1", "--machine", "xeon"], "unknown machine 'xeon'"),
    ],
)
def test_what_cannot_be_asked_is_one_line(asked: list[str], said: str) -> None:
    done = CliRunner().invoke(cli, ["predict", *asked])
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)


def test_every_axis_and_several_kernels_are_a_grid() -> None:
    asked = ["predict", "--cpus", "2-3", "--kernel", "v6.12,6.12.9,v6.14", "--probes", "1,4"]
    asked += ["--machine", "xeon-gold-6138", "--processes", "2", "--bench", "uprobe-nop"]
    done = CliRunner().invoke(cli, [*asked, "--ensemble", "0", "--json"])
    found = json.loads(done.stdout)
    rows = {(r["flavour"], r["probes"], r["cpus"], r["processes"]) for r in found["rows"]}
    assert rows == {(f, p, c, 2) for f in ("v6.12", "v6.14") for p in (1, 4) for c in (2, 3)}
    assert len(found["rows"]) == 8
    assert "6.12.9 is modelled as v6.12 is" in found["assumed"]


def test_counts_beyond_a_machine_are_all_of_the_larger_one() -> None:
    found = beyond(
        {"bench": "uprobe-nop", "flavour": "srcu", "machine": "generic", "cpus": [1, 300, 200]}
    )
    assert [cell.cpus for cell in found.cells] == [1, 300, 200]
    assert {cell.machine.cpus for cell in found.cells} == {320}
    assert len(found.assumed) == 1


def test_processes_are_held_against_the_cpus_that_are_asked_for(tmp_path: Path) -> None:
    tiny = small(cores_per_socket=2, threads_per_core=1, cores_per_cache=2)
    file = tmp_path / "tiny.yaml"
    file.write_text(machine_text(tiny, []))
    asked = {"bench": "uprobe-nop", "flavour": ["srcu", "nop5"], "machine": str(file)}
    found = beyond({**asked, "cpus": [4, 64], "processes": [1, 4], "probes": 50})
    assert {(c.flavour, c.cpus, c.processes) for c in found.cells} == {
        (f, n, p) for f in ("srcu", "nop5") for n in (4, 64) for p in (1, 4)
    }
    assert len(found.cells) == 8
    with pytest.raises(UsageError, match="8 processes, but a cell has 4 CPUs"):
        beyond({**asked, "cpus": [4, 64], "processes": 8})
    with pytest.raises(UsageError, match="processes: only 1 goes with uprobe-stress"):
        beyond({**asked, "cpus": 4, "processes": 2, "mmap_threads": 1})


def test_a_rate_that_goes_by_the_start_says_how_well_it_is_known() -> None:
    asked = ["predict", "--cpus", "1,4", "--flavour", "v6.9", "--bench", "uretprobe-nop"]
    asked += ["--machine", "epyc-milan", "--ensemble", "0"]
    steady, by_start = CliRunner().invoke(cli, asked).stdout.splitlines()[1:3]
    assert "by start" not in steady
    assert re.search(r"  ±\d[.\d]*% by start$", by_start)
