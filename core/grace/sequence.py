"""Grace-period sequence numbers: kernel/rcu/rcu.h. The low bits are the state, 0 is idle."""

from __future__ import annotations

STATE_MASK = 3


def rcu_seq_state(seq: int) -> int:
    """The state within a period; 0 between two."""
    return seq & STATE_MASK


def rcu_seq_set_state(seq: int, state: int) -> int:
    """The same period in another state."""
    return (seq & ~STATE_MASK) + state


def rcu_seq_end(seq: int) -> int:
    """The number once the period in progress has ended."""
    return (seq | STATE_MASK) + 1


def rcu_seq_snap(seq: int) -> int:
    """The number at which a period that begins after now has ended."""
    return (seq + 2 * STATE_MASK + 1) & ~STATE_MASK
