"""Streams of a cell, held against numpy's own Philox."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.engine.streams import BLOCK, Streams, draws, stream

WORDS = st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))


def plain(key: tuple[int, int], number: int, count: int) -> np.ndarray:
    """The first draws of a stream as numpy makes them from scratch."""
    counter = np.array([0, 0, 0, number], dtype=np.uint64)
    bits = np.random.Philox(key=np.array(key, dtype=np.uint64), counter=counter)
    return np.random.Generator(bits).random(count)


@given(WORDS, st.integers(0, 2000))
def test_a_stream_has_its_key_and_number(key: tuple[int, int], number: int) -> None:
    made = np.random.Generator(stream(key, number)).random(9)
    assert (made == plain(key, number, 9)).all()


@given(WORDS, st.integers(0, 2000), st.lists(st.integers(0, 50), min_size=1, max_size=3))
def test_a_stream_is_read_from_anywhere(
    key: tuple[int, int], number: int, places: list[int]
) -> None:
    streams, whole = Streams(key), plain(key, number, 60)
    for place in places:
        out = np.empty(7)
        streams.read(number, place, out)
        assert (out == whole[place : place + 7]).all()


@given(
    WORDS,
    st.lists(st.integers(0, 2000), min_size=1, max_size=5),
    st.integers(0, 70),
    st.integers(1, 3),
)
def test_draws_of_many_streams_are_those_of_each(
    key: tuple[int, int], numbers: list[int], block: int, blocks: int
) -> None:
    drawn = draws(key, np.array(numbers, dtype=np.int64), block, blocks)
    assert drawn.shape == (len(numbers), BLOCK * blocks)
    for number, row in zip(numbers, drawn, strict=True):
        assert (row == plain(key, number, BLOCK * (block + blocks))[BLOCK * block :]).all()
