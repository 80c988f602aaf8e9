"""Speed of the engine beside others that play its closed queueing model, and of the letter.

Run with `make bench`. All is measured in one run, by turns, in CPU time, the least of some rounds:
ratios hold on a machine that has other work too, times do not.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import ciw
import closed_queue
import instructions
import salabim
import simpy
from closed_queue import METHODS, Model, build, model_of
from rich.console import Console
from rich.table import Table

from core.cell import Cell
from core.engine.simulate import simulate
from core.machine.machine import Machine, load_machine

CPUS = (1, 8, 64)
ROUNDS = 3
SAMPLE_PS = 8 * 10**9
PYTHON_PS = 50 * 10**6
"""What the others simulate; they need some microseconds a turn."""

PYTHON = {
    f"SimPy {simpy.__version__}": closed_queue.in_simpy,
    f"salabim {salabim.__version__}": closed_queue.in_salabim,
    f"Ciw {ciw.__version__}": closed_queue.in_ciw,
}


def cell(machine: Machine, flavour: str, cpus: int) -> Cell:
    return Cell(
        bench="uprobe-nop",
        flavour=flavour,
        cpus=cpus,
        probes=1,
        spread="shared",
        machine=machine,
        seed=0,
        replicate=0,
        warmup_ps=0,
        duration_ps=0,
        sample_ps=SAMPLE_PS,
    )


def ours(one: Cell) -> float:
    """Nanoseconds of CPU time an operation on a line."""
    began = time.thread_time()
    operations = simulate(one).line_ops
    return (time.thread_time() - began) * 1e9 / operations


def others(model: Model, program: Path | None) -> dict[str, Callable[[], float]]:
    """What else plays the model, by name: nanoseconds a turn at a line."""
    found: dict[str, Callable[[], float]] = {}
    for method in METHODS if program else ():
        found[f"C, {method}"] = lambda method=method: closed_queue.in_c(  # type: ignore[misc]
            program, method, model, SAMPLE_PS
        )
    for name, play in PYTHON.items():
        found[name] = lambda play=play: play(model, PYTHON_PS)  # type: ignore[misc]
    return found


def engine_table(machine: Machine, flavour: str, program: Path | None) -> Table:
    """Ours, then how many times longer each of the others takes."""
    table = Table(title=f"{flavour} uprobe-nop: CPU time an operation on a line, others / ours")
    table.add_column("")
    rows: dict[str, list[str]] = {}
    for cpus in CPUS:
        table.add_column(f"{cpus} CPU{'s' * (cpus > 1)}", justify="right")
        one = cell(machine, flavour, cpus)
        played = {
            "ours": lambda one=one: ours(one),
            **others(model_of(machine, flavour, cpus), program),
        }
        least = dict.fromkeys(played, float("inf"))
        for _ in range(ROUNDS):
            for name, play in played.items():
                least[name] = min(least[name], play())
        rows.setdefault("ours", []).append(f"{least['ours']:,.1f} ns")
        for name, ns in least.items():
            if name != "ours":
                rows.setdefault(name, []).append(f"{ns / least['ours']:,.3g} x")
    for name, cells in rows.items():
        table.add_row(name, *cells)
    return table


def simulated_per_second(machine: Machine) -> Table:
    """Simulated time a second of CPU time, and the least and most memory."""
    table = Table(title="baseline uprobe-nop: simulated time a second of CPU time")
    cells = []
    for cpus in CPUS:
        table.add_column(f"{cpus} CPU{'s' * (cpus > 1)}", justify="right")
        one = cell(machine, "baseline", cpus)
        began = time.thread_time()
        simulate(one)
        cells.append(f"{SAMPLE_PS / 1e9 / (time.thread_time() - began):,.0f} ms")
    table.add_row(*cells)
    return table


def instructions_table(folder: Path) -> Table:
    """What does not depend on other work: instructions of compiled code, by callgrind."""
    table = Table(title="baseline uprobe-nop: instructions of the weave (x86-64-v3)")
    for heading in ("CPUs", "an event", "an operation on a line"):
        table.add_column(heading, justify="right")
    for cpus in CPUS[1:]:
        counted = instructions.count("baseline", cpus, folder)
        table.add_row(str(cpus), *(f"{number:.0f}" for number in counted))
    return table


def letter(folder: Path) -> Table:
    """The letter's sweep as it is run, in a process of its own; the second has all compiled."""
    table = Table(title="run cover-letter, 42 cells with intervals")
    for heading in ("", "wall", "CPU", "memory"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name in ("cold", "warm"):
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "sweep", "run", "cover-letter", "--out", str(folder / name)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "NUMBA_CACHE_DIR": str(folder / "compiled")},
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"run cover-letter: exit code {process.returncode}")
        wall = time.perf_counter() - began
        cpu = used.ru_utime + used.ru_stime
        table.add_row(name, f"{wall:.1f} s", f"{cpu:.1f} s", f"{used.ru_maxrss / 1024:,.0f} MB")
    return table


def main() -> None:
    console = Console()
    machine = load_machine("xeon-gold-6138")
    simulate(cell(machine, "baseline", 2))
    console.print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder))
        if program is None:
            console.print("no C compiler (cc) here: the loop in C is left out")
        for flavour in ("baseline", "tasks-trace"):
            console.print(engine_table(machine, flavour, program))
        console.print(simulated_per_second(machine))
        console.print(letter(Path(folder)))
        if instructions.available():
            console.print(instructions_table(Path(folder)))
        else:
            console.print("no valgrind for this machine: instructions are not counted")


if __name__ == "__main__":
    main()
