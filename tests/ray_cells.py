"""A Ray of the tests' own, and cells on it that must equal those in process."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.cell import Cell, CellResult
from core.machine.machine import load_machine
from core.predict import predict
from sweep.executors.base import Outcome

US = 10**6

SHARED = Cell(
    bench="uprobe-nop",
    flavour="srcu",
    cpus=8,
    probes=1,
    spread="shared",
    machine=load_machine("xeon-gold-6138"),
    seed=1,
    replicate=0,
    warmup_ps=200 * US,
    duration_ps=300 * US,
    sample_ps=100 * US,
)
UNIFORM = replace(SHARED, bench="uretprobe-nop", flavour="tasks-trace", probes=5, spread="uniform")
ZIPF = replace(SHARED, flavour="baseline", cpus=5, probes=3, spread="zipf", ensemble=3)
STARTS = replace(ZIPF, precision=0.01, duration_ps=1100 * US)


def forget_token() -> None:
    """Let Ray read anew what environment and home say of tokens, which it does once a process."""
    from ray._raylet import AuthenticationTokenLoader, Config

    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


def assert_as_in_process(outcome: Outcome) -> None:
    assert outcome.error is None
    assert_equal(outcome.result, predict(outcome.cell))


def assert_equal(result: CellResult | None, expected: CellResult) -> None:
    assert result is not None
    assert result.cell_id == expected.cell_id
    assert result.line_ops == expected.line_ops
    np.testing.assert_array_equal(result.hits_per_sample, expected.hits_per_sample)
    assert result.attribution == expected.attribution
    assert result.stress == expected.stress
    assert result.predicted_low == expected.predicted_low
    assert result.predicted_high == expected.predicted_high
    assert result.half_width == expected.half_width
    assert result.hits_per_s_stddev == expected.hits_per_s_stddev
    assert expected.hits > 0
