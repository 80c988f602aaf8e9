"""What a report is made of, and what it is divided into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sweep.report.compare import Comparison
from sweep.report.design_style import DesignStyle, design_styles
from sweep.report.explain import Curve
from sweep.report.html.curves import panels
from sweep.report.html.machine import Drawing
from sweep.report.html.tables import Table
from sweep.report.html.vega_lite import Spec
from sweep.report.html.waits import Wait
from sweep.report.what_if import WhatIf


@dataclass(frozen=True)
class Figure:
    """A chart, a drawing, or neither, and the tables behind it; `design` if it is of one alone."""

    title: str
    chart: Spec | None = None
    drawing: Drawing | None = None
    tables: Sequence[Table] = ()
    design: str | None = None


@dataclass(frozen=True)
class Section:
    """Figures of one kind; `name` is its anchor, `text` says how to read them."""

    name: str
    title: str
    text: str
    figures: Sequence[Figure]


@dataclass(frozen=True)
class Run:
    """Where a run comes from: `facts` by name, and the `command` that makes it again.

    `spec` is the text of the file that the command reads, None if it needs none of its own.
    """

    name: str
    facts: dict[str, object]
    command: str | None
    spec: str | None = None


@dataclass(frozen=True)
class Material:
    """All that a report is made of. `notes` are what commands say of these runs on stderr."""

    title: str
    comparison: Comparison
    curves: Sequence[Curve] = ()
    what_ifs: Sequence[WhatIf] = ()
    waits: Sequence[Wait] = ()
    machines: Sequence[Drawing] = ()
    runs: Sequence[Run] = ()
    notes: Sequence[str] = ()
    command: str = ""
    version: str = ""
    made: str = ""
    styles: dict[str, DesignStyle] = field(init=False)

    def __post_init__(self) -> None:
        designs = [row["design"] for panel in panels(self.comparison) for row in panel.rows]
        designs += [row["design"] for wait in self.waits for row in wait.rows]
        object.__setattr__(self, "styles", design_styles(designs))
