from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.errors import InfrastructureError, UsageError
from sweep.service.ray_jobs import DEFAULT_ADDRESS, VARIABLE, Jobs, dashboard_url, explained

BAD = ["nohost", "127.0.0.1:8265", "ftp://x", "http://", "http://x:port", "http://x:0", "http://[x"]


def test_the_option_goes_before_the_environment() -> None:
    there = {VARIABLE: "http://there:1"}
    assert dashboard_url("https://here", there) == "https://here"
    assert dashboard_url(None, there) == "http://there:1"
    assert dashboard_url(None, {}) == dashboard_url("", {VARIABLE: ""}) == DEFAULT_ADDRESS


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_url_is_named_by_where_it_comes_from(url: str) -> None:
    for option, environment, source in ((url, {}, "--address"), (None, {VARIABLE: url}, VARIABLE)):
        with pytest.raises(UsageError, match="write a URL like http://") as raised:
            dashboard_url(option, environment)
        assert str(raised.value).startswith(f"{source} {url}: ")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("status code 500: No available agent to submit job"), "port: .* 52365"),
        (RuntimeError("Request failed with status code 401"), "does not take our token"),
        (RuntimeError("Version check returned 404"), "no dashboard of Ray"),
        (ConnectionError("reset"), "^nothing answers at http://here:1"),
        (RuntimeError("odd"), "RuntimeError: odd"),
    ],
)
def test_what_ray_says_is_explained(error: Exception, said: str) -> None:
    assert re.search(said, explained(error, "http://here:1"))
    assert "http://here:1" in explained(error, "http://here:1")


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of something that listens, in the environment of a user without a token."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv(VARIABLE, "")
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_without_a_token_it_is_said_how_to_make_one(listening: str) -> None:
    with pytest.raises(InfrastructureError) as refused:
        Jobs(listening)
    assert str(refused.value).startswith(
        "no token here: (umask 077; ray get-auth-token --generate)"
    )


def test_nothing_that_listens_is_named_at_once(listening: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(InfrastructureError, match=f"nothing answers at {free}"):
        Jobs(free)
