"""Logs of the kernel's bench tool, line by line and through the command."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from sweep import scan
from sweep.cli import cli
from sweep.errors import UsageError
from sweep.letter.published import published
from sweep.live.bench_log import Line, lines
from sweep.store.schema import SCHEMA

SETUP = "Setting up benchmark 'trig-uprobe-nop'...\nBenchmark 'trig-uprobe-nop' started.\n"
ITERATION = "Iter   0 ( 12.345us): hits    8.900M/s (  1.112M/prod), drops    0.000M/s\n"
SUMMARY = (
    "Summary: hits    8.881 ± 0.008M/s (  1.110M/prod), drops    0.000 ± 0.000M/s, "
    "total operations    8.881 ± 0.008M/s\n"
)


def test_a_summary_has_its_bench_from_the_setup_and_its_producers_from_the_rates() -> None:
    assert lines(SETUP + ITERATION + SUMMARY, "log") == [
        Line("uprobe-nop", 1, 8, 8.881, 0.008, "log:4")
    ]


def test_the_letters_own_lines_are_read_as_they_are_archived_and_as_they_were_printed() -> None:
    archived = "uprobe-nop (64 cpus): 3.205 ± 0.004M/s ( 0.050M/s/cpu)\n"
    printed = "uretprobe-nop   ( 1 cpus):    1.979 ± 0.005M/s  (  1.979M/s/cpu)\n"
    assert lines(archived + printed, "log") == [
        Line("uprobe-nop", 1, 64, 3.205, 0.004, "log:1"),
        Line("uretprobe-nop", 1, 1, 1.979, 0.005, "log:2"),
    ]


def test_a_bench_on_a_nop_of_five_bytes() -> None:
    text = "uprobe-nop5     ( 2 cpus):   10.940 ± 0.010M/s  (  5.470M/s/cpu)"
    assert lines(text, "log") == [Line("uprobe-nop", 5, 2, 10.94, 0.01, "log:1")]


def test_producers_that_the_rounded_rates_leave_open_are_asked_for() -> None:
    summary = "Summary: hits    2.149 ± 0.001M/s (  0.034M/prod), drops"
    with pytest.raises(UsageError, match=r"log:3: how many producers\? .* 63 to 64: give --cpus"):
        lines(SETUP + summary, "log")
    assert lines(SETUP + summary, "log", cpus=64)[0].cpus == 64
    assert lines("+ ./bench trig-uprobe-nop -a -p64\n" + SETUP + summary, "log")[0].cpus == 64


def test_producers_said_for_one_bench_are_not_the_next_ones() -> None:
    text = "./bench -p8 trig-uprobe-nop\n" + SETUP + SUMMARY
    text += SETUP + SUMMARY.replace("1.110M/prod", "4.441M/prod")
    assert [line.cpus for line in lines(text, "log")] == [8, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "log has no line like 'Summary: hits"),
        ("Iter   0: hits 1.0M/s", "log has no line like"),
        (SUMMARY, "log:1: which bench"),
        ("uprobe-nob ( 1 cpus): 1.979 ± 0.005M/s", "log:1: unknown bench 'uprobe-nob': did you"),
        ("uprobe-nop ( 0 cpus): 1.979 ± 0.005M/s", "log:1: 0 CPUs: at least 1"),
        (SETUP + "Summary: hits 0.000 ± 0.000M/s (0.000M/prod)", "log:3: how many producers"),
    ],
)
def test_what_cannot_be_read_names_its_line(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        lines(text, "log")


def test_a_log_becomes_a_run_once_and_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    letter = published().filter(flavour="baseline")
    printed = [
        f"{bench:<15} ({cpus:2d} cpus): {mean:8.3f} ± {spread:5.3f}M/s  ({each:7.3f}M/s/cpu)"
        for _, bench, cpus, mean, spread, each in letter.iter_rows()
    ]
    Path("bench.log").write_text("\n".join(printed))
    for _ in range(2):
        done = CliRunner().invoke(cli, ["read-log", "bench.log", "--kernel", "6.11.4"])
        assert done.exit_code == 0, done.output
        assert done.stdout.endswith("14 figures: results/runs/log\n")
    rows = scan("results/runs/log").collect()
    assert (rows.columns, len(rows)) == (SCHEMA.names, 14)
    assert set(rows["source"]) == {"log"}
    assert set(rows["kernel"]) == {"6.11.4"}
    compared = CliRunner().invoke(cli, ["compare", "published", "log"])
    assert compared.stdout.count("+0.0%") == 14


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "give either --kernel or --flavour"),
        (["--kernel=6.12", "--flavour=srcu"], "give either --kernel or --flavour"),
        (["--kernel=new"], "--kernel new: did you mean"),
        (["--flavour=srcv"], "--flavour: unknown flavour 'srcv'"),
        (["--kernel=6.12", "--bench=uprobe"], "--bench uprobe: did you mean"),
        (["--kernel=6.12"], "cannot read bench.log: No such file"),
    ],
)
def test_what_cannot_be_asked_writes_nothing(
    asked: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["read-log", "bench.log", *asked])
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
    assert list(tmp_path.iterdir()) == []
