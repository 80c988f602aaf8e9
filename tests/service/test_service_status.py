from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.driver.driver import Progress
from sweep.service.status import Meter, Status, last_words, latest, parse, readable
from sweep.terminal.progress import WINDOW_SECONDS

NODES = {
    "10.0.0.1/aaaaaa": {"groups": 2, "in_flight": 2, "done": 5},
    "10.0.0.2/bbbbbb": {"groups": 1, "in_flight": 0, "done": 4},
}
COUNT = st.integers(0, 10**6)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_for_people() -> None:
    assert Status(20, 9, 1, 2.0, NODES).text() == (
        "10/20 cells, 1 failed, 2 in flight on 3 actor groups, 2.0 cells/s, 5 s left"
    )
    assert Status(20).text().endswith("0.0 cells/s, ? s left")
    assert Status(20, rate=5e-324).text().endswith("0.0 cells/s, ? s left")


@given(COUNT, COUNT, COUNT, st.floats(0, 1e6))
def test_a_line_says_it_all(total: int, done: int, failed: int, rate: float) -> None:
    status = Status(total, done, failed, rate, NODES)
    assert parse(status.line()) == status
    assert readable(status.line()) == status.text()


@pytest.mark.parametrize(
    "line", ["", "status", "status of things", "status {", "status []", 'status {"x": 1}', "a line"]
)
def test_other_lines_are_left_alone(line: str) -> None:
    assert parse(line) is None
    assert readable(line) == line


def test_the_latest_counts() -> None:
    lines = [Status(4, 1).line(), "a warning", Status(4, 2).line(), "4 cells done"]
    assert latest(lines) == Status(4, 2)
    assert latest(["a warning"]) is None


def test_a_run_that_has_ended_has_nothing_in_flight() -> None:
    status = Status(20, 9, 1, 2.0, NODES).at_end()
    assert status.counts == "10/20 cells, 1 failed"
    assert (status.in_flight, status.seconds_left) == (0, None)
    assert [load["groups"] for load in status.nodes.values()] == [0, 0]
    assert [load["done"] for load in status.nodes.values()] == [5, 4]


def test_the_last_words_are_no_status() -> None:
    assert last_words(["a note", "error: no room", Status(4, 1).line(), ""]) == "error: no room"
    assert last_words([Status(4).line()]) is None


def test_the_time_left_goes_by_what_cells_cost() -> None:
    clock = Clock()
    meter = Meter(clock)
    for done in range(1, 11):
        clock.now += 1
        status = meter.status(Progress(20, done, share=done / 80), {})
    # Ten of a second each are an eighth of the work.
    assert status.seconds_left == pytest.approx(70)
    assert parse(status.line()) == status
    assert status.at_end().seconds_left is None


def test_the_rate_is_that_of_the_last_minute() -> None:
    clock = Clock()
    meter = Meter(clock)
    assert meter.status(Progress(1000), {}).rate == 0
    # No cell for ten minutes, because nodes have to come; then 2 a second.
    clock.now += 600
    assert meter.status(Progress(1000), {}).rate == 0
    for second in range(1, 121):
        clock.now += 1
        status = meter.status(Progress(1000, 2 * second), {})
        if second >= WINDOW_SECONDS:
            assert status.rate == pytest.approx(2.0)
    assert status.seconds_left == pytest.approx((1000 - 240) / 2)
