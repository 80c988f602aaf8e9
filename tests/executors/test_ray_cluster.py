from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from sweep.errors import InfrastructureError
from sweep.executors import ray_cluster


@pytest.fixture
def mute() -> Iterator[str]:
    """Address of something that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def join(address: str) -> str:
    """The one line that says why `address` cannot be joined."""
    with pytest.raises(InfrastructureError) as failure:
        ray_cluster.RayCluster(address)
    assert "\n" not in str(failure.value)
    assert repr(address) in str(failure.value)
    return str(failure.value)


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = f"127.0.0.1:{server.getsockname()[1]}"
    assert "Connection refused" in join(free)


def test_something_else_listens(mute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "PROBE_SECONDS", 0.2)
    assert "what listens there is not Ray" in join(mute)


@pytest.mark.parametrize("address", ["localhost", "host:port", "127.0.0.1:", "", ":"])
def test_no_address_at_all(address: str) -> None:
    assert "should be HOST:PORT or auto" in join(address)
