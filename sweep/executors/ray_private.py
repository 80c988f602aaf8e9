"""What no public call of Ray does: its private ones, all of them, as of Ray 2.60."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sweep.executors.fan_out import Resources


def prepare() -> None:
    """Have Ray read its variables and the token anew, and start nothing unasked."""
    from ray._private import auto_init_hook
    from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()
    auto_init_hook.enable_auto_connect = False


def send_messages_to(receive: Callable[[str], None]) -> None:
    """Give `receive` every line that Ray has for the driver, and would print to standard output."""
    import ray

    def lines(data: Mapping[str, Any], ignore_prefix: bool) -> None:
        for line in data["lines"]:
            receive(line)

    ray._private.worker.print_to_stdstream = lines


def bootstrap_address(address: str) -> str | None:
    """HOST:PORT of the GCS that `address` stands for; None if that is `auto` and there is none."""
    from ray._private.services import canonicalize_bootstrap_address

    found: str | None = canonicalize_bootstrap_address(address)
    return found


def node_types() -> list[Resources]:
    """What each type of node offers that an autoscaler can start; [] if there is none."""
    from ray._private.state import state

    config = state.get_cluster_config()
    return [dict(group.resources) for group in config.node_group_configs] if config else []


def raylet_socket() -> str:
    """Path of the Unix socket of the raylet that this process is connected to."""
    from ray._private.worker import global_worker

    assert global_worker.node is not None
    return str(global_worker.node.raylet_socket_name)


def gcs_process() -> int | None:
    """The id of the GCS' process if this process has started it."""
    from ray._private.ray_constants import PROCESS_TYPE_GCS_SERVER
    from ray._private.worker import global_worker

    assert global_worker.node is not None
    started = global_worker.node.all_processes.get(PROCESS_TYPE_GCS_SERVER, [])
    return started[0].process.pid if started else None


def session_folder() -> Path:
    """The folder of this node's session. Every worker that starts gives it to everybody."""
    from ray._private.worker import global_worker

    assert global_worker.node is not None
    return Path(global_worker.node.get_session_dir_path())


def is_submitted() -> bool:
    """Whether this process is a job that was submitted to the Ray that it joins."""
    return "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ


def forget() -> None:
    """Leave out what Ray does as this process ends: it would wait for a cluster that is gone."""
    import ray

    atexit.unregister(ray._private.worker.shutdown)


@contextmanager
def loopback(wanted: bool = True) -> Iterator[None]:
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


@contextmanager
def private_folders() -> Iterator[None]:
    """While a Ray is started its folders are made for this user alone, where Ray has 0777."""
    from ray._common import utils

    before = utils.try_make_directory_shared
    utils.try_make_directory_shared = lambda folder: os.chmod(folder, 0o700)
    try:
        yield
    finally:
        utils.try_make_directory_shared = before


@contextmanager
def own_sigterm() -> Iterator[None]:
    """Keep the handler of SIGTERM, which `ray.init` replaces by one that exits at any place."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def get(client: Any, path: str) -> Any:
    """What a JobSubmissionClient is answered at `path` of the dashboard."""
    return client._do_request("GET", path)
