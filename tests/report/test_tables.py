"""The letter's lines."""

import re

import polars as pl
from frames import frame, letter_frame, row
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.report.tables import in_order, letter_lines

LETTER = """\
BASELINE (on top of Oleg's clean up patches)
============================================
uprobe-nop ( 1 cpus): 3.032 ± 0.023M/s ( 3.032M/s/cpu)
uprobe-nop ( 2 cpus): 3.452 ± 0.005M/s ( 1.726M/s/cpu)
uprobe-nop ( 4 cpus): 3.663 ± 0.005M/s ( 0.916M/s/cpu)
uprobe-nop ( 8 cpus): 3.718 ± 0.038M/s ( 0.465M/s/cpu)
uprobe-nop (16 cpus): 3.344 ± 0.008M/s ( 0.209M/s/cpu)
uprobe-nop (32 cpus): 2.288 ± 0.021M/s ( 0.071M/s/cpu)
uprobe-nop (64 cpus): 3.205 ± 0.004M/s ( 0.050M/s/cpu)

uretprobe-nop ( 1 cpus): 1.979 ± 0.005M/s ( 1.979M/s/cpu)
uretprobe-nop ( 2 cpus): 2.361 ± 0.005M/s ( 1.180M/s/cpu)
uretprobe-nop ( 4 cpus): 2.309 ± 0.002M/s ( 0.577M/s/cpu)
uretprobe-nop ( 8 cpus): 2.253 ± 0.001M/s ( 0.282M/s/cpu)
uretprobe-nop (16 cpus): 2.007 ± 0.000M/s ( 0.125M/s/cpu)
uretprobe-nop (32 cpus): 1.624 ± 0.003M/s ( 0.051M/s/cpu)
uretprobe-nop (64 cpus): 2.149 ± 0.001M/s ( 0.034M/s/cpu)

Up to second-to-last patch (i.e., SRCU-based optimizations)
===========================================================
uprobe-nop ( 1 cpus): 3.276 ± 0.005M/s ( 3.276M/s/cpu)
uprobe-nop ( 2 cpus): 4.125 ± 0.002M/s ( 2.063M/s/cpu)
uprobe-nop ( 4 cpus): 7.713 ± 0.002M/s ( 1.928M/s/cpu)
uprobe-nop ( 8 cpus): 8.097 ± 0.006M/s ( 1.012M/s/cpu)
uprobe-nop (16 cpus): 6.501 ± 0.056M/s ( 0.406M/s/cpu)
uprobe-nop (32 cpus): 4.398 ± 0.084M/s ( 0.137M/s/cpu)
uprobe-nop (64 cpus): 6.452 ± 0.000M/s ( 0.101M/s/cpu)

uretprobe-nop ( 1 cpus): 2.055 ± 0.001M/s ( 2.055M/s/cpu)
uretprobe-nop ( 2 cpus): 2.677 ± 0.000M/s ( 1.339M/s/cpu)
uretprobe-nop ( 4 cpus): 4.561 ± 0.003M/s ( 1.140M/s/cpu)
uretprobe-nop ( 8 cpus): 5.291 ± 0.002M/s ( 0.661M/s/cpu)
uretprobe-nop (16 cpus): 5.065 ± 0.019M/s ( 0.317M/s/cpu)
uretprobe-nop (32 cpus): 3.622 ± 0.003M/s ( 0.113M/s/cpu)
uretprobe-nop (64 cpus): 3.723 ± 0.002M/s ( 0.058M/s/cpu)

RCU Tasks Trace
===============
uprobe-nop ( 1 cpus): 3.396 ± 0.002M/s ( 3.396M/s/cpu)
uprobe-nop ( 2 cpus): 4.271 ± 0.006M/s ( 2.135M/s/cpu)
uprobe-nop ( 4 cpus): 8.499 ± 0.015M/s ( 2.125M/s/cpu)
uprobe-nop ( 8 cpus): 10.355 ± 0.028M/s ( 1.294M/s/cpu)
uprobe-nop (16 cpus): 7.615 ± 0.099M/s ( 0.476M/s/cpu)
uprobe-nop (32 cpus): 4.430 ± 0.007M/s ( 0.138M/s/cpu)
uprobe-nop (64 cpus): 6.887 ± 0.020M/s ( 0.108M/s/cpu)

uretprobe-nop ( 1 cpus): 2.174 ± 0.001M/s ( 2.174M/s/cpu)
uretprobe-nop ( 2 cpus): 2.853 ± 0.001M/s ( 1.426M/s/cpu)
uretprobe-nop ( 4 cpus): 4.913 ± 0.002M/s ( 1.228M/s/cpu)
uretprobe-nop ( 8 cpus): 5.883 ± 0.002M/s ( 0.735M/s/cpu)
uretprobe-nop (16 cpus): 5.147 ± 0.001M/s ( 0.322M/s/cpu)
uretprobe-nop (32 cpus): 3.738 ± 0.008M/s ( 0.117M/s/cpu)
uretprobe-nop (64 cpus): 4.397 ± 0.002M/s ( 0.069M/s/cpu)
"""
"""As archived, which collapsed its runs of blanks."""

