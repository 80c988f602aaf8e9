"""What the kernel's selftest uprobe_multi_test/consumers waits for: 768 attaches and detaches.

Four consumers; for all 256 pairs (before, after) of sets of them: attach `before`, one link each,
call the function, whose body detaches before & ~after and attaches after & ~before, then detach
what is left. A detach is a close() and nothing else; before an attach libbpf reads the symbols of
the program's ELF file (both from memory: prog_tests/uprobe_multi_test.c, libbpf/src/elf.c, v6.12).
Not modelled: the call itself, and what else the test does.
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


def consumers_selftest(entry: Engine, rcu: Rcu, user_ps: int) -> tuple[int, int]:
    """Pairs of an attach and a detach, and how long the test takes in all, ps.

    `entry` is what detaches wait for; both engines are of one environment, whose time goes on.
    `user_ps` of user space precede every attach. After a detach the link is freed by call_rcu()
    (bpf_link_free(), v6.9, from memory): nobody waits, but RCU has something to do.
    """
    env: simpy.Environment = rcu.env
    dup_mmap_sem = PercpuRwsem(rcu)
    pairs = 0

    def runs() -> Steps:
        nonlocal pairs
        for attaches in changes():
            if attaches:
                yield env.timeout(user_ps)
            yield from dup_mmap_sem.down_write()
            yield env.timeout(WORK_PS)
            dup_mmap_sem.up_write()
            if not attaches:
                yield entry.synchronize()
                rcu.call(lambda: None)
                pairs += 1

    env.run(until=env.process(runs()))
    return pairs, int(env.now)
