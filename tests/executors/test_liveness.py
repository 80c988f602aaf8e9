"""Whether Ray lives, told of sockets and processes that are not Ray's."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sweep.errors import InfrastructureError
from sweep.executors import liveness
from sweep.executors.liveness import Liveness

RAYLET = """
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print("listens", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def raylet(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that listens at the socket `raylet` of the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", RAYLET, str(tmp_path / "raylet")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listens\n"
        yield process
        process.kill()


@pytest.fixture
def gcs() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def probe(gcs: socket.socket, folder: Path) -> Liveness:
    return Liveness(f"127.0.0.1:{gcs.getsockname()[1]}", str(folder / "raylet"))


def test_a_raylet_that_is_killed_is_dead_at_once(
    gcs: socket.socket, raylet: subprocess.Popen[str], tmp_path: Path
) -> None:
    with closing(probe(gcs, tmp_path)) as live:
        assert live.check()
        raylet.kill()
        raylet.wait()
        with pytest.raises(InfrastructureError, match="raylet on this machine has died"):
            live.check()


def test_a_gcs_of_our_own_that_is_stopped_is_noticed_though_it_takes_connections(
    gcs: socket.socket,
    raylet: subprocess.Popen[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = f"127.0.0.1:{gcs.getsockname()[1]}"
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process,
        closing(Liveness(address, str(tmp_path / "raylet"), process.pid)) as live,
    ):
        assert live.check()
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        assert live.check()
        monkeypatch.setattr(liveness, "STOPPED_SECONDS", 0.0)
        with pytest.raises(InfrastructureError, match=r"GCS .* stopped by a signal"):
            live.check()
        process.kill()


def test_a_raylet_may_be_stopped_for_a_while(
    gcs: socket.socket,
    raylet: subprocess.Popen[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(probe(gcs, tmp_path)) as live:
        raylet.send_signal(signal.SIGSTOP)
        os.waitpid(raylet.pid, os.WUNTRACED)
        assert live.check()
        monkeypatch.setattr(liveness, "STOPPED_SECONDS", 0.0)
        with pytest.raises(InfrastructureError, match=r"raylet .* stopped by a signal"):
            live.check()
        raylet.send_signal(signal.SIGCONT)
        os.waitpid(raylet.pid, os.WCONTINUED)
        assert live.check()


def test_a_gcs_may_be_silent_for_a_while(
    gcs: socket.socket,
    raylet: subprocess.Popen[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(probe(gcs, tmp_path)) as live:
        gcs.close()
        assert not live.check()
        monkeypatch.setattr(liveness, "GCS_SECONDS", 0.0)
        monkeypatch.setattr(socket, "create_connection", refuse)
        with pytest.raises(InfrastructureError, match=r"GCS at 127.0.0.1:\d+ has died: refused"):
            live.check()


def refuse(*args: object, **kwargs: object) -> socket.socket:
    raise ConnectionRefusedError("refused")
