"""The array type that rooms hand each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
"""Counts, numbers of CPUs, and times in integer picoseconds."""
