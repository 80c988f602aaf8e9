"""Machine files: numbers at paths, and the section that calibration writes."""

from __future__ import annotations

from typing import Any

import pytest
from engine_machines import machine
from pydantic import ValidationError

from core.machine.machine import Machine, load_machine

SECTION: dict[str, Any] = {
    "curves": [["atomic_inc shared", 4]],
    "cells": [["srcu", "uprobe-nop", 8]],
    "discrepancy": {"uncontended": 0.01, "contended": 0.1},
    "intervals": {"coherence.transfer_ns": [35, 45.5], "execution.work_cycles.think": [10, 20]},
    "members": [
        {"coherence.transfer_ns": 38.5, "execution.work_cycles.think": 12},
        {"coherence.transfer_ns": 41, "execution.work_cycles.think": 17},
    ],
}


def with_section(**changes: Any) -> Machine:
    tree = machine().model_dump(mode="json")
    return Machine.model_validate({**tree, "calibration": {**SECTION, **changes}})


def test_numbers_are_read_and_replaced_by_path() -> None:
    model = machine()
    moved = model.with_numbers({"coherence.shared_read_ns": 33, "execution.work_cycles.gap": 51})
    assert (
        moved.number("coherence.shared_read_ns"),
        moved.number("execution.work_cycles.gap"),
    ) == (
        33,
        51,
    )
    back = {"coherence.shared_read_ns": 20, "execution.work_cycles.gap": 50}
    assert moved.with_numbers(back) == model


@pytest.mark.parametrize(
    "path", ["coherence.nothing", "coherence", "", "turbo.0.ghz", "name.x", "title", "a.b.c"]
)
def test_a_path_to_no_number_is_refused(path: str) -> None:
    with pytest.raises(KeyError):
        machine().with_numbers({path: 1})
    with pytest.raises(KeyError):
        machine().number(path)


def test_members_are_machines_without_a_calibration() -> None:
    model = with_section()
    one, two = model.members
    assert one.coherence.transfer_ns == 38.5
    assert two.execution.work_cycles["think"] == 17
    assert one.calibration is two.calibration is None
    assert (
        one.with_numbers({path: model.number(path) for path in SECTION["intervals"]}) == machine()
    )
    assert machine().members == ()


def test_a_section_is_replaced_with_all_that_follows_from_it() -> None:
    model = with_section()
    assert len(model.members) == 2
    without = model.with_calibration(None)
    assert (without.members, without.digest) == ((), machine().digest)
    assert without.with_calibration(model.calibration).digest == model.digest


def test_the_digest_covers_the_calibration() -> None:
    digests = {
        machine().digest,
        with_section().digest,
        with_section(discrepancy={"uncontended": 0.01, "contended": 0.2}).digest,
        with_section(members=SECTION["members"][:1]).digest,
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"coherence.transfr_ns": 38.5}, "no number is at coherence.transfr_ns"),
        (
            {"coherence.transfer_ns": -1},
            "coherence.transfer_ns: Input should be greater than or eq",
        ),
        (
            {"execution.work_cycles.think": 1.5},
            "execution.work_cycles.think: Input should be a val",
        ),
    ],
)
def test_a_member_that_cannot_be_is_named(changes: dict[str, Any], said: str) -> None:
    model = with_section(intervals=dict.fromkeys(changes, (0, 1)), members=[changes])
    with pytest.raises(ValueError, match=r"^calibration.members\[0\]: ") as caught:
        _ = model.members
    assert said in str(caught.value)


def test_members_and_intervals_are_of_the_same_numbers() -> None:
    model = with_section(members=[SECTION["members"][0], {}])
    with pytest.raises(ValueError, match=r"members\[1\]: coherence.transfer_ns is not both there"):
        _ = model.members


def test_a_section_of_other_keys_is_refused() -> None:
    with pytest.raises(ValidationError):
        with_section(more=1)


@pytest.mark.parametrize("name", ["xeon-8176", "xeon-gold-6138"])
def test_shipped_intervals_hold_their_values(name: str) -> None:
    model = load_machine(name)
    assert model.calibration is not None
    for path, (low, high) in model.calibration.intervals.items():
        assert low <= model.number(path) <= high, path
    assert len(model.members) >= 12
