"""What a simulation takes, in counts that do not depend on the speed of the machine."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from core.cell import Cell
from core.engine import simulate as module
from core.engine.cpu import FIRST_HITS, CpuConfigs
from core.engine.cpu_hosts import CpuGroup, Hits, Served
from core.engine.interconnect import Interconnect
from core.engine.simulate import simulate
from core.machine.machine import load_machine

MS = 10**9


class Counts(NamedTuple):
    """Of one cell: a line operation takes so many events and transfers; windows; hits drawn."""

    events: float
    transfers: float
    windows: int
    drawn: int


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Simulates a cell of 2 ms and counts."""
    seen: list[Interconnect] = []

    class Seen(Interconnect):
        def __init__(self, *state: Any) -> None:
            super().__init__(*state)
            seen.append(self)

    class Windows(CpuGroup):
        windows, drawn = 1, 0

        def start(self, configs: CpuConfigs, wanted: Any) -> Hits:
            self.drawn += int(wanted.sum())
            return super().start(configs, wanted)

        def exchange(self, served: Served, wanted: Any) -> Hits:
            self.windows += 1
            self.drawn += int(wanted.sum())
            return super().exchange(served, wanted)

    def count(**changes: Any) -> Counts:
        values = {
            "bench": "uprobe-nop",
            "flavour": "tasks-trace",
            "cpus": 1,
            "probes": 1,
            "spread": "shared",
            "machine": load_machine("xeon-gold-6138"),
            "seed": 0,
            "replicate": 0,
            "warmup_ps": 0,
            "duration_ps": MS,
            "sample_ps": MS,
        }
        monkeypatch.setattr(module, "Interconnect", Seen)
        hosts = Windows()
        operations = simulate(Cell(**{**values, **changes}), hosts).line_ops
        played = seen.pop()
        by_operation = played.events / operations, played.transfers / operations
        return Counts(*by_operation, hosts.windows, hosts.drawn)

    return count


@pytest.mark.parametrize("flavour", ["baseline", "tasks-trace"])
def test_alone_an_operation_is_one_event_and_moves_no_line(counts: Any, flavour: str) -> None:
    # Beside operations on lines there are the ends of hits, barriers and stores that commit.
    one = counts(flavour=flavour)
    assert one.events < 1.6
    assert one.transfers < 0.001


@pytest.mark.parametrize("cpus", [8, 64])
@pytest.mark.parametrize("flavour", ["baseline", "tasks-trace"])
def test_in_contention_an_operation_takes_few_events(counts: Any, cpus: int, flavour: str) -> None:
    many = counts(cpus=cpus, flavour=flavour)
    assert many.events < 4.3
    # A request arrives, is served, its snoop looks at the owner, maybe again, and the line is here;
    # loads that leave both with a copy are no transfers.
    assert many.events < 1.6 + 8 * many.transfers


@pytest.mark.parametrize("cpus", [1, 8, 64])
def test_a_cell_takes_few_windows(counts: Any, cpus: int) -> None:
    # The first shows how fast hits are used up; the ring then holds what is left.
    assert counts(cpus=cpus).windows <= 3
    assert counts(cpus=cpus, warmup_ps=MS).windows <= 5


def test_many_cpus_are_not_drawn_for_ahead_of_what_they_need(counts: Any) -> None:
    many = counts(machine=load_machine("epyc-milan"), cpus=256)
    assert many.drawn < 256 * FIRST_HITS / 2
    assert many.windows < 10


def test_independent_cpus_move_no_lines(counts: Any) -> None:
    apart = counts(cpus=16, processes=16, probes=16, spread="private", flavour="percpu-nhit")
    assert apart.transfers < 0.01
