"""Threads, pinned to a CPU each, that call the target until they are told to stop."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType

LINE = 128
"""Bytes between two counters, so that no two are on one pair of cache lines."""
STRIDE = LINE // 8
LINES = 64


class Callers:
    """A thread for each of `cpus`, all of them in `loop` once this is made. A context manager.

    `loop` is mapped machine code, run without the interpreter's lock: `Code.caller`, or one of
    `sweep.live.loops`. `line` below LINES chooses where the shared word is. Raises OSError for a
    CPU that this process may not run on.
    """

    def __init__(
        self, loop: Callable[[int, int, int], None], cpus: Sequence[int], line: int = 0
    ) -> None:
        self._block = (ctypes.c_uint64 * (STRIDE * (LINES + len(cpus) + 1)))()
        # From the next line boundary on: the possible shared words, then the counters.
        start = -(ctypes.addressof(self._block) // -LINE) * LINE
        self._word = start + LINE * line
        self._calls = [start + LINE * (LINES + i) for i in range(len(cpus))]
        for i, at in enumerate(self._calls):
            ctypes.c_uint64.from_address(at + LINE // 2).value = i & 1
        self._stop = ctypes.c_int32(0)
        self._errors: list[OSError] = []
        pinned = threading.Barrier(len(cpus) + 1)
        self._threads = [
            threading.Thread(target=self._run, args=(loop, i, cpu, pinned), daemon=True)
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

    def _run(
        self, loop: Callable[[int, int, int], None], index: int, cpu: int, pinned: threading.Barrier
    ) -> None:
        try:
            os.sched_setaffinity(0, {cpu})
        except OSError as error:
            self._errors.append(error)
        try:
            pinned.wait()
        except threading.BrokenBarrierError:
            return
        if not self._errors:
            loop(self._calls[index], ctypes.addressof(self._stop), self._word)

    def calls(self) -> int:
        """Calls made so far; exact once stopped."""
        return sum(self.calls_each())

    def calls_each(self) -> list[int]:
        """The same of each thread."""
        return [ctypes.c_uint64.from_address(at).value for at in self._calls]

    def cpu_seconds(self) -> list[float]:
        """CPU time of each thread so far; less than the wall's where others ran."""
        clocks = [time.pthread_getcpuclockid(t.ident) for t in self._threads if t.ident is not None]
        return [time.clock_gettime(clock) for clock in clocks]

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
