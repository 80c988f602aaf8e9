"""A design of the user's own as data, see `core.kernel.designs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.kernel.operation import OwnLine, Path, own_lines
from core.kernel.rules import Rules


@dataclass(frozen=True)
class Design:
    """What a hit of every bench does, and the lifetime rules: a flavour that no file here has.

    `paths` are by bench, with SRCU's read sections, whatever the rules say. Designs of one `name`
    and `digest` are the same. Plain data, which may be sent to another process.
    """

    name: str
    digest: str
    owner_beside_count: bool = field(compare=False, repr=False)
    paths: Mapping[str, Path] = field(compare=False, repr=False)
    rules: Rules = field(compare=False, repr=False)

    @property
    def own_lines(self) -> tuple[OwnLine, ...]:
        """Lines that it brings along, in the order of their names."""
        return own_lines(tuple(call for path in self.paths.values() for call in path))
