"""Python files of the user's: run only because they were named."""

from __future__ import annotations

import runpy
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from sweep.errors import UsageError


def run_file(path: Path) -> dict[str, Any]:
    """What the module-level names of the file at `path` are. What it prints goes to stderr.

    Raises UsageError of one line that begins with the file and the line in it.
    """
    try:
        with redirect_stdout(sys.stderr):
            return runpy.run_path(str(path))
    except (Exception, SystemExit) as error:
        raise blamed(path, error) from None


def blamed(path: Path, error: BaseException, line: int = 0) -> UsageError:
    """What `error` says, with the last line of the file at `path` that led to it, or `line`."""
    if isinstance(error, SyntaxError):
        return UsageError(f"{error.filename}:{error.lineno}: {error.msg}")
    frames = traceback.extract_tb(error.__traceback__)
    line = next((f.lineno or 0 for f in reversed(frames) if f.filename == str(path)), line)
    kind = "" if isinstance(error, UsageError) else f"{type(error).__name__}: "
    said = " ".join(str(error).split())
    return UsageError(f"{path}:{line}: {kind}{said}" if line else f"{path}: {kind}{said}")
