"""The events of a cell against the least of a dictionary."""

from __future__ import annotations

import pytest
from engine_machines import machine, program, state
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engine import events as e
from core.engine.compiled import compiled
from core.engine.interconnect import Interconnect
from core.kernel.operation import Kind, Operation

PORTS = 4 * e.NEAR
take_first = compiled(lambda events: e.take_first(events))
exchange = compiled(lambda events, key: e.exchange(events, key))
insert = compiled(lambda events, key: e.insert(events, key))
schedule = compiled(lambda events, port, time: e.schedule(events, port, time))
"""Only compiled code can call what is inlined."""

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("take", "cancel", "exchange", "schedule", "schedule")),
        st.integers(0, 2**30),
    ),
    max_size=12 * e.NEAR,
)


@settings(max_examples=200, deadline=None)
@given(spread=st.integers(0, 30), steps=STEPS)
def test_the_first_event_is_the_earliest_and_of_the_lowest_port(
    spread: int, steps: list[tuple[str, int]]
) -> None:
    events, times = e.no_events(PORTS), dict[int, int]()

    def first() -> int:
        key = min((time << events.bits | port for port, time in times.items()), default=e.NO_EVENT)
        times.pop(key % (1 << events.bits), None)
        return key

    for step, number in steps:
        port, time = number % PORTS, (number // PORTS) >> spread
        if step == "take":
            assert take_first(events) == first()
        elif step == "cancel":
            assert e.cancel(events, port) == times.pop(port, e.NEVER)
        elif port not in times:
            times[port] = time
            if step == "exchange":
                assert exchange(events, time << events.bits | port) == first()
            else:
                schedule(events, port, time)
        assert e.next_time(events) == min(times.values(), default=e.NEVER)
        assert events.live.sum() == len(times)
    while times:
        assert take_first(events) == first()
    assert take_first(events) == e.NO_EVENT


@pytest.mark.parametrize(("ports", "seconds"), [(4, 10**6), (256, 10**4), (2048, 2000)])
def test_the_bits_of_a_port_leave_room_for_long_cells(ports: int, seconds: int) -> None:
    events = e.no_events(ports)
    assert events.horizon > seconds * 10**12
    last = (2 * events.horizon - 1) << events.bits | ports - 1
    insert(events, last)
    schedule(events, 0, events.horizon)
    assert take_first(events) == events.horizon << events.bits
    assert take_first(events) == last


def test_a_time_beyond_the_horizon_is_refused() -> None:
    interconnect = Interconnect(state(machine(), program(Operation(Kind.BARRIER)), 2))
    assert interconnect.run(2**60)
    with pytest.raises(ValueError, match="2 CPUs can be simulated for"):
        interconnect.run(2**60 + 1)
