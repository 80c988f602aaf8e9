"""The Ray that carries a sweep: one of our own on loopback, or one that is there already."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sweep.errors import InfrastructureError
from sweep.executors import ray_private
from sweep.executors.auth_token import guard_token, make_token
from sweep.executors.fan_out import CPU_ACTOR, Resources
from sweep.executors.liveness import Liveness
from sweep.executors.reaper import Reaper

log = logging.getLogger(__name__)

PLENTY = 100_000
OBJECT_STORE_BYTES = 256 << 20
"""A group's largest message is a few MB; Ray would take a third of the machine's memory."""

PROBE_SECONDS = 10
"""How long a cluster has to answer. Ray itself tries for over three minutes, then exits."""

NO_NEWS = ("worker processes have been started", "Raylet is terminated")
"""What Ray says at every dozen of workers, and beside what we say of a node that is lost."""

LONGEST_PARENT = 16
"""Characters of a folder that leave room for the names of Ray's sockets in it: 107 in all."""


class RayCluster:
    """A connection to a Ray: to the one at `address`, or to one that it starts if that is None.

    Tokens are on, except that RAY_AUTH_MODE may say otherwise of a cluster that is joined; what
    the user has to know of the token's file is `say`d. Raises InfrastructureError, if nothing
    answers at `address` within PROBE_SECONDS.
    """

    def __init__(self, address: str | None, say: Callable[[str], None] = log.info) -> None:
        import ray

        self._private: Path | None = None
        self._reaper: Reaper | None = None
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            if address is None:
                os.environ["RAY_AUTH_MODE"] = "token"
                os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
                make_token()
            else:
                os.environ.setdefault("RAY_AUTH_MODE", "token")
            if os.environ["RAY_AUTH_MODE"] == "token":
                guard_token(say)
            ray_private.prepare()
            ray_private.send_messages_to(_log_message)
            # Of actors that were given up.
            os.environ["RAY_IGNORE_UNHANDLED_ERRORS"] = "1"
            with ray_private.own_sigterm():
                if address is None:
                    self._start()
                else:
                    _join(address)
        context = ray.get_runtime_context()
        self._liveness = Liveness(
            context.gcs_address, ray_private.raylet_socket(), ray_private.gcs_process()
        )
        ours = self._is_ours and (address is None or ray_private.is_submitted())
        self._session = ray_private.session_folder() if ours else None

    def check(self) -> bool:
        """As `Liveness.check`, of what this process is connected to.

        Closes the folder of a session of our own to others: workers that start open it.
        """
        if self._session is not None:
            with suppress(OSError):
                self._session.chmod(0o700)
        try:
            return self._liveness.check()
        except InfrastructureError as error:
            logs = f"; its logs are in {self._private}" if self._private else ""
            raise InfrastructureError(f"{error}{logs}") from None

    def disconnect(self) -> None:
        """Leave the cluster; ends it if it was started here. A Ray that was joined before stays."""
        import ray

        self._liveness.close()
        if self._is_ours:
            ray.shutdown()
        if self._reaper is not None:
            self._reaper.close()

    def abandon(self) -> None:
        """Leave a cluster that has died, without a call of Ray's; what we started of it ends.

        Its logs stay. Nothing can be run on Ray in this process any more.
        """
        self._liveness.close()
        ray_private.forget()
        if self._reaper is not None:
            self._reaper.close(keep=True)

    def _start(self) -> None:
        import ray

        parents = (tempfile.gettempdir(), "/tmp")
        parent = next((p for p in parents if len(p) <= LONGEST_PARENT), "/tmp")
        self._private = Path(tempfile.mkdtemp(prefix="uprobe-sweep-", dir=parent))
        self._reaper = Reaper(self._private)
        try:
            with ray_private.loopback(), ray_private.private_folders():
                ray.init(
                    address="local",
                    _node_ip_address="127.0.0.1",
                    _temp_dir=str(self._private / "r"),
                    include_dashboard=False,
                    object_store_memory=OBJECT_STORE_BYTES,
                    resources={CPU_ACTOR: PLENTY},
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
        except BaseException as error:
            self._reaper.close(keep=True)
            if not isinstance(error, Exception):
                raise
            raise InfrastructureError(f"cannot start Ray on this machine: {error}") from error


def nodes() -> dict[str, Resources]:
    """What each node that is alive offers, in use or not, by the node's id."""
    import ray

    listed = ray.nodes()  # type: ignore[no-untyped-call]
    return {node["NodeID"]: node["Resources"] for node in listed if node["Alive"]}


def node_name(node_id: str) -> str:
    """A node's address and the first digits of its id: several may share an address."""
    import ray

    listed = {node["NodeID"]: node for node in ray.nodes()}  # type: ignore[no-untyped-call]
    return f"{listed[node_id]['NodeManagerAddress']}/{node_id[:6]}" if node_id in listed else "?"


def _join(address: str) -> None:
    import ray

    try:
        with ray_private.loopback():
            found = ray_private.bootstrap_address(address)
        if found is None:
            raise ConnectionError("no Ray runs on this machine")
        _probe(found)
    except Exception as error:
        raise InfrastructureError(
            f"cannot join Ray at {address!r}, which should be HOST:PORT or auto: {error}"
        ) from error
    with ray_private.loopback(wanted=found.rpartition(":")[0] == "127.0.0.1"):
        try:
            ray.init(address=found, log_to_driver=False, logging_level=logging.ERROR)
        except (Exception, SystemExit) as error:
            raise InfrastructureError(
                f"cannot join Ray at {address!r}, which answers; its token belongs in "
                f"~/.ray/auth_token, its versions of Ray and Python must be those here: {error}"
            ) from error


def _log_message(message: str) -> None:
    """Log what Ray has to say."""
    log.log(logging.DEBUG if any(old in message for old in NO_NEWS) else logging.WARNING, message)


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
