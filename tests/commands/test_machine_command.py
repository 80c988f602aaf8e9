"""`uprobe-sweep machine` as people run it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from command_line import cli
from hosts import Cpu, write_host

from sweep.cli import cli as command_line

NEW = ("machine", "new", "big", "--sockets", "4", "--cores", "28", "--siblings", "2")


def run(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = cli(*args, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done


def test_a_new_machine_is_shown_and_simulated(tmp_path: Path) -> None:
    numbers = ("--cores-per-cache", "7", "--turbo", "2:3.7,28:3", "--same-cache-ns", "40")
    far = ("--other-cache-ns", "80", "--other-socket-ns", "150", "--like", "xeon-8176")
    assert run(*NEW, *numbers, *far, "-o", "big.yaml", cwd=tmp_path).stdout == "big.yaml\n"
    text = (tmp_path / "big.yaml").read_text()
    assert "# its costs are those of xeon-8176 but for --same-cache-ns 40, --other-cache-" in text
    shown = json.loads(run("machine", "show", "big.yaml", "--json", cwd=tmp_path).stdout)
    assert (shown["cpus"], shown["cores_per_cache"]) == (224, 7)
    assert shown["one_way_ns"] == {
        "same_core": 0,
        "same_cache": 40,
        "other_cache": 80,
        "other_socket": 150,
    }
    times = ("--set", "warmup=0us", "--set", "duration=20us", "--set", "sample=20us")
    cell = ("--set", "bench=uprobe-nop", "--set", "flavour=srcu", "--set", "cpus=2")
    run("run", "cover-letter", *times, *cell, "--set", "machine=big.yaml", cwd=tmp_path)


def test_another_hosts_dump_becomes_a_machine(tmp_path: Path) -> None:
    write_host(tmp_path / "dump", [Cpu(c, c % 2, c % 2) for c in range(4)])
    run("machine", "host", "--root", "dump", "-o", "there.yaml", cwd=tmp_path)
    text = (tmp_path / "there.yaml").read_text()
    assert text.startswith("# A host, Intel(R) Xeon(R) Silver 4114")
    assert "# Assumed: 2.2 GHz with any number of cores busy: the nominal clock in its" in text
    shown = run("machine", "show", "there.yaml", cwd=tmp_path).stdout
    assert "CPUs               4, numbered round-sockets" in shown


def test_a_new_machines_cpus_are_numbered_as_asked(tmp_path: Path) -> None:
    run(*NEW, "--numbering", "round-sockets", "-o", "big.yaml", cwd=tmp_path)
    shown = json.loads(run("machine", "show", "big.yaml", "--json", cwd=tmp_path).stdout)
    assert shown["numbering"] == "round-sockets"


def test_without_a_clock_the_last_step_covers_the_socket(tmp_path: Path) -> None:
    run(*NEW, "--like", "xeon-gold-6138", "-o", "big.yaml", cwd=tmp_path)
    shown = run("machine", "show", "big.yaml", cwd=tmp_path).stdout
    assert "  17-28  2.7 GHz\n" in shown
    run(*NEW, "--ghz", "2.5", "-o", "big.yaml", "--force", cwd=tmp_path)
    assert "  1-28  2.5 GHz\n" in run("machine", "show", "big.yaml", cwd=tmp_path).stdout


def test_a_shipped_machine_is_shown(tmp_path: Path) -> None:
    lines = run("machine", "show", "epyc-milan", cwd=tmp_path).stdout.splitlines()
    assert lines[0].startswith("epyc-milan: 2 x AMD EPYC Milan")
    assert "last-level caches  8 a socket, each of 8 cores" in lines
    assert "CPUs               256, numbered siblings-adjacent" in lines
    assert "  same cache    20.5 ns" in lines
    assert "  other cache   104.5 ns" in lines


def test_machines_are_listed_with_their_shape(tmp_path: Path) -> None:
    entries = json.loads(run("list", "machines", "--json", cwd=tmp_path).stdout)
    shapes = {entry["name"]: entry["shape"] for entry in entries}
    assert shapes["xeon-gold-6138"] == "2 x 20 x 2"
    assert shapes["kunpeng-920"] == "2 x 64 x 1"


def test_a_file_is_written_over_only_if_that_is_asked_for(tmp_path: Path) -> None:
    here = str(tmp_path / "a.yaml")
    new = ["machine", "new", "a", "--cores", "2", "--siblings", "1", "-o", here, "--sockets"]
    detect = ["machine", "host", "-o", here]
    assert CliRunner().invoke(command_line, [*new, "1"]).exit_code == 0
    for again in ([*new, "2"], detect):
        before = Path(here).read_text()
        done = CliRunner().invoke(command_line, again)
        assert f"-o {here}: it is there; --force replaces it" in str(done.exception)
        assert Path(here).read_text() == before
        assert CliRunner().invoke(command_line, [*again, "--force"]).exit_code == 0
        assert Path(here).read_text() != before


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("machine show xeon", "unknown machine 'xeon': did you mean 'xeon-8176'?"),
        ("machine show no.yaml", "cannot read 'no.yaml': No such file"),
        ("machine shw x", "No such command 'shw'"),
        ("machine host --root .", "--root .: it has no sys/devices/system/cpu"),
        ("machine host --root nowhere", "Directory 'nowhere' does not exist"),
        ("machine new a --numbering odd --sockets 1 --cores 2 --siblings 2 -o a.yaml", "'odd' is"),
        ("machine host -o x.txt", "-o x.txt: allowed are .yaml, .yml"),
        ("machine new a --sockets 1 --cores 2 --siblings 2", "Missing option '-o'"),
        ("machine new a --sockets 0 --cores 2 --siblings 2 -o a.yaml", "0 is not in the range"),
        ("machine new a --sockets 1 --cores 2 --siblings 4 -o a.yaml", "4 is not in the range"),
        ("machine new a --sockets 9 --cores 99 --siblings 2 -o a.yaml", "1,782 CPUs: allowed are"),
        ("machine new ../a --sockets 1 --cores 2 --siblings 2 -o a.yaml", "name: String should"),
        ("machine new host --sockets 1 --cores 2 --siblings 2 -o a.yaml", "choose another"),
        (
            "machine new a --sockets 1 --cores 8 --siblings 2 --cores-per-cache 3 -o a.yaml",
            "cores_per_cache: 3 does not divide 8 cores: nearest 2",
        ),
        (
            "machine new a --sockets 1 --cores 8 --siblings 2 --ghz 3 --turbo 8:3 -o a.yaml",
            "--ghz and --turbo exclude each other",
        ),
        (
            "machine new a --sockets 1 --cores 8 --siblings 2 --turbo 4:3 -o a.yaml",
            "turbo must rise in active_cores and reach 8, got [4]",
        ),
        (
            "machine new a --sockets 1 --cores 8 --siblings 2 --ghz nan -o a.yaml",
            "turbo.0.ghz: Input should be",
        ),
        (
            "machine new a --sockets 1 --cores 8 --siblings 2 --same-cache-ns nan -o a.yaml",
            "coherence.request_ns: Input should be",
        ),
        (
            "machine new a --sockets 1 --cores 8 --siblings 2 --like xeno -o a.yaml",
            "unknown machine 'xeno'",
        ),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(
    tmp_path: Path, args: str, said: str
) -> None:
    done = cli(*args.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []
