"""Processes that evaluate functions: for work that one interpreter's lock would hold up."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any

Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


@contextmanager
def worker_processes(preload: str, count: int | None = None) -> Iterator[Each]:
    """Give a `map` over `count` processes, by default one for each core this process may use.

    The order is kept; functions and items have to be picklable, and an exception in a process is
    raised here. `preload` is a module that is imported once for all of them. They end with the
    block, whatever ends it, and with this process.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([preload])
    pool = ProcessPoolExecutor(count or len(os.sched_getaffinity(0)), context, _begin)
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    # An interrupt is the parent's to handle; the terminal sends it to all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