LINE = re.compile(r"(\S+) +\(( ?\d+) cpus\): +([\d.]+) ± +([\d.]+)M/s  \( *([\d.]+)M/s/cpu\)")
"""Bench, CPUs, mean, stddev, share of a CPU."""


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if LINE.fullmatch(line)]


def test_published_figures_give_the_letter_once_blanks_are_collapsed() -> None:
    text = letter_lines(letter_frame())
    assert len(lines(text)) == 42
    assert re.sub(" +", " ", text) + "\n" == LETTER


def test_lines_are_what_the_bench_tool_and_the_script_print() -> None:
    table = letter_lines(letter_frame()).splitlines()
    assert table[2] == "uprobe-nop      ( 1 cpus):    3.032 ± 0.023M/s  (  3.032M/s/cpu)"
    assert table[6] == "uprobe-nop      (16 cpus):    3.344 ± 0.008M/s  (  0.209M/s/cpu)"
    assert "uprobe-nop      ( 8 cpus):   10.355 ± 0.028M/s  (  1.294M/s/cpu)" in table
    assert len({len(line) for line in lines("\n".join(table))}) == 1


def test_order_does_not_depend_on_the_rows() -> None:
    shuffled = letter_frame().sample(fraction=1.0, shuffle=True, seed=7)
    assert letter_lines(shuffled) == letter_lines(letter_frame())


def test_other_flavours_and_benches_come_last_under_their_names() -> None:
    text = letter_lines(
        frame(
            row(flavour="mine", bench="another"),
            row(flavour="mine", bench="uretprobe-nop"),
            row(flavour="tasks-trace"),
        )
    )
    heads = [line for line in text.splitlines() if line and not LINE.fullmatch(line)]
    assert heads == ["RCU Tasks Trace", "=" * 15, "mine", "===="]
    assert [line.split()[0] for line in lines(text)] == ["uprobe-nop", "uretprobe-nop", "another"]


def test_replicates_are_averaged() -> None:
    text = letter_lines(
        frame(
            row(replicate=0, cpus=2, hits_per_s=4e6, hits_per_s_stddev=3e5),
            row(replicate=1, cpus=2, hits_per_s=5e6, hits_per_s_stddev=4e5),
        )
    )
    assert lines(text) == ["uprobe-nop      ( 2 cpus):    4.500 ± 0.354M/s  (  2.250M/s/cpu)"]


def test_a_line_of_two_states_gives_both_rates() -> None:
    rows = [row(cpus=n, state_low=low, state_high=low and 2e6) for n, low in ((2, None), (4, 1e6))]
    one, two = letter_lines(frame(*rows)).splitlines()[-2:]
    assert one.endswith("M/s/cpu)")
    assert two.endswith("M/s/cpu)  two states: 1.000 and 2.000")


