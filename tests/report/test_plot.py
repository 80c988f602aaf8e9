"""The picture: what it shows, that it is legible, and that it is the same every time."""

import io
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import polars as pl
import pytest
from frames import frame, letter_frame, row
from matplotlib.figure import Figure
from matplotlib.text import Text

from sweep.errors import InfrastructureError, UsageError
from sweep.report.design_style import COLOURS, KNOWN
from sweep.report.picture import picture
from sweep.report.plot import MARKERS, STYLE, plot
from sweep.report.plot import draw as drawn


def draw(results: pl.DataFrame, log_y: bool = False, **how: Any) -> Figure:
    return drawn(picture(results, **how), log_y)


ONE_BENCH = letter_frame(1.1).filter(pl.col("bench") == "uretprobe-nop")


@pytest.mark.parametrize("suffix", [".svg", ".png", ".PNG", ".pdf"])
def test_the_same_rows_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    plot(letter_frame(), first)
    plot(letter_frame().sample(fraction=1.0, shuffle=True, seed=3), second)
    assert first.read_bytes() == second.read_bytes()
    magic = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}[suffix.lower()]
    assert first.read_bytes().startswith(magic)


def test_a_svg_bears_no_date(tmp_path: Path) -> None:
    plot(ONE_BENCH, tmp_path / "x.svg")
    assert "dc:date" not in (tmp_path / "x.svg").read_text()


@pytest.mark.parametrize("name", ["x.jpg", "x", "svg"])
def test_another_suffix_is_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.svg, \.png or \.pdf"):
        plot(letter_frame(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"cannot write .*No such file"):
        plot(ONE_BENCH, tmp_path / "nowhere" / "x.png")


def test_two_panels_with_both_curves_of_every_flavour() -> None:
    panels = draw(letter_frame(2.0)).axes
    assert [panel.get_title() for panel in panels] == ["uprobe-nop", "uretprobe-nop"]
    lines = panels[0].get_lines()
    assert [line.get_color() for line in lines] == [c for c in COLOURS[:3] for _ in "ab"]
    published, simulated = lines[0], lines[1]
    assert published.get_markerfacecolor() == "white"
    assert list(np.asarray(published.get_ydata())[:2]) == [3.032, 3.452]
    assert np.asarray(simulated.get_ydata()) == pytest.approx(2 * np.asarray(published.get_ydata()))
    assert [label.get_text() for label in panels[0].get_xticklabels()] == [
        "1", "2", "4", "8", "16", "32", "64",
    ]  # fmt: skip


def test_a_flavour_has_the_same_colour_in_every_picture() -> None:
    figure = draw(frame(row(flavour="tasks-trace")))
    assert {line.get_color() for line in figure.axes[0].get_lines()} == {COLOURS[2]}


def test_designs_are_told_apart_in_black_and_white() -> None:
    lines = draw(letter_frame()).axes[0].get_lines()[1::2]
    assert [line.get_marker() for line in lines] == [*MARKERS.values()][:3]
    assert len({(str(line.get_linestyle()), line.get_marker()) for line in lines}) == 3


def test_the_legend_and_the_caption_say_what_is_what() -> None:
    figure = draw(letter_frame())
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == ["baseline", "srcu", "tasks-trace", "simulated", "published"]
    caption = figure.get_supxlabel()
    assert "Xeon Gold 6138" in caption
    assert "one probe" in caption


def test_other_settings_are_drawn_without_the_letter() -> None:
    figure = draw(frame(*(row(probes=8, spread="zipf", cpus=n) for n in (1, 2, 80))))
    assert len(figure.axes[0].get_lines()) == 1
    assert "published" not in [text.get_text() for text in figure.legends[0].get_texts()]
    assert figure.get_supxlabel().endswith("8 probes, spread zipf")


def test_a_caption_says_which_kernel_it_is() -> None:
    figure = draw(frame(row(probes=8, rcu="srcu-lite", owner_beside_count="true", processes=4)))
    said = " ".join(figure.get_supxlabel().split())
    assert said.endswith(
        "8 probes, spread shared; rcu srcu-lite; owner_beside_count true; processes 4"
    )


def test_the_letters_setting_is_drawn_out_of_several() -> None:
    figure = draw(frame(row(hits_per_s=2e6), row(probes=8, hits_per_s=9e6)))
    assert list(np.asarray(figure.axes[0].get_lines()[1].get_ydata())) == [2.0]


def test_each_setting_is_a_row_of_panels() -> None:
    figure = draw(frame(row(probes=2), row(probes=2, rcu="srcu", hits_per_s=9e6)))
    assert [axes.get_title() for axes in figure.axes] == [
        "uprobe-nop\nrcu=default",
        "uprobe-nop\nrcu=srcu",
    ]
    heights = [list(np.asarray(axes.get_lines()[0].get_ydata())) for axes in figure.axes]
    assert heights == [[3.0], [9.0]]
    assert figure.axes[0].get_ylim()[1] > 9, "axes are shared, so both points are in sight"


def test_a_run_without_results_is_refused() -> None:
    with pytest.raises(UsageError, match="no results"):
        draw(frame())


def shown(figure: Figure) -> list[Text]:
    texts = figure.findobj(Text)
    return [t for t in texts if isinstance(t, Text) and t.get_visible() and t.get_text().strip()]


@pytest.mark.parametrize(
    "results",
    [
        letter_frame(),
        ONE_BENCH,
        frame(row(machine="a machine whose title is long, " * 6)),
        frame(*(row(flavour=name, probes=n) for name in KNOWN for n in (2, 3))),
    ],
    ids=["letter", "one bench", "long title", "all designs"],
)
def test_no_text_overlaps_another_or_leaves_the_picture(results: pl.DataFrame) -> None:
    with matplotlib.rc_context(STYLE):
        figure = draw(results)
        figure.savefig(io.BytesIO(), format="png", dpi=figure.dpi)
        boxes = {(n, t.get_text()): t.get_window_extent() for n, t in enumerate(shown(figure))}
    for text, box in boxes.items():
        assert min(box.x0, box.y0, figure.bbox.x1 - box.x1, figure.bbox.y1 - box.y1) >= 0, text
    for (one, box), (other, another) in combinations(boxes.items(), 2):
        assert not box.overlaps(another), (one, other)
