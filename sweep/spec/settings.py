"""Axes and values as the command line takes them: "axis=value", "axis=value,value", "cpus=1-8"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sweep.errors import UsageError
from sweep.spec.axes import AXES, MAX_CELLS

_WHOLE, _TRUTH = re.compile("-?[0-9]{1,20}"), {"true": True, "false": False}
_RANGE = re.compile("([0-9]{1,20})-([0-9]{1,20})")

_SETTING = re.compile("[a-z_]+=[^/]*(?<!.yaml)(?<!.yml)(?<!.py)")
"""What in a list of values is another setting, and no file."""


def read_settings(settings: Sequence[str], option: str) -> dict[str, Any]:
    """The axes that `settings` give, each "axis=value" or "axis=v,v", which is a list.

    Of axes that are numbers "1-8" is all from 1 to 8. Raises UsageError, which begins with `option`
    and names the setting.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        axis, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"{option}{setting}: write axis=value or axis=value,value")
        if axis in values:
            raise UsageError(f"{option}{setting}: {axis} is set already")
        parts = [part.strip() for part in text.split(",")]
        if another := next((part for part in parts[1:] if _SETTING.fullmatch(part)), None):
            raise UsageError(f"{option}{setting}: {another} needs an option of its own")
        try:
            items = read_values(axis, text)
        except ValueError as error:
            raise UsageError(f"{option}{setting}: {error}") from None
        values[axis] = items[0] if len(items) == 1 else items
    return values


def read_values(axis: str, text: str) -> list[Any]:
    """The values that "v,v" gives for an axis. Raises ValueError for a range that is none."""
    items: list[Any] = []
    for part in (part.strip() for part in text.split(",")):
        if found := ranges(axis, part):
            [(low, high)] = found
            if high < low:
                raise ValueError(f"{part} is no range: write {high}-{low}")
            if high - low >= MAX_CELLS:
                raise ValueError(f"{part} is more than {MAX_CELLS:,} values")
            items += range(low, high + 1)
        else:
            items.append(int(part) if _WHOLE.fullmatch(part) else _TRUTH.get(part, part))
    return items


def ranges(axis: str, text: str) -> list[tuple[int, int]]:
    """The ranges in "v,v", by their ends; none for an axis that is no number."""
    if axis in AXES and AXES[axis].type is not int:
        return []
    found = (_RANGE.fullmatch(part.strip()) for part in text.split(","))
    return [(int(match[1]), int(match[2])) for match in found if match]
