"""Named designs of the hot path: sets of patches.

`tasks-trace` is every patch up to that one; `tasks-trace+percpu-nhit` adds one, `ri-reuse~nop5` or
`srcu-uretprobe~percpu-nhit` takes one away (`~` because names hold hyphens); `v6.12` is what that
kernel release has. `baseline` is v6.11, which the series was written on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from core.kernel.agreement import disagreement
from core.kernel.design import Design
from core.kernel.hot_path import BENCHES, unpatched
from core.kernel.layout import BESIDE, Layout
from core.kernel.operation import OwnLine, Path
from core.kernel.patches import PATCHES, Patch
from core.kernel.rcu_flavours import DEFAULT, RCU, READ_SIDES, under
from core.kernel.releases import RELEASES
from core.kernel.rules import BASELINE, Rules


@dataclass(frozen=True)
class Flavour:
    """A design: its name, the patches it has, and its title in tables (the letter's own if any)."""

    name: str
    patches: frozenset[str]
    title: str


LETTER_TITLES = {
    "baseline": "BASELINE (on top of Oleg's clean up patches)",
    "srcu": "Up to second-to-last patch (i.e., SRCU-based optimizations)",
    "tasks-trace": "RCU Tasks Trace",
}

NEEDS = {patch.name: patch.needs for patch in PATCHES}


def _cumulative() -> dict[str, Flavour]:
    patches = RELEASES["v6.11"].patches
    named = {"baseline": Flavour("baseline", patches, LETTER_TITLES["baseline"])}
    for patch in PATCHES:
        if patch.name not in patches:
            patches |= {patch.name}
            title = LETTER_TITLES.get(patch.name, f"{patch.name}: {patch.summary}")
            named[patch.name] = Flavour(patch.name, patches, title)
    return named


FLAVOURS = _cumulative()
"""The named flavours from v6.11 on, each the patches up to its own, in the order of landing."""


def parse_flavour(text: str) -> Flavour:
    """The flavour that `text` names, see the module.

    Raises KeyError with the word that is no flavour, release or patch, and ValueError for patches
    that are there already, are not there to be removed, or lack one that they build on.
    """
    first, *edits = re.split("([+~])", text)
    base = RELEASES[first] if first in RELEASES else FLAVOURS[first]
    patches = set(base.patches)
    for sign, name in zip(edits[::2], edits[1::2], strict=True):
        if name not in NEEDS:
            raise KeyError(name)
        if (name in patches) == (sign == "+"):
            verb, other = ("has", "lacks") if sign == "+" else ("lacks", "has")
            choice = [p.name for p in PATCHES if (p.name in patches) == (sign == "~")]
            named = ", ".join(choice) or "none"
            raise ValueError(f"{first} {verb} {name} already; it {other} {named}")
        patches ^= {name}
    for name in sorted(patches):
        if missing := [need for need in NEEDS[name] if need not in patches]:
            raise ValueError(f"{name} needs {', '.join(missing)}")
    title = FLAVOURS[text].title if text in FLAVOURS else text
    return Flavour(text, frozenset(patches), title)


def name_of(patches: frozenset[str]) -> str:
    """The flavour or release with exactly these patches, or how `parse_flavour` reads them."""
    named = {r.patches: r.name for r in RELEASES.values()}
    named |= {f.patches: f.name for f in FLAVOURS.values()}
    return named.get(patches) or spelt(patches)


def spelt(patches: frozenset[str]) -> str:
    """These patches as the named flavour with the fewest edits: "srcu+percpu-nhit"."""
    near = min(FLAVOURS.values(), key=lambda flavour: len(flavour.patches ^ patches))
    edits = (
        f"{'+' if patch.name in patches else '~'}{patch.name}"
        for patch in PATCHES
        if patch.name in near.patches ^ patches
    )
    return near.name + "".join(edits)


@cache
def work_names() -> tuple[str, ...]:
    """Names of all private work that any path does: what a machine must give cycles for."""
    paths = [
        hot_path(flavour, bench, rcu)
        for flavour in (*FLAVOURS, *RELEASES)
        for bench in BENCHES
        for rcu in RCU
    ]
    names = {op.work for path in paths for call in path for op in call.operations}
    return tuple(sorted(names - {""}))


def rules_of(flavour: str | Design, rcu: str = DEFAULT) -> Rules:
    """The lifetime rules of a flavour, its read sections of the flavour `rcu`, one of RCU.

    Raises as `parse_flavour`, and KeyError for an RCU that there is not.
    """
    if isinstance(flavour, Design):
        rules = flavour.rules
    else:
        rules = BASELINE
        for patch in _patches(flavour):
            if patch.rules:
                stage = patch.stage or rules.stage
                rules = replace(rules, stage=stage, name=patch.name, **patch.rules)
    return rules if rcu == DEFAULT else replace(rules, read_side=READ_SIDES[rcu])


def layout_of(
    flavour: str | Design, beside: str = BESIDE[0], probes: int = 1, processes: int = 1
) -> Layout:
    """The lines of a flavour's kernel; `beside` is one of `core.kernel.layout.BESIDE`.

    Raises as `parse_flavour`.
    """
    together = True
    own: tuple[OwnLine, ...] = ()
    if isinstance(flavour, Design):
        together, own = flavour.owner_beside_count, flavour.own_lines
    else:
        for patch in _patches(flavour):
            if patch.owner_beside_count is not None:
                together = patch.owner_beside_count
    if beside != BESIDE[0]:
        together = beside == "true"
    return Layout(probes, processes, together, own)


def unsided_path(flavour: str, bench: str) -> Path:
    """The path of a flavour as its patches leave it: read sections are SRCU's."""
    path = unpatched(bench)
    for patch in _patches(flavour):
        path = patch.path(path)
    return path


def hot_path(flavour: str | Design, bench: str, rcu: str = DEFAULT) -> Path:
    """The calls of one hit of `bench` under `flavour`, in program order.

    `rcu` puts another flavour of RCU into its read sections, see `core.kernel.rcu_flavours.under`.
    Raises as `rules_of`, KeyError for a bench that there is not, and ValueError for a path that
    does not do what the flavour's rules say, see `core.kernel.agreement`.
    """
    if isinstance(flavour, Design):
        name, path = flavour.name, flavour.paths[bench]
    else:
        name, path = flavour, unsided_path(flavour, bench)
    rules = rules_of(flavour, rcu)
    if wrong := disagreement(path, rules):
        raise ValueError(f"{name}: {wrong}")
    return under(path, rules.read_side)


def _patches(flavour: str) -> list[Patch]:
    has = parse_flavour(flavour).patches
    return [patch for patch in PATCHES if patch.name in has]
