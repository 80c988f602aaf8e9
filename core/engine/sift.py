"""Putting a key into a short sorted array without a branch. Compiled.

Where a key belongs cannot be predicted: a loop that looks for the place costs a misprediction an
event. Numba has no vectors, so this is in LLVM's words.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

NEAR = 16
"""Keys of the array, behind its first; a multiple of LANES."""

LANES = 4
"""Keys of a vector, 256 bits; where hardware has fewer, LLVM splits it."""

KEY, LANE = ir.IntType(64), ir.IntType(32)
VECTOR, FIRST = ir.VectorType(KEY, LANES), ir.Constant(ir.VectorType(LANE, LANES), [0] * LANES)


def _lanes(kind: ir.IntType, values: range) -> Any:
    return ir.Constant(ir.VectorType(kind, len(values)), list(values))


def _sift(_: Any, keys: Any, key: Any, last: Any) -> Any:
    """`sift(keys, key, last)`: put `key` among those at 1 to `last - 1`, the largest of them first.

    What is at `last` is overwritten, and what is behind may be. `keys`, shape (1 + NEAR,), int64,
    begins with a key that is above all.

    All places at once: each gets `max(min(before, key), here)`, before being the key at the place
    before; from `last` on, where no key is, `min(before, key)`.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])

        def vector_at(place: int) -> Any:
            return builder.bitcast(builder.gep(array.data, [KEY(place)]), VECTOR.as_pointer())

        def everywhere(value: Any) -> Any:
            vector = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), value, LANE(0))
            return builder.shuffle_vector(vector, vector, FIRST)

        inserted, end = everywhere(arguments[1]), everywhere(arguments[2])
        places = range(1, 1 + NEAR, LANES)
        found = [builder.load(vector_at(place), align=8) for place in places]
        previous = everywhere(builder.load(array.data))
        for place, here in zip(places, found, strict=True):
            moved = _lanes(LANE, range(LANES - 1, 2 * LANES - 1))
            before = builder.shuffle_vector(previous, here, moved)
            low = builder.select(builder.icmp_signed("<", before, inserted), before, inserted)
            high = builder.select(builder.icmp_signed(">", low, here), low, here)
            empty = builder.icmp_signed(">=", _lanes(KEY, range(place, place + LANES)), end)
            builder.store(builder.select(empty, low, high), vector_at(place), align=8)
            previous = here
        return context.get_dummy_value()

    return types.void(keys, key, last), generate


sift: Any = intrinsic(_sift)
