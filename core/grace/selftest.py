"""What the kernel's selftest uprobe_multi_test/consumers waits for: 768 attaches and detaches.

Four consumers; for all 256 pairs (before, after) of sets of them: attach `before`, one link each,
call the function, whose body detaches before & ~after and attaches after & ~before, then detach
what is left. Not modelled: the call itself, and what else the test does.
"""

from __future__ import annotations

from collections.abc import Iterator

import simpy

from core.grace.engine import Engine, Steps
from core.grace.rcu import PercpuRwsem, Rcu

PUBLISHED_S = 28.8
"""All of it under Tasks Trace alone, as a patch's description of 18 October 2024 has it."""

WORK_PS = 2_500_000
"""What registering or unregistering one probe takes beside its waits, see docs/stress.md."""


def changes() -> Iterator[bool]:
    """Every attach (True) and detach (False), in order."""
    for before in range(16):
        for after in range(16):
            left = before & ~after
            yield from (True,) * before.bit_count()
            yield from (False,) * left.bit_count()
            yield from (True,) * (after & ~before).bit_count()
            yield from (False,) * after.bit_count()


def consumers_selftest(entry: Engine, rcu: Rcu, *, isolated: bool) -> tuple[int, int]:
    """Pairs of an attach and a detach, and how long the calls took in all, ps.

    `entry` is what detaches wait for; both engines are of one environment, whose time goes on.
    `isolated`: before every call user space takes long enough for RCU to fall idle, time that is
    not counted; libbpf reads the program's ELF file before each attach. Otherwise it takes none.
    """
    env: simpy.Environment = rcu.env
    quiet_ps = 50 * rcu.timing.jiffy_ps
    dup_mmap_sem = PercpuRwsem(rcu)
    pairs = took_ps = 0

    def runs() -> Steps:
        nonlocal pairs, took_ps
        for attaches in changes():
            if isolated:
                yield env.timeout(quiet_ps)
            began_ps = rcu.now_ps
            yield from dup_mmap_sem.down_write()
            yield env.timeout(WORK_PS)
            dup_mmap_sem.up_write()
            if not attaches:
                yield entry.synchronize()
                pairs += 1
            took_ps += rcu.now_ps - began_ps

    env.run(until=env.process(runs()))
    return pairs, took_ps
