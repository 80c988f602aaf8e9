"""The page with its real server, on a free port, in Chromium."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest
from browser import requests, until
from command_line import ENVIRONMENT
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

DRAWN = """return [...document.querySelectorAll('marimo-mime-renderer')].some(
    (place) => place.shadowRoot.querySelector('canvas, svg.marks'))"""
ANSWERED = "return document.body.innerText.includes('Simulated briefly')"


class Server:
    """`uprobe-sweep explore` as people start it; `url` has the token."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sweep", "explore"],
            cwd=home,
            env={**ENVIRONMENT, "HOME": str(home), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("open http://127.0.0.1:"), line
        self.url = line.split()[1]

    @property
    def place(self) -> str:
        return self.url.partition("/?")[0]

    def end(self, number: int) -> int:
        """Its exit code after the signal."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        """End it whatever it does."""
        with self.process:
            self.process.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("home"))
    try:
        yield started
    finally:
        started.kill()


@pytest.fixture
def page(browser: webdriver.Chrome, server: Server) -> webdriver.Chrome:
    browser.get(server.url)
    until(browser, ANSWERED)
    return browser


def code_of(url: str, body: bytes | None = None) -> int:
    """The status of the answer as a browser gets it; 401 if that is to log in."""
    opener = build_opener(HTTPCookieProcessor())
    request = Request(url, data=body, headers={"content-type": "application/json"})
    try:
        with opener.open(request, timeout=30) as answer:
            return 401 if "/auth/login" in answer.url else int(answer.status)
    except HTTPError as error:
        return error.code


def test_the_page_answers_and_asks_nobody_else(page: webdriver.Chrome, server: Server) -> None:
    text = page.execute_script("return document.body.innerText")
    assert re.search(r"v6\.14: 1\d\d\.\d+ M/s at 64 CPUs \(90 %: .*goes to private work", text)
    assert re.search(r"v6\.14 over v6\.11 at 64 CPUs: x \d+", text)
    until(page, DRAWN)
    asked = {url for url in requests(page) if not url.startswith(server.place)}
    assert not [url for url in asked if re.match(r"(https?|wss?):", url)]
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_what_is_chosen_is_answered(page: webdriver.Chrome) -> None:
    field = page.execute_script(
        "return document.querySelector('marimo-number').shadowRoot.querySelector('input')"
    )
    for typed, said in (("8", "at 8 CPUs: x "), ("0", "--cpus: 0 is out of range")):
        field.send_keys(3 * Keys.BACKSPACE, typed, Keys.ENTER)
        until(page, f"return document.body.innerText.includes('{said}')")


def test_no_code_is_shown_or_taken(page: webdriver.Chrome, server: Server) -> None:
    assert "shown.answered" not in page.page_source
    body = b'{"cellIds": ["Hbol"], "codes": ["import os; os.abort()"]}'
    token = server.url.partition("access_token=")[2]
    for call in ("run", "save", "scratchpad/run", "interrupt", "restart_session"):
        assert code_of(f"{server.place}/api/kernel/{call}?access_token={token}", body) >= 400
    assert server.process.poll() is None


@pytest.mark.parametrize("way", ["/", "/?access_token=guessed", "/api/kernel/instantiate", "/ws"])
def test_nothing_without_the_token(server: Server, way: str) -> None:
    assert code_of(server.place + way) >= 400


def test_it_listens_on_loopback_only(server: Server) -> None:
    port = int(server.place.rpartition(":")[2])
    listening = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].partition(":")[2], 16) == port
    ]
    assert listening == [f"0100007F:{port:04X}"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_ends_without_leaving_a_process(number: int, code: int, tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        assert code_of(server.url) == 200
        assert server.end(number) == code
    finally:
        server.kill()
    with pytest.raises(ProcessLookupError):
        os.killpg(server.process.pid, 0)
