"""Specs in files: those that ship, YAML, and Python."""

from __future__ import annotations

import os
from pathlib import Path

from sweep.errors import UsageError, nearest, quoted
from sweep.machines.located_yaml import read_located
from sweep.machines.named import beside
from sweep.spec.axes import SpecError
from sweep.spec.designs import beside_flavours
from sweep.spec.python_file import run_file
from sweep.spec.spec import Spec

SPECS = Path(__file__).parent / "shipped"
"""The specs that ship; in the repository a link to its folder `specs`."""

SUFFIXES = (".yaml", ".yml", ".py")


def spec_names() -> list[str]:
    """Names of the specs that ship with the project."""
    return sorted(path.stem for path in SPECS.glob("*.yaml"))


def names_spec(text: str) -> bool:
    """Whether `text` is the name of a spec, or of a kind of file that can be one."""
    return Path(text).suffix in SUFFIXES or _named(text) is not None


def spec_file(name_or_path: str | Path) -> Path:
    """The file of a spec: a path, or a name. YAML in the working folder or its `specs` goes first.

    Raises UsageError if there is none.
    """
    path = Path(name_or_path)
    if path.suffix not in SUFFIXES:
        if found := _named(str(name_or_path)):
            return found
        message = f"no such spec: {name_or_path}: {nearest(path.name, spec_names())}"
        raise UsageError(f"{message}, or a .yaml or .py file")
    if not path.is_file():
        near = [p.name for p in path.parent.glob(f"*{path.suffix}")] or spec_names()
        raise UsageError(f"no such spec file: {path}: {nearest(path.name, sorted(near))}")
    return path


def _named(name: str) -> Path | None:
    folders = (Path(), Path("specs"), SPECS)
    files = (folder / f"{name}{suffix}" for folder in folders for suffix in (".yaml", ".yml"))
    # os.path, because to Path a name that is too long is an error.
    return next((file for file in files if os.path.isfile(file)), None)


def load_spec(name_or_path: str | Path) -> Spec:
    """The spec in a .yaml file, what a .py file calls `spec`, or the one of that name.

    Names are those of files in the working folder or its `specs`, then of specs that ship. YAML
    runs no code; a .py file is run. A file that gives no name lends its own. Raises UsageError:
    one line that begins with the file and, where there is one, the line in it.
    """
    path = spec_file(name_or_path)
    return _from_python(path) if path.suffix == ".py" else _from_yaml(path)


def _from_yaml(path: Path) -> Spec:
    located = read_located(path)
    values = {"name": path.stem, **{str(k): v for k, v in located.values.items()}}
    if "machine" in values:
        values["machine"] = beside(values["machine"], path.parent)
    if "flavour" in values:
        values["flavour"] = beside_flavours(values["flavour"], path.parent)
    try:
        return Spec(**values)
    except SpecError as error:
        raise UsageError(f"{path}:{located.line(error.axis, error.index)}: {error}") from None


def _from_python(path: Path) -> Spec:
    spec = run_file(path).get("spec")
    if not isinstance(spec, Spec):
        raise UsageError(f"{path}: it must define `spec`, a sweep.Spec; found {quoted(spec)}")
    if "name" in spec.model_fields_set:
        return spec
    try:
        return Spec(**{**spec.model_dump(), "name": path.stem})
    except SpecError as error:
        raise UsageError(f"{path}: {error}") from None
