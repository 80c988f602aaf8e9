"""Machines written as YAML, and built by numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from core.machine.machine import MACHINES, Machine, load_machine, machine_names
from sweep.errors import UsageError
from sweep.machines.located_yaml import read_located
from sweep.machines.machine_file import (
    MOVES,
    WAY,
    machine_text,
    parse_turbo,
    with_latencies,
    write_machine_file,
)

COSTS = load_machine("generic").coherence.model_dump()


@pytest.mark.parametrize("name", machine_names())
def test_a_machine_survives_being_written(name: str) -> None:
    machine = load_machine(name)
    text = machine_text(machine, ["one", "two"])
    assert text.startswith("# one\n# two\nname: ")
    assert Machine.model_validate(yaml.safe_load(text)) == machine.with_calibration(None)


def test_odd_titles_survive(tmp_path: Path) -> None:
    for title in (
        "a: b # c",
        "- x",
        "'\"",
        "\u00b5 \U0001f600",
        "yes",
        "1e3",
        "0o10",
        "\ufeff",
        "",
        "x" * 300,
    ):
        machine = load_machine("generic").model_copy(update={"title": title})
        (tmp_path / "m.yaml").write_text(machine_text(machine, []))
        assert read_located(tmp_path / "m.yaml").values["title"] == title


def test_the_template_is_its_own_rendering_and_explains_every_key() -> None:
    text = (Path(str(MACHINES)) / "generic.yaml").read_text()
    header = [line[2:] for line in text.splitlines()[:2]]
    assert machine_text(load_machine("generic"), header) == text
    comments = {line.strip() for line in text.splitlines() if "#" in line}
    keys = [line for line in text.splitlines() if ":" in line and "#" not in line]
    assert len(comments) > 0.8 * len(keys)


def test_latencies_are_those_of_core_to_core_tables() -> None:
    machine = load_machine("generic")
    costs = with_latencies(COSTS, 23, 107, 195)
    tree = machine.model_dump(mode="json") | {"coherence": costs, "cores_per_cache": 8}
    assert Machine.model_validate(tree).one_way_ns == pytest.approx(
        {"same core": 0, "same cache": 23, "other cache": 107, "other socket": 195}
    )
    factor = 23 / (sum(COSTS[key] for key in WAY))
    for key in MOVES:
        assert costs[key] == pytest.approx(COSTS[key] * factor, abs=0.01)
    kept = set(COSTS) - {*MOVES, "other_cache_ns", "other_socket_ns"}
    assert {key: costs[key] for key in kept} == {key: COSTS[key] for key in kept}


def test_what_is_not_given_stays() -> None:
    assert with_latencies(COSTS, None, None, None) == COSTS
    near = sum(COSTS[key] for key in WAY)
    far = with_latencies(COSTS, None, None, 200)
    assert far == {**COSTS, "other_socket_ns": pytest.approx(200 - near)}


@pytest.mark.parametrize(
    ("latencies", "said"),
    [
        ((23, 22, None), "--other-cache-ns 22: shorter than within a last-level cache, 23 ns"),
        ((None, None, 40), "--other-socket-ns 40: shorter than within a last-level cache, "),
    ],
)
def test_far_is_not_nearer_than_near(latencies: tuple[float | None, ...], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        with_latencies(COSTS, *latencies)
    assert said in str(caught.value)


def test_turbo_as_text() -> None:
    assert parse_turbo("2:3.7, 20:3") == [
        {"active_cores": 2, "ghz": 3.7},
        {"active_cores": 20, "ghz": 3.0},
    ]


@pytest.mark.parametrize("text", ["", "3.7", "2:3.7,", "2:x", "2-3.7", "-2:3", "2:nan"])
def test_turbo_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match=r"--turbo .*: write CORES:GHZ,CORES:GHZ"):
        parse_turbo(text)


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write .*: No such file or directory"):
        write_machine_file(tmp_path / "no" / "x.yaml", "")
    assert list(tmp_path.iterdir()) == []
