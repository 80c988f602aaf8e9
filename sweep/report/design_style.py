"""How a design is drawn, in every picture, report and page: its colour, its dash and its marker."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from core.kernel.flavours import FLAVOURS, LETTER_TITLES
from core.kernel.releases import RELEASES

COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#663311", "#0000EE"),
    *("#443388", "#8877FF", "#994455", "#880055", "#7700BB", "#CC1199", "#FF4477", "#CC2211"),
    *("#DD33DD", "#556688", "#FF6644", "#225577", "#FF66CC", "#7799FF", "#666600", "#0044FF"),
    *("#990033", "#777755", "#7744CC", "#5577DD", "#8899CC", "#DD4455", "#999944", "#114466"),
    *("#8877BB", "#DD8899", "#448877", "#226666", "#444433", "#BB6699", "#773399", "#8855FF"),
    *("#EE00BB", "#229911"),
)
"""Okabe and Ito's six that show on white and on black, then each the farthest from all before it.

Far is far in OKLab for all readers: as it is, and as seen without one kind of cones (Machado,
Oliveira and Fernandes 2009). The first twenty stay 0.07 apart.
"""

DASHES: tuple[tuple[int, ...], ...] = (
    *((), (5, 2), (1, 2), (6, 2, 1, 2)),
    *((9, 3), (4, 2, 1, 2, 1, 2)),
)
"""On and off in widths of the line; () is a whole line."""

MARKERS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x")
"""As plotting libraries call them: `cross` is upright. 6 dashes by 7 are a pair for each colour."""

KNOWN = tuple(dict.fromkeys((*LETTER_TITLES, *RELEASES, *FLAVOURS)))
"""Designs with a place of their own, whatever else is drawn."""


@dataclass(frozen=True)
class DesignStyle:
    """`colour` as #RRGGBB, one of DASHES and one of MARKERS."""

    colour: str
    dash: tuple[int, ...]
    marker: str


def design_styles(names: Iterable[str]) -> dict[str, DesignStyle]:
    """The styles of designs that are drawn together, by name in the order given.

    A design of KNOWN looks the same in every picture. Any other goes by its name into a place that
    none of KNOWN has, and from there to the next that is free: only another such design in the same
    picture moves it. No two designs share a colour, up to as many as there are COLOURS; beyond,
    none share colour and dash. Within COLOURS no two share dash and marker, so that they are told
    apart in black and white. Where one name stands for two paths, name them with their digests.
    """
    wanted = list(dict.fromkeys(names))
    places = {name: at for at, name in enumerate(KNOWN) if name in wanted}
    spare = len(COLOURS) - len(KNOWN)
    for name in sorted(set(wanted) - places.keys()):
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        first = int.from_bytes(digest) % spare
        taken = set(places.values())
        own = ((first + step) % spare + len(KNOWN) for step in range(spare))
        others = range(len(KNOWN))
        more = range(len(COLOURS), len(COLOURS) + len(taken) + 1)
        places[name] = next(p for p in (*own, *others, *more) if p not in taken)
    return {name: _style(places[name]) for name in wanted}


def _style(place: int) -> DesignStyle:
    again, at = divmod(place, len(COLOURS))
    dash, marker = at + again, at + again // len(DASHES)
    return DesignStyle(COLOURS[at], DASHES[dash % len(DASHES)], MARKERS[marker % len(MARKERS)])
