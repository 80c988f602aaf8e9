"""What runs in a CPU actor: a group of simulated CPUs, or of threads of a cell with writers."""

from __future__ import annotations

import os
from typing import Any

import numpy as np


def leave_working_dir() -> None:
    """Go where a process can stay: Ray may delete a job's working_dir under the actors in it.

    Numba asks for the current directory when it compiles.
    """
    os.chdir("/")


class CpuActor:
    """Hosts one group of each class that it is asked for, and calls its methods.

    The classes come from core and are imported when they are first needed: the process of an actor
    without threads loads numpy and little else.
    """

    def __init__(self) -> None:
        leave_working_dir()
        self._groups: dict[type, Any] = {}

    def call(self, group: type, method: str, *arguments: Any) -> Any:
        """What `method` of the group of that class returns."""
        if group not in self._groups:
            self._groups[group] = group()
        return getattr(self._groups[group], method)(*map(_writable, arguments))


def _writable(value: Any) -> Any:
    """`value`, its arrays replaced by some that may be written to.

    Ray's are read-only, for which what is compiled would be compiled once more.
    """
    if isinstance(value, np.ndarray):
        return np.require(value, requirements="W")
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_writable, value))
    return value
