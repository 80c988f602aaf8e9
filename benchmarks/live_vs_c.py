"""`uprobe-sweep live` beside the least C program that measures the same, alternately.

    sudo .venv/bin/python benchmarks/live_vs_c.py     # root and cc

Prints the median rate of each, and the ratio: the median over rounds of live / C of that round.
Rates are hits per second of the threads' CPU time, times CPUs, so that what else runs on the host
counts little; on an idle host they are the rates that `live` prints.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
from pathlib import Path

from sweep.live.session import measure_one

SOURCE = Path(__file__).with_suffix(".c")
WARMUP_S = 0.2
BENCHES = {1: "uprobe-nop", 5: "uprobe-nop5"}
"""By the bytes of the nop."""


def build(folder: Path) -> Path:
    """The compiled program."""
    program = folder / "live_vs_c"
    command = ["cc", "-O2", "-fcf-protection=none", "-pthread", str(SOURCE), "-o", str(program)]
    subprocess.run(command, check=True)
    return program


def in_c(program: Path, nop: int, cpus: int, seconds: float) -> float:
    """Hits per second of CPU time of the C program, times CPUs."""
    times = [str(round(1000 * t)) for t in (WARMUP_S, seconds)]
    done = subprocess.run(
        [program, str(nop), str(cpus), *times], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def live(nop: int, cpus: int, seconds: float) -> float:
    """The same of ours: two samples of half the time each."""
    half = seconds / 2
    measured = measure_one(BENCHES[nop], cpus, WARMUP_S, half, half)
    return measured.mean / measured.cpu_share


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--cpus", default="1,2")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder))
        print("nop  cpus  live M/s  C M/s  live / C, median [quartiles]")
        for nop in BENCHES:
            for cpus in map(int, asked.cpus.split(",")):
                pairs = []
                for turn in range(asked.rounds):
                    both = {
                        "live": lambda n=nop, c=cpus: live(n, c, asked.seconds),
                        "c": lambda n=nop, c=cpus: in_c(program, n, c, asked.seconds),
                    }
                    order = list(both) if turn % 2 else list(both)[::-1]
                    found = {name: both[name]() for name in order}
                    pairs.append((found["live"], found["c"]))
                ours, theirs = (statistics.median(side) / 1e6 for side in zip(*pairs, strict=True))
                low, ratio, high = statistics.quantiles([a / b for a, b in pairs], n=4)
                print(
                    f"{nop:3d}  {cpus:4d}  {ours:8.3f}  {theirs:5.3f}  "
                    f"{ratio:.3f} [{low:.3f}, {high:.3f}]"
                )


if __name__ == "__main__":
    main()
