"""How CPUs choose among the probes."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Spread = Literal["shared", "private", "uniform", "zipf"]
SPREADS: tuple[str, ...] = get_args(Spread)

ZIPF_EXPONENT = 1.0
"""Rank r is hit with weight 1/r, the classic skew of access frequencies (Zipf 1949)."""


def is_drawn(spread: Spread) -> bool:
    """Whether CPUs draw their probes; `uniform` and `zipf` do."""
    return spread in ("uniform", "zipf")


def only_probe(spread: Spread, cpu: NDArray[np.int64], probes: int) -> NDArray[np.int32]:
    """The only probe that each CPU hits, if none is drawn.

    `shared`: all hit probe 0; `private`: CPU i hits probe i mod P.
    """
    only = cpu % probes if spread == "private" else np.zeros_like(cpu)
    return only.astype(np.int32)


def draw_probes(
    random: np.random.Generator, spread: Spread, cpu: int, probes: int, hits: int
) -> NDArray[np.int32]:
    """Index of the probe that each of `hits` hits of `cpu` finds, shape (hits,)."""
    if not is_drawn(spread):
        return np.repeat(only_probe(spread, np.array([cpu]), probes), hits)
    if spread == "uniform":
        return random.integers(probes, size=hits, dtype=np.int32)
    draws = np.searchsorted(_zipf(probes), random.random(hits), side="right")
    return np.minimum(draws, probes - 1).astype(np.int32)


@lru_cache(maxsize=8)
def _zipf(probes: int) -> NDArray[np.float64]:
    """Cumulative probability of the ranks, shape (probes,)."""
    weights = np.arange(1, probes + 1, dtype=np.float64) ** -ZIPF_EXPONENT
    return np.cumsum(weights / weights.sum())
