"""Every sweep's placement groups on a Ray cluster, as Ray lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sweep.executors.fair_shares import Claim

PREFIX = "uprobe-sweep"


class Placements:
    """One sweep's view of who holds placements and who waits for them.

    The name of a placement group says which sweep it is of, and with what priority.
    """

    def __init__(self, priority: int) -> None:
        self.me = uuid4().hex[:8]
        self._priority = priority
        self._asked = 0
        self._table: Mapping[str, Mapping[str, Any]] = {}

    def next_name(self) -> str:
        """A name for this sweep's next request."""
        self._asked += 1
        return f"{PREFIX}/{self.me}/{self._priority}/{self._asked}"

    def look(self) -> None:
        """See how things stand now."""
        from ray.util import placement_group_table

        self._table = placement_group_table()

    def node_of(self, placement_id: str) -> str | None:
        """Id of the node that a group is on, the first one's if on several; None if it waits."""
        entry = self._table.get(placement_id)
        if entry is None or entry["state"] != "CREATED":
            return None
        return str(entry["bundles_to_node_id"][0])

    def claims(self, wanted: int) -> dict[str, Claim]:
        """What each sweep holds and waits for; this one wants `wanted` in all."""
        held: dict[str, int] = {self.me: 0}
        waiting: dict[str, int] = {}
        priority = {self.me: self._priority}
        for entry in self._table.values():
            prefix, _, rest = entry["name"].partition("/")
            if prefix != PREFIX or entry["state"] == "REMOVED":
                continue
            sweep, text, _ = rest.split("/")
            priority[sweep] = int(text)
            count = held if entry["state"] == "CREATED" else waiting
            count[sweep] = count.get(sweep, 0) + 1
        waiting[self.me] = max(0, wanted - held[self.me])
        return {
            sweep: Claim(priority[sweep], held.get(sweep, 0), waiting.get(sweep, 0))
            for sweep in priority
        }
