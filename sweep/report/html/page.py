"""The report's one file: the template, the charts' data and the plotting library put together."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sweep.report.design_style import DesignStyle
from sweep.report.html.contents import sections
from sweep.report.html.curves import BASELINE, Source, panels, sources
from sweep.report.html.material import Material
from sweep.report.html.parts import VIEWS, colours

SWATCHES = {
    "circle": '<circle cx="17" cy="6" r="3.5"/>',
    "square": '<rect x="13.5" y="2.5" width="7" height="7"/>',
    "triangle-up": '<path d="M17 2l4 7h-8z"/>',
    "triangle-down": '<path d="M17 10l4-7h-8z"/>',
    "diamond": '<path d="M17 1.5l4 4.5l-4 4.5l-4-4.5z"/>',
    "cross": '<path d="M17 2v8M13 6h8"/>',
    "x": '<path d="M14 3l6 6M14 9l6-6"/>',
}
"""The markers of designs in the legend, 34 by 12."""

ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What must not stand in a script as it is, whatever the names of runs and designs."""


def render(material: Material) -> str:
    """The HTML of a report; it needs no network and runs no code but its own.

    Raises UsageError for more panels than a page has room for.
    """
    found = sections(material)
    charts = [figure.chart for section in found for figure in section.figures if figure.chart]
    environment = Environment(
        loader=PackageLoader("sweep.report.html", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    source = environment.loader
    assert source is not None
    css, script = (source.get_source(environment, name)[0] for name in ("page.css", "page.js"))
    return environment.get_template("page.html").render(
        material=material,
        sections=found,
        designs=[(name, swatch(style)) for name, style in material.styles.items()],
        sources=[(one, _shown(one)) for one in sources(panels(material.comparison))],
        parts={view: colours(material.curves)[view] for view in VIEWS},
        css=Markup(css),
        script=Markup(script),
        library=Markup(_library()),
        charts=Markup(in_script(charts)),
    )


def in_script(value: Any) -> str:
    """JSON that may stand in a script of a page."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter, escaped in ESCAPES.items():
        text = text.replace(letter, escaped)
    return text


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from vl-convert: about 0.9 MB."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def swatch(style: DesignStyle) -> Markup:
    """A design's line and marker, for a legend."""
    dash = " ".join(str(2 * n) for n in style.dash)
    line = f'<path d="M0 6h34" fill="none" stroke-width="2" stroke-dasharray="{dash}"/>'
    mark = SWATCHES[style.marker]
    return Markup(
        f'<svg class="swatch" width="34" height="12" aria-hidden="true" stroke="{style.colour}" '
        f'fill="{style.colour}">{line}{mark}</svg>'
    )


def _shown(source: Source) -> bool:
    """Whether a source is drawn before anybody chooses: baselines are not."""
    return source.kind != BASELINE
