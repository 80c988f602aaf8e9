"""A probe on the target, attached in one of three ways, that counts its hits in the kernel.

- `bpf`: one perf event that runs a BPF program, as the kernel's bench does. The event is of one
  CPU, but its program runs on all of them: a hit has one consumer, however many CPUs there are.
- `perf`: perf events that count, one for each CPU. An event without a program counts on its own CPU
  (or in its own thread) only, and each event is a consumer of its own, which every hit calls: the
  more CPUs, the dearer a hit. Needs no BPF.
- a uprobe_multi link, for the benches with `multi` in their names.

All live in file descriptors of this process, which the kernel closes however the process ends.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType

from core.kernel.bench import Bench
from sweep.live import syscalls
from sweep.live.code import TARGET, Code
from sweep.live.counting import Counters
from sweep.live.refused import because

ATTACH = ("bpf", "perf")


class Probe:
    """A probe on `code`, placed now and removed when closed. A context manager.

    `cpus` are those that will call. Raises RefusedError.
    """

    def __init__(self, code: Code, bench: Bench, attach: str, cpus: Sequence[int]) -> None:
        self._events: list[int] = []
        self._counters: Counters | None = None
        self._open = ExitStack()
        what = "a BPF program that counts hits (--attach perf does without)"
        if bench.multi:
            what = "a BPF program for a uprobe_multi link, which is in Linux 6.6 and later"
        try:
            if bench.multi or attach == "bpf":
                self._counters = Counters(bench.multi)
                self._open.callback(self._counters.close)
            what = "a uprobe_multi link" if bench.multi else "a uprobe event"
            self._attach(code, bench, cpus)
        except OSError as error:
            self._open.close()
            raise because(f"cannot load {what}", error) from None
        except BaseException:
            self._open.close()
            raise

    def _attach(self, code: Code, bench: Bench, cpus: Sequence[int]) -> None:
        target = (code.path, TARGET, bench.at_return)
        if self._counters is None:
            for cpu in cpus:
                self._keep(syscalls.open_uprobe(*target, cpu))
        elif bench.multi:
            self._keep(syscalls.link_uprobe_multi(self._counters.program, *target))
        else:
            event = self._keep(syscalls.open_uprobe(*target, cpus[0]))
            syscalls.run_program_at(event, self._counters.program)

    def _keep(self, fd: int) -> int:
        self._open.callback(os.close, fd)
        self._events.append(fd)
        return fd

    def hits(self) -> int:
        """Hits that the kernel has counted so far."""
        if self._counters is not None:
            return self._counters.total()
        return sum(struct.unpack("<Q", os.read(event, 8))[0] for event in self._events)

    def __enter__(self) -> Probe:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()
