"""The next event of every port that has one: earliest first, ties to the lower port. Compiled.

An event is one integer, its time in ps above its port, so that one comparison orders both. The
nearest ones lie sorted: a cell has few, as most of its CPUs wait in some line's queue. What does
not fit (CPUs that have nothing to do with each other) is in a 4-ary heap, whose events are later.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.engine.compiled import at, compiled, inlined
from core.engine.sift import NEAR, sift

NEVER = 2**62

NO_EVENT = 2**63 - 1
"""A key later than every event's."""


class Events(NamedTuple):
    """Live events, a key each: `time << bits | port`.

    `near`, shape (1 + NEAR,), has the nearest from index 1 on, the latest of them first; `far`,
    shape (1 + ports,), is a heap of the others, if there are more. What is empty begins with
    NO_EVENT. `live` is how many there are in each.
    """

    near: NDArray[np.int64]
    far: NDArray[np.int64]
    live: NDArray[np.int64]
    bits: int

    @property
    def horizon(self) -> int:
        """Until when events can be told by their key, with as much again to spare, ps."""
        return 1 << (62 - self.bits)


def no_events(ports: int) -> Events:
    """Nothing scheduled for any of `ports` ports."""
    bits = max(ports - 1, 1).bit_length()
    near, far = (np.full(n, NO_EVENT, dtype=np.int64) for n in (8 + NEAR, 1 + ports))
    # Vectors of keys, from index 1 on, are to lie in one line of the cache each.
    begin = (-1 - near.ctypes.data // 8) % 8
    return Events(near[begin : begin + 1 + NEAR], far, np.zeros(2, dtype=np.int64), bits)


@inlined
def schedule(events: Events, port: int, time: int) -> None:
    """Let the next event of `port`, which has none, be at `time`."""
    insert(events, time << events.bits | port)


@inlined
def insert(events: Events, key: int) -> None:
    """Add an event."""
    if key > events.far[0] or events.live[0] == NEAR:
        _put_far(events, key)
    else:
        _put_near(events, key)


@inlined
def take_first(events: Events) -> int:
    """Take the first event out; NO_EVENT if there is none."""
    key = events.near[at(events.live[0])]
    if events.live[0] > 0:
        events.live[0] -= 1
        if events.live[0] == 0 and events.live[1] > 0:
            _bring_near(events)
    return int(key)


@inlined
def exchange(events: Events, key: int) -> int:
    """Add an event and take the first out, which may be the same."""
    first = events.near[at(events.live[0])]
    if key < first:
        return key
    if key > events.far[0]:
        return _exchange_far(events, key)
    sift(events.near, key, events.live[0])
    return int(first)


@compiled
def cancel(events: Events, port: int) -> int:
    """Take the event of `port` out; its time, NEVER if it has none."""
    mask = (1 << events.bits) - 1
    for place in range(1, events.live[0] + 1):
        key = events.near[place]
        if key & mask == port:
            for later in range(place, events.live[0]):
                events.near[later] = events.near[later + 1]
            events.live[0] -= 1
            if events.live[0] == 0 and events.live[1] > 0:
                _bring_near(events)
            return int(key >> events.bits)
    for place in range(events.live[1]):
        key = events.far[place]
        if key & mask == port:
            _remove(events, place)
            return int(key >> events.bits)
    return NEVER


@compiled
def next_time(events: Events) -> int:
    """When the first event is, ps; NEVER if there is none."""
    if events.live[0] == 0:
        return NEVER
    return int(events.near[events.live[0]] >> events.bits)


@inlined
def _put_near(events: Events, key: int) -> None:
    events.live[0] += 1
    sift(events.near, key, events.live[0])


@compiled
def _put_far(events: Events, key: int) -> None:
    """Add an event that is later than the first in the heap, or for which there is no room."""
    half = NEAR // 2
    if events.live[0] == NEAR:
        for place in range(1, half + 1):
            _push(events, events.near[place])
        for place in range(1, half + 1):
            events.near[place] = events.near[place + half]
        events.live[0] = half
    if key > events.far[0]:
        _push(events, key)
    else:
        _put_near(events, key)


@compiled
def _exchange_far(events: Events, key: int) -> int:
    """`exchange` for an event that is later than the first in the heap."""
    _push(events, key)
    return take_first(events)


@compiled
def _bring_near(events: Events) -> None:
    """Take the first of the heap out into the sorted events, of which there are none."""
    count = min(events.live[1], NEAR // 2)
    for place in range(count, 0, -1):
        events.near[place] = events.far[0]
        _remove(events, 0)
    events.live[0] = count


@inlined
def _push(events: Events, key: int) -> None:
    """Insert into the heap."""
    events.live[1] += 1
    _rise(events, events.live[1] - 1, key)


@inlined
def _remove(events: Events, place: int) -> None:
    """Take out of the heap what is at `place`: the last takes its place, and sinks or rises."""
    events.live[1] -= 1
    count = events.live[1]
    key = events.far[count]
    events.far[count] = NO_EVENT
    if place == count:
        return
    while True:
        child = 4 * place + 1
        least = child
        for other in range(child + 1, min(child + 4, count)):
            if events.far[other] < events.far[least]:
                least = other
        if child >= count or events.far[least] > key:
            break
        events.far[place] = events.far[least]
        place = least
    _rise(events, place, key)


@inlined
def _rise(events: Events, place: int, key: int) -> None:
    """Put `key` where it belongs on the way from `place` to the top."""
    while place > 0:
        parent = (place - 1) // 4
        if events.far[parent] < key:
            break
        events.far[place] = events.far[parent]
        place = parent
    events.far[place] = key
