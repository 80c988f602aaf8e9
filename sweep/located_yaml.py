"""A YAML mapping together with the lines that its keys and list items stand on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sweep.errors import UsageError


@dataclass(frozen=True)
class LocatedYaml:
    """`values` as YAML means them; `lines`, from 1, of (key, None) and (key, index)."""

    values: dict[Any, Any]
    lines: dict[tuple[str, int | None], int]

    def line(self, key: str, index: int | None = None) -> int:
        """Line of an item, of its key if the item has none, 1 if the key has none."""
        return self.lines.get((key, index)) or self.lines.get((key, None)) or 1


def read_located(path: Path) -> LocatedYaml:
    """The mapping in the YAML file at `path`; nothing in it is ever executed.

    Raises UsageError, "file:line: what", for a file that cannot be read, is broken YAML, is no
    mapping or has a key twice.
    """
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        lines = _lines(path, node)
        return LocatedYaml(loader.construct_document(node) or {}, lines)
    except OSError as error:
        raise UsageError(f"{path}: cannot read it: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise UsageError(f"{path}:{line}: broken YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}:1: broken YAML: {' '.join(str(error).split())}") from None


def _lines(path: Path, node: yaml.Node | None) -> dict[tuple[str, int | None], int]:
    if node is None:
        raise UsageError(f"{path}:1: it is empty; a spec is a mapping from axes to values")
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1
        raise UsageError(f"{path}:{line}: not a mapping from axes to values, as in 'cpus: [1, 2]'")
    lines: dict[tuple[str, int | None], int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if (str(key.value), None) in lines:
            first = lines[str(key.value), None]
            raise UsageError(f"{path}:{line}: {key.value} is given twice, first in line {first}")
        lines[str(key.value), None] = line
        if isinstance(value, yaml.SequenceNode):
            for index, item in enumerate(value.value):
                lines[str(key.value), index] = item.start_mark.line + 1
    return lines
