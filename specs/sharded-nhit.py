"""A design of one's own, see docs/designs.md: hits of a perf event counted in one word a process.

Up to v6.11 all hits of an event are counted in one shared word, from v6.12 on in one a CPU.
"""

from core.kernel.designs import Call, OwnLine, Patch, Path, hp, primitives, replace, work

COUNT = OwnLine("trace_uprobe.nhit of a process", per_process=True)


def sharded(path: Path) -> Path:
    count = (*work("consumer_call"), *work("find_count", cycles=12), *primitives.locked(COUNT))
    return replace(path, hp.DISPATCH, Call(hp.DISPATCH.function, count, hp.DISPATCH.role))


base = "tasks-trace"
patch = Patch("sharded-nhit", summary="count hits of an event per process", path=sharded)
