"""What all tests start from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from selenium import webdriver

# No time is a condition of any test: other work may take this machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Tests say how wide a terminal is; GNU readline says it unseen by os.environ, or to the worker.
os.environ.pop("COLUMNS", None)
os.unsetenv("COLUMNS")

# Commands get homes of their own; what these sources have compiled to is the same for all.
os.environ.setdefault(
    "NUMBA_CACHE_DIR", os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
)


@pytest.fixture(scope="session")
def chromium_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium, one for all tests of a process; skips where there is none."""
    from browser import chromium

    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def browser(chromium_of_all: webdriver.Chrome) -> webdriver.Chrome:
    """It on an empty page, what was logged of other tests' pages forgotten."""
    from browser import empty

    empty(chromium_of_all)
    return chromium_of_all
