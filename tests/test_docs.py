"""docs/model.md says what the machine files have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_architecture import FLOORS

from core.calibrate.one_cpu import ONE_CPU
from core.calibrate.parameters import PARAMETERS, Parameter
from core.machine.machine import load_machine
from sweep.commands.catalogue import axes
from sweep.spec.axes import AXES

MODEL = (Path(__file__).resolve().parents[1] / "docs" / "model.md").read_text()
SWEEPS = (Path(__file__).resolve().parents[1] / "docs" / "sweeps.md").read_text()


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.path)
def test_a_fitted_value_and_its_interval_are_those_of_the_file(parameter: Parameter) -> None:
    machine = load_machine("xeon-gold-6138")
    assert machine.calibration is not None
    low, high = machine.calibration.intervals[parameter.path]
    name = parameter.path.rpartition(".")[2]
    row = re.search(rf"^\| `{name}` \|[^|]*\| ([0-9.]+)[^|]*\| ([^|]*) \|", MODEL, re.MULTILINE)
    assert row is not None
    assert float(row[1]) == machine.number(parameter.path)
    assert row[2] == f"{low:g} to {high:g}"


def test_cycles_of_work_are_those_of_the_file() -> None:
    cycles = load_machine("xeon-gold-6138").execution.work_cycles
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| (\d+) cycles", MODEL, re.MULTILINE)
    said = {name: int(count) for name, count in rows if name in cycles}
    assert said == {name: cycles[name] for name in said}
    assert {parameter.path.rpartition(".")[2] for parameter in ONE_CPU} <= set(said)


def test_the_page_of_sweeps_has_the_axes_of_the_registry() -> None:
    lines = [
        f"| `{entry['name']}` | {default} | {AXES[entry['name']].values} |"
        for entry in axes()
        for default in [f"`{entry['default']}`" if entry["default"] else ""]
    ]
    table = "| axis | default | values |\n|---|---|---|\n" + "\n".join(lines) + "\n\n"
    assert table in SWEEPS, f"put this into docs/sweeps.md:\n{table}"


def test_the_picture_of_the_rooms_has_the_floors() -> None:
    design = (Path(__file__).resolve().parents[1] / "docs" / "design.md").read_text()
    lines = re.findall(r"^    ((?:core|sweep)\b.*?)   ", design, re.MULTILINE)
    drawn = [line.split() for line in lines]
    built = [{room for room in floor if room != "core"} for floor in FLOORS]
    assert [set(rooms) for rooms in reversed(drawn)] == built[: len(drawn)]
    assert {room for floor in built[len(drawn) :] for room in floor} == {"sweep.__main__"}


def test_tests_that_pages_name_are_there() -> None:
    root = Path(__file__).resolve().parents[1]
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    named = {
        name
        for page in pages
        for name in re.findall(r"tests/[\w/]+\.py(?:::\w+)?", page.read_text())
    }
    missing = []
    for name in named:
        path, _, function = name.partition("::")
        text = (root / path).read_text() if (root / path).is_file() else ""
        if not text or (function and f"\ndef {function}(" not in text):
            missing.append(name)
    assert missing == []
