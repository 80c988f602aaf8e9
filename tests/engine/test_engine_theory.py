"""The engine against exact results of queueing theory.

One line served first come first served, everything else private, is the machine-repairman model
(M/G/1//N): N CPUs think, then need the line for a fixed time.
"""

from __future__ import annotations

import numpy as np
import pytest
from engine_machines import hits_per_us, machine, program

from core.kernel.operation import Kind, Line, Operation

LOCKED = Operation(Kind.LOCKED, Line.TREE)
THINK_NS = 1000
REQUEST_NS = 20
SERVICE_NS = 35
"""The way of the line, 30, and the locked operation itself, 5: the next snoop is there already."""


def repairman(cpus: int, think: float, service: float) -> float:
    """Completions per unit of time with exponential thinking and deterministic service.

    Takacs' solution for M/D/1//N: the chance that the server idles is
    1 / (1 + N * rho * sum_{n=0}^{N-1} C(N-1, n) * B_n), B_0 = 1, B_n = prod_{i=1}^{n} (1/f(i) - 1),
    f(s) = exp(-i * service / think) the transform of the service time (Takacs 1962, ch. 5).
    """
    rate = 1 / think
    total, product, binomial = 1.0, 1.0, 1.0
    for n in range(1, cpus):
        product *= np.exp(n * rate * service) - 1
        binomial *= (cpus - n) / n
        total += binomial * product
    idle = 1 / (1 + cpus * rate * service * total)
    return (1 - idle) / service


@pytest.mark.parametrize("cpus", [1, 2, 4, 8])
def test_exponential_work_matches_the_machine_repairman_formula(cpus: int) -> None:
    service = 300
    nothing = {"request_ns": 0, "snoop_ns": 0, "transfer_ns": 0, "other_socket_ns": 0}
    model = machine(locked_op_cycles=service, cycles=None, **nothing)
    measured, _ = hits_per_us(
        model, program(LOCKED, entry="long"), cpus, exponential=True, samples=40, sample_us=1000
    )
    assert measured == pytest.approx(1000 * repairman(cpus, THINK_NS, service), rel=0.01)


@pytest.mark.parametrize("cpus", [1, 2, 3, 5, 8])
def test_deterministic_work_meets_the_asymptotic_bounds(cpus: int) -> None:
    measured, _ = hits_per_us(machine(other_socket_ns=0), program(LOCKED), cpus)
    cycle = 100 + REQUEST_NS + SERVICE_NS if cpus > 1 else 100 + 5
    bound = min(cpus / cycle, 1 / SERVICE_NS if cpus > 1 else 1.0)
    assert measured <= 1000 * bound * 1.0001
    # Deterministic stations with one bottleneck reach the bounds away from the knee.
    if cpus != 3:
        assert measured == pytest.approx(1000 * bound, rel=0.001)


def test_two_cpus_by_hand() -> None:
    # Each hit: 100 private, 50 for the line, 5 locked operation; both CPUs always find the
    # line at the other one, and 155 > 2 * 45, so nobody queues.
    measured, _ = hits_per_us(machine(), program(LOCKED), 2)
    assert measured == pytest.approx(2 * 1000 / 155, rel=0.001)


def test_one_cpu_keeps_its_line() -> None:
    measured, _ = hits_per_us(machine(), program(LOCKED), 1)
    assert measured == pytest.approx(1000 / 105, rel=0.001)
