"""A hot path as people and programs read it."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.flavours import FLAVOURS, hot_path, layout_of
from core.kernel.hot_path import BENCHES
from core.kernel.layout import Layout
from core.kernel.operation import Kind, Path
from core.kernel.rcu_flavours import RCU
from sweep.cli import cli
from sweep.errors import UsageError
from sweep.report.show import (
    TOTALS,
    described,
    difference,
    differs,
    listing,
    steps,
    together,
    totals,
)

flavours = st.sampled_from(list(FLAVOURS))
benches = st.sampled_from(BENCHES)

TASKS_TRACE = """\
exc_int3                work                  trap_entry
rcu_read_lock_trace     work                  trace_nesting
mmap_read_lock          work                  rwsem_call
mmap_read_lock          lock xadd             mm->mmap_lock.count
mmap_read_lock          load                  mm->mmap_lock.owner (line of mm->mmap_lock.count)
mmap_read_lock          store                 mm->mmap_lock.owner (line of mm->mmap_lock.count)
vma_lookup              work                  vma_lookup
rb_find_rcu             load                  uprobes_treelock, uprobes_tree, uprobes_seqcount
rb_find_rcu             load (each ancestor)  struct uprobe, bytes 0-63: rb_node, ref, register_rwsem
rb_find_rcu             work                  rb_find
mmap_read_unlock        work                  rwsem_call
mmap_read_unlock        lock xadd             mm->mmap_lock.count
uprobe_dispatcher       work                  consumer_call
uprobe_dispatcher       load                  trace_uprobe.nhit
uprobe_dispatcher       store                 trace_uprobe.nhit
__uprobe_perf_func      work                  trace_nesting
__uprobe_perf_func      work                  bpf_prog
__uprobe_perf_func      lock add (own line)
__uprobe_perf_func      work                  trace_nesting
arch_uprobe_skip_sstep  work                  emulate
rcu_read_unlock_trace   work                  trace_nesting
iret                    work                  trap_exit

