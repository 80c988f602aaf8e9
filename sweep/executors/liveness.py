"""Whether what carries a driver on Ray still lives: its raylet, and the cluster's GCS."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from contextlib import closing
from pathlib import Path

from sweep.errors import InfrastructureError

GCS_SECONDS = 5.0
"""For how long the GCS may take no connection. Ray itself waits for a minute, then aborts."""


STOPPED_SECONDS = 5.0
"""For how long raylet and GCS may be stopped, as SIGSTOP and a debugger do it."""


class Liveness:
    """A probe of the GCS at HOST:PORT `address`, and of the raylet that listens at `raylet_socket`.

    `gcs` is the process of the GCS if it is one of ours: the kernel takes connections for one that
    is stopped. Ray tells a driver nothing of the death of either: calls wait, or the process is
    aborted.
    """

    def __init__(self, address: str, raylet_socket: str, gcs: int | None = None) -> None:
        host, _, port = address.rpartition(":")
        self._address = host.strip("[]"), int(port)
        self._answered = time.monotonic()
        self._raylet, process = _process_behind(raylet_socket)
        local = {"raylet": None if self._raylet is None else process, "GCS": gcs}
        self._processes = {name: p for name, p in local.items() if p is not None}
        self._running = dict.fromkeys(self._processes, self._answered)

    def check(self) -> bool:
        """Whether both live; False if the GCS is silent and may be back soon.

        Raises InfrastructureError if either is dead or stopped.
        """
        if self._raylet is not None and select.select([self._raylet], [], [], 0)[0]:
            raise InfrastructureError("Ray's raylet on this machine has died")
        for name, process in self._processes.items():
            if not _is_stopped(process):
                self._running[name] = time.monotonic()
            elif time.monotonic() - self._running[name] >= STOPPED_SECONDS:
                raise InfrastructureError(f"Ray's {name} on this machine was stopped by a signal")
        try:
            socket.create_connection(self._address, timeout=GCS_SECONDS).close()
        except OSError as error:
            silent = time.monotonic() - self._answered
            if silent < GCS_SECONDS:
                return False
            where = "{}:{}".format(*self._address)
            raise InfrastructureError(f"Ray's GCS at {where} has died: {error}") from None
        self._answered = time.monotonic()
        return True

    def close(self) -> None:
        """Let go of the processes."""
        if self._raylet is not None:
            os.close(self._raylet)
            self._raylet = None


def _process_behind(path: str) -> tuple[int | None, int]:
    """A descriptor of the process that listens at a Unix socket, and the process' id.

    The descriptor is readable when it has ended; None if that is in another namespace of
    processes, as in another container.
    """
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
        connection.connect(path)
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    process, _, _ = struct.unpack("3i", found)
    try:
        return os.pidfd_open(process), process
    except OSError:
        return None, process


def _is_stopped(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in ("T", "t")
