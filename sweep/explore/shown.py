"""What the page shows: the choices there are, and an answer as a chart and a few sentences."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import altair as alt
import marimo as mo
from markupsafe import Markup

from core.engine.spread import SPREADS
from core.kernel.bench import NAMED
from core.kernel.flavours import FLAVOURS
from core.kernel.patches import PATCHES
from core.kernel.releases import RELEASES
from core.machine.machine import machine_names
from core.workload import STRESS
from sweep.errors import SweepError
from sweep.explore.answer import Answer, Question, answer
from sweep.letter.published import LETTER_MACHINE
from sweep.machines.host import HOST
from sweep.report.design_style import design_styles
from sweep.report.html.curves import Row, Source
from sweep.report.html.line_charts import curves
from sweep.report.html.page import swatch
from sweep.report.html.tables import share
from sweep.store.schema import SIMULATED

NONE = "none"

LABEL = '<span style="display: inline-flex; gap: .4em; margin-right: 1.4em">{}{}</span>'
"""Of a design, in the legend."""

REFUSED = '<p role="alert" style="border-left: .3rem solid #b3261e; padding-left: 1rem">{}</p>'

Choices = dict[str, Any]
"""Elements of the page by the names of a Question's fields, and patches of both kernels."""


def choices() -> Choices:
    """The elements; what they give is checked all the same, see `asked`."""
    kernels = [*reversed(RELEASES), *(name for name in FLAVOURS if name not in RELEASES)]
    patches = list(PATCHES)
    return {
        "machine": mo.ui.dropdown([*machine_names(), HOST], LETTER_MACHINE, label="Machine"),
        "bench": mo.ui.dropdown([b for b in NAMED if b != STRESS], "uprobe-nop", label="Bench"),
        "cpus": mo.ui.number(value=64, step=1, label="CPUs"),
        "probes": mo.ui.number(value=1, step=1, label="Probes"),
        "spread": mo.ui.dropdown(list(SPREADS), "shared", label="Spread"),
        "processes": mo.ui.number(value=1, step=1, label="Processes"),
        "kernel": mo.ui.dropdown(kernels, "v6.14", label="Kernel"),
        "patches": mo.ui.multiselect(patches, label="and patches"),
        "against": mo.ui.dropdown([NONE, *kernels], "v6.11", label="Against"),
        "against_patches": mo.ui.multiselect(patches, label="and patches"),
    }


def form(elements: Choices) -> mo.Html:
    """The elements in rows that wrap."""
    rows = (
        ("machine", "bench", "cpus", "probes", "spread", "processes"),
        ("kernel", "patches", "against", "against_patches"),
    )
    made = [mo.hstack([elements[n] for n in names], wrap=True, justify="start") for names in rows]
    return mo.vstack(made)


def asked(values: Mapping[str, Any]) -> Question:
    """The question that the page's values are."""
    against = values["against"] or NONE
    other = "" if against == NONE else "+".join([against, *values["against_patches"]])
    return Question(
        machine=values["machine"],
        kernel="+".join([values["kernel"], *values["patches"]]),
        against=other,
        bench=values["bench"],
        **{name: _whole(values[name]) for name in ("cpus", "probes", "processes")},
        spread=values["spread"],
    )


def answered(values: Mapping[str, Any]) -> mo.Html:
    """The answer to the page's values, or the one line that says what is wrong with them."""
    try:
        question = asked(values)
        found = answer(question)
    except SweepError as error:
        return mo.Html(str(Markup(REFUSED).format(error)))
    legend = [
        Markup(LABEL).format(swatch(style), name)
        for name, style in design_styles(found.designs).items()
    ]
    lines = [Markup("<p>{}</p>").format(line) for line in sentences(question, found)]
    return mo.vstack([mo.Html("".join(legend)), chart(question, found), mo.Html("".join(lines))])


def sentences(question: Question, found: Answer) -> list[str]:
    """What the answer says at the number of CPUs asked for, what was assumed, how it was found."""
    said = []
    for design in found.designs:
        at = found.at_most_cpus(design)
        span = "" if at.low is None else f" (90 %: {at.low:.3f} to {at.high:.3f})"
        what = f"{share(at.share)} of the CPUs' time goes to {at.limit}"
        said.append(f"{design}: {at.mhits:.3f} M/s at {at.cpus} CPUs{span}; {what}.")
    if found.gain is not None:
        first, second = found.designs
        gain = found.gain
        span = ""
        if gain.low is not None and gain.high is not None:
            span = f" ({gain.confidence}: x {gain.low:.2f} to {gain.high:.2f})"
        same = "; the same within the interval" if gain.same else ""
        where = f"{first} over {second} at {question.cpus} CPUs"
        said.append(f"{where}: x {gain.ratio:.2f}{span}{same}.")
    said += [f"Assumed: {line}." for line in found.assumed]
    said.append(f"Simulated briefly, in {found.seconds:.2f} s. At length: {command(question)}")
    return said


def command(question: Question) -> str:
    """The command that answers at length."""
    axes = {n: getattr(question, n) for n in ("machine", "bench", "probes", "spread", "processes")}
    options = [word for name, value in axes.items() for word in (f"--{name}", str(value))]
    kernels = [question.against, question.kernel]
    begin = ["upgrade", *kernels] if question.against else ["predict", "--flavour", kernels[1]]
    return shlex.join(["uprobe-sweep", *begin, "--cpus", str(question.cpus), *options])


def chart(question: Question, found: Answer) -> Any:
    """The curves, with their bands and the limiting line of each point."""
    said = f"{question.bench} on {question.machine}"
    rows: list[Row] = [
        {
            "source": "simulated",
            "kind": SIMULATED,
            "bench": question.bench,
            "design": point.design,
            "cpus": point.cpus,
            "mhits": point.mhits,
            "low": point.low,
            "high": point.high,
            "limit": f"{point.limit}, {share(point.share)}",
        }
        for point in found.points
    ]
    sources = [Source("simulated", SIMULATED)]
    spec = curves(rows, "mhits", design_styles(found.designs), sources, said)
    return alt.LayerChart.from_dict(spec)


def _whole(value: Any) -> Any:
    """A number of the page as a whole one, where it is; what it is not is said by the spec."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
