"""Axes and values as the command line takes them: "axis=value" and "axis=value,value"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sweep.errors import UsageError

_WHOLE, _TRUTH = re.compile("-?[0-9]{1,20}"), {"true": True, "false": False}

_SETTING = re.compile("[a-z_]+=[^/]*(?<!.yaml)(?<!.yml)(?<!.py)")
"""What in a list of values is another setting, and no file."""


def read_settings(settings: Sequence[str], option: str) -> dict[str, Any]:
    """The axes that `settings` give, each "axis=value" or "axis=v,v", which is a list.

    Raises UsageError, which begins with `option` and names the setting.
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
        items = [int(v) if _WHOLE.fullmatch(v) else _TRUTH.get(v, v) for v in parts]
        values[axis] = items if len(items) > 1 else items[0]
    return values
