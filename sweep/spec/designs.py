"""Flavours by what a spec or a command names them: the tree's, or with a file of the user's.

`srcu+my.py` is srcu with all patches of my.py, `srcu+my.py:sharded` with one of them; `my.py` alone
is on the flavour that the file calls `base`.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.kernel.design import Design
from core.kernel.designs import DesignError, Patch, worked_out
from core.kernel.flavours import parse_flavour
from core.kernel.patches import PATCHES
from sweep.errors import UsageError, nearest, quoted
from sweep.spec.python_file import blamed, run_file

_EDITED = re.compile(r"\.py(:[^+]*)?~")
_FILE = re.compile(r"(?P<path>.+\.py)(?::(?P<patch>[^:/]+))?")


@dataclass(frozen=True)
class DesignFile:
    """A file with designs: its patches in their order, what they are on if nothing else is said."""

    path: Path
    patches: tuple[Patch, ...]
    base: str

    def line_of(self, patch: str) -> int:
        """Where the patch of this name is made; 0 if its name is not written out."""
        names = ast.walk(ast.parse(self.path.read_bytes()))
        return next(
            (n.lineno for n in names if isinstance(n, ast.Constant) and n.value == patch), 0
        )


def names_file(text: str) -> bool:
    """Whether a flavour has files in it."""
    return any(_FILE.fullmatch(part) for part in text.split("+"))


def files_of(text: str) -> tuple[str, list[tuple[Path, str]]]:
    """A flavour as what is before its files ("" for nothing), and its files with a patch each.

    The patch is "" for all of a file's.
    """
    parts = text.split("+")
    found = [_FILE.fullmatch(part) for part in parts]
    first = next((at for at, match in enumerate(found) if match), len(parts))
    files = []
    for part, match in zip(parts[first:], found[first:], strict=True):
        if match is None:
            raise UsageError(f"{quoted(text)}: {quoted(part)} comes before the file, or is none")
        files.append((Path(match["path"]), match["patch"] or ""))
    return "+".join(parts[:first]), files


def named_flavour(text: str, folder: Path = Path()) -> str | Design:
    """The flavour of the tree that `text` names, or the design that its files make of one.

    Relative files are from `folder`. A file is run once for each content that it has. Raises
    UsageError for a file that cannot be one, with its line, and otherwise as `parse_flavour`.
    """
    if not names_file(text):
        if _EDITED.search(text):
            raise UsageError(f"{quoted(text)}: edits come before a file, as in srcu~patch+FILE.py")
        return parse_flavour(text).name
    base, named = files_of(text)
    files = [(_read(folder / path), patch) for path, patch in named]
    base = base or files[0][0].base
    if not base:
        path = files[0][0].path
        raise UsageError(f'{path}: on what? Write srcu+{path.name}, or `base = "srcu"` in it')
    parse_flavour(base)
    chosen = [(file, one) for file, name in files for one in _chosen(file, name)]
    calls = [f"{file.path.name}:{name}" if name else file.path.name for file, name in files]
    try:
        return worked_out("+".join([base, *calls]), base, [patch for _, patch in chosen])
    except Exception as error:
        raise _blamed(error, chosen) from None


def name_of(text: str) -> str:
    """What rows call the flavour that `text` names; raises as `named_flavour`."""
    found = named_flavour(text)
    return found.name if isinstance(found, Design) else found


def carried(text: str) -> tuple[str, dict[str, str]]:
    """A flavour as a spec calls it that its files travel with, and their texts by name.

    The names begin with a folder of the file's content, so that files of one name stay apart.
    """
    base, named = files_of(text)
    parts, files = [base] if base else [], {}
    for path, patch in named:
        content = _read(path).path.read_bytes()
        folder = f"design-{hashlib.blake2b(content, digest_size=4).hexdigest()}"
        files[f"{folder}/{path.name}"] = content.decode()
        parts.append(f"{folder}/{path.name}:{patch}" if patch else f"{folder}/{path.name}")
    return "+".join(parts), files


def beside_flavours(flavours: Any, folder: Path) -> Any:
    """A spec's flavour or flavours; relative files that are in `folder` lead there."""
    if isinstance(flavours, list):
        return [beside_flavours(flavour, folder) for flavour in flavours]
    if not isinstance(flavours, str) or not names_file(flavours):
        return flavours
    return "+".join(_beside(part, folder) for part in flavours.split("+"))


def _beside(part: str, folder: Path) -> str:
    match = _FILE.fullmatch(part)
    return str(folder / part) if match and (folder / match["path"]).is_file() else part


def _read(path: Path) -> DesignFile:
    if not path.is_file():
        near = sorted(str(p) for p in path.parent.glob("*.py"))[:20]
        reason = "it is no file" if path.exists() else "No such file"
        known = f": {nearest(str(path), near)}" if near else ""
        raise UsageError(f"cannot read {quoted(str(path))}: {reason}{known}")
    return _ran(path, path.read_bytes())


@lru_cache(maxsize=64)
def _ran(path: Path, content: bytes) -> DesignFile:
    made = run_file(path)
    values = {id(v): v for v in made.values() if isinstance(v, Patch) and v not in PATCHES}
    patches = tuple(values.values())
    if not patches:
        raise UsageError(f"{path}: it must define a Patch at its top level, see docs/designs.md")
    base = made.get("base", "")
    file = DesignFile(path, patches, base if isinstance(base, str) else "")
    names = [patch.name for patch in patches]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{path}:{file.line_of(name)}: two patches are called {quoted(name)}")
        if not isinstance(name, str) or not re.fullmatch("[A-Za-z0-9._-]+", name):
            said = "letters, digits, dots and hyphens make a patch's name"
            raise UsageError(f"{path}:{file.line_of(name)}: {quoted(name)}: {said}")
    return file


def _chosen(file: DesignFile, name: str) -> Sequence[Patch]:
    if not name:
        return file.patches
    names = [patch.name for patch in file.patches]
    if name not in names:
        raise UsageError(f"{file.path}: no patch {quoted(name)}: {nearest(name, names)}")
    return [file.patches[names.index(name)]]


def _blamed(error: Exception, chosen: Sequence[tuple[DesignFile, Patch]]) -> UsageError:
    """The error with file and line: where the user's code raised it, or where its patch is made."""
    if isinstance(error, DesignError):
        file = next(file for file, patch in chosen if patch.name == error.patch)
        line = file.line_of(error.patch)
        return UsageError(f"{file.path}:{line}: {error}" if line else f"{file.path}: {error}")
    for file, _ in chosen:
        found = blamed(file.path, error)
        if str(found).startswith(f"{file.path}:"):
            return found
    return blamed(chosen[0][0].path, error)
