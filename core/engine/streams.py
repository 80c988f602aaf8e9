"""Random streams of a cell: one a CPU, each of Philox's from a place of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

from core.arrays import IntArray

BLOCK = 4
"""Draws that Philox makes at once."""

MULTIPLIERS = np.array([[0xD2E7470EE14C6C93], [0xCA5A826395121157]], dtype=np.uint64)
WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
ROUNDS = 10
"""Of Philox4x64-10: Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011."""

HALF, LOW = np.uint64(32), np.uint64(2**32 - 1)


class _Key(ISeedSequence):
    """A key as it is: to give it to Philox as one takes four times as long, for entropy."""

    def __init__(self, key: tuple[int, int]) -> None:
        # As plain integers numpy would take a key above 2^63 for a float.
        self._words = np.array(key, dtype=np.uint64)

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> NDArray[np.uint64]:
        """The two words of the key, which is what Philox asks for."""
        return self._words


def stream(key: tuple[int, int], number: int) -> np.random.Philox:
    """Stream `number` of a cell; 2^192 draws lie between two of them."""
    words: Any = _Key(key)  # Philox takes any ISeedSequence; its type hints know only numpy's own.
    return np.random.Philox(words, counter=np.array([0, 0, 0, number], dtype=np.uint64))


class Streams:
    """All streams of a cell, read from anywhere: seven times as fast as to make one each."""

    def __init__(self, key: tuple[int, int]) -> None:
        self._bits = stream(key, 0)
        self._random = np.random.Generator(self._bits)
        self._state: Any = self._bits.state
        self._counter = self._state["state"]["counter"]

    def read(self, number: int, place: int, out: NDArray[np.float64]) -> None:
        """Fill `out` with draws `place` and on of stream `number`, even in [0, 1)."""
        self._counter[0] = place // BLOCK
        self._counter[3] = number
        self._bits.state = self._state
        if place % BLOCK:
            self._bits.random_raw(place % BLOCK, output=False)
        self._random.random(out=out)


def draws(key: tuple[int, int], numbers: IntArray, block: int, blocks: int) -> NDArray[np.float64]:
    """What `Streams.read` reads of many streams at once, for few draws each.

    From draw `BLOCK * block` on; shape (streams, BLOCK * blocks).
    """
    # Philox counts before it draws.
    counter = np.arange(block + 1, block + 1 + blocks, dtype=np.uint64)
    even = np.zeros((2, len(numbers), blocks), dtype=np.uint64)  # Words 0 and 2 of the counter,
    odd = np.zeros_like(even)  # 1 and 3.
    even[0] = counter
    odd[1] = numbers[:, None]
    words = np.array(key, dtype=np.uint64)
    weyl = np.array(WEYL, dtype=np.uint64)
    for number in range(ROUNDS):
        high, low = _product(even)
        even = high[::-1] ^ odd ^ (words + np.uint64(number) * weyl)[:, None, None]
        odd = low[::-1]
    drawn = np.stack([even[0], odd[0], even[1], odd[1]], axis=-1)
    bits = drawn.reshape(len(numbers), -1) >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53


def _product(words: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """High and low words of the products of `words`, shape (2, ...), with MULTIPLIERS."""
    by = MULTIPLIERS[:, :, None]
    by_high, by_low = by >> HALF, by & LOW
    high, low = words >> HALF, words & LOW
    carried = high * by_low + (low * by_low >> HALF)
    middle = low * by_high + (carried & LOW)
    return high * by_high + (carried >> HALF) + (middle >> HALF), words * by
