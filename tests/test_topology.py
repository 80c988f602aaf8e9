"""Where CPUs sit on the letter's machine, and how fast they run."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from core.hardware.machine import Machine, load_machine, machine_names
from core.hardware.topology import clock_period_ps, place


@pytest.fixture(scope="module")
def gold() -> Machine:
    return load_machine("xeon-gold-6138")


def test_the_letter_s_machine_has_80_cpus(gold: Machine) -> None:
    assert gold.cpus == 80
    assert "xeon-gold-6138" in machine_names()


def test_thirty_two_cpus_are_20_and_12_cores(gold: Machine) -> None:
    where = place(gold, 32)
    assert np.bincount(where.socket).tolist() == [20, 12]
    assert (where.sibling == -1).all()
    assert len(set(where.core.tolist())) == 32


def test_sixty_four_cpus_are_40_threads_and_24_threads(gold: Machine) -> None:
    where = place(gold, 64)
    assert np.bincount(where.socket).tolist() == [40, 24]
    paired = where.sibling >= 0
    assert np.bincount(where.socket[paired]).tolist() == [40, 8]
    assert (where.sibling[where.sibling[paired]] == np.flatnonzero(paired)).all()
    assert (where.core[where.sibling[paired]] == where.core[paired]).all()


def test_clocks_fall_with_busy_cores_per_socket(gold: Machine) -> None:
    expected = {1: 3.7, 2: 3.7, 3: 3.5, 8: 3.4, 12: 3.2, 16: 2.9, 20: 2.7}
    for cores, ghz in expected.items():
        assert clock_period_ps(gold, cores) == round(1000 / ghz)
    mixed = place(gold, 32)
    assert set(mixed.ps_per_cycle[:20].tolist()) == {round(1000 / 2.7)}
    assert set(mixed.ps_per_cycle[20:].tolist()) == {round(1000 / 3.2)}


@pytest.mark.parametrize("cpus", [0, 81, -1])
def test_a_machine_gives_no_cpus_that_it_lacks(gold: Machine, cpus: int) -> None:
    with pytest.raises(ValueError, match="has 80 CPUs"):
        place(gold, cpus)


def test_a_turbo_table_must_cover_the_socket(gold: Machine) -> None:
    short = gold.model_dump(mode="json")
    short["turbo"] = short["turbo"][:-1]
    with pytest.raises(ValidationError, match="turbo must rise"):
        Machine.model_validate(short)


def test_the_digest_follows_the_costs(gold: Machine) -> None:
    other = gold.model_dump(mode="json")
    other["coherence"]["request_ns"] += 0.5
    assert Machine.model_validate(other).digest != gold.digest
    assert load_machine("xeon-gold-6138").digest == gold.digest


def test_an_unknown_machine_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load_machine("xeon")
