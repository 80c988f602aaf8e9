"""What an actor hosts, without Ray."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from core.arrays import IntArray
from core.engine.cpu_hosts import CpuGroup
from sweep.executors.cpu_actor import CpuActor


class Pair(NamedTuple):
    one: IntArray
    other: IntArray


class Group:
    def __init__(self) -> None:
        self.told: list[object] = []

    def tell(self, *what: object) -> int:
        self.told += what
        return len(self.told)

    def flags(self, *arrays: IntArray) -> list[bool]:
        return [array.flags.writeable for array in arrays]

    def pair_flags(self, pair: Pair) -> list[bool]:
        return self.flags(*pair)


@pytest.fixture
def actor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CpuActor:
    # It leaves the directory that it is in.
    monkeypatch.chdir(tmp_path)
    return CpuActor()


def test_a_group_of_a_class_stays_the_same_one(actor: CpuActor) -> None:
    class Other(Group):
        pass

    assert actor.call(Group, "tell", "one", "two") == 2
    assert actor.call(Other, "tell", "one") == 1
    assert actor.call(Group, "tell", "three") == 3


def test_groups_may_write_to_what_they_are_given(actor: CpuActor) -> None:
    given = np.arange(3)
    given.flags.writeable = False
    assert actor.call(Group, "flags", given, np.arange(2)) == [True, True]
    assert actor.call(Group, "pair_flags", Pair(given, given)) == [True, True]
    assert given.tolist() == [0, 1, 2]


def test_an_actor_needs_no_working_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(FileNotFoundError):
        os.getcwd()
    CpuActor()
    assert os.getcwd() == "/"


def test_what_a_group_raises_is_raised(actor: CpuActor) -> None:
    with pytest.raises(AttributeError, match="no_such"):
        actor.call(CpuGroup, "no_such")
