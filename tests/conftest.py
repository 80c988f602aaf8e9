"""What all tests start from."""

import os

from hypothesis import settings

# No time is a condition of any test: other work may take this machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Tests say how wide a terminal is; GNU readline says it unseen by os.environ, or to the worker.
os.environ.pop("COLUMNS", None)
os.unsetenv("COLUMNS")
