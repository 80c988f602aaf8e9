"""A run beside the letter: errors, summary, rises, claims and how they are said."""

import json
from collections.abc import Iterator

import polars as pl
import pytest
from frames import frame, letter_frame, row
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweep.compare import Comparison, compare
from sweep.compare_text import render
from sweep.errors import UsageError
from sweep.published import published_mhits

FITTED = frozenset({("baseline", "uprobe-nop", 1), ("srcu", "uprobe-nop", 1)})


@pytest.fixture(autouse=True)
def _fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweep.compare.calibration_cells", lambda: FITTED)


@pytest.fixture(name="letter", scope="module")
def _letter() -> Iterator[Comparison]:
    """The letter held against itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sweep.compare.calibration_cells", lambda: FITTED)
        yield compare(letter_frame())


def test_error_of_a_cell_is_simulated_over_published_minus_1() -> None:
    [found] = compare(frame(row(flavour="srcu", cpus=4, hits_per_s=9.2556e6))).rows
    assert (found.bench, found.flavour, found.cpus) == ("uprobe-nop", "srcu", 4)
    assert found.published == 7.713
    assert found.simulated == pytest.approx(9.2556)
    assert found.error == pytest.approx(0.2)
    assert not found.calibration


def test_seeds_and_replicates_are_averaged() -> None:
    made = [row(seed=s, replicate=r, hits_per_s=h) for s, r, h in ((1, 0, 2e6), (1, 1, 3e6))]
    [found] = compare(frame(*made, row(seed=2, hits_per_s=7e6))).rows
    assert found.simulated == pytest.approx(4.0)


def test_the_letter_agrees_with_itself(letter: Comparison) -> None:
    assert len(letter.rows) == 42
    assert letter.missing == ()
    assert letter.left_out == 0
    assert letter.summary["all"].worst == pytest.approx(0, abs=1e-12)
    assert [r.published for r in letter.rows] == list(published_mhits().values())


def test_summary_splits_calibration_from_held_out() -> None:
    found = compare(
        frame(
            row(flavour="baseline", hits_per_s=3.032e6 * 1.5),
            row(flavour="srcu", hits_per_s=3.276e6 * 0.9),
            row(flavour="tasks-trace", hits_per_s=3.396e6 * 1.2),
        )
    ).summary
    assert {name: part.cells for name, part in found.items()} == {
        "all": 3,
        "calibration": 2,
        "held-out": 1,
    }
    assert found["all"].median == pytest.approx(0.2)
    assert found["calibration"].median == pytest.approx(0.3)
    assert found["calibration"].worst_cell == ("baseline", "uprobe-nop", 1)
    assert found["held-out"].worst == pytest.approx(0.2)


def test_cells_the_run_lacks_are_named_in_the_letters_order() -> None:
    found = compare(letter_frame().filter(pl.col("cpus") < 64))
    assert len(found.rows) == 36
    assert found.missing[:2] == (("baseline", "uprobe-nop", 64), ("baseline", "uretprobe-nop", 64))
    assert len(found.missing) == 6


@pytest.mark.parametrize(
    "other",
    [{"probes": 2}, {"spread": "private"}, {"machine": "laptop"}, {"cpus": 3}, {"flavour": "mine"}],
)
def test_rows_the_letter_has_no_line_for_are_left_out_and_counted(other: dict[str, object]) -> None:
    found = compare(frame(row(hits_per_s=3e6), row(hits_per_s=9e6, **other)))
    [only] = found.rows
    assert only.simulated == pytest.approx(3.0)
    assert found.left_out == 1
    assert "1 rows of the run were left out" in render(found)


@pytest.mark.parametrize("rows", [[], [row(probes=2)], [row(cpus=3)]])
def test_a_run_with_nothing_to_compare(rows: list[dict[str, object]]) -> None:
    with pytest.raises(UsageError, match=r"nothing to compare.*xeon-gold-6138.*probes=1.*shared"):
        compare(frame(*rows))


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("model_version", ("1", "2"), "1, 2"),
        ("machine_digest", ("a", "b"), "a, b"),
        ("duration_s", (0.5, 0.25), "0.25, 0.5"),
    ],
)
def test_a_run_of_several_models_is_refused(
    column: str, values: tuple[object, object], said: str
) -> None:
    one, other = values
    with pytest.raises(UsageError, match=rf"differ in {column} \({said}\)"):
        compare(frame(row(**{column: one}), row(cpus=2, **{column: other})))


def test_the_letter_rises_from_32_to_64_cpus_in_every_column(letter: Comparison) -> None:
    assert len(letter.rises) == 6
    assert all(r.present for r in letter.rises)
    first = letter.rises[0]
    assert (first.flavour, first.bench) == ("baseline", "uprobe-nop")
    assert first.published == pytest.approx(3.205 / 2.288)
    assert first.simulated == pytest.approx(first.published)


def test_a_rise_that_the_run_lacks_or_cannot_show() -> None:
    found = compare(
        frame(
            row(cpus=16, hits_per_s=3e6),
            row(cpus=32, hits_per_s=2e6),
            row(cpus=64, hits_per_s=2e6),
            row(flavour="srcu", cpus=64),
        )
    )
    present = {(r.flavour, r.bench): r.present for r in found.rises}
    assert present["baseline", "uprobe-nop"] is False
    assert present["srcu", "uprobe-nop"] is None


def test_claims_of_the_letter_hold_in_its_own_tables(letter: Comparison) -> None:
    stated = {"5 (5.3)": 5.3}
    for claim in letter.claims:
        assert claim.simulated == pytest.approx(claim.published)
        # Its text is rounded: 8.097 is 8 M/s there, +11.2 % is +11 %, +3.66 % is +3.5 %.
        text = stated.get(claim.letter) or float(claim.letter)
        assert claim.published == pytest.approx(text, abs=0.2)
    assert [c.published for c in letter.claims[:6]] == [3.718, 8.097, 10.355, 2.361, 5.291, 5.883]
    gains = [10.355 / 8.097, 5.883 / 5.291, 3.396 / 3.276, 2.174 / 2.055]
    assert [1 + c.published / 100 for c in letter.claims[6:]] == pytest.approx(gains)


def test_a_claim_over_cells_that_the_run_lacks_is_not_measured() -> None:
    found = compare(letter_frame().filter(pl.col("cpus") != 16))
    measured = [c.name for c in found.claims if c.simulated is not None]
    assert measured == [
        "uprobe-nop, srcu -> tasks-trace with 1 CPU",
        "uretprobe-nop, srcu -> tasks-trace with 1 CPU",
    ]


def test_text_marks_calibration_cells_and_fits_the_width() -> None:
    text = render(compare(letter_frame(1.25)))
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text
    assert text.count("+25.0%*") == 2
    assert text.count("+25.0% ") + text.count("+25.0%\n") == 40
    assert "* calibration cell" in text
    assert "left out" not in text
    assert "lacks" not in text


def test_text_of_a_part_of_the_letter() -> None:
    text = render(compare(letter_frame().head(7)))
    assert "The run lacks 35 of the letter's 42 cells" in text
    assert "…" not in text


def test_colour_only_when_asked_for() -> None:
    assert "\x1b[" in render(compare(letter_frame(1.5)), colour=True)


def test_dict_survives_json(letter: Comparison) -> None:
    said = json.loads(json.dumps(letter.to_dict(), allow_nan=False))
    assert set(said) == {"summary", "rows", "missing", "left_out", "rises", "claims", "rivals"}
    assert said["rows"][0] == {
        "bench": "uprobe-nop",
        "flavour": "baseline",
        "cpus": 1,
        "published": 3.032,
        "simulated": 3.032,
        "error": 0.0,
        "calibration": True,
        "low": None,
        "high": None,
        "replicates": 1,
        "within_run_stddev": 0.023,
        "between_replicates_stddev": None,
    }
    assert said["rivals"] == []
    assert said["summary"]["calibration"]["cells"] == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(scale=st.floats(0.01, 100), seed=st.integers(0, 99))
def test_a_run_off_by_one_factor_is_off_by_it_everywhere(scale: float, seed: int) -> None:
    found = compare(letter_frame(scale).sample(fraction=1.0, shuffle=True, seed=seed))
    off = pytest.approx(abs(scale - 1), abs=1e-9)
    assert found.summary["all"].median == off
    assert found.summary["all"].p90 == off
    assert found.summary["held-out"].worst == off
    assert all(r.simulated == pytest.approx(r.published) for r in found.rises)
