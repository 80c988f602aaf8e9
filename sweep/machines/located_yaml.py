"""A YAML mapping together with the lines that its keys and list items stand on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sweep.errors import UsageError

Place = tuple[str | int | None, ...]
"""The keys and indices that lead to a value: ("turbo", 1, "ghz")."""


@dataclass(frozen=True)
class LocatedYaml:
    """`values` as YAML means them; `lines`, from 1, of every place in them."""

    values: dict[Any, Any]
    lines: dict[Place, int]

    def line(self, *place: str | int | None) -> int:
        """Line of `place`, or of the innermost part of it that has one; 1 if none has."""
        parts = (place[:length] for length in range(len(place), 0, -1))
        return next((self.lines[part] for part in parts if part in self.lines), 1)


def read_located(path: Path, example: str = "cpus: [1, 2]") -> LocatedYaml:
    """The mapping in the YAML file at `path`; nothing in it is ever executed.

    Raises UsageError, "file:line: what", for a file that cannot be read, is broken YAML, is no
    mapping (one is like `example`) or has a key twice.
    """
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        if node is None:
            raise UsageError(f"{path}:1: it is empty; write keys and values, as in {example!r}")
        if not isinstance(node, yaml.MappingNode):
            line = node.start_mark.line + 1
            raise UsageError(f"{path}:{line}: not a mapping from keys to values, as in {example!r}")
        lines: dict[Place, int] = {}
        _locate(path, node, (), lines, set())
        return LocatedYaml(loader.construct_document(node) or {}, lines)
    except OSError as error:
        raise UsageError(f"{path}: cannot read it: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise UsageError(f"{path}:{line}: broken YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}:1: broken YAML: {' '.join(str(error).split())}") from None


def _locate(
    path: Path, node: yaml.Node, place: Place, lines: dict[Place, int], seen: set[int]
) -> None:
    """Add the lines below `node`. What aliases name again is located once: it may be endless."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[*place, index] = item.start_mark.line + 1
            _locate(path, item, (*place, index), lines, seen)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line, inner = key.start_mark.line + 1, (*place, str(key.value))
            if inner in lines:
                message = f"{key.value} is given twice, first in line {lines[inner]}"
                raise UsageError(f"{path}:{line}: {message}")
            lines[inner] = line
            _locate(path, value, inner, lines, seen)
