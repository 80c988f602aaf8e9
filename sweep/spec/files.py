"""Specs in files: those that ship, YAML, and Python."""

from __future__ import annotations

import runpy
import traceback
from pathlib import Path

from sweep.errors import UsageError, nearest, quoted
from sweep.machines.located_yaml import read_located
from sweep.machines.named import beside
from sweep.spec.axes import SpecError
from sweep.spec.spec import Spec

SPECS = Path(__file__).resolve().parents[2] / "specs"


def spec_names() -> list[str]:
    """Names of the specs that ship with the project."""
    return sorted(path.stem for path in SPECS.glob("*.yaml"))


def load_spec(name_or_path: str | Path) -> Spec:
    """The shipped spec of that name, the one in a .yaml file, or what a .py file calls `spec`.

    YAML runs no code; a .py file is run. A file that gives no name lends its own. Raises
    UsageError: one line that begins with the file and, where there is one, the line in it.
    """
    path = Path(name_or_path)
    if str(name_or_path) in spec_names():
        path = SPECS / f"{name_or_path}.yaml"
    if path.suffix not in (".yaml", ".yml", ".py"):
        message = f"no such spec: {name_or_path}: {nearest(path.name, spec_names())}"
        raise UsageError(f"{message}, or a .yaml or .py file")
    if not path.is_file():
        near = [p.name for p in path.parent.glob(f"*{path.suffix}")] or spec_names()
        raise UsageError(f"no such spec file: {path}: {nearest(path.name, sorted(near))}")
    return _from_python(path) if path.suffix == ".py" else _from_yaml(path)


def _from_yaml(path: Path) -> Spec:
    located = read_located(path)
    values = {"name": path.stem, **{str(k): v for k, v in located.values.items()}}
    if "machine" in values:
        values["machine"] = beside(values["machine"], path.parent)
    try:
        return Spec(**values)
    except SpecError as error:
        raise UsageError(f"{path}:{located.line(error.axis, error.index)}: {error}") from None


def _from_python(path: Path) -> Spec:
    try:
        spec = runpy.run_path(str(path)).get("spec")
    except SyntaxError as error:
        raise UsageError(f"{error.filename}:{error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        line = next((f":{f.lineno}" for f in reversed(frames) if f.filename == str(path)), "")
        kind = "" if isinstance(error, UsageError) else f"{type(error).__name__}: "
        raise UsageError(f"{path}{line}: {kind}{error}") from None
    if not isinstance(spec, Spec):
        raise UsageError(f"{path}: it must define `spec`, a sweep.Spec; found {quoted(spec)}")
    if "name" in spec.model_fields_set:
        return spec
    try:
        return Spec(**{**spec.model_dump(), "name": path.stem})
    except SpecError as error:
        raise UsageError(f"{path}: {error}") from None
