"""Cells on Ray, by an executor that outlives it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress

from core.cell import Cell
from sweep.errors import InfrastructureError, UsageError
from sweep.executors.actor_group import ActorGroup
from sweep.executors.base import Outcome
from sweep.executors.liveness import GCS_SECONDS
from sweep.executors.ray_cluster import RayCluster
from sweep.executors.scheduler import Scheduler, Wishes

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
"""How often to look whether Ray lives, as long as no cell ends."""

STOP_SECONDS = 5.0
"""How long a call of Ray may take when the sweep is broken off."""


class RayExecutor:
    """Simulates cells on actor groups, each as large as the largest of the cells.

    `run` joins the Ray at `address`, or starts one on this machine. `cpus_per_actor` None lets
    fan_out decide and `say` what it decided. `groups` is how many to ask for at most; None lets
    fan_out decide, on a cluster anew as nodes come and go. Several sweeps share a cluster in
    proportion to `priority`. A cell under which an actor dies is simulated anew, whole, elsewhere.
    Raises UsageError for numbers below 1.
    """

    def __init__(
        self,
        address: str | None = None,
        cpus_per_actor: int | None = 1,
        groups: int | None = None,
        priority: int = 1,
        say: Callable[[str], None] = log.info,
    ) -> None:
        for name, value in (
            ("CPUs per actor", cpus_per_actor),
            ("actor groups", groups),
            ("priority", priority),
        ):
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, got {value}")
        self._address = address
        self._say = say
        self._cluster: RayCluster | None = None
        self._scheduler = Scheduler(
            Wishes(cpus_per_actor, groups, cluster=address is not None), priority, say
        )

    @property
    def groups(self) -> list[ActorGroup]:
        """Those that there are now."""
        return self._scheduler.groups

    def run(self, cells: Sequence[Cell]) -> Iterator[Outcome]:
        """Yield an outcome for each cell as it completes.

        Raises InfrastructureError if Ray cannot be started or joined, if no group can start, and
        soon after what this process is connected to has died.
        """
        if not cells:
            return
        if self._cluster is None:
            self._cluster = RayCluster(self._address, self._say)
        outcomes = self._scheduler.outcomes(cells)
        # In a thread, because Ray's calls wait for a minute and more for a GCS that has died.
        thread = ThreadPoolExecutor(1, thread_name_prefix="ray")
        try:
            while (outcome := self._result(thread.submit(next, outcomes, None))) is not None:
                yield outcome
        finally:
            if self._cluster is not None:
                closed = thread.submit(outcomes.close)
                if wait([closed], STOP_SECONDS).not_done:
                    self._abandon()
            thread.shutdown(wait=False)

    def close(self) -> None:
        """End the groups, leave the cluster, and end it if it was started here."""
        with suppress(InfrastructureError):
            while self._cluster is not None and not self._check():
                time.sleep(CHECK_SECONDS)
        if self._cluster is not None:
            self._scheduler.drop(*self.groups)
            self._cluster.disconnect()
            self._cluster = None

    def loads(self) -> dict[str, dict[str, int]]:
        """As `Scheduler.loads`."""
        return self._scheduler.loads()

    def _result(self, step: Future[Outcome | None]) -> Outcome | None:
        """What a step of the scheduler gives. Raises InfrastructureError."""
        from ray.exceptions import RayError

        while wait([step], CHECK_SECONDS).not_done:
            self._check()
        try:
            return step.result()
        except RayError as error:
            # It may have noticed before us.
            give_up = time.monotonic() + 2 * GCS_SECONDS
            while time.monotonic() < give_up:
                self._check()
                time.sleep(CHECK_SECONDS)
            raise InfrastructureError(f"Ray: {error}") from error

    def _check(self) -> bool:
        """Whether Ray lives. Raises InfrastructureError if it has died, and leaves it."""
        assert self._cluster is not None
        try:
            return self._cluster.check()
        except InfrastructureError:
            self._abandon()
            raise

    def _abandon(self) -> None:
        assert self._cluster is not None
        self.groups.clear()
        self._cluster.abandon()
        self._cluster = None
