"""The progress meter: what it says, when, and how it guesses the time left."""

from __future__ import annotations

import pytest

from sweep.terminal.progress import Look, Pace, PlainLines, seconds_text, text


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_not_known_is_not_said() -> None:
    assert text(Look(3, 64, "cells", "0 failed"), None) == "3/64 cells, 0 failed, ? cells/s"
    assert text(Look(3, 64, "cells"), 0.5, 122.0) == "3/64 cells, 0.5 cells/s, 2.0 min left"
    assert text(Look(64, 64, "cells"), 9.26) == "64/64 cells, 9.3 cells/s"
    named = Look(1, 3, "steps", "loss 0.5", "primitives")
    assert text(named, None) == "primitives: 1/3 steps, loss 0.5, ? steps/s"


def test_nothing_is_said_of_what_is_left_before_a_rate_has_settled() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.update(0) is None
    clock.now += 30  # The compiler works.
    assert pace.update(1) is None
    clock.now += 1
    assert pace.update(40) is None  # Many, but in a moment.
    clock.now += 9
    assert pace.update(101) == pytest.approx(10.0)


def test_a_long_wait_before_the_first_step_is_no_part_of_the_rate() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.update(0)
    clock.now += 3600
    pace.update(5)
    clock.now += 10
    assert pace.update(25) == pytest.approx(2.0)


def test_the_rate_follows_the_last_minute() -> None:
    clock = Clock()
    pace = Pace(clock)
    for second in range(300):
        clock.now += 1
        rate = pace.update(second if second < 200 else 200 + 10 * (second - 200))
    assert rate == pytest.approx(10.0)


def test_the_time_left_goes_by_what_cells_cost() -> None:
    # Ten of a second each, then ten of seven: 80 seconds in all.
    costs = [1] * 10 + [7] * 10
    clock, spent = Clock(), 0
    pace, guesses = Pace(clock), dict[int, float | None]()
    for done in range(21):
        if done:
            clock.now += costs[done - 1]
            spent += costs[done - 1]
        pace.look(Look(done, 20, "cells", share=spent / 80))
        guesses[done] = pace.left
    # The first of which a cell is done is what time counts from; two more steps tell nothing yet.
    assert [guesses[done] for done in (0, 1, 2, 3)] == [None] * 4
    known = {done: left for done, left in guesses.items() if 4 <= done < 20}
    left = {done: 80 - sum(costs[:done]) for done in known}
    assert known == {done: pytest.approx(left[done]) for done in known}
    assert guesses[20] is None


def test_without_costs_the_time_left_goes_by_steps() -> None:
    clock = Clock()
    pace = Pace(clock)
    for done in (1, 3, 5):
        pace.look(Look(done, 11, "cells"))
        clock.now += 4
    assert pace.left == pytest.approx(6 / 0.5)


def test_cells_of_minutes_have_a_rate_too() -> None:
    clock = Clock()
    pace = Pace(clock)
    for done in range(1, 8):
        pace.look(Look(done, 10, "cells", share=done / 10))
        clock.now += 120
    assert pace.left == pytest.approx(3 * 120)


def test_lines_come_for_the_first_step_the_last_and_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    show = PlainLines(clock)
    for done in range(13):
        show(Look(done, 12, "cells"))
        clock.now += 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["1/12", "6/12", "11/12", "12/12"]
    assert lines[-1] == "12/12 cells, 1.0 cells/s"
    assert lines[1] == "6/12 cells, 1.0 cells/s, 6 s left"


def test_every_stage_has_its_own_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show = PlainLines(Clock())
    for done in range(4):
        show(Look(done, 3, "steps", stage="primitives"))
    show(Look(1, 1, "steps", stage="intervals"))
    assert capsys.readouterr().err.splitlines() == [
        "primitives: 1/3 steps, ? steps/s",
        "primitives: 3/3 steps, ? steps/s",
        "intervals: 1/1 steps, ? steps/s",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.349, "0.35 s"), (42.4, "42 s"), (450, "7.5 min"), (10800, "3.0 h")]
)
def test_a_time_has_two_figures(seconds: float, said: str) -> None:
    assert seconds_text(seconds) == said
