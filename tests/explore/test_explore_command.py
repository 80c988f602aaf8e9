"""`uprobe-sweep explore` as far as it goes without a page."""

import socket

import pytest

from sweep.cli import code_of


@pytest.mark.parametrize("port", ["-1", "70000", "http"])
def test_a_port_that_is_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["explore", "--port", port]) == 2
    assert "--port" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_before_anything_is_served(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert code_of(["explore", "--port", port]) == 2
    said = capsys.readouterr()
    assert f"--port {port}: Address already in use; --port 0 takes a free one" in said.err
    assert said.out == ""
