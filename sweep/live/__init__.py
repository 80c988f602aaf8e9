"""Real uprobes on the running kernel: the same benches, the same rows.

>>> from sweep import live
>>> live.measure(["uprobe-nop", "uretprobe-nop"], cpus=[1, 2]).select("cpus", "hits_per_s")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["measure"]


def measure(
    bench: str | Sequence[str] = ("uprobe-nop", "uretprobe-nop"),
    cpus: int | Sequence[int] = 1,
    warmup: float = 1.0,
    duration: float = 5.0,
    sample: float = 1.0,
    attach: str = "bpf",
) -> pl.DataFrame:
    """Measure every bench on every number of CPUs; a row each, with the columns of `sweep.scan`.

    Times are in seconds; as the kernel's bench does, the mean is over duration / sample + 1
    samples. `attach` is `bpf` or `perf`, see `sweep.live.probe`. Stores nothing.

    Raises UsageError for what cannot be measured here, `RefusedError` (`sweep.live.refused`) where
    the host does not allow it, and `LostHitsError` (`sweep.live.session`) if a call was not
    counted.
    """
    import polars as pl

    from sweep.live.rows import here, row
    from sweep.live.session import check_request, measure_one
    from sweep.store.schema import SCHEMA

    benches = [bench] if isinstance(bench, str) else list(bench)
    counts = [cpus] if isinstance(cpus, int) else list(cpus)
    check_request(benches, counts, attach, (warmup, duration, sample))
    host = here()
    rows = [
        row(measure_one(name, count, warmup, duration, sample, attach), host)
        for name in benches
        for count in counts
    ]
    return pl.DataFrame(rows, schema=pl.DataFrame(SCHEMA.empty_table()).schema)
