"""The site of docs/: built with every link checked, and without a request to anywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browser import requests, until
from guide import ROOT
from mkdocs.commands.build import build
from mkdocs.config import load_config
from selenium import webdriver

LOADED = re.compile(
    r"<(?:link|script|img|iframe|source)\b[^>]*?\b(?:href|src)=\"?(https?:)?//[^>]*>"
)
FETCHED = re.compile(r"@import|url\(\s*[\"']?(?:https?:)?//")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


def test_every_page_is_there(site: Path) -> None:
    pages = {page.relative_to(ROOT / "docs").with_suffix("") for page in ROOT.glob("docs/**/*.md")}
    made = {page.relative_to(site).with_suffix("") for page in site.rglob("*.html")}
    assert pages <= made
    assert Path("repository/CONTRIBUTING") in made


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not LOADED.search(page.read_text()), page
    for style in site.rglob("*.css"):
        assert not FETCHED.search(style.read_text()), style


def test_a_browser_asks_for_files_of_the_site_alone(browser: webdriver.Chrome, site: Path) -> None:
    browser.get((site / "guide" / "plan-an-upgrade.html").as_uri())
    until(browser, "return document.readyState == 'complete'")
    asked = requests(browser)
    assert asked
    assert all(url.startswith(site.as_uri()) for url in asked), asked
