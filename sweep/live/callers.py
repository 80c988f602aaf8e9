"""Threads, pinned to a CPU each, that call the target until they are told to stop."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Sequence
from types import TracebackType

from sweep.live.code import Code

STRIDE = 16
"""Words between two counters: 128 bytes, so that no two are on one pair of cache lines."""


class Callers:
    """A thread for each of `cpus`, all of them calling once this is made. A context manager.

    Threads run the mapped machine code without the interpreter's lock. Raises OSError for a CPU
    that this process may not run on.
    """

    def __init__(self, code: Code, cpus: Sequence[int]) -> None:
        self._calls = (ctypes.c_uint64 * (STRIDE * (len(cpus) + 1)))()
        self._stop = ctypes.c_int32(0)
        self._errors: list[OSError] = []
        pinned = threading.Barrier(len(cpus) + 1)
        self._threads = [
            threading.Thread(target=self._run, args=(code, i, cpu, pinned), daemon=True)
            for i, cpu in enumerate(cpus)
        ]
        try:
            for thread in self._threads:
                thread.start()
            pinned.wait()
        except BaseException:
            pinned.abort()
            self.stop()
            raise
        if self._errors:
            self.stop()
            raise self._errors[0]

    def _run(self, code: Code, index: int, cpu: int, pinned: threading.Barrier) -> None:
        try:
            os.sched_setaffinity(0, {cpu})
        except OSError as error:
            self._errors.append(error)
        try:
            pinned.wait()
        except threading.BrokenBarrierError:
            return
        if not self._errors:
            calls = ctypes.addressof(self._calls) + 8 * STRIDE * (index + 1)
            code.caller(calls, ctypes.addressof(self._stop))

    def calls(self) -> int:
        """Calls made so far; exact once stopped."""
        return sum(self._calls[STRIDE::STRIDE])

    def stop(self) -> None:
        """Let every thread finish its call and end."""
        self._stop.value = 1
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def __enter__(self) -> Callers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
