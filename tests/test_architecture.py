"""What may import what."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path) -> set[str]:
    """Top-level names of the packages that a file imports."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_core_knows_neither_ray_nor_the_sweep() -> None:
    above = {"ray", "sweep", "polars", "pyarrow", "rich", "click"}
    assert {path: found for path in sources("core") if (found := imports(path) & above)} == {}


def test_ray_stays_where_it_is_driven() -> None:
    using = [path for path in sources("sweep") if "ray" in imports(path)]
    assert [p for p in using if p.parent.name != "executors" and p.name != "ray_jobs.py"] == []


def test_private_calls_of_ray_are_in_one_file() -> None:
    private = re.compile(r"\bray\._|\._do_request")
    calling = [path.name for path in sources("sweep") if private.search(path.read_text())]
    assert calling == ["ray_private.py"]


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
    tree = tree_of(path)
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


def name_of(path: Path) -> str:
    """The dotted name of a source file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_a_room_uses_only_rooms_below_it() -> None:
    names = [(path, name_of(path)) for path in sources("core", "sweep")]
    up = {
        f"{name} (floor {FLOOR[here]}) uses {other}"
        for path, name in names
        # The public face: its names are imported from above when they are asked for.
        if (here := room(name)) != "sweep"
        for other in project_imports(path)
        if room(other) != here and FLOOR[room(other)] >= FLOOR[here]
    }
    assert up == set()


def test_no_file_imports_itself_by_way_of_others() -> None:
    files = [path for path in sources("core", "sweep") if path.name != "__init__.py"]
    graphlib.TopologicalSorter({name_of(path): project_imports(path) for path in files}).prepare()


def test_the_lifetime_rules_are_plain_python() -> None:
    plain = {"core", *sys.stdlib_module_names}
    rules = sources("core/modelcheck")
    assert rules
    assert {path: found for path in rules if (found := imports(path) - plain)} == {}
    others = re.compile(r"core\.(engine|machine|calibrate)")
    assert [path for path in rules if others.search(path.read_text())] == []


def test_nothing_in_core_names_the_published_figures() -> None:
    for path in sources("core"):
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


def test_what_starts_a_ray_or_places_uprobes_runs_alone() -> None:
    alone = re.compile(r"^pytestmark = .*mark\.(ray|serial|cluster)\b", re.MULTILINE)
    starts = re.compile(
        r"^(import ray\b|from (loopback|live_host) import)|\blocal_ray\b", re.MULTILINE
    )
    texts = {path: path.read_text() for path in sources("tests") if path.name.startswith("test_")}
    del texts[Path(__file__)]
    starting = {path for path, text in texts.items() if starts.search(text)}
    assert starting
    assert [path for path in starting if not alone.search(texts[path])] == []


def test_no_two_test_files_have_one_name() -> None:
    """pytest would take the second for the first, and collect nothing at all."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
