"""What may import what."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def imports(path: Path) -> set[str]:
    """Top-level names of the packages that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "core").rglob("*.py")), ids=str)
def test_core_knows_neither_ray_nor_the_sweep(path: Path) -> None:
    assert not imports(path) & {"ray", "sweep", "polars", "pyarrow", "rich", "click"}


@pytest.mark.parametrize("path", sorted((ROOT / "sweep").rglob("*.py")), ids=str)
def test_ray_stays_where_it_is_driven(path: Path) -> None:
    at_home = path.parent.name == "executors" or path.name == "ray_jobs.py"
    assert "ray" not in imports(path) or at_home


@pytest.mark.parametrize("path", sorted((ROOT / "sweep").rglob("*.py")), ids=str)
def test_private_calls_of_ray_are_in_one_file(path: Path) -> None:
    private = re.compile(r"\bray\._|\._do_request")
    assert not private.search(path.read_text()) or path.name == "ray_private.py"


FLOORS = (
    ("core", "core.arrays", "core.two_states"),
    ("core.kernel", "core.machine", "core.workload", "core.outcome"),
    ("core.cell", "core.modelcheck"),
    ("core.engine", "core.grace"),
    ("core.stress", "core.replications"),
    ("core.predict",),
    ("core.calibrate",),
    ("sweep", "sweep.errors"),
    ("sweep.machines", "sweep.terminal"),
    ("sweep.spec",),
    ("sweep.executors",),
    ("sweep.store",),
    ("sweep.plan",),
    ("sweep.driver",),
    ("sweep.service",),
    ("sweep.letter",),
    ("sweep.report",),
    ("sweep.live",),
    ("sweep.calibration",),
    ("sweep.explore",),
    ("sweep.commands",),
    ("sweep.cli",),
    ("sweep.__main__",),
)
"""The rooms from the ground up: a room uses rooms of lower floors only, and its own files."""

FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def room(module: str) -> str:
    """The room of a module: its package's first name and the next."""
    return ".".join(module.split(".")[:2])


def project_imports(path: Path) -> set[str]:
    """The project's modules that a file imports, lazily or not, but not for types alone."""
    tree = ast.parse(path.read_text())
    types_only = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if node in types_only or not isinstance(node, ast.ImportFrom):
            continue
        package = node.module or ""
        if package.split(".")[0] not in ("core", "sweep"):
            continue
        folder = ROOT / package.replace(".", "/")
        for alias in node.names:
            inside = (folder / f"{alias.name}.py").exists() or (folder / alias.name).is_dir()
            found.add(f"{package}.{alias.name}" if inside else package)
    return found


SOURCES = sorted(p for top in ("core", "sweep") for p in (ROOT / top).rglob("*.py"))


def name_of(path: Path) -> str:
    """The dotted name of a source file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_room_uses_only_rooms_below_it(path: Path) -> None:
    here = room(name_of(path))
    if here == "sweep":
        return  # the public face: its names are imported from above when they are asked for
    up = {
        other
        for other in project_imports(path)
        if room(other) != here and FLOOR[room(other)] >= FLOOR[here]
    }
    assert not up, f"{here} (floor {FLOOR[here]}) uses {sorted(up)}"


def test_no_file_imports_itself_by_way_of_others() -> None:
    graph = {name_of(path): project_imports(path) for path in SOURCES if path.name != "__init__.py"}
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", sorted((ROOT / "core" / "modelcheck").rglob("*.py")), ids=str)
def test_the_lifetime_rules_are_plain_python(path: Path) -> None:
    assert imports(path) <= {"core", *sys.stdlib_module_names}
    assert not re.search(r"core\.(engine|machine|calibrate)", path.read_text())


def test_nothing_in_core_names_the_published_figures() -> None:
    for path in (ROOT / "core").rglob("*.py"):
        text = path.read_text()
        assert "cover_letter" not in text
        assert "read_csv" not in text


def test_the_engine_loads_without_calibration_or_sweep() -> None:
    code = (
        "import sys, core.engine.simulate;"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('sweep', 'ray', 'polars')"
        " or m.startswith('core.calibrate')];"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=str)
def test_what_starts_a_ray_or_places_uprobes_runs_alone(path: Path) -> None:
    text = path.read_text()
    alone = re.search(r"^pytestmark = .*mark\.(ray|serial|cluster)\b", text, re.MULTILINE)
    starts = r"^(import ray\b|from (loopback|live_host) import)|\blocal_ray\b"
    assert alone or path == Path(__file__) or not re.search(starts, text, re.MULTILINE)


def test_no_two_test_files_have_one_name() -> None:
    """pytest would take the second for the first, and collect nothing at all."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
