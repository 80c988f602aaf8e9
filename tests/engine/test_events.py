"""The events of a cell against the least of a dictionary."""

from __future__ import annotations

import pytest
from engine_machines import machine, program, state
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engine import events as e
from core.engine.interconnect import Interconnect
from core.kernel.operation import Kind, Operation

PORTS = 4 * e.NEAR
STEPS = st.lists(
    st.tuples(st.sampled_from(("take", "cancel", "schedule", "schedule")), st.integers(0, 2**30)),
    max_size=12 * e.NEAR,
)


def first(events: e.Events) -> tuple[int, int] | None:
    """Time and port of the first event."""
    if e.next_time(events) == e.NEVER:
        assert not e.bring_near(events)
        return None
    e.bring_near(events)
    key = e.first_key(events)
    return key >> events.bits, key & ((1 << events.bits) - 1)


@settings(max_examples=200, deadline=None)
@given(spread=st.integers(0, 30), steps=STEPS)
def test_the_first_event_is_the_earliest_and_of_the_lowest_port(
    spread: int, steps: list[tuple[str, int]]
) -> None:
    events, expected = e.no_events(PORTS), dict[int, int]()
    for step, number in steps:
        port, time = number % PORTS, (number // PORTS) >> spread
        if step == "take" and expected:
            time, port = min((time, port) for port, time in expected.items())
            assert first(events) == (time, port)
            e.take_first(events)
            del expected[port]
        elif step == "cancel":
            assert e.cancel(events, port) == expected.pop(port, e.NEVER)
        elif port not in expected:
            e.schedule(events, port, time)
            expected[port] = time
        assert e.next_time(events) == min(expected.values(), default=e.NEVER)
        assert events.live.sum() == len(expected)
    while expected:
        time, port = min((time, port) for port, time in expected.items())
        assert first(events) == (time, port)
        e.take_first(events)
        del expected[port]
    assert first(events) is None


def test_what_was_taken_can_be_put_back() -> None:
    events = e.no_events(2)
    e.schedule(events, 1, 7)
    e.take_first(events)
    assert first(events) is None
    e.put_back(events)
    assert first(events) == (7, 1)


@pytest.mark.parametrize(("ports", "seconds"), [(4, 10**6), (256, 10**4), (2048, 2000)])
def test_the_bits_of_a_port_leave_room_for_long_cells(ports: int, seconds: int) -> None:
    events = e.no_events(ports)
    assert events.horizon > seconds * 10**12
    e.schedule(events, ports - 1, 2 * events.horizon - 1)
    e.schedule(events, 0, events.horizon)
    assert first(events) == (events.horizon, 0)
    e.take_first(events)
    assert first(events) == (2 * events.horizon - 1, ports - 1)


def test_a_time_beyond_the_horizon_is_refused() -> None:
    interconnect = Interconnect(state(machine(), program(Operation(Kind.BARRIER)), 2))
    assert interconnect.run(2**60)
    with pytest.raises(ValueError, match="2 CPUs can be simulated for"):
        interconnect.run(2**60 + 1)
