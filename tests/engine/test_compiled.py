"""Where compiled code is kept: by what the sources say, in the user's folder."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import core
from core.engine import compiled
from core.engine.weave import weave

CORE = Path(core.__file__).parent

COUNTS_HITS = """
from core.cell import Cell
from core.engine.weave import weave
from core.machine.machine import load_machine
from core.predict import warm

warm(Cell("uprobe-nop", "baseline", 1, 1, "shared", load_machine("generic"), 0, 0, 0, 1, 1))
print(sum(weave.stats.cache_hits.values()), sum(weave.stats.cache_misses.values()))
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The sources somewhere else."""
    return shutil.copytree(CORE, tmp_path / "core", ignore=shutil.ignore_patterns("__pycache__"))


def test_another_clone_compiles_nothing_again(clone: Path) -> None:
    subprocess.run([sys.executable, "-c", COUNTS_HITS], cwd=CORE.parent, check=True)
    run = subprocess.run(
        [sys.executable, "-c", COUNTS_HITS], cwd=clone.parent, capture_output=True, check=True
    )
    assert run.stdout == b"1 0\n"


WITHOUT_SCIPY = """
import sys
import numpy as np
from numba import njit

assert sum(weave.stats.cache_hits.values()) + sum(weave.stats.cache_misses.values()) == 1
assert "numba.np.arraymath" in sys.modules
assert "scipy.linalg" not in sys.modules
assert njit(lambda a, b: np.dot(a, b))(np.ones(3), np.full(3, 2.0)) == 6
"""


def test_the_engine_loads_without_scipy_and_whoever_needs_its_blas_has_it() -> None:
    done = subprocess.run([sys.executable, "-c", COUNTS_HITS + WITHOUT_SCIPY], cwd=CORE.parent)
    assert done.returncode == 0


@pytest.mark.parametrize("changed", compiled.SOURCES)
def test_other_sources_have_another_folder(
    monkeypatch: pytest.MonkeyPatch, clone: Path, changed: str
) -> None:
    monkeypatch.setattr(compiled, "CORE", clone)
    assert compiled._folder() == compiled.FOLDER
    source = next((clone / changed).glob("*.py"))
    source.write_text(f"{source.read_text()}CHANGED = 1\n")
    assert compiled._folder() != compiled.FOLDER


def test_a_cache_that_cannot_be_written_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, clone: Path, tmp_path: Path
) -> None:
    digest = compiled.FOLDER.name
    monkeypatch.setattr(compiled, "CORE", clone)
    monkeypatch.setattr(compiled.config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new" / "cache"))
    assert compiled._folder() == tmp_path / "new" / "cache" / "uprobe-sweep" / digest
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    beside = clone / "engine" / "__pycache__"
    assert compiled._folder() == beside / "uprobe-sweep" / digest
    shutil.rmtree(beside)
    beside.touch()
    monkeypatch.setattr(compiled.tempfile, "mkdtemp", lambda prefix: str(tmp_path / prefix))
    assert compiled._folder() == tmp_path / "uprobe-sweep-"


def test_what_is_compiled_is_made_from_these_sources_alone() -> None:
    """A constant from elsewhere could change and compiled code stay as it was."""
    allowed = {*compiled.SOURCES, "arrays"}
    for path in (path for name in compiled.SOURCES for path in (CORE / name).glob("*.py")):
        if "core.engine.compiled import" in (text := path.read_text()):
            nodes = (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ImportFrom))
            names = [str(node.module).split(".") for node in nodes]
            assert {name[1] for name in names if name[0] == "core"} <= allowed, path


def test_what_is_compiled_while_sources_change_serves_nobody_else(
    monkeypatch: pytest.MonkeyPatch, clone: Path
) -> None:
    """Code of edited sources lay in the folder of those before, and a later process ran it."""
    monkeypatch.setattr(compiled, "CORE", clone)
    ring = clone / "engine" / "ring.py"
    before = compiled.ByContent(weave.py_func, str(clone / "engine" / "weave.py"))
    assert before.get_source_stamp() == compiled.FOLDER.name
    ring.write_text(f"{ring.read_text()}CHANGED = 1\n")
    read_later = compiled.ByContent(weave.py_func, str(ring))
    assert read_later.get_cache_path() == before.get_cache_path()
    assert read_later.get_source_stamp() != compiled.FOLDER.name
