"""What cells weigh in the time left."""

from __future__ import annotations

import pytest
from tiny import tiny_spec

from core.cell import Cell
from sweep.plan.plan import plan
from sweep.plan.weight import weight


def cell(**axes: object) -> Cell:
    """Four samples of a second, after one of warm-up."""
    [made] = plan(tiny_spec(**{"warmup": "1s", "sample": "1s", "duration": "3s", **axes}))
    return made


@pytest.mark.parametrize(
    ("axes", "times"),
    [
        ({"cpus": 8}, 4.0),
        ({"cpus": 64}, 7.0),
        ({"warmup": "2s", "cpus": 1}, 6 / 5),
        # Twelve members, of 0.3 ms and 0.5 ms each; on several CPUs as many starts.
        ({"cpus": 1, "ensemble": 12}, (5 + 12 * 0.0008) / 5),
        ({"cpus": 8, "ensemble": 12}, 4 * (5 + 24 * 0.0008) / 5),
    ],
)
def test_a_cell_weighs_its_simulated_time_and_by_its_cpus(
    axes: dict[str, object], times: float
) -> None:
    assert weight(cell(**axes)) / weight(cell(cpus=1)) == pytest.approx(times)
