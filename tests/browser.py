"""Debian's Chromium without a window, for pages that people look at."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run", "--disable-dev-shm-usage"),
)
SENT = "Network.requestWillBeSent"

SECONDS = 30
"""A test fails if a page is not there after so long on a busy machine."""


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser with its own profile; skips where there is none."""
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if None in programs:
        pytest.skip("needs Debian's chromium and chromium-driver, see .ci/run")
    browser, driver = map(str, programs)
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for option in (*OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield started
    finally:
        started.quit()


def empty(browser: webdriver.Chrome) -> None:
    """Have it on an empty page, and forget what was logged of the pages before."""
    browser.get("about:blank")
    for log in ("performance", "browser"):
        browser.get_log(log)


def requests(browser: webdriver.Chrome) -> set[str]:
    """URLs that were asked for since the last call."""
    messages = [json.loads(line["message"])["message"] for line in browser.get_log("performance")]
    sent = [m["params"]["request"]["url"] for m in messages if m["method"] == SENT]
    return {url for url in sent if not url.startswith("data:")}


def until(browser: webdriver.Chrome, script: str) -> Any:
    """What the script gives once that is something."""
    return WebDriverWait(browser, SECONDS, poll_frequency=0.05).until(
        lambda page: page.execute_script(script)
    )
