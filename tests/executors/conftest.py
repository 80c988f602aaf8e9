"""A Ray of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import ray
from ray_cells import forget_token

from sweep.executors.ray_cluster import RayCluster


@pytest.fixture(scope="module")
def local_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    """A Ray of our own, whose token is in a home of its own."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.delenv("RAY_AUTH_MODE", raising=False)
        forget_token()
        cluster = RayCluster(None)
        yield cluster
        cluster.disconnect()
    forget_token()


@pytest.fixture(scope="module")
def local_ray(local_cluster: RayCluster) -> str:
    """Its address."""
    address: str = ray.get_runtime_context().gcs_address
    return address
