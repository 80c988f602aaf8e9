"""The token's file is the user's own, whoever made it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sweep.errors import InfrastructureError
from sweep.executors.auth_token import guard_token, make_token


@pytest.fixture(autouse=True)
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the token belongs of a user who has none."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / ".ray" / "auth_token"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("mask", [0, 0o022, 0o077])
def test_a_new_token_is_nobody_elses(token: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        make_token()
    finally:
        os.umask(before)
    assert (mode(token.parent), mode(token)) == (0o700, 0o600)
    assert len(token.read_text()) == 64
    assert os.listdir(token.parent) == ["auth_token"]
    guard_token(pytest.fail)


def test_a_token_that_is_there_stays(token: Path) -> None:
    make_token()
    made = token.read_text()
    make_token()
    assert token.read_text() == made


def test_an_open_one_is_closed_and_that_is_said(token: Path) -> None:
    token.parent.mkdir(mode=0o755)
    token.touch(0o644)
    said: list[str] = []
    guard_token(said.append)
    assert (mode(token.parent), mode(token)) == (0o700, 0o600)
    assert said == [
        f"note: {token.parent}, with Ray's token, was open to others: mode 755, now 700",
        f"note: {token}, with Ray's token, was open to others: mode 644, now 600",
    ]


def test_one_that_cannot_be_closed_is_refused(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    token.parent.mkdir(mode=0o700)
    token.touch(0o640)
    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(InfrastructureError, match="is open to others and cannot be closed"):
        guard_token(pytest.fail)


def test_a_token_elsewhere_is_guarded_and_its_folder_left(
    tmp_path: Path, token: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "elsewhere"
    other.touch(0o604)
    tmp_path.chmod(0o755)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(other))
    said: list[str] = []
    make_token()
    guard_token(said.append)
    assert (mode(tmp_path), mode(other), len(said)) == (0o755, 0o600, 1)
    assert not token.exists()


def test_a_token_in_a_variable_needs_no_file(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "f" * 64)
    make_token()
    guard_token(pytest.fail)
    assert not token.parent.exists()


def test_a_home_that_cannot_be_written_is_one_line(tmp_path: Path, token: Path) -> None:
    token.parent.write_text("no folder")
    with pytest.raises(InfrastructureError, match="cannot write a token for Ray"):
        make_token()
