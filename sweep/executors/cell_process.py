"""A process that simulates cells, one at a time, for another.

Threads would wait for each other: most of a cell with writers is Python.

    python -P -m sweep.executors.cell_process DESCRIPTOR
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread

from core.cell import Cell, CellResult
from sweep.executors.base import Outcome


class CellProcess:
    """Simulates cells elsewhere on this machine; it ends with this process, however that ends.

    Not multiprocessing's own, which runs the user's script once more.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                pass_fds=[theirs.fileno()],
                # A signal to the driver's group is not for it.
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can simulate another cell."""
        return self._process.poll() is None

    def simulate(self, cell: Cell) -> Outcome:
        """What became of `cell`; a failure also if the process has died."""
        try:
            self._connection.send(cell)
            result, error = self._connection.recv()
        except (EOFError, OSError):
            code = self._process.wait()
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            return Outcome(cell, None, f"the process that simulated it ended with {how}")
        return Outcome(cell, result, error)

    def close(self) -> None:
        """End it at once, whatever it is doing."""
        self._process.kill()
        self._process.wait()


def main(descriptor: int) -> None:
    """Simulate the cells that come through a socket, until its other end closes."""
    from core.predict import predict

    connection: Connection[tuple[CellResult | None, str | None], Cell] = Connection(descriptor)
    cells: SimpleQueue[Cell] = SimpleQueue()
    Thread(target=_receive, args=(connection, cells), daemon=True).start()
    while True:
        outcome = Outcome.of(cells.get(), predict)
        connection.send((outcome.result, outcome.error))


def _receive(
    connection: Connection[tuple[CellResult | None, str | None], Cell], cells: SimpleQueue[Cell]
) -> None:
    """In a thread, so that this process ends with the other in the middle of a cell too."""
    with suppress(EOFError, OSError):
        while True:
            cells.put(connection.recv())
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
