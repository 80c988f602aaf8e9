"""YAML 1.2 files: a mapping with the lines that its keys and list items stand on; and text of one.

What is read is bounded before it is built: an alias counts as all that it stands for.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.representer import SafeRepresenter
from ruamel.yaml.tag import Tag

from sweep.errors import UsageError

MAX_BYTES = 200_000
"""The largest file; a machine with a long ensemble has a tenth of it."""
MAX_DEPTH = 20
MAX_VALUES = 50_000
"""The most values, those that aliases repeat counted again."""

MAX_DIGITS = 40

TEXT = "tag:yaml.org,2002:str"
CORE_SCHEMA = {
    "tag:yaml.org,2002:null": re.compile("|~|null|Null|NULL"),
    "tag:yaml.org,2002:bool": re.compile("true|True|TRUE|false|False|FALSE"),
    "tag:yaml.org,2002:int": re.compile("[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    "tag:yaml.org,2002:float": re.compile(
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
    ),
}
"""What is not text, by YAML 1.2, section 10.3.2. ruamel.yaml keeps some of 1.1 too, as 1_000."""
NOT_IN_1_2 = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
"""What ruamel.yaml takes plain words for that are text in 1.2."""
KNOWN = (TEXT, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:merge")

_OTHER_VERSION = re.compile(r"^%YAML\s+(?!1\.2\s)", re.MULTILINE)

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

    Raises UsageError, "file:line: what", for a file that cannot be read or is too large, is broken
    YAML, is no mapping (one is like `example`) or has a key twice.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.composer.warn_double_anchors = False
    text = _text(path)
    try:
        node = yaml.compose(text)
        if node is None:
            raise UsageError(f"{path}:1: it is empty; write keys and values, as in {example!r}")
        if not isinstance(node, MappingNode):
            raise _RefusedError(f"not a mapping from keys to values, as in {example!r}", node)
        lines: dict[Place, int] = {}
        _locate(node, (), lines, {})
        return LocatedYaml(yaml.constructor.construct_document(node), lines)
    except _RefusedError as error:
        raise UsageError(f"{path}:{error.line}: {error}") from None
    except MaxDepthExceededError as error:
        line = error.problem_mark.line + 1
        raise UsageError(f"{path}:{line}: broken YAML: nested more than {MAX_DEPTH} deep") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(str(error.problem or error.context).split())
        raise UsageError(f"{path}:{mark.line + 1 if mark else 1}: broken YAML: {said}") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UsageError(f"{path}:{line}: broken YAML: {error.reason}") from None


def yaml_text(values: Mapping[str, Any]) -> str:
    """`values` as YAML; what is innermost stands on one line. `read_located` gives them back."""
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False
    yaml.width = 100
    out = io.StringIO()
    yaml.dump(dict(values), out)
    return out.getvalue()


class _Representer(SafeRepresenter):
    """As ruamel's, which writes a text that begins with "?" so that it does not read it again."""

    def represent_str(self, data: str) -> Any:
        style = "'" if data.startswith("?") else None
        return self.represent_scalar(TEXT, data, style=style)


_Representer.add_representer(str, _Representer.represent_str)


def _text(path: Path) -> str:
    """What is in the file, if that is not too much, UTF-8 and meant as YAML 1.2."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot read it: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path}: it is larger than {MAX_BYTES // 1000} kB, the most that is read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: it is no UTF-8: {error.reason}") from None
    if other := _OTHER_VERSION.search(text):
        line = text.count("\n", 0, other.start()) + 1
        raise UsageError(f"{path}:{line}: only YAML 1.2 is read")
    return text


class _RefusedError(Exception):
    """Something in a file that is not taken, and where it stands."""

    def __init__(self, message: str, at: Node) -> None:
        self.line = at.start_mark.line + 1
        super().__init__(message)


def _locate(node: Node, place: Place, lines: dict[Place, int], sizes: dict[int, int]) -> int:
    """Add the lines below `node`, and give how many values it is with aliases replaced.

    What aliases name again is located once. `sizes` has those of nodes by id, 0 while one is
    walked. Numbers as only YAML 1.1 has them become text. Raises _RefusedError.
    """
    if id(node) in sizes:
        if not sizes[id(node)]:
            raise _RefusedError("an alias stands for what contains it", node)
        return sizes[id(node)]
    sizes[id(node)] = 0
    size = 1
    _as_1_2(node)
    for key, value in _children(node):
        if isinstance(key, int):
            line, inner = value.start_mark.line + 1, (*place, key)
        elif isinstance(key, ScalarNode):
            _as_1_2(key)
            line, inner = key.start_mark.line + 1, (*place, str(key.value))
            if inner in lines:
                raise _RefusedError(
                    f"{key.value} is given twice, first in line {lines[inner]}", key
                )
        else:
            raise _RefusedError("broken YAML: a key is a name, no list or mapping", key)
        lines[inner] = line
        size += _locate(value, inner, lines, sizes)
        if size > MAX_VALUES:
            raise _RefusedError(f"more than {MAX_VALUES:,} values, aliases replaced", value)
    sizes[id(node)] = size
    return size


def _children(node: Node) -> Iterator[tuple[int | Node, Node]]:
    if isinstance(node, SequenceNode):
        yield from enumerate(node.value)
    elif isinstance(node, MappingNode):
        yield from node.value


def _as_1_2(node: Node) -> None:
    """Make text of a scalar that YAML 1.2 takes for nothing else. Raises _RefusedError."""
    if node.tag in CORE_SCHEMA and isinstance(node, ScalarNode):
        if not CORE_SCHEMA[node.tag].fullmatch(node.value):
            node.ctag = Tag(suffix=TEXT)
        elif len(node.value) > MAX_DIGITS:
            raise _RefusedError(
                f"a number of {len(node.value):,} digits; {MAX_DIGITS} are read", node
            )
    elif node.tag in NOT_IN_1_2:
        node.ctag = Tag(suffix=TEXT)
    elif node.tag not in KNOWN:
        raise _RefusedError(
            f"broken YAML: could not read the tag {node.tag}; write the value alone", node
        )
