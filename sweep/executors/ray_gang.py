"""Cells on Ray: a gang of actors, and the executor that gives it one cell after the other."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from core.engine.cell import Cell
from sweep.errors import InfrastructureError, UsageError
from sweep.executors.base import Outcome
from sweep.executors.ray_cluster import (
    SIMULATED_CPU,
    connect,
    declares_simulated_cpus,
    disconnect,
    resources,
)

ATTEMPTS = 3
"""How often a cell is simulated if actors die under it."""

START_SECONDS = 1200
"""How long a gang may take to start: an autoscaler may have to bring up a node first."""


class GangLostError(Exception):
    """An actor of a gang has died or is out of reach, which comes to the same."""

    def __init__(self, error: BaseException, while_starting: bool) -> None:
        super().__init__(_plain(error))
        self.while_starting = while_starting


class RayGang:
    """Actors that together simulate cells of up to `cpus` CPUs, for as long as all of them live.

    Ray restarts none of them (an actor would come back without its state); after a death the gang
    is of no more use.
    """

    def __init__(self, cpus: int, cpus_per_actor: int) -> None:
        import ray

        from core.engine.gang import CpuGroup
        from sweep.executors.ray_actors import InterconnectHost

        self.cpus = cpus
        each = {SIMULATED_CPU: float(cpus_per_actor)} if declares_simulated_cpus() else {}
        cpu_actor: Any = ray.remote(num_cpus=0, resources=each, max_restarts=0)(CpuGroup)
        interconnect: Any = ray.remote(num_cpus=1, max_restarts=0)(InterconnectHost)
        self.cpu_actors = [cpu_actor.remote() for _ in range(math.ceil(cpus / cpus_per_actor))]
        self.interconnect = interconnect.remote(self.cpu_actors, cpus_per_actor)

    def start(self, cell: Cell) -> None:
        """Wait until every actor is up and what `cell` needs is compiled.

        Raises GangLostError, and InfrastructureError if it takes too long.
        """
        import ray
        from ray.exceptions import GetTimeoutError, RayError

        ready = [actor.__ray_ready__.remote() for actor in self.cpu_actors]
        try:
            ray.get([self.interconnect.warm.remote(cell), *ready], timeout=START_SECONDS)
        except GetTimeoutError:
            raise InfrastructureError(
                f"{len(ready) + 1} actors for {self.cpus} CPUs did not start within "
                f"{START_SECONDS} s; the cluster has {resources()}"
            ) from None
        except RayError as error:
            raise GangLostError(error, while_starting=True) from error

    def simulate(self, cell: Cell) -> Outcome:
        """What becomes of `cell`: its result, or the traceback of what simulating it raises.

        Raises GangLostError, and InfrastructureError if the cluster simulates another model.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        try:
            result = ray.get(self.interconnect.simulate.remote(cell))
        except RayError as error:
            cause: BaseException = error
            while isinstance(cause, RayTaskError):
                cause = cause.cause
            if isinstance(cause, RayError):
                raise GangLostError(cause, while_starting=False) from error
            return Outcome(cell, None, _plain(error))
        if result.cell_id != cell.cell_id:
            raise InfrastructureError("the cluster has another version of uprobe-sweep installed")
        return Outcome(cell, result)

    def kill(self) -> None:
        """End every actor at once, whatever it is doing."""
        import ray

        for actor in (self.interconnect, *self.cpu_actors):
            ray.kill(actor)


class RayExecutor:
    """Simulates cells one at a time, on a gang as large as the largest of them.

    `run` joins the Ray at `address`, or starts one on this machine. A cell under which an actor
    dies is simulated anew, whole, on a fresh gang.
    """

    def __init__(self, address: str | None = None, cpus_per_actor: int = 1) -> None:
        if cpus_per_actor < 1:
            raise UsageError(f"CPUs per actor must be at least 1, got {cpus_per_actor}")
        self.gang: RayGang | None = None
        self._address = address
        self._cpus_per_actor = cpus_per_actor
        self._connected = False

    def run(self, cells: Sequence[Cell]) -> Iterator[Outcome]:
        """Yield an outcome for each cell as it completes.

        Raises InfrastructureError if Ray cannot be started or joined, or a gang cannot start.
        """
        if not cells:
            return
        self._connected |= connect(self._address)
        cpus = max(cell.cpus for cell in cells)
        if self.gang is not None and self.gang.cpus < cpus:
            self._drop_gang()
        for cell in cells:
            yield self._outcome(cell, cpus)

    def close(self) -> None:
        """End the gang, leave the cluster, and end it if it was started here."""
        self._drop_gang()
        if self._connected:
            disconnect()
            self._connected = False

    def _outcome(self, cell: Cell, cpus: int) -> Outcome:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if self.gang is None:
                    self.gang = RayGang(cpus, self._cpus_per_actor)
                    self.gang.start(cell)
                return self.gang.simulate(cell)
            except GangLostError as lost:
                self._drop_gang()
                if attempt == ATTEMPTS and lost.while_starting:
                    raise InfrastructureError(f"actors die as they start: {lost}") from lost
                message = f"an actor died in each of {attempt} attempts; the last: {lost}"
            except BaseException:
                # The gang may be in the middle of a cell that nobody waits for any more.
                self._drop_gang()
                raise
        return Outcome(cell, None, message)

    def _drop_gang(self) -> None:
        gang, self.gang = self.gang, None
        if gang is not None:
            gang.kill()


def _plain(error: BaseException) -> str:
    """The message of `error` without the colours that Ray puts in."""
    return re.sub(r"\x1b\[\d+m", "", str(error))
