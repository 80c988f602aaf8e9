"""How the CPUs of a machine are numbered: which thread, socket, cache and core each number is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from core.arrays import IntArray

Numbering = Literal[
    "cores-first",
    "siblings-adjacent",
    "round-sockets",
    "round-caches",
    "round-sockets-siblings-adjacent",
    "socket-by-socket",
]
"""How CPUs are numbered, see ORDERS. cores-first, as Linux does on bare metal: first one thread of
every core, socket by socket, then the second threads in the same order. siblings-adjacent, as many
guests do: CPUs 0 and 1 are the threads of core 0. round-sockets, as the firmware of some makers
does: CPU 0 on the first socket, CPU 1 on the second, and so on round, the second threads last;
round-caches goes round the caches of a socket too. socket-by-socket has all threads of a socket,
its second threads last, before the next."""

_Level = Literal["thread", "socket", "cache", "core"]

ORDERS: dict[Numbering, tuple[_Level, ...]] = {
    "cores-first": ("thread", "socket", "cache", "core"),
    "siblings-adjacent": ("socket", "cache", "core", "thread"),
    "round-sockets": ("thread", "cache", "core", "socket"),
    "round-caches": ("thread", "core", "cache", "socket"),
    "round-sockets-siblings-adjacent": ("cache", "core", "socket", "thread"),
    "socket-by-socket": ("socket", "thread", "cache", "core"),
}
"""What counts up slowest to fastest as CPU numbers rise. A core is one of its cache's, a cache one
of its socket's."""


class Numbered(NamedTuple):
    """Where every CPU sits, shape (cpus,): global indices of its core, cache and socket.

    `thread` is which of its core's threads it is.
    """

    core: IntArray
    cache: IntArray
    socket: IntArray
    thread: IntArray


def numbered(
    numbering: Numbering, sockets: int, cores_per_socket: int, cores_per_cache: int, threads: int
) -> Numbered:
    """All CPUs of a machine, in the order of their numbers."""
    import numpy as np  # A command's help names the orders and must be quick.

    caches = cores_per_socket // cores_per_cache
    sizes = {"thread": threads, "socket": sockets, "cache": caches, "core": cores_per_cache}
    order = ORDERS[numbering]
    cpus = np.arange(sockets * cores_per_socket * threads, dtype=np.int64)
    at = dict(zip(order, np.unravel_index(cpus, [sizes[level] for level in order]), strict=True))
    cache = at["socket"] * caches + at["cache"]
    return Numbered(cache * cores_per_cache + at["core"], cache, at["socket"], at["thread"])
