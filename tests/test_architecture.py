"""What may import what."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
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
def test_ray_stays_in_the_executors(path: Path) -> None:
    assert "ray" not in imports(path) or path.parent.name == "executors"


@pytest.mark.parametrize("path", sorted((ROOT / "core" / "lifetime").rglob("*.py")), ids=str)
def test_the_lifetime_rules_are_plain_python(path: Path) -> None:
    assert imports(path) <= {"core", *sys.stdlib_module_names}
    assert not re.search(r"core\.(engine|hardware|kernel|calibrate)", path.read_text())


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