shared operations of one hit:
mm->mmap_lock.count                                      2 lock xadd
mm->mmap_lock.owner                                      1 load, 1 store
uprobes_treelock, uprobes_tree, uprobes_seqcount         1 load
struct uprobe, bytes 0-63: rb_node, ref, register_rwsem  1 load (each ancestor)
trace_uprobe.nhit                                        1 load, 1 store
on one line: mm->mmap_lock.count and mm->mmap_lock.owner
"""  # noqa: E501


def placed(flavour: str, bench: str) -> tuple[Path, Layout]:
    return hot_path(flavour, bench), layout_of(flavour, "default", probes=1)


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["show", *args])


def test_a_path_as_it_is_printed() -> None:
    done = run("tasks-trace")
    assert done.exit_code == 0
    assert done.output == TASKS_TRACE


@given(flavours, benches)
def test_columns_align(flavour: str, bench: str) -> None:
    path, layout = placed(flavour, bench)
    listed, summed = listing(path, layout).split(f"\n\n{TOTALS}:\n")
    for line, step in zip(listed.splitlines(), steps(path, layout), strict=True):
        assert line.startswith(step.function + "  ")
        assert line.endswith(step.touched)
        assert line == line.rstrip()
    starts = {
        line.index(step.operation, len(step.function))
        for line, step in zip(listed.splitlines(), steps(path, layout), strict=True)
    }
    assert len(starts) == 1
    assert len(summed.splitlines()) == len(totals(path)) + len(together(path, layout))


@given(flavours, benches, st.sampled_from(RCU))
def test_totals_are_the_shared_operations(flavour: str, bench: str, rcu: str) -> None:
    path = hot_path(flavour, bench, rcu)
    counted = Counter(
        op.line.value for call in path for op in call.operations if op.line is not None
    )
    assert {line: sum(by.values()) for line, by in totals(path).items()} == counted
    barriers = [op for call in path for op in call.operations if op.kind is Kind.BARRIER]
    found = steps(path, Layout(1))
    assert len([s for s in found if not s.line and not s.work]) == len(barriers)


@given(flavours, flavours, benches)
def test_a_difference_leads_from_one_path_to_the_other(one: str, two: str, bench: str) -> None:
    path, other = placed(one, bench), placed(two, bench)
    lines = difference(path, other, one, two).splitlines()
    if path == other or steps(*path) == steps(*other):
        assert lines == []
        return
    assert lines[:2] == [f"--- {one}", f"+++ {two}"]
    signs = Counter(line[0] for line in lines[2:])
    found = differs(path, other)
    kept = len(steps(*path)) - len(found["removed"])
    assert kept == len(steps(*other)) - len(found["added"])
    assert signs["-"] >= len(found["removed"])
    assert signs["+"] >= len(found["added"])


def test_the_difference_of_two_stages_by_hand() -> None:
    found = differs(placed("split-unregister", "uprobe-nop"), placed("srcu", "uprobe-nop"))
    locks = ["read_lock(&uprobes_treelock)", "read_unlock(&uprobes_treelock)"]
    removed = [step["function"] for step in found["removed"] if step["operation"] == "lock xadd"]
    assert removed == locks
    assert {step["function"] for step in found["added"]} == {"rb_find_rcu"}
    tree = "uprobes_treelock, uprobes_tree, uprobes_seqcount"
    assert found["totals"][tree] == {"lock xadd": 2, "load": 1}
    assert found["vs_totals"][tree] == {"load": 1}


def test_a_slot_is_shown_with_its_own_instructions() -> None:
    found = totals(hot_path("srcu", "uprobe-ret"))
    assert found["xol_area->bitmap"] == {"load": 1, "lock bts": 1, "lock btr": 1}
    area = "struct xol_area: wq, bitmap pointer, page, vaddr"
    assert found[area] == {"load": 3, "lock inc": 1, "lock dec": 1}


def test_json_of_one_and_of_two() -> None:
    options = ("--bench", "uretprobe-ret", "--rcu", "srcu-lite", "--json")
    one = json.loads(run("v6.14", *options).output)
    hit = {"flavour": "v6.14", "bench": "uretprobe-ret", "rcu": "srcu-lite"}
    path = hot_path("v6.14", "uretprobe-ret", "srcu-lite")
    assert one == {**hit, **described(path, Layout(1, owner_beside_count=False))}
    two = json.loads(run("v6.15", "--vs", "v6.18", *options).output)
    assert two["vs"] == "v6.18"
    assert (two["removed"], two["added"]) == ([], [])
    assert two["totals"] == two["vs_totals"]
    lines = {word for word, by in one["totals"].items() if two["totals"].get(word) != by}
    assert lines == {"sighand->siglock"}


@pytest.mark.parametrize(
    ("flavour", "line", "words"),
    [
        ("v6.12", "mm->mmap_lock.owner (line of mm->mmap_lock.count)", ["count", "owner"]),
        ("v6.13", "mm->mmap_lock.owner", ["owner", "mm_lock_seq"]),
        ("v6.18", "mm->mm_lock_seq (line of mm->mmap_lock.owner)", ["owner", "mm_lock_seq"]),
        ("v7.0", "mm->mm_lock_seq", None),
    ],
)
def test_words_that_share_a_line_are_said_to(
    flavour: str, line: str, words: list[str] | None
) -> None:
    printed = run(flavour).output.splitlines()
    assert any(text.endswith(f"  {line}") for text in printed)
    shared = [text for text in printed if text.startswith("on one line: ")]
    assert len(shared) == (words is not None)
    assert all(word in text for text in shared for word in words or [])


def test_two_layouts_of_one_path_differ() -> None:
    done = run("v6.18", "--vs", "v6.18+mm-cid-aligned")
    assert "-on one line: mm->mmap_lock.owner and mm->mm_lock_seq" in done.output


def test_two_that_do_the_same_say_so() -> None:
    done = run("baseline", "--vs", "rbtree-helpers")
    assert (done.exit_code, done.output) == (0, "baseline and rbtree-helpers do the same\n")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("srcuu", "flavour: unknown flavour 'srcuu': did you mean 'srcu'?"),
        ("srcu --vs srco", "--vs: unknown flavour 'srco': did you mean 'srcu'?"),
        ("srcu+nhit", "unknown patch 'nhit' in 'srcu+nhit': did you mean 'percpu-nhit'?"),
        ("srcu --bench ret", "bench: unknown bench 'ret': did you mean 'uprobe-ret'?"),
        ("srcu --rcu fast", "rcu: unknown rcu 'fast': did you mean 'srcu-fast'?"),
    ],
)
def test_a_bad_name_is_a_usage_error(args: str, said: str) -> None:
    done = run(*args.split())
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
    assert done.output == ""
