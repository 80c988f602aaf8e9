"""Figures in logs of the kernel's own bench tool, of its scripts, and as the letter prints them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from core.kernel.bench import NAMED
from sweep.errors import UsageError, nearest
from sweep.live.log_rates import MILLIONS, Rates, lost
from sweep.live.log_text import printed_lines

_NUMBER = r"(?<![\w.,-])([0-9]+(?:\.[0-9]+)?)"
_RATE = rf"{_NUMBER}\s*±\s*([0-9]+(?:\.[0-9]+)?)\s*([KMG])/s"
_SHARE = r"\(\s*([0-9]+(?:\.[0-9]+)?)\s*([KMG])(?:/s)?/(?:prod|cpu)\s*\)"
_NAMED_LINE = re.compile(
    rf"(?<![\w-])(?:trig-)?([a-z][a-z0-9]*(?:-[a-z0-9]+)*)\s*"
    rf"(?:\(\s*([0-9]+)\s*cpus?\)\s*:?|:)\s*(?:hits\s+)?{_RATE}\s*(?:{_SHARE})?",
    re.I,
)
_SUMMARY = re.compile(rf"^(.*?)\bSummary:\s*hits\s+{_RATE}\s*(?:{_SHARE})?", re.I)
_SETUP = re.compile(r"(?:Setting up benchmark|Benchmark) '(?:trig-)?([^']+)'")
_COMMAND = re.compile(r"(?:/bench|(?:^|\s)bench(?=\s.*(?:\btrig-|\s-[a-z])))\s(.*)$")
_PRODUCERS = re.compile(r"(?:^|\s)(?:-[aqv]*p\s*|--producers[= ]\s*)([0-9]+)(?=\s|$)")
_OPERAND = re.compile(r"(?:^|\s)(?:trig-)?([a-z][a-z0-9]*(?:[-_][a-z0-9]+)*)(?=\s|$)")
_ITERATION = re.compile(r"\bIter\s+[0-9]+\s*\(")
_TAIL = re.compile(r"^[\s,]*(?:drops\b.*)?(?:total operations\b.*)?$", re.I)
_WRAPPED = re.compile(r"^\s*(?:[0-9.]+\s*[KMG]?/s,\s*)?(?:drops|total operations)\b", re.I)
_LOOKS = re.compile(
    r"[0-9]\s*[KMGT]?(?:\s?(?:hits|ops|op))?/(?:s|sec|prod|cpu)\b|\bSummary:"
    r"|\bu(?:ret)?probe-[a-z0-9-]+\s*(?:\([^)]*\)\s*)?:?\s*[0-9]",
    re.I,
)
_UPROBE = re.compile(r"(?<![\w-])(u(?:ret)?probe-[a-z0-9-]+)")
_KERNEL = re.compile(r"\bLinux (?:version|\S+) ([0-9]+\.[0-9]+\S*) [#(]")
_HOST = re.compile(r"\bLinux (?!version)(\S+) [0-9]+\.[0-9]+\S* #")
_MODEL = re.compile(r"^\s*model name\s*:\s*(\S.*)$", re.I)
_SYSTEM = {"kernel": _KERNEL, "host": _HOST, "CPU": _MODEL}
WITHOUT_PROBE = {"uprobe-base"}
"""Benches that count without a probe, although their names begin like those of uprobes."""


@dataclass(frozen=True)
class Line:
    """One figure of a log: million hits per second of `cpus` threads, and where it stands."""

    bench: str
    cpus: int
    mhits: float
    stddev: float
    place: str


@dataclass
class Log:
    """What a log says: its figures in their order, and what was not taken for one, in words."""

    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    system: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of its kernel, host and CPU, those that it names: what and where."""


Span = tuple[int, int]
"""The first and the last line of a part of a log."""


def read(
    path: Path, bench: str | None = None, cpus: int | None = None, span: Span | None = None
) -> Log:
    """The figures in the log at `path`, see `figures`. Raises UsageError also if unreadable."""
    try:
        log = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    return figures(log, str(path), bench, cpus, span)


def figures(
    log: bytes,
    name: str,
    bench: str | None = None,
    cpus: int | None = None,
    span: Span | None = None,
) -> Log:
    """Every figure in a log called `name`, or in the lines `span` of it.

    A `Summary` line says neither its bench, which a line since the last Summary does, nor its
    number of producers, which is what total and per-producer rates give, or `-p` on the command.
    A line of `run_bench_uprobes.sh`, which names the bench and no count, is of one producer: the
    script asks for no more. `bench` and `cpus` are for lines that lack them, and a line that says
    otherwise has its way, with a note. Left out with a note are figures of benches that probe
    nothing, without a hit or with drops, and every line that looks like a figure and is none of
    these. Raises UsageError, naming the line, for a uprobe bench that is unknown, for a count that
    is missing or not what the rates give, for a log of two machines or kernels, and for one without
    figures.
    """
    reader = _Reader(bench, cpus)
    for number, line in printed_lines(log):
        if span is None or span[0] <= number <= span[1]:
            reader.take(f"{name}:{number}", line)
    reader.end_of_bench()
    if not reader.log.lines:
        example = "Summary: hits 3.032 ± 0.023M/s (3.032M/prod), ..."
        why = "".join(f"\n  {note}" for note in reader.log.notes)
        raise UsageError(f"{name} has no line like '{example}' nor like the letter's{why}")
    return reader.log


