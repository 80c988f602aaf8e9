"""Kernel releases: the patches that each has, and which to take for a kernel that somebody runs.

Only what changes the path or the layout makes a release of its own here; those in between are
taken for the one before. Sources: docs/hot-path.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """A kernel as a set of patches; `since` is the first (major, minor, sublevel) taken for it."""

    name: str
    since: tuple[int, int, int]
    patches: frozenset[str]

    @property
    def first(self) -> str:
        """The first kernel that it stands for: "6.12", "6.12.75"."""
        major, minor, sublevel = self.since
        return f"{major}.{minor}" + (f".{sublevel}" if sublevel else "")


ADDED: tuple[tuple[str, tuple[int, int, int], tuple[str, ...]], ...] = (
    ("v6.9", (6, 4, 0), ()),
    ("v6.10", (6, 10, 0), ("lockless-filter",)),
    ("v6.11", (6, 11, 0), ("uretprobe-syscall",)),
    (
        "v6.12",
        (6, 12, 0),
        (
            "rbtree-helpers",
            "refcount-revamp",
            "srcu-lifetime",
            "filter-ctx",
            "lockless-consumers",
            "split-unregister",
            "srcu",
            "percpu-nhit",
        ),
    ),
    ("v6.12-late", (6, 12, 75), ("tasks-trace",)),
    (
        "v6.13",
        (6, 13, 0),
        ("no-slot-count", "mm-cid-cpus-allowed", "sessions", "srcu-uretprobe"),
    ),
    ("v6.14", (6, 14, 0), ("speculative-vma", "ri-reuse")),
    ("v6.15", (6, 15, 0), ("no-siglock",)),
    ("v6.16", (6, 16, 0), ("emulate-nops",)),
    ("v6.18", (6, 18, 0), ("nop5",)),
    ("v7.0", (7, 0, 0), ("mm-cid-aligned", "srcu-fast")),
    ("v7.3", (7, 3, 0), ("srcu-fast-uretprobe",)),
)
"""Name, first kernel, and the patches beyond those of the release before.

v6.9 stands for all from v6.4 on: what a hit does did not change (from memory). Where 6.12.y turns
to Tasks Trace is estimated: March 2026, at the pace of one stable release in five days.
"""

DOUBTS = {
    (6, 12): "Tasks Trace came to 6.12.y in March 2026; v6.12-late begins at 6.12.75 by estimate",
    (7, 3): "SRCU for return instances became SRCU-fast in August 2026; v7.3 goes by the calendar",
    (6, 19): "the cache-line aligned struct mm_mm_cid came with v6.19 or v7.0; v7.0 is taken",
}
"""What is not known of a kernel, by major and minor number."""


def _releases() -> dict[str, Release]:
    releases = {}
    patches: frozenset[str] = frozenset()
    for name, since, added in ADDED:
        patches = patches.union(added)
        releases[name] = Release(name, since, patches)
    return releases


RELEASES = _releases()
"""By name, in the order of landing."""


def landed_in(patch: str) -> str:
    """The first of RELEASES that has a patch; "no release" if none has."""
    return next((r.name for r in RELEASES.values() if patch in r.patches), "no release")


NEWEST = ADDED[-1][1][:2]
"""Major and minor number of the newest kernel that is modelled."""


@dataclass(frozen=True)
class Modelled:
    """The release that a kernel is taken for, and what had to be assumed for that."""

    kernel: str
    release: Release
    assumed: tuple[str, ...]


class TooOldError(ValueError):
    """A kernel from before the oldest that is modelled."""


_KERNEL = re.compile(r"v?([0-9]+)\.([0-9]+)(?:\.([0-9]+))?((?:\.[0-9]+)*(?:[-+~_].*)?)")
_CANDIDATE = re.compile(r"-rc[0-9]+")


def modelled(kernel: str) -> Modelled:
    """What to take for `kernel`: a name of RELEASES, or a release as `uname -r` prints it.

    Raises KeyError for what is neither, TooOldError for one from before the oldest of RELEASES.
    """
    kernel = kernel.strip()
    if kernel in RELEASES:
        return Modelled(kernel, RELEASES[kernel], ())
    found = _KERNEL.fullmatch(kernel)
    if found is None:
        raise KeyError(kernel)
    major, minor, sublevel = (int(number or 0) for number in found.groups()[:3])
    release = _latest(kernel, (major, minor, sublevel))
    return Modelled(kernel, release, tuple(_assumed((major, minor), found[4], release)))


def _latest(kernel: str, number: tuple[int, int, int]) -> Release:
    """The last of RELEASES that is not after a kernel. Raises TooOldError."""
    before = [release for release in RELEASES.values() if release.since <= number]
    if not before:
        oldest = next(iter(RELEASES.values()))
        raise TooOldError(
            f"{kernel} is older than {oldest.first}, the oldest modelled; the nearest design is "
            f"{oldest.name}, and --flavour {oldest.name} takes it all the same"
        )
    return before[-1]


def _assumed(number: tuple[int, int], suffix: str, release: Release) -> list[str]:
    said = []
    name = "{}.{}".format(*number)
    if number > NEWEST:
        newest = "{}.{}".format(*NEWEST)
        said.append(f"{name} is newer than {newest}, the newest modelled: as {release.name}")
    elif number != release.since[:2]:
        said.append(f"{name} is as {release.name}: no change to the path is known between them")
    if number in DOUBTS:
        said.append(DOUBTS[number])
    if _CANDIDATE.fullmatch(suffix):
        said.append(f"{suffix[1:]} is taken to have all that {name} has")
    elif suffix:
        said.append(f"what {suffix!r} was built with is not known: {name} as kernel.org has it")
    return said
