"""What all tests start from."""

import os

from hypothesis import settings

# Tests say how wide a terminal is; pytest's workers inherit this from GNU readline.
os.environ.pop("COLUMNS", None)

# No time is a condition of any test: other work may take this machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
