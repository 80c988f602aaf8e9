"""What the hits of a window did to the kernel's state, hit after hit. Compiled.

A window ends wherever that state changes, so within one every hit finds the same tree and lists.
Hits that are under way as it ends are taken as far as they are: they go on in the next.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.arrays import IntArray
from core.engine.compiled import compiled, inlined
from core.engine.pipeline import RETURN
from core.stress.programs import ENTERED, FOUND, LEFT, TAKEN, UNWALKED, WALKED, WALKING
from core.stress.records import (
    CALLED_GONE,
    DONE,
    FINE,
    LEASE,
    MAX_URETPROBE_DEPTH,
    NOBODY,
    NOT_CALLED,
    TRY_GET,
    USED_FREED,
    Threads,
    View,
)

Record = Any
"""A row of a record array; numba passes it as a pointer."""


@compiled
def replay_hits(t: Threads, v: View, taken: IntArray, level: IntArray) -> None:
    """Take every thread to where it is: so many items `taken`, the last of them at `level`."""
    for index in range(t.thread.size):
        thread = t.thread[index]
        last = taken[index] - 1
        if thread.begun:
            thread.must_call &= v.must_call[thread.function]
            if not (thread.returns and v.rules.sessions):
                thread.may_call |= v.may_call[thread.function]
            thread.visible |= _listed(v, thread)
        for depth in range(thread.depth):
            frame = t.frame[index, depth]
            frame.must_call &= v.must_call[frame.function]
            # A bit that is taken again is another consumer's.
            frame.session &= v.may_call[frame.function]
            frame.may_call &= v.may_call[frame.function]
        while thread.item <= last:
            if not thread.begun:
                _begin(t, v, thread, index)
            reach = DONE if thread.item < last else level[index]
            if thread.returns:
                _return(t, v, thread, index, reach)
            else:
                _call(t, v, thread, index, reach)
            if thread.item == last:
                break
            thread.item += 1
            thread.begun = 0


@inlined
def _begin(t: Threads, v: View, thread: Record, index: int) -> None:
    item = t.items[index, thread.item % t.items.shape[1]]
    thread.begun = 1
    thread.level = TAKEN
    if item == RETURN:
        thread.returns = 1
        frame = t.frame[index, thread.depth - 1]
        thread.function = frame.function
        thread.uprobe = frame.uprobe
        thread.hit = frame.uprobe != NOBODY
        thread.must_call = frame.must_call
        thread.may_call = frame.may_call if v.rules.sessions else v.may_call[thread.function]
    else:
        thread.returns = 0
        frame = t.frame[index, thread.depth]
        thread.depth += 1
        frame.function = item
        frame.uprobe = NOBODY
        frame.must_call = 0
        thread.function = item
        thread.uprobe = NOBODY
        thread.hit = v.installed[item]
        thread.must_call = v.must_call[item]
        thread.may_call = v.may_call[item]
        _check(thread, thread.hit or thread.must_call == 0, NOT_CALLED)


@inlined
def _passes(thread: Record, level: int, reach: int) -> bool:
    """Whether the hit passes `level` on its way to `reach`."""
    return bool(thread.level < level <= reach)


@inlined
def _call(t: Threads, v: View, thread: Record, index: int, reach: int) -> None:
    """A function is called; if it is a hit, it goes from its level to `reach`."""
    if thread.hit:
        if _passes(thread, ENTERED, reach) and v.rules.entry_section:
            _enter(t, v, thread, index)
        if _passes(thread, FOUND, reach):
            _find(t, v, thread, index)
        if _passes(thread, WALKING, reach):
            _lock(v, thread)
        if _passes(thread, WALKED, reach):
            if thread.uprobe == NOBODY:
                _check(thread, thread.must_call == 0, NOT_CALLED)
            else:
                _walk(t, v, thread, index)
        if _passes(thread, LEFT, reach):
            if thread.uprobe != NOBODY:
                _check(thread, not v.freed[thread.uprobe], USED_FREED)
                if v.rules.lookup_takes_reference:
                    t.held[thread.uprobe] -= 1
            if v.rules.entry_section:
                _leave(t, thread, index)
    thread.level = reach


@inlined
def _find(t: Threads, v: View, thread: Record, index: int) -> None:
    uprobe = v.found[thread.function]
    if uprobe != NOBODY and v.rules.lookup_takes_reference and not v.alive[uprobe]:
        uprobe = NOBODY
    thread.uprobe = uprobe
    if uprobe == NOBODY:
        t.missed[index] += 1
        return
    _check(thread, not v.freed[uprobe], USED_FREED)
    if v.rules.lookup_takes_reference:
        t.held[uprobe] += 1


@inlined
def _walk(t: Threads, v: View, thread: Record, index: int) -> None:
    """handler_chain: every consumer on the list is called; a return instance if one wants it."""
    uprobe, function = thread.uprobe, thread.function
    called = v.entry_list[uprobe]
    wants_return = v.return_list[uprobe]
    _check(thread, not v.freed[uprobe], USED_FREED)
    _check(thread, thread.must_call & ~(called | wants_return) == 0, NOT_CALLED)
    _check(thread, (called | wants_return) & ~thread.may_call == 0, CALLED_GONE)
    t.walks[uprobe] += 1
    if called != 0:
        t.hits[index] += 1
    if wants_return == 0 or thread.instances == MAX_URETPROBE_DEPTH:
        return
    if v.rules.instance_holds == TRY_GET and not v.alive[uprobe]:
        return
    frame = t.frame[index, thread.depth - 1]
    frame.uprobe = uprobe
    frame.holds = v.rules.instance_holds
    frame.index = v.srcu_idx[1]
    frame.serial = t.leases[index, 0] + t.leases[index, 1]
    frame.must_call = thread.must_call & v.returns[function]
    frame.may_call = thread.may_call & v.returns[function]
    frame.session = wants_return
    thread.instances += 1
    if frame.holds == LEASE:
        t.leases[index, frame.index] += 1
    else:
        t.held[uprobe] += 1


@inlined
def _return(t: Threads, v: View, thread: Record, index: int, reach: int) -> None:
    """A function returns; if it has a return instance, that is used and given back."""
    if thread.hit:
        uprobe = thread.uprobe
        if _passes(thread, ENTERED, reach) and v.rules.return_section:
            _enter(t, v, thread, index)
        if _passes(thread, WALKING, reach):
            _lock(v, thread)
        if _passes(thread, WALKED, reach):
            called = v.return_list[uprobe]
            if v.rules.sessions:
                called &= t.frame[index, thread.depth - 1].session
            _check(thread, not v.freed[uprobe], USED_FREED)
            _check(thread, thread.must_call & ~called == 0, NOT_CALLED)
            _check(thread, called & ~thread.may_call == 0, CALLED_GONE)
            t.return_walks[uprobe] += 1
            if called != 0:
                t.hits[index] += 1
        if _passes(thread, UNWALKED, reach) and v.rules.return_section:
            _leave(t, thread, index)
        if _passes(thread, LEFT, reach):
            _check(thread, not v.freed[uprobe], USED_FREED)
            frame = t.frame[index, thread.depth - 1]
            if frame.holds == LEASE:
                t.ended[index, frame.index] += 1
            elif frame.uprobe != NOBODY:
                t.held[uprobe] -= 1
            frame.uprobe = NOBODY
            thread.instances -= 1
    if reach == DONE and thread.level != DONE:
        thread.depth -= 1
    thread.level = reach


@inlined
def _lock(v: View, thread: Record) -> None:
    """With register_rwsem taken, the list is as it is now until that is given back."""
    if v.rules.chain_rwsem and thread.uprobe != NOBODY:
        thread.visible = _listed(v, thread)


@inlined
def _listed(v: View, thread: Record) -> np.uint64:
    """The consumers on the list that the hit would walk now."""
    uprobe = thread.uprobe if thread.uprobe != NOBODY else v.found[thread.function]
    if uprobe == NOBODY:
        return np.uint64(0)
    listed: np.uint64 = v.entry_list[uprobe] | v.return_list[uprobe]
    return listed


@inlined
def _enter(t: Threads, v: View, thread: Record, index: int) -> None:
    thread.nesting += 1
    thread.sections += 1
    thread.index = v.srcu_idx[0]
    t.locks[index, thread.index] += 1
    thread.visible = _listed(v, thread)


@inlined
def _leave(t: Threads, thread: Record, index: int) -> None:
    thread.nesting -= 1
    t.unlocks[index, thread.index] += 1


@inlined
def _check(thread: Record, holds: bool, otherwise: int) -> None:
    """Keep what was found first."""
    if not holds and thread.wrong == FINE:
        thread.wrong = otherwise
        thread.wrong_function = thread.function


@compiled
def expire(t: Threads, v: View) -> None:
    """ri_timer of every thread: its leases become references, or end where none is left to take.

    A lease that its return is using is left alone: hprobe_consume() came first.
    """
    for index in range(t.thread.size):
        thread = t.thread[index]
        for depth in range(thread.depth - int(thread.begun and thread.returns)):
            frame = t.frame[index, depth]
            if frame.uprobe != NOBODY and frame.holds == LEASE:
                t.ended[index, frame.index] += 1
                frame.holds = TRY_GET
                if v.alive[frame.uprobe]:
                    t.held[frame.uprobe] += 1
                else:
                    frame.uprobe = NOBODY
                    thread.instances -= 1