class _Reader:
    """Where a log's reader is: which bench was set up, with how many producers, if any since."""

    def __init__(self, bench: str | None, cpus: int | None) -> None:
        self.log = Log()
        self._asked_bench, self._asked_cpus = bench, cpus
        self._bench: str | None = None
        self._producers: int | None = None
        self._iterations: str | None = None
        self._assumed = False
        self._last: Line | None = None

    def take(self, place: str, line: str) -> None:
        last, self._last = self._last, None
        self._of_one_system(place, line)
        if setup := _SETUP.search(line):
            self._set_up(setup[1], None)
        elif (command := _COMMAND.search(line)) and not _LOOKS.search(line):
            given = _PRODUCERS.search(command[1])
            name = _OPERAND.search(command[1])
            self._bench = None
            self._set_up(name[1] if name else None, int(given[1]) if given else None)
        elif _ITERATION.search(line):
            self._iterations = self._iterations or place
        elif summary := _SUMMARY.search(line):
            self._summary(summary, line[summary.end() :], place)
        elif named := _NAMED_LINE.search(line):
            self._named(named, line, place)
        elif _WRAPPED.search(line):
            self._last = last
            self._counts(line)
        elif _LOOKS.search(line):
            if self._other(self._bench) and "Summary:" in line:
                self._leave_out(self._bench or "", place)
                self._finish()
            else:
                self._not_understood(line, place)

    def end_of_bench(self) -> None:
        """Another bench begins, or nothing more comes: say so if the last one had no end."""
        if self._iterations:
            self.log.notes.append(f"{self._iterations}: iterations without a Summary: left out")
        self._iterations = None

    def _of_one_system(self, place: str, line: str) -> None:
        for kind, pattern in _SYSTEM.items():
            if found := pattern.search(line):
                known, where = self.log.system.setdefault(kind, (found[1], place))
                if known != found[1]:
                    raise UsageError(
                        f"{place}: another {kind}, {found[1]}, than {known} at {where}: "
                        "read one at a time, with --lines FIRST-LAST"
                    )

    def _set_up(self, bench: str | None, producers: int | None) -> None:
        self.end_of_bench()
        if self._bench not in {None, bench}:
            self._producers = None
        self._bench = bench
        self._producers = producers or self._producers

    def _finish(self) -> None:
        self._bench = self._producers = self._iterations = None

    def _summary(self, found: re.Match[str], rest: str, place: str) -> None:
        before = _UPROBE.search(found[1])
        said, producers = before[1] if before else self._bench, self._producers
        self._finish()
        if self._other(said):
            self._leave_out(said or "", place)
        elif not _TAIL.search(rest) and _LOOKS.search(rest):
            self._not_understood(found[0] + rest, place)
        elif said is None and self._asked_bench is None:
            raise UsageError(
                f"{place}: which bench? No line since the last Summary says it: give --bench"
            )
        else:
            _, mean, stddev, unit, each, each_unit = found.groups()
            rates = Rates(mean, unit, each, each_unit)
            self._keep(said, producers, rates, stddev, place)
            self._counts(rest)

    def _counts(self, rest: str) -> None:
        """What stands after a Summary's hits, there or on the next line."""
        if self._last and (said := lost(rest, self._last.mhits)):
            self.log.lines.remove(self._last)
            self.log.notes.append(f"{self._last.place}: {said}: left out")

    def _named(self, found: re.Match[str], line: str, place: str) -> None:
        bench, count, mean, stddev, unit, each, each_unit = found.groups()
        rest = line[: found.start()] + " " + line[found.end() :]
        if self._other(bench):
            self._leave_out(bench, place)
        elif _LOOKS.search(rest):
            self._not_understood(line, place)
        else:
            if count is None and each is None:
                count = str(self._asked_cpus or 1)
                if self._asked_cpus is None and not self._assumed:
                    self._assumed = True
                    self.log.notes.append(
                        f"{place}: assumed, here and where no line says: one producer, as "
                        "run_bench_uprobes.sh has it"
                    )
            rates = Rates(mean, unit, each, each_unit)
            self._keep(bench, None if count is None else int(count), rates, stddev, place)

    def _keep(
        self, said: str | None, count: int | None, rates: Rates, stddev: str, place: str
    ) -> None:
        if count is not None and count < 1:
            raise UsageError(f"{place}: {count} CPUs: at least 1")
        bench = said or self._asked_bench or ""
        if not rates.mhits:
            self.log.notes.append(f"{place}: {bench}: no hit was counted: left out")
            return
        if self._asked_bench not in {None, bench}:
            self.log.notes.append(f"{place}: says {bench}, whatever --bench says")
        cpus = rates.producers(count, self._asked_cpus, place)
        if self._asked_cpus not in {None, cpus}:
            self.log.notes.append(f"{place}: is of {cpus} CPUs, whatever --cpus says")
        rates.refuse_impossible(cpus, place)
        if bench not in NAMED:
            raise UsageError(f"{place}: unknown bench {bench!r}: {nearest(bench, NAMED)}")
        spread = float(stddev) * MILLIONS[rates.unit.upper()]
        self._last = Line(bench, cpus, rates.mhits, spread, place)
        self.log.lines.append(self._last)

    @staticmethod
    def _other(bench: str | None) -> bool:
        """Whether it is a bench that has no uprobe."""
        return bench is not None and (
            _UPROBE.match(bench.lower()) is None or bench in WITHOUT_PROBE
        )

    def _leave_out(self, bench: str, place: str) -> None:
        self.log.notes.append(f"{place}: {bench} is no uprobe bench: left out")

    def _not_understood(self, line: str, place: str) -> None:
        shown = " ".join(line.split())[:100]
        self.log.notes.append(f"{place}: looks like a figure and is not understood: {shown}")
