"""What each kernel primitive does to memory on its uncontended path (x86-64, no writers).

Source: include/linux and kernel/locking of Linux 6.11, as tabulated in docs/hot-path.md.
"""

from __future__ import annotations

from core.kernel.operation import AnyLine, Kind, Lock, Operation, work

Operations = tuple[Operation, ...]

BARRIER = Operation(Kind.BARRIER, instruction="smp_mb()")


def locked(line: AnyLine) -> Operations:
    """One `lock xadd`."""
    return (Operation(Kind.LOCKED, line),)


def down_read(count: AnyLine, owner: AnyLine) -> Operations:
    """`lock xadd` on the count; `rwsem_set_reader_owned` loads the owner and stores it plainly."""
    owned = (Operation(Kind.LOAD, owner), Operation(Kind.STORE, owner))
    return (*work("rwsem_call"), _rwsem(count, Lock.READ), *owned)


def up_read(count: AnyLine) -> Operations:
    """`lock xadd` on the count."""
    return (*work("rwsem_call"), _rwsem(count, Lock.READ_END))


def down_write(count: AnyLine, owner: AnyLine) -> Operations:
    """`lock cmpxchg` on the count of an rwsem that nobody holds, and a plain store of the owner."""
    return (*work("rwsem_call"), _rwsem(count, Lock.WRITE), Operation(Kind.STORE, owner))


def up_write(count: AnyLine) -> Operations:
    """`lock xadd` on the count."""
    return (*work("rwsem_call"), _rwsem(count, Lock.WRITE_END))


def _rwsem(count: AnyLine, lock: Lock) -> Operation:
    return Operation(Kind.LOCKED, count, lock=lock, sleeps=True)


def read_lock(line: AnyLine) -> Operations:
    """qrwlock: `lock xadd` on the lock word; unlock is the same."""
    return (*work("rwlock_call"), Operation(Kind.LOCKED, line, lock=Lock.READ))


def read_unlock(line: AnyLine) -> Operations:
    """qrwlock: `lock xadd` on the lock word."""
    return (*work("rwlock_call"), Operation(Kind.LOCKED, line, lock=Lock.READ_END))


def write_lock(line: AnyLine) -> Operations:
    """qrwlock: `lock cmpxchg` on a lock word that nobody holds."""
    return (*work("rwlock_call"), Operation(Kind.LOCKED, line, lock=Lock.WRITE))


def write_unlock(line: AnyLine) -> Operations:
    """qrwlock: a plain store of the byte that says it is held; here as dear as a locked one."""
    return (*work("rwlock_call"), Operation(Kind.LOCKED, line, lock=Lock.WRITE_END))


def spin_lock(line: AnyLine) -> Operations:
    """qspinlock: `lock cmpxchg` on a lock word that nobody holds; who finds it held spins."""
    return (Operation(Kind.LOCKED, line, instruction="lock cmpxchg", lock=Lock.WRITE),)


def spin_unlock(line: AnyLine) -> Operations:
    """qspinlock: a plain store of the byte that says it is held; here as dear as a locked one."""
    return (Operation(Kind.LOCKED, line, instruction="release", lock=Lock.WRITE_END),)


def refcount_inc(line: AnyLine) -> Operations:
    """`lock xadd`; `refcount_dec_and_test` is the same."""
    return (Operation(Kind.LOCKED, line, reference_count=True),)


refcount_dec_and_test = refcount_inc


def refcount_inc_not_zero(line: AnyLine) -> Operations:
    """A plain load, then a `lock cmpxchg` loop."""
    return (
        Operation(Kind.LOAD, line),
        Operation(Kind.CMPXCHG, line, reference_count=True),
    )


def atomic_inc(line: AnyLine) -> Operations:
    """One `lock inc`."""
    return (Operation(Kind.LOCKED, line, instruction="lock inc"),)


def atomic_dec(line: AnyLine) -> Operations:
    """One `lock dec`."""
    return (Operation(Kind.LOCKED, line, instruction="lock dec"),)


def take_zero_bit(line: AnyLine) -> Operations:
    """`find_first_zero_bit`, then `test_and_set_bit`, again if another CPU took a bit meanwhile.

    Who finds none of SLOTS bits zero sleeps until one is. That it sets no bit then is not modelled.
    """
    take = Operation(
        Kind.CMPXCHG,
        line,
        reference_count=True,
        instruction="lock bts",
        lock=Lock.SLOT,
        sleeps=True,
    )
    return (Operation(Kind.LOAD, line), take)


def clear_bit(line: AnyLine) -> Operations:
    """One `lock btr`; fails nobody's `test_and_set_bit`."""
    return (Operation(Kind.LOCKED, line, instruction="lock btr", lock=Lock.SLOT_END),)


def plain_increment(line: AnyLine) -> Operations:
    """`x++` on shared memory: a load, then a store that may find the line gone."""
    return (Operation(Kind.LOAD, line), Operation(Kind.STORE, line))


def srcu_read_lock() -> Operations:
    """Load of the index, non-locked per-CPU increment, `smp_mb()`."""
    return (*work("srcu_counter"), BARRIER)


def srcu_read_unlock() -> Operations:
    """`smp_mb()`, non-locked per-CPU increment."""
    return (BARRIER, *work("srcu_counter"))


def srcu_read_lock_lite() -> Operations:
    """A look at the flavour of readers, load of the index, non-locked per-CPU increment.

    Unlock is taken for as dear.
    """
    return work("srcu_lite_counter")


srcu_read_unlock_lite = srcu_read_lock_lite


def srcu_read_lock_fast() -> Operations:
    """Non-locked per-CPU increment by pointer; unlock is the same."""
    return work("srcu_fast_counter")


srcu_read_unlock_fast = srcu_read_lock_fast


def rcu_read_lock_trace() -> Operations:
    """Task-local nesting count, no barrier; unlock is the same."""
    return work("trace_nesting")


rcu_read_unlock_trace = rcu_read_lock_trace


def locked_private(instruction: str) -> Operations:
    """A locked operation on a word of the CPU's or the task's own: drains stores."""
    return (Operation(Kind.BARRIER, instruction=f"{instruction} (own line)"),)
