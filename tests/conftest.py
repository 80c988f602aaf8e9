"""What all tests start from."""

import os

from hypothesis import settings

# No time is a condition of any test: other work may take this machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Tests say how wide a terminal is; GNU readline says it unseen by os.environ, or to the worker.
os.environ.pop("COLUMNS", None)
os.unsetenv("COLUMNS")

# Commands get homes of their own; what these sources have compiled to is the same for all.
os.environ.setdefault(
    "NUMBA_CACHE_DIR", os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
)
