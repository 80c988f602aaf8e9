"""Flavours as sets of patches, and what a machine has to know of all of them."""

from __future__ import annotations

import pytest

from core.kernel.flavours import hot_path, name_of, parse_flavour, spelt, work_names
from core.kernel.patches import PATCHES
from core.machine.machine import load_machine, machine_names


def stages(text: str) -> set[int]:
    patches = parse_flavour(text).patches
    return {patch.stage for patch in PATCHES if patch.name in patches and patch.stage}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v6.11", set()),
        ("v6.12", {1, 2, 3, 4, 5, 6, 7, 9}),
        ("v6.13", set(range(1, 11))),
        ("v6.14", set(range(1, 13))),
        ("v6.18", set(range(1, 14))),
        ("tasks-trace+percpu-nhit+speculative-vma", {*range(1, 10), 11}),
        ("v6.14~percpu-nhit", set(range(1, 13)) - {9}),
        ("baseline+percpu-nhit", {9}),
        ("v6.18~percpu-nhit~ri-reuse+srcu-fast", {*range(1, 15)} - {9, 12}),
    ],
)
def test_flavours_are_sets_of_patches(text: str, expected: set[int]) -> None:
    assert stages(text) == expected


@pytest.mark.parametrize("word", ["srcuu", "", "v6.8", "tasks-trace+nhit", "srcu~", "+srcu"])
def test_an_unknown_word_is_named(word: str) -> None:
    with pytest.raises(KeyError) as caught:
        parse_flavour(word)
    assert caught.value.args[0] in word


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("srcu+srcu-lifetime", "srcu has srcu-lifetime already; it lacks tasks-trace, percpu"),
        ("rbtree-helpers~srcu", "rbtree-helpers lacks srcu already; it has .*, rbtree-helpers$"),
        (
            "baseline~srcu",
            "baseline lacks srcu already; it has lockless-filter, uretprobe",
        ),
        ("srcu~srcu-lifetime", "lockless-consumers needs srcu-lifetime"),
        ("baseline+srcu-fast", "srcu-fast needs tasks-trace"),
        ("v6.18~emulate-nops", "nop5 needs emulate-nops"),
        ("v6.9~srcu", "v6.9 lacks srcu already; it has none"),
    ],
)
def test_impossible_sets_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_flavour(text)


def test_the_order_of_edits_does_not_matter() -> None:
    one, other = "baseline+percpu-nhit+ri-reuse", "baseline+ri-reuse+percpu-nhit"
    assert parse_flavour(one).patches == parse_flavour(other).patches
    assert hot_path(one, "uretprobe-nop") == hot_path(other, "uretprobe-nop")


@pytest.mark.parametrize(
    ("text", "name", "spelling"),
    [
        ("v6.9", "v6.9", "baseline~lockless-filter~uretprobe-syscall"),
        ("v6.11", "baseline", "baseline"),
        ("v6.12", "v6.12", "srcu+percpu-nhit"),
        ("srcu+percpu-nhit", "v6.12", "srcu+percpu-nhit"),
        ("srcu+tasks-trace", "tasks-trace", "tasks-trace"),
        ("v6.18", "nop5", "nop5"),
        ("v6.18~nop5", "emulate-nops", "emulate-nops"),
        ("baseline+ri-reuse", "baseline+ri-reuse", "baseline+ri-reuse"),
    ],
)
def test_a_set_of_patches_has_one_name(text: str, name: str, spelling: str) -> None:
    patches = parse_flavour(text).patches
    assert (name_of(patches), spelt(patches)) == (name, spelling)
    assert parse_flavour(spelling).patches == patches


def test_an_unknown_rcu_or_bench_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="srcu-quick"):
        hot_path("srcu", "uprobe-nop", "srcu-quick")
    with pytest.raises(KeyError, match="uprobe-jmp"):
        hot_path("srcu", "uprobe-jmp")


@pytest.mark.parametrize("name", machine_names())
def test_shipped_machines_give_cycles_for_all_work(name: str) -> None:
    assert load_machine(name).execution.work.keys() >= set(work_names())
