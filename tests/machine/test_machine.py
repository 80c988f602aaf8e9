"""The machine model: its rules, its defaults, and the machines that ship."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from core.kernel.flavours import work_names
from core.machine.machine import MACHINES, Machine, load_machine, machine_names
from core.machine.work import names_to_give


@pytest.fixture
def tree() -> dict[str, Any]:
    return load_machine("xeon-gold-6138").model_dump(mode="json")


@pytest.mark.parametrize("name", machine_names())
def test_a_shipped_file_gives_every_key_and_all_work(name: str) -> None:
    machine = load_machine(name)
    written = yaml.safe_load((Path(str(MACHINES)) / f"{name}.yaml").read_text())
    written.pop("calibration", None)
    assert written == machine.model_dump(mode="json", exclude={"calibration"})
    assert machine.name == name
    assert tuple(sorted(machine.execution.work_cycles)) == names_to_give(work_names())
    assert set(work_names()) <= machine.execution.work.keys()


def test_without_the_new_keys_a_socket_is_one_cache_and_cores_come_first(
    tree: dict[str, Any],
) -> None:
    for key in ("cores_per_cache", "numbering"):
        del tree[key]
    del tree["coherence"]["other_cache_ns"]
    plain = Machine.model_validate(tree)
    assert (plain.cores_per_cache, plain.numbering) == (20, "cores-first")
    assert plain.coherence.other_cache_ns == 0
    assert plain == load_machine("xeon-gold-6138")
    assert plain.digest == load_machine("xeon-gold-6138").digest


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        ({"sockets": 26}, "threads_per_core", "are 1,040 CPUs: allowed are at most 1,024"),
        ({"cores_per_cache": 8}, "cores_per_cache", "8 does not divide 20 cores: nearest 10"),
        ({"cores_per_cache": 21}, "cores_per_cache", "21 does not divide 20 cores: nearest 20"),
        (
            {"cores_per_socket": 21, "cores_per_cache": 21},
            "turbo",
            "rise in active_cores and reach",
        ),
        ({"turbo": []}, "turbo", "turbo must rise"),
        (
            {"numbering": "random"},
            "numbering",
            "'cores-first', 'siblings-adjacent', 'round",
        ),
        ({"threads_per_core": 3}, "threads_per_core", "less than or equal to 2"),
        ({"sockets": True}, "sockets", "valid integer"),
        ({"sockets": "2"}, "sockets", "valid integer"),
        ({"name": "a\nb"}, "name", "should match pattern"),
    ],
)
def test_a_rule_that_is_broken_names_one_field(
    tree: dict[str, Any], changes: dict[str, Any], place: str, said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Machine.model_validate({**tree, **changes})
    [error] = caught.value.errors()
    assert error["loc"] == (place,)
    assert said in error["msg"]


@pytest.mark.parametrize("cost", [-1, float("nan"), float("inf"), 10_001, None])
def test_costs_are_sane(tree: dict[str, Any], cost: float | None) -> None:
    tree["coherence"]["other_cache_ns"] = cost
    with pytest.raises(ValidationError, match="other_cache_ns"):
        Machine.model_validate(tree)


def test_1024_cpus_are_allowed(tree: dict[str, Any]) -> None:
    shape = {"sockets": 32, "cores_per_socket": 16, "cores_per_cache": 4}
    assert Machine.model_validate({**tree, **shape}).cpus == 1024


def test_distances_are_those_that_there_are(tree: dict[str, Any]) -> None:
    tree["coherence"] |= {
        "request_ns": 10,
        "snoop_ns": 10,
        "transfer_ns": 20,
        "other_cache_ns": 5,
        "other_socket_ns": 70,
    }
    caches = Machine.model_validate({**tree, "cores_per_cache": 10})
    assert caches.one_way_ns == {
        "same core": 0,
        "same cache": 40,
        "other cache": 45,
        "other socket": 110,
    }
    shape = {"sockets": 1, "threads_per_core": 1}
    assert Machine.model_validate({**tree, **shape}).one_way_ns == {"same cache": 40}


@pytest.mark.parametrize("key", ["request_ns", "other_cache_ns"])
def test_the_digest_follows_the_costs(tree: dict[str, Any], key: str) -> None:
    tree["coherence"][key] += 0.5
    assert Machine.model_validate(tree).digest != load_machine("xeon-gold-6138").digest


def test_an_unknown_machine_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load_machine("xeon")


def test_the_generic_machine_costs_what_the_letter_s_does() -> None:
    generic, letter = load_machine("generic"), load_machine("xeon-gold-6138")
    assert (generic.coherence, generic.execution) == (letter.coherence, letter.execution)
