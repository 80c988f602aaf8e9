"""What tests of cells with writers start from."""

from __future__ import annotations

import pytest
from stress_cells import MS


@pytest.fixture(autouse=True)
def ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell looks whether its writers are through at every millisecond: hits go on meanwhile."""
    monkeypatch.setattr("core.stress.simulation.STRIDE_PS", MS)
