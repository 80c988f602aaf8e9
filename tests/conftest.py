"""What all tests start from."""

import os

# Tests say how wide a terminal is; pytest's workers inherit this from GNU readline.
os.environ.pop("COLUMNS", None)
