"""A small world to search: who is registered at first, and what each thread then does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.kernel.rules import Rules
from core.kernel.stages import STAGES
from core.modelcheck import srcu, srcu_fast, tasks_trace
from core.modelcheck.fork import child_returns, dup_utask
from core.modelcheck.hit import uprobe_hit
from core.modelcheck.hprobe import ri_timer, uprobe_return
from core.modelcheck.mmap import uprobe_mmap
from core.modelcheck.program import Block, Program, assemble
from core.modelcheck.registration import (
    failing_register,
    unregister_batch,
    uprobe_register,
)
from core.modelcheck.system import System, fresh_threads, run_alone
from core.modelcheck.world import Consumer, Thread, World

Action = tuple[str, tuple[int, ...]]
"""What a thread does: hit KEY, call KEY (a hit and its return), enter KEY, leave KEY,
fork THREAD KEY (which has to begin as child KEY, and returns), register C, fail C, unregister C...,
mmap KEY, timer THREAD KEY; or, of the grace periods in detail, reader and synchronize."""


@dataclass(frozen=True)
class Scenario:
    """`threads` are (name, actions); `consumers` are (key, kinds); `setup` is done beforehand."""

    name: str
    consumers: tuple[tuple[int, int], ...]
    setup: tuple[Action, ...]
    threads: tuple[tuple[str, tuple[Action, ...]], ...]
    stages: tuple[int, ...] = tuple(STAGES)
    """Where it says something."""
    detail: str = ""
    """srcu, srcu-fast or tasks-trace: the grace period's own counters, and no uprobes."""


def _block(rules: Rules, scenario: Scenario, me: int, action: Action, tag: str) -> Block:
    what, numbers = action
    keys = 1 + max((key for key, _ in scenario.consumers), default=0)
    key_of = [key for key, _ in scenario.consumers]
    tasks = tuple(i for i, (_, acts) in enumerate(scenario.threads) if acts[0][0] == "reader")
    match what:
        case "hit" | "enter":
            return uprobe_hit(rules, me, numbers[0], keys, tag)
        case "leave":
            return uprobe_return(rules, me, numbers[0], tag)
        case "call":
            entry = uprobe_hit(rules, me, numbers[0], keys, tag)
            return entry + uprobe_return(rules, me, numbers[0], f"{tag}.r")
        case "register":
            return uprobe_register(rules, me, key_of[numbers[0]], numbers[0], tag)
        case "fail":
            return failing_register(rules, me, key_of[numbers[0]], numbers[0], tag)
        case "unregister":
            batch = tuple((key_of[c], c) for c in numbers)
            return unregister_batch(rules, me, batch, tag)
        case "mmap":
            return uprobe_mmap(rules, me, numbers[0], tag)
        case "fork":
            return dup_utask(rules, me, numbers[0], numbers[1], tag)
        case "child":
            return child_returns(rules, me, numbers[0], tag)
        case "timer":
            return ri_timer(rules, me, numbers[0], numbers[1], tag)
        case "reader" if scenario.detail == "srcu":
            return srcu.srcu_reader(rules, me, len(scenario.threads) - 1, tag)
        case "synchronize" if scenario.detail == "srcu":
            return srcu.srcu_grace_period(rules, me, len(scenario.threads) - 1, tag)
        case "reader" if scenario.detail == "srcu-fast":
            return srcu_fast.fast_reader(rules, me, len(scenario.threads) - 1, tag)
        case "synchronize" if scenario.detail == "srcu-fast":
            return srcu_fast.fast_grace_period(rules, me, len(scenario.threads) - 1, tag)
        case "reader" if scenario.detail == "tasks-trace":
            return tasks_trace.trace_reader(rules, me, tag)
        case "synchronize" if scenario.detail == "tasks-trace":
            return tasks_trace.trace_grace_period(rules, me, tasks, tag)
    raise ValueError(f"no action {what} in {scenario.name}")


def _program(
    rules: Rules, scenario: Scenario, me: int, name: str, actions: tuple[Action, ...]
) -> Program:
    block: Block = []
    for place, action in enumerate(actions):
        block += _block(rules, scenario, me, action, f"{name}.{place}")
    return assemble(name, block, daemon=actions[0][0] == "timer")


def system_of(scenario: Scenario, rules: Rules) -> System:
    """The scenario under these rules, its setup done. From stage 10 on every call has its timer.

    Raises ValueError for an action that is none, Violation if the setup alone violates a check.
    """
    threads = scenario.threads
    if rules.leases:
        for me, (name, actions) in enumerate(scenario.threads):
            keys = [numbers[0] for what, numbers in actions if what in ("call", "enter")]
            if keys:
                threads = (*threads, (f"{name}-timer", (("timer", (me, keys[0])),)))
    consumers = tuple(Consumer(key, kinds) for key, kinds in scenario.consumers)
    world = World(consumers, (Thread(),))
    if scenario.detail in ("srcu", "srcu-fast"):
        world = world._replace(counters=srcu.counters(len(scenario.threads) - 1))
    elif scenario.detail == "tasks-trace":
        world = world._replace(counters=tasks_trace.counters(len(scenario.threads)))
    if scenario.setup:
        plain = replace(rules, faults=frozenset())
        setup = _program(plain, scenario, 0, "setup", scenario.setup)
        world = run_alone(System(plain, (setup,), world))
    programs = tuple(
        _program(rules, scenario, me, name, actions) for me, (name, actions) in enumerate(threads)
    )
    return System(rules, programs, fresh_threads(world, len(programs)))
