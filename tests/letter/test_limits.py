from __future__ import annotations

import pytest

from core.kernel.flavours import LETTER_TITLES, hot_path
from core.kernel.hot_path import BENCHES
from sweep.letter.statements import LETTER_LIMITS, letter_limits


@pytest.mark.parametrize("flavour", LETTER_TITLES)
@pytest.mark.parametrize("bench", BENCHES)
def test_the_letter_blames_the_refcount_for_returns_only(flavour: str, bench: str) -> None:
    said = list(letter_limits(flavour, bench))
    assert said == list(LETTER_LIMITS if bench.startswith("uretprobe") else LETTER_LIMITS[:1])


def test_what_it_blames_is_on_the_path_of_its_flavours() -> None:
    for flavour in LETTER_TITLES:
        touched = {op.line for c in hot_path(flavour, "uretprobe-nop") for op in c.operations}
        assert all(limit.lines <= touched for limit in LETTER_LIMITS)


def test_it_says_nothing_of_others() -> None:
    assert not list(letter_limits("v6.14", "uprobe-nop"))
