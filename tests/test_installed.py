"""What users get who have a wheel and no repository."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKED = ("core", "sweep", "specs", "results/published", "pyproject.toml", "README.md")
NOT_OURS = shutil.ignore_patterns("__pycache__", "*.egg-info")

Sweep = Callable[..., str]


def call(*command: object, cwd: Path) -> str:
    """What a command prints that knows nothing of the repository."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=kept, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a copy: setuptools leaves files where it builds."""
    folder = tmp_path_factory.mktemp("build")
    for name in PACKED:
        source, target = ROOT / name, folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, ignore=NOT_OURS)
        else:
            shutil.copy(source, target)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder)
    call(*pip, "wheel", *options, folder / "source", cwd=folder)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """`uprobe-sweep` of an environment of its own, called in an empty folder.

    What the project needs is lent by the environment of the tests, but for the project itself.
    """
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment)
    python = environment / "bin" / "python"
    own = Path(call(python, "-c", "import site; print(*site.getsitepackages())", cwd=ROOT).strip())
    # Paths in a .pth file go after the environment's own; .pth files in them are not read.
    (own / "lent.pth").write_text("\n".join(site.getsitepackages()))
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet")
    call(*pip, "--no-deps", "--no-index", "--disable-pip-version-check", wheel, cwd=own)
    folder = tmp_path_factory.mktemp("empty")
    return lambda *args: call(environment / "bin" / "uprobe-sweep", *args, cwd=folder)


def test_a_wheel_has_no_more_than_the_project(wheel: Path) -> None:
    names = {Path(name).parts[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"core", "sweep"}


def test_the_letter_runs_is_compared_and_drawn_where_there_is_nothing(installed: Sweep) -> None:
    cells = ("--set", "cpus=1,2", "--set", "flavour=srcu", "--set", "bench=uprobe-nop")
    assert "2 cells done" in installed("run", "cover-letter", *cells)
    assert "uprobe-nop      ( 2 cpus):" in installed("tables", "cover-letter")
    assert "4.125" in installed("compare", "cover-letter")
    assert installed("plot", "cover-letter", "-o", "letter.svg") == "letter.svg\n"
    made = installed("report", "cover-letter", "--no-what-if", "-o", "letter.html")
    assert made == "letter.html\n"
    assert "cover-letter" in installed("list", "specs")


def test_a_design_that_ships_is_found_with_its_spec(installed: Sweep) -> None:
    assert "sharded-nhit" in installed("plan", "sharded-nhit")
