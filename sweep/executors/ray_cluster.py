"""The Ray that carries a sweep: one of our own on loopback, or one that is there already."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sweep.errors import InfrastructureError
from sweep.executors.fan_out import CPU_ACTOR, Resources

log = logging.getLogger(__name__)

PLENTY = 100_000
OBJECT_STORE_BYTES = 256 << 20
"""A gang's largest message is a few MB; Ray would take a third of the machine's memory."""

PROBE_SECONDS = 10
"""How long a cluster has to answer. Ray itself tries for over three minutes, then exits."""


def connect(address: str | None) -> bool:
    """Join the Ray at `address`, or start one on this machine if that is None.

    Returns False, and does neither, if this process is connected already. Tokens are on, except
    that RAY_AUTH_MODE may say otherwise of a cluster that is joined. Raises InfrastructureError,
    if nothing answers at `address` within PROBE_SECONDS.
    """
    import ray
    from ray._raylet import Config  # type: ignore[attr-defined]

    if ray.is_initialized():
        return False
    if address is None:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    else:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    # Ray has read its environment when it was imported.
    Config.initialize("")
    ray._private.worker.print_to_stdstream = _log_message
    if address is None:
        _start()
    else:
        _join(address)
    return True


def disconnect() -> None:
    """Leave the cluster; ends it if this process started it."""
    import ray

    ray.shutdown()


def nodes() -> dict[str, Resources]:
    """What each node that is alive offers, in use or not, by the node's id."""
    import ray

    listed = ray.nodes()  # type: ignore[no-untyped-call]
    return {node["NodeID"]: node["Resources"] for node in listed if node["Alive"]}


def node_types() -> list[Resources]:
    """What each type of node offers that an autoscaler can start; [] if there is none."""
    from ray._private.state import state

    config = state.get_cluster_config()
    return [dict(group.resources) for group in config.node_group_configs] if config else []


def node_name(node_id: str) -> str:
    """A node's address and the first digits of its id: several may share an address."""
    import ray

    listed = {node["NodeID"]: node for node in ray.nodes()}  # type: ignore[no-untyped-call]
    return f"{listed[node_id]['NodeManagerAddress']}/{node_id[:6]}" if node_id in listed else "?"


def _start() -> None:
    import ray

    try:
        with _loopback():
            ray.init(
                address="local",
                _node_ip_address="127.0.0.1",
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                resources={CPU_ACTOR: PLENTY},
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except Exception as error:
        raise InfrastructureError(f"cannot start Ray on this machine: {error}") from error


def _join(address: str) -> None:
    import ray
    from ray._private.services import canonicalize_bootstrap_address

    try:
        with _loopback():
            found = canonicalize_bootstrap_address(address)
        if found is None:
            raise ConnectionError("no Ray runs on this machine")
        _probe(found)
    except Exception as error:
        raise InfrastructureError(
            f"cannot join Ray at {address!r}, which should be HOST:PORT or auto: {error}"
        ) from error
    with _loopback(wanted=found.rpartition(":")[0] == "127.0.0.1"):
        try:
            ray.init(address=found, log_to_driver=False, logging_level=logging.ERROR)
        except (Exception, SystemExit) as error:
            raise InfrastructureError(
                f"cannot join Ray at {address!r}, which answers; its token belongs in "
                f"~/.ray/auth_token, its versions of Ray and Python must be those here: {error}"
            ) from error


@contextmanager
def _loopback(wanted: bool = True) -> Iterator[None]:
    """While Ray is told to, it takes 127.0.0.1 for this machine's address and listens only there.

    It does so by itself on macOS and Windows; on Linux it replaces 127.0.0.1 by the address of an
    interface, and with any other address, 127.0.0.2 too, it listens on all interfaces.
    """
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = before and not wanted
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _log_message(data: Mapping[str, Any], ignore_prefix: bool) -> None:
    """Log what Ray has to say to the driver; Ray itself prints it to standard output.

    That there are many workers it says at every dozen, and a gang is many.
    """
    for line in data["lines"]:
        log.log(
            logging.DEBUG if "worker processes have been started" in line else logging.WARNING, line
        )


def _probe(address: str) -> None:
    """Raise ConnectionError unless a gRPC server answers at host:port."""
    import grpc  # type: ignore[import-untyped]

    host, _, port = address.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=PROBE_SECONDS):
        pass
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=PROBE_SECONDS)
        except grpc.FutureTimeoutError:
            raise ConnectionError("what listens there is not Ray") from None