def test_the_heading_says_what_the_spread_of_repeats_is() -> None:
    once = frame(row(hits_per_s=3e6, hits_per_s_stddev=1e4))
    assert "repeat" not in letter_lines(once)
    twice = frame(
        row(hits_per_s=3e6, hits_per_s_stddev=1e4),
        row(hits_per_s=4e6, hits_per_s_stddev=1e4, replicate=1),
    )
    lines = letter_lines(twice).splitlines()
    said = "± is the spread inside a repeat, of 2 at most; between repeats it is 0.707M/s at most"
    assert lines[2] == said
    assert "3.500 ± 0.010M/s" in lines[3]


def test_a_table_says_which_setting_it_is_when_there_are_several() -> None:
    text = letter_lines(frame(row(probes=1), row(probes=64, seed=2), row(probes=64, seed=3)))
    which = [line for line in text.splitlines() if "probes=" in line]
    assert which == ["probes=1  seed=1", "probes=64  seed=2", "probes=64  seed=3"]
    assert len(lines(text)) == 3
    assert text.count("BASELINE") == 3


def test_a_table_of_a_setting_that_is_not_the_letters_says_so() -> None:
    assert "\nspread=zipf\n" in letter_lines(frame(row(spread="zipf")))
    assert "\nmachine=laptop\n" in letter_lines(frame(row(machine="laptop")))
    assert "=1" not in letter_lines(frame(row(seed=5)))


def test_results_of_two_kernels_are_never_averaged() -> None:
    text = letter_lines(
        frame(row(rcu="srcu"), row(), row(processes=4), row(owner_beside_count="true"))
    )
    which = [line for line in text.splitlines() if "rcu=" in line]
    assert which == [
        "rcu=default  owner_beside_count=default  processes=1",
        "rcu=default  owner_beside_count=default  processes=4",
        "rcu=default  owner_beside_count=true  processes=1",
        "rcu=srcu  owner_beside_count=default  processes=1",
    ]
    assert len(lines(text)) == 4


def test_results_of_two_models_are_never_averaged() -> None:
    text = letter_lines(
        frame(row(hits_per_s=1e6, model_version="1"), row(hits_per_s=9e6, model_version="2"))
    )
    assert [LINE.fullmatch(line)[3] for line in lines(text)] == ["1.000", "9.000"]  # type: ignore[index]


def test_no_rows_no_tables() -> None:
    assert letter_lines(frame()) == ""


@settings(deadline=None)
@given(
    cpus=st.integers(1, 99),
    mean=st.floats(0, 9e9),
    stddev=st.floats(0, 9e6),
    bench=st.sampled_from(["uprobe-nop", "uretprobe-nop"]),
)
def test_a_line_says_its_figures_to_three_decimals(
    cpus: int, mean: float, stddev: float, bench: str
) -> None:
    made = row(bench=bench, cpus=cpus, hits_per_s=mean, hits_per_s_stddev=stddev)
    [line] = lines(letter_lines(frame(made)))
    said = LINE.fullmatch(line)
    assert said is not None
    assert said[1] == bench
    assert int(said[2]) == cpus
    for text, value in ((said[3], mean), (said[4], stddev), (said[5], mean / cpus)):
        assert abs(float(text) - value / 1e6) <= 0.000501


@given(st.lists(st.sampled_from("abcxyz")))
def test_in_order_puts_the_known_first(present: list[str]) -> None:
    ordered = in_order("zca", present)
    assert sorted(ordered) == sorted(set(present))
    assert ordered == [c for c in "zcabxy" if c in present]


def test_columns_of_any_string_and_integer_type_do() -> None:
    letter = letter_frame()
    cast = letter.with_columns(
        pl.col("cpus", "seed").cast(pl.Int32), pl.col("bench").cast(pl.Categorical)
    )
    assert letter_lines(cast) == letter_lines(letter)
