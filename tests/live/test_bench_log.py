"""Logs of the kernel's bench tool, line by line and through the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sweep import scan
from sweep.cli import cli
from sweep.errors import UsageError
from sweep.letter.published import published
from sweep.live.bench_log import Line, figures
from sweep.store.schema import SCHEMA

SETUP = "Setting up benchmark 'trig-uprobe-nop'...\nBenchmark 'trig-uprobe-nop' started.\n"
ITERATION = "Iter   0 ( 12.345us): hits    8.900M/s (  1.112M/prod), drops    0.000M/s\n"
SUMMARY = (
    "Summary: hits    8.881 ± 0.008M/s (  1.110M/prod), drops    0.000 ± 0.000M/s, "
    "total operations    8.881 ± 0.008M/s\n"
)


def lines(text: str, name: str, **asked: Any) -> list[Line]:
    return figures(text.encode(), name, **asked).lines


def notes(text: str, **asked: Any) -> list[str]:
    return figures(text.encode(), "log", **asked).notes


def test_a_summary_has_its_bench_from_the_setup_and_its_producers_from_the_rates() -> None:
    assert lines(SETUP + ITERATION + SUMMARY, "log") == [
        Line("uprobe-nop", 8, 8.881, 0.008, "log:4")
    ]


def test_the_letters_own_lines_are_read_as_they_are_archived_and_as_they_were_printed() -> None:
    archived = "uprobe-nop (64 cpus): 3.205 ± 0.004M/s ( 0.050M/s/cpu)\n"
    printed = "uretprobe-nop   ( 1 cpus):    1.979 ± 0.005M/s  (  1.979M/s/cpu)\n"
    assert lines(archived + printed, "log") == [
        Line("uprobe-nop", 64, 3.205, 0.004, "log:1"),
        Line("uretprobe-nop", 1, 1.979, 0.005, "log:2"),
    ]


def test_a_bench_on_a_nop_of_five_bytes() -> None:
    text = "uprobe-nop5     ( 2 cpus):   10.940 ± 0.010M/s  (  5.470M/s/cpu)"
    assert lines(text, "log") == [Line("uprobe-nop5", 2, 10.94, 0.01, "log:1")]


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
        ("uprobe-nop ( 99999999999999999999 cpus): 1.979 ± 0.005M/s", "log:1: 1.979M/s on 99999"),
        ("uprobe-nop ( 1 cpus): 1979.000 ± 0.005M/s", "log:1: 1979.000M/s on 1 CPUs: no machine"),
        ("uprobe-nop ( 1 cpus): 1.979 ± 0.005G/s", "log:1: 1.979G/s on 1 CPUs: no machine"),
        (SETUP + "Summary: hits 3.1 ± 0.1M/s, drops 0.000 ± 0.000M/s", "log:3: how many producers"),
        (
            "uprobe-nop ( 4 cpus): 8.881 ± 0.008M/s (1.110M/s/cpu)",
            "the log says 4 CPUs, its rates 8",
        ),
        (
            "./bench -p 4 trig-uprobe-nop\n" + SETUP + SUMMARY,
            "log:4: the log says 4 CPUs, its rates",
        ),
        (SETUP + SUMMARY + SUMMARY, "log:4: which bench"),
        ("uprobe-nop ( 1 cpus): 908.123K/s", "1: looks like a figure and is not understood: upr"),
        (SETUP + "Summary: hits 0.000 ± 0.000M/s (0.000M/prod)", "log:3: uprobe-nop: no hit"),
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


def test_the_design_that_a_log_is_taken_for_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bench.log").write_text(
        "uprobe-nop  ( 2 cpus): 5.151 ± 0.010M/s  (  2.576M/s/cpu)\n"
        "uprobe-nop5 ( 2 cpus): 10.940 ± 0.010M/s  (  5.470M/s/cpu)\n"
    )
    asked = ["read-log", "bench.log", "--kernel", "6.19.1-fc45"]
    found = json.loads(CliRunner().invoke(cli, [*asked, "--json"]).stdout)
    assert found["kernels"] == [{"asked": "6.19.1-fc45", "release": "v6.18", "design": "nop5"}]
    rows = [(row["bench"], row["nop_bytes"], row["flavour"]) for row in found["rows"]]
    assert rows == [("uprobe-nop", 1, "nop5"), ("uprobe-nop5", 5, "nop5")]
    printed = CliRunner().invoke(cli, asked).stdout
    assert "kernel 6.19.1-fc45, modelled as v6.18: nop5\n" in printed
    assert all(f"assumed: {said}\n" in printed for said in found["assumed"])
    assert len(found["assumed"]) == 4


COUNTED = (
    "Summary: hits   53.123 ± 0.079M/s ( 53.123M/prod), drops    0.000 ± 0.000M/s, "
    "total operations   53.123 ± 0.079M/s\n"
)


@pytest.mark.parametrize(
    "other", ["trig-usermode-count", "trig-syscall-count", "trig-usdt-nop", "trig-uprobe-base"]
)
def test_a_summary_of_a_bench_without_uprobe_is_nobody_elses(other: str) -> None:
    text = SETUP + SUMMARY + SETUP.replace("trig-uprobe-nop", other) + COUNTED
    for log in (text, SETUP + SETUP.replace("trig-uprobe-nop", other) + COUNTED + SETUP + SUMMARY):
        read = figures(log.encode(), "log", bench="uretprobe-nop")
        assert [line.mhits for line in read.lines] == [8.881]
        assert f"{other.removeprefix('trig-')} is no uprobe bench: left out" in "".join(read.notes)


def test_a_quiet_benchs_command_names_it() -> None:
    text = f"$ ./bench -q trig-uprobe-push\n{SUMMARY}+ sudo ./bench -qap1 trig-usermode-count\n"
    read = figures((text + COUNTED).encode(), "log")
    assert [(line.bench, line.cpus) for line in read.lines] == [("uprobe-push", 8)]
    assert read.notes == ["log:4: usermode-count is no uprobe bench: left out"]


def test_other_summaries_of_other_benches_are_left_out_and_end_them() -> None:
    text = SETUP.replace("trig-uprobe-nop", "rename-base")
    text += "Summary: throughput 5.000 ± 0.100 M ops/s (5.000 M ops/prod), latency 3.1 ns/op\n"
    assert notes(text + SETUP + SUMMARY) == ["log:3: rename-base is no uprobe bench: left out"]


def test_the_kernels_own_script_is_read_with_one_producer() -> None:
    text = """usermode-count :  152.507 ± 0.079M/s
