"""Frames of results made by hand, with the columns a run has."""

from __future__ import annotations

from typing import Any

import polars as pl

from sweep.letter.published import LETTER_MACHINE, published
from sweep.spec.axes import AXES
from sweep.store.schema import SCHEMA, SCHEMA_VERSION

DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(SCHEMA.names),
    **{name: axis.default for name, axis in AXES.items()},
    "cell_id": "0123456789abcdef",
    "run_id": "by-hand",
    "bench": "uprobe-nop",
    "flavour": "baseline",
    "cpus": 1,
    "machine": LETTER_MACHINE,
    "machine_digest": "fedcba9876543210",
    "seed": 1,
    "replicate": 0,
    "ensemble": 0,
    "warmup_s": 5e-4,
    "duration_s": 5e-4,
    "sample_s": 1e-4,
    "model_version": "1",
    "hits": 1,
    "sim_seconds": 1e-3,
    "hits_per_s": 3e6,
    "hits_per_s_stddev": 0.0,
    "samples": 6,
    "line_ops": 9,
    "wall_seconds": 0.5,
    "source": "simulated",
    "schema_version": SCHEMA_VERSION,
}


def row(**given: Any) -> dict[str, Any]:
    """One row; the share of a CPU follows from hits_per_s and cpus unless given."""
    made = DEFAULTS | given
    if "hits_per_s_per_cpu" not in given:
        made["hits_per_s_per_cpu"] = made["hits_per_s"] / made["cpus"]
    return made


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    """A frame of the rows, with the columns and types that a run's files have."""
    return pl.DataFrame(rows, schema=dict(pl.DataFrame(SCHEMA.empty_table()).schema))


def letter_frame(scale: float = 1.0, **given: Any) -> pl.DataFrame:
    """A run that gave `scale` times the letter's figures."""
    return frame(
        *(
            row(
                flavour=r["flavour"],
                bench=r["bench"],
                cpus=r["cpus"],
                hits_per_s=r["mhits_per_s"] * 1e6 * scale,
                hits_per_s_stddev=r["mhits_per_s_stddev"] * 1e6 * scale,
                hits_per_s_per_cpu=r["mhits_per_s_per_cpu"] * 1e6 * scale,
                **given,
            )
            for r in published().iter_rows(named=True)
        )
    )
