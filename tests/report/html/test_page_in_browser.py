"""The report as people see it, in Chromium."""

from pathlib import Path

import pytest
from browser import requests, until
from frames import frame, letter_frame, row
from report_pages import HOSTILE, given, material
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from shares import frames

from core.machine.machine import load_machine
from sweep.letter.published import LETTER_MACHINE
from sweep.report.html.page import render

LINES = "return document.querySelectorAll('#throughput .mark-line path').length"
GROUND = "return getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The letter's figures a tenth too high, shares of time, and a run with a hostile name."""
    machine = {"machine_digest": load_machine(LETTER_MACHINE).digest}
    simulated = letter_frame(1.1, predicted_low=1e6, predicted_high=2e7, **machine)
    live = [
        row(source="live", flavour=HOSTILE, cpus=cpus, hits_per_s=cpus * 2e6, machine=HOSTILE)
        for cpus in (1, 2, 4)
    ]
    shared = frames({"cpus": 3}, {"cpus": 5})
    runs = given(simulated), given(frame(*live), HOSTILE), given(shared[0], "timed", shared[1])
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(material(*runs)), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: webdriver.Chrome, report: Path) -> webdriver.Chrome:
    """The report, with all charts drawn."""
    browser.get(report.as_uri())
    until(browser, "return document.documentElement.hasAttribute('data-ready')")
    return browser


def click(page: webdriver.Chrome, selector: str) -> None:
    page.execute_script("document.querySelector(arguments[0]).click()", selector)


def test_it_asks_for_nothing_and_says_nothing(page: webdriver.Chrome, report: Path) -> None:
    assert requests(page) == {report.as_uri()}
    assert page.get_log("browser") == []


def test_every_chart_is_drawn_and_says_what_it_shows(page: webdriver.Chrome) -> None:
    places = page.find_elements(By.CSS_SELECTOR, "[data-chart]")
    drawn = page.find_elements(By.CSS_SELECTOR, "[data-drawn][role=graphics-document]")
    assert len(drawn) == len(places) >= 6
    marks = page.find_elements(By.CSS_SELECTOR, "#throughput .mark-symbol path")
    assert len(marks) == 42 + 42 + 3 + 2
    said = drawn[0].get_attribute("aria-label")
    assert said is not None
    assert "baseline (published): 3.032 at 1 CPUs to 3.205 at 64 CPUs" in said


def test_names_are_shown_and_not_run(page: webdriver.Chrome) -> None:
    shown = "return [...document.querySelectorAll('h3, #legend label')].map((e) => e.textContent)"
    assert [name for name in page.execute_script(shown) if HOSTILE in name]
    assert page.title != "caught"
    assert page.find_elements(By.TAG_NAME, "img") == []


def test_a_design_switched_off_is_not_drawn(page: webdriver.Chrome) -> None:
    before = page.execute_script(LINES)
    click(page, "input[value=srcu]")
    until(page, f"{LINES} === {before - 4}")
    shown = "return document.querySelector('#time figure').offsetHeight"
    assert page.execute_script(shown) > 0
    click(page, "input[value=baseline]")
    assert page.execute_script(shown) == 0
    click(page, "input[value=baseline]")
    click(page, "input[value=srcu]")
    until(page, f"{LINES} === {before}")


def test_baselines_are_drawn_when_they_are_asked_for(page: webdriver.Chrome) -> None:
    before = page.execute_script(LINES)
    box = page.find_element(By.CSS_SELECTOR, "input[value='USL, all N']")
    assert not box.is_selected()
    box.send_keys(Keys.SPACE)
    until(page, f"{LINES} === {before + 6}")


def test_the_time_by_operation(page: webdriver.Chrome) -> None:
    parts = "return document.querySelector('.parts:not([hidden])').innerText"
    assert "mm->mmap_lock.count" in page.execute_script(parts)
    click(page, "input[name=by][value=operation]")
    assert "mmap_read_lock, locked" in page.execute_script(parts)
    until(page, "return document.querySelector('#time .mark-rect').innerHTML.includes('read_lock')")


def test_a_table_sorts_by_number_and_copies(page: webdriver.Chrome) -> None:
    cells = "[...document.querySelector('#throughput table').rows].slice(1)"
    column = f"return {cells}.map(row => Number(row.cells[3].dataset.number))"
    page.execute_script("document.querySelector('#throughput details').open = true")
    head = page.find_elements(By.CSS_SELECTOR, "#throughput th button")[3]
    assert head.text == "M/s"
    for falls in (False, True):
        head.send_keys(Keys.ENTER)
        found = page.execute_script(column)
        assert found == sorted(found, reverse=falls)
    click(page, "#throughput .copy")
    copied = until(page, "return document.querySelector('#throughput .copy').dataset.copied")
    assert copied.splitlines()[0].split("\t")[:4] == ["source", "design", "CPUs", "M/s"]
    assert len(copied.splitlines()) == len(found) + 1


def test_dark_by_the_system_and_by_the_switch(page: webdriver.Chrome) -> None:
    light = page.execute_script(GROUND)
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
    assert page.execute_script(GROUND) != light
    click(page, "input[name=theme][value=light]")
    assert page.execute_script(GROUND) == light
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    click(page, "input[name=theme][value=dark]")
    text = "return getComputedStyle(document.querySelector('.role-axis-label text')).fill"
    assert page.execute_script(GROUND) != light
    assert page.execute_script(text) == page.execute_script(
        "return getComputedStyle(document.body).color"
    )


@pytest.mark.parametrize("width", [390, 1300])
def test_nothing_is_wider_than_the_window(page: webdriver.Chrome, width: int) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        until(page, f"return innerWidth === {width}")
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_cpus_in_use_follow_the_choice(page: webdriver.Chrome) -> None:
    used = "return document.querySelectorAll('.machine .cpu.used:not(.idle)').length"
    click(page, ".counts input[value='2']")
    assert page.execute_script(used) == 2