syscall-count  :   13.724 ± 0.026M/s
uprobe-nop     :    3.204 ± 0.005M/s
uretprobe-push :    1.879 ± 0.002M/s
uprobe-nop5    :    7.286 ± 0.011M/s
usdt-nop5      :    7.253 ± 0.011M/s
"""
    read = figures(text.encode(), "log")
    assert [(line.bench, line.cpus, line.mhits) for line in read.lines] == [
        ("uprobe-nop", 1, 3.204),
        ("uretprobe-push", 1, 1.879),
        ("uprobe-nop5", 1, 7.286),
    ]
    assert len(read.notes) == 4
    assert read.notes[2] == (
        "log:3: assumed, here and where no line says: one producer, as run_bench_uprobes.sh has it"
    )
    assert figures(text.encode(), "log", cpus=2).lines[0].cpus == 2


def test_lines_with_a_rate_for_each_producer_and_no_summary() -> None:
    text = "uprobe-nop:  0.916 ± 0.001M/s (0.916M/prod)\nuprobe-ret: 8.881 ± 0.008M/s (1.110M/prod)"
    assert [(line.bench, line.cpus) for line in lines(text, "log")] == [
        ("uprobe-nop", 1),
        ("uprobe-ret", 8),
    ]


def test_thousands_a_second_are_thousands() -> None:
    text = "uprobe-nop ( 2 cpus): 908.500 ± 1.250K/s (454.250K/s/cpu)"
    assert lines(text, "log") == [Line("uprobe-nop", 2, 0.9085, 0.00125, "log:1")]


@pytest.mark.parametrize(
    "line",
    [
        "uprobe-nop ( 8 cpus): 8.881  0.008M/s (1.110M/s/cpu)",
        "uprobe-nop ( 8 cpus): 8,881 ± 0,008M/s (1,110M/s/cpu)",
        "uprobe-nop ( 8 cpus): 8.881 ± 0.008/s",
        "uprobe-nop ( cpus): 8.881 ± 0.008M/s (1.110M/s/cpu)",
        "uprobe-nop 8 cpus: 8.881",
        "uprobe-nop ( 8 cpus): nan ± nanM/s 1 op/s",
        "Summary: hits 8.881 0.008M/s (1.110M/prod)",
        "Summary: hits nan ± nanM/s (nanM/prod)",
        "so we get from 1.2M/s to 3.4M/s",
        "uprobe-nop ( 1 cpus): 3.1 ± 0.1M/s (3.1M/s/cpu)  uprobe-nop ( 2 cpus): 4.1 ± 0.1M/s",
    ],
)
def test_what_looks_like_a_figure_and_is_none_is_named(line: str) -> None:
    shown = " ".join(line.split())
    wanted = f"log:2: looks like a figure and is not understood: {shown}"
    good = "uprobe-push ( 1 cpus): 1.979 ± 0.005M/s"
    assert notes(f"{good}\n{line}\n") == [wanted]


def test_prose_and_the_tail_of_a_summary_that_a_mail_wrapped_are_no_figures() -> None:
    text = "uprobe-nop is 2x faster, 12 MB\n" + SETUP
    text += SUMMARY.replace("± 0.000M/s, total", "±\n0.000M/s, total")
    assert notes(text) == []


def test_iterations_without_a_summary_are_said() -> None:
    text = SETUP + ITERATION + SETUP.replace("nop", "ret") + ITERATION + SUMMARY
    assert notes(text) == ["log:3: iterations without a Summary: left out"]
    assert [line.bench for line in lines(text, "log")] == ["uprobe-ret"]


def test_what_a_line_says_is_not_overridden() -> None:
    read = figures((SETUP + SUMMARY).encode(), "log", bench="uretprobe-push", cpus=64)
    assert [(line.bench, line.cpus) for line in read.lines] == [("uprobe-nop", 8)]
    assert read.notes == [
        "log:3: says uprobe-nop, whatever --bench says",
        "log:3: is of 8 CPUs, whatever --cpus says",
    ]


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("drops    0.500 ± 0.001M/s, total operations    3.500 ± 0.1M/s", "0.500M drops/s"),
        ("drops  500.000 ± 0.001K/s, total operations    3.500 ± 0.1M/s", "0.500M drops/s"),
        ("drops    0.000 ± 0.000M/s, total operations    7.500 ± 0.1M/s", "7.500M operations/s"),
        ("\ndrops    0.500 ± 0.001M/s, total operations    3.500 ± 0.1M/s", "0.500M drops/s"),
    ],
)
def test_a_figure_with_drops_is_left_out_and_the_others_stay(rest: str, said: str) -> None:
    text = f"{SETUP}{SUMMARY}{SETUP}Summary: hits    3.000 ± 0.1M/s (  3.000M/prod), {rest}\n"
    assert [line.place for line in lines(text, "log")] == ["log:3"]
    [note] = notes(text)
    assert note.startswith("log:6: 3.000M hits/s, ")
    assert f"{said}: a bench of uprobes drops none: left out" in note or f"{said}, " in note


@pytest.mark.parametrize(
    "zero",
    [
        SETUP + "Summary: hits    0.000 ± 0.000M/s (  0.000M/prod), drops    0.000 ± 0.000M/s\n",
        "\n\nuprobe-nop      ( 4 cpus):    0.000 ± 0.000M/s  (  0.000M/s/cpu)\n",
    ],
)
def test_a_figure_without_a_hit_is_left_out_and_the_others_stay(zero: str) -> None:
    assert [line.place for line in lines(zero + SETUP + SUMMARY, "log")] == ["log:6"]
    assert notes(zero + SETUP + SUMMARY) == ["log:3: uprobe-nop: no hit was counted: left out"]
    with pytest.raises(UsageError, match="log:3: uprobe-nop: no hit was counted"):
        lines(zero, "log")


def test_cpus_that_the_rates_do_not_allow_are_refused() -> None:
    summary = "Summary: hits    2.149 ± 0.001M/s (  0.034M/prod), drops"
    with pytest.raises(UsageError, match="--cpus says 32 CPUs, its rates 63 to 64"):
        lines(SETUP + summary, "log", cpus=32)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("Linux a 6.12.1-x #1 SMP", "Linux a 6.13.0-x #1 SMP", "kernel"),
        ("Linux a 6.12.1-x #1 SMP", "Linux b 6.12.1-x #1 SMP", "host"),
        ("model name : Xeon", "Model name:   EPYC", "CPU"),
    ],
)
def test_a_log_of_two_systems_is_read_one_at_a_time(one: str, other: str, kind: str) -> None:
    text = f"{one}\n{SETUP}{SUMMARY}{other}\n{SETUP}{SUMMARY}"
    with pytest.raises(UsageError, match=rf"log:5: another {kind}, .* at log:1: .*--lines"):
        lines(text, "log")
    assert [line.place for line in lines(text, "log", span=(5, 9))] == ["log:8"]


def _read(*asked: str, said: str = "") -> str:
    done = CliRunner().invoke(cli, ["read-log", *asked])
    assert said in str(done.exception or ""), done.output
    assert (done.exception is not None) == bool(said)
    return done.output


def test_the_same_log_by_two_paths_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a").write_text(SETUP + SUMMARY)
    Path("b").symlink_to("a")
    Path("c").write_bytes((SETUP + SUMMARY).replace("\n", "\r\n").encode())
    said = _read("a", "./b", "c", "--kernel=6.12")
    assert "2 of 3 figures were counted before" in said
    assert said.endswith("1 figure: results/runs/log\n")
    _read(str(Path("c").absolute()), "--kernel=6.12")
    assert len(scan("results/runs/log").collect()) == 1


def test_two_figures_of_one_measurement_are_repeats_only_if_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a").write_text("uprobe-nop: 3.1 ± 0.1M/s\n")
    Path("b").write_text("uprobe-nop: 0.9 ± 0.1M/s\n")
    _read("a", "b", "--kernel=6.12", said="b:1: uprobe-nop, 1 CPUs again: 0.900 M/s, 3.100 at a:1")
    assert not Path("results").exists()
    _read("a", "--kernel=6.12")
    _read("b", "--kernel=6.12", said="again: 0.900 M/s, 3.100 in log")
    _read("b", "--kernel=6.12", "--machine=other")
    _read("b", "--kernel=6.12", "--repeats")
    rows = scan("results/runs/log").collect().sort("machine", "replicate")
    assert rows.select("machine", "replicate").rows() == [("log", 0), ("log", 1), ("other", 0)]


def test_a_log_that_names_its_kernel_needs_no_option_and_allows_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a").write_text("Linux box 6.12.8-generic #1 SMP\nuprobe-nop: 3.1 ± 0.1M/s\n")
    _read("a", "--kernel=6.13", said="--kernel 6.13: a:1 says 6.12.8-generic")
    _read("a")
    assert scan("results/runs/log").collect()["kernel"].to_list() == ["6.12.8-generic"]


def test_a_simulated_runs_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = "name: s\nbench: uprobe-nop\nflavour: baseline\ncpus: 1\nmachine: generic\n"
    Path("s.yaml").write_text(spec)
    assert CliRunner().invoke(cli, ["run", "s.yaml", "--out", "s"]).exit_code == 0
    Path("a").write_text("uprobe-nop: 3.1 ± 0.1M/s\n")
    _read("a", "--kernel=6.12", "--out=s", said="s holds a run that is not of logs")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "cannot read bench.log: No such file"),
        (["--kernel=6.12", "--flavour=srcu"], "give either --kernel or --flavour"),
        (["--kernel=new"], "--kernel new: allowed: v6.9"),
        (["--kernel=5.15.0-91-generic"], "--kernel 5.15.0-91-generic is older than 6.4"),
        (["--flavour=srcv"], "--flavour: unknown flavour 'srcv'"),
        (["--kernel=6.12", "--lines=9-3"], "--lines 9-3: the last line is before the first"),
        (["--kernel=6.12", "--lines=x"], "--lines x: write a first and a last line"),
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
