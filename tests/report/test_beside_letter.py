"""A run beside the letter: errors, summary, rises, claims and how they are said."""

import json
import re
from collections.abc import Iterator, Sequence

import polars as pl
import pytest
from frames import frame, letter_frame, row
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweep.errors import UsageError
from sweep.letter.baselines import BASELINES, Baseline
from sweep.letter.comparison import LetterComparison
from sweep.letter.published import published_mhits
from sweep.report.compare import Comparison, beside_published
from sweep.report.compare_text import render

BOUNDS = ("predicted_low", "predicted_high")
FITTED = frozenset({("baseline", "uprobe-nop", 1), ("srcu", "uprobe-nop", 1)})


@pytest.fixture(autouse=True)
def _fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    for reader in ("comparison", "published"):
        monkeypatch.setattr(f"sweep.letter.{reader}.calibration_cells", lambda: FITTED)


def beside(run: pl.DataFrame, baselines: Sequence[Baseline] = ()) -> Comparison:
    """A run beside the letter."""
    return beside_published("run", run, baselines)


def compare(run: pl.DataFrame, baselines: Sequence[Baseline] = ()) -> LetterComparison:
    """What a run of one setting comes to beside the letter."""
    [found] = beside(run, baselines).letter.values()
    return found


@pytest.fixture(name="letter", scope="module")
def _letter() -> Iterator[LetterComparison]:
    """The letter held against itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sweep.letter.comparison.calibration_cells", lambda: FITTED)
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


def test_the_letter_agrees_with_itself(letter: LetterComparison) -> None:
    assert len(letter.rows) == 42
    assert letter.missing == ()
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
    found = beside(frame(row(hits_per_s=3e6), row(hits_per_s=9e6, **other)))
    [only] = found.letter["run"].rows
    assert only.simulated == pytest.approx(3.0)
    assert found.left_out == 1
    assert "1 row of the run left out" in render(found)


@pytest.mark.parametrize("rows", [[], [row(probes=2)], [row(cpus=3)]])
def test_a_run_with_nothing_to_compare(rows: list[dict[str, object]]) -> None:
    with pytest.raises(UsageError, match=r"nothing to compare.*xeon-gold-6138.*shared.*probes=1"):
        compare(frame(*rows))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("model_version", ("1", "2")),
        ("machine_digest", ("a", "b")),
        ("duration_s", (0.25, 0.5)),
        ("ensemble", (0, 12)),
        ("source", ("log", "simulated")),
        ("schema_version", (2, 3)),
    ],
)
@pytest.mark.parametrize("cpus", [1, 2])
def test_rows_that_differ_are_columns_of_their_own(
    column: str, values: tuple[object, object], cpus: int
) -> None:
    one, other = values
    found = beside(frame(row(**{column: one}), row(cpus=cpus, hits_per_s=5e6, **{column: other})))
    names = [f"run {column}={value}" for value in values]
    if column == "schema_version":  # How a row is written says nothing of it.
        assert [c.name for c in found.columns] == ["published", "run"]
        return
    assert [c.name for c in found.columns] == ["published", *names]
    assert [found.letter[name].rows[0].simulated for name in names] == [3.0, 5.0]
    assert [found.letter[name].rows[0].replicates for name in names] == [1, 1]
    said = render(found)
    assert f"{column}={one}" in said
    assert f"{column}={other}" in said


def with_interval(low: float | None, high: float | None, **given: object) -> pl.DataFrame:
    """One cell with an interval, in hits per second."""
    bounds = [pl.lit(low, pl.Float64).alias("predicted_low")]
    bounds += [pl.lit(high, pl.Float64).alias("predicted_high")]
    return frame(row(**given)).with_columns(bounds)


def test_an_interval_stands_beside_the_simulated_figure() -> None:
    # The letter has 4.125 and 7.713.
    inside = with_interval(4.0e6, 4.25e6, flavour="srcu", cpus=2, hits_per_s=4.1e6)
    above = with_interval(7.8e6, 10.5e6, flavour="srcu", cpus=4, hits_per_s=9e6)
    mixed = beside(pl.concat([inside, above]))
    found = mixed.letter["run"]
    first, second = found.rows
    assert (first.low, first.high, first.within) == (4.0, 4.25, True)
    assert second.within is False
    assert (found.summary["all"].intervals, found.summary["all"].coverage) == (2, 0.5)
    assert found.summary["calibration"].coverage is None
    text = render(mixed)
    assert re.search(r" 4\.100 \[4\.000, 4\.250\] +-0\.6%\n", text)
    assert re.search(r" 9\.000 \[7\.800, 10\.500\]! +\+16\.7%\n", text)
    assert "held-out" in text.partition("inside the 90 % interval")[2]


@pytest.mark.parametrize("bounds", [(None, None), (3e6, None), (None, 4e6)])
def test_half_an_interval_is_none(bounds: tuple[float | None, float | None]) -> None:
    mixed = beside(with_interval(*bounds))
    found = mixed.letter["run"]
    [only] = found.rows
    assert (only.low, only.high, only.within) == (None, None, None)
    assert found.summary["all"].coverage is None
    assert "90 %" not in render(mixed)


def test_a_cell_without_an_interval_among_others_with_one() -> None:
    made = pl.concat([with_interval(3e6, 4e6), with_interval(None, None, flavour="srcu")])
    text = render(beside(made))
    assert "3.000 [3.000, 4.000]" in text
    assert "3.000 ± 0.000" in text


def test_intervals_of_replicates_are_averaged_if_all_have_one() -> None:
    bounds = ((2e6, 4e6), (3e6, 6e6), (None, 9e6))
    replicates = [with_interval(*b, replicate=r) for r, b in enumerate(bounds)]
    [only] = compare(pl.concat(replicates[:2])).rows
    assert (only.low, only.high) == (2.5, 5.0)
    [only] = compare(pl.concat(replicates)).rows
    assert (only.low, only.high) == (None, None)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(
    st.lists(
        st.tuples(st.floats(0.1, 9), st.booleans(), st.sampled_from([0, 12])),
        min_size=1,
        max_size=6,
    )
)
def test_a_mean_is_never_outside_its_own_interval(
    repeats: list[tuple[float, bool, int]],
) -> None:
    made = [
        row(
            replicate=at,
            hits_per_s=mean * 1e6,
            ensemble=ensemble,
            predicted_low=mean * 0.9e6 if known else None,
            predicted_high=mean * 1.1e6 if known else None,
        )
        for at, (mean, known, ensemble) in enumerate(repeats)
    ]
    figures = [figure for cell in beside(frame(*made)).cells for figure in cell.figures if figure]
    assert sum(figure.replicates for figure in figures) == 42 + len(repeats)
    assert all(f.low is None or f.low <= f.mean <= (f.high or 0) for f in figures)


def test_the_published_figure_on_a_bound_is_inside() -> None:
    [only] = compare(with_interval(3.032e6, 3.032e6)).rows
    assert only.within is True


def test_spread_within_runs_and_between_them_are_two_figures() -> None:
    made = [
        row(replicate=r, hits_per_s=mean, hits_per_s_stddev=spread)
        for r, (mean, spread) in enumerate(((1e6, 0.3e6), (2e6, 0.4e6), (6e6, 0.0)))
    ]
    [only] = compare(frame(*made)).rows
    assert only.replicates == 3
    # The variances are 0.09, 0.16 and 0; the means 1, 2 and 6 lie -2, -1 and 3 from theirs.
    assert only.within_run_stddev == pytest.approx((0.25 / 3) ** 0.5)
    assert only.between_replicates_stddev == pytest.approx(7**0.5)
    text = render(beside(frame(*made)))
    assert "± between" in text
    assert "0.289      2.646" in text


def test_a_single_replicate_has_no_spread_between() -> None:
    mixed = beside(frame(row(hits_per_s_stddev=2e5)))
    found = mixed.letter["run"]
    assert found.rows[0].within_run_stddev == pytest.approx(0.2)
    assert found.rows[0].between_replicates_stddev is None
    assert "± between" not in render(mixed)


def steady(name: str, most_cpus: int) -> Baseline:
    """A baseline that gives the 1-CPU figure at every count."""
    return Baseline(name, lambda curve: lambda cpus: curve[1], most_cpus)


def test_a_baseline_is_fitted_on_the_letter_and_held_to_the_cells_of_the_run() -> None:
    made = frame(row(hits_per_s=9e6), row(cpus=2, hits_per_s=9e6), row(cpus=4, hits_per_s=9e6))
    [found] = compare(made, [steady("steady", 2)]).baselines
    assert [(c.cpus, c.predicted, c.fitted) for c in found.cells] == [
        (1, 3.032, True),
        (2, 3.032, True),
        (4, 3.032, False),
    ]
    assert found.cells[1].error == pytest.approx(3.032 / 3.452 - 1)
    assert {name: part.cells for name, part in found.summary.items()} == {
        "all": 3,
        "not fitted": 1,
    }
    assert found.summary["not fitted"].worst == pytest.approx(1 - 3.032 / 3.663)
    assert all((r.simulated, r.present) == (1.0, False) for r in found.rises)


def test_baselines_in_text_and_json() -> None:
    found = beside(letter_frame(), BASELINES)
    text = render(found)
    assert max(map(len, text.splitlines())) <= 100
    assert "…" not in text
    assert re.search(r"USL, N <= 8: not fitted +18 ", text)
    assert "USL, all N: not fitted" not in text
    assert re.search(r"present in +6 of 6 +6 of 6 +0 of 6 +0 of 6 +0 of 6 +0 of 6\n", text)
    said = json.loads(json.dumps(found.to_dict(), allow_nan=False))["baselines"]
    assert [baseline["name"] for baseline in said] == [baseline.name for baseline in BASELINES]
    assert all(len(baseline["cells"]) == 42 and len(baseline["rises"]) == 6 for baseline in said)
    assert said[0]["summary"]["not fitted"]["cells"] == 18
    assert "USL" not in render(beside(letter_frame()))


def test_text_with_everything_fits_the_width() -> None:
    factors = (0.8, 1.25)
    made = pl.concat([letter_frame(f, replicate=r) for r, f in enumerate(factors)])
    bounds = [(pl.col("hits_per_s") * f).alias(c) for c, f in zip(BOUNDS, factors, strict=True)]
    text = render(beside(made.with_columns(bounds), BASELINES))
    assert max(map(len, text.splitlines())) <= 100
    assert len(re.findall(r"^\S+nop +tasks-trace ", text, re.MULTILINE)) == 28


def test_the_letter_rises_from_32_to_64_cpus_in_every_column(letter: LetterComparison) -> None:
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


def test_claims_of_the_letter_hold_in_its_own_tables(letter: LetterComparison) -> None:
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
    text = render(beside(letter_frame(1.25)))
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text
    assert len(re.findall(r"± \d\.\d{3}\* +\+25\.0%\n", text)) == 2
    assert text.count("+25.0%\n") == 42
    assert "* calibration cell" in text
    assert "left out" not in text
    assert "lacks" not in text


def test_text_of_a_part_of_the_letter() -> None:
    text = render(beside(letter_frame().head(7)))
    assert "The run lacks 35 of the letter's 42 cells" in text
    assert "…" not in text


def test_colour_only_when_asked_for() -> None:
    assert "\x1b[" in render(beside(letter_frame(1.5)), colour=True)


def test_dict_survives_json(letter: LetterComparison) -> None:
    said = json.loads(json.dumps(letter.to_dict(), allow_nan=False))
    assert set(said) == {"summary", "rows", "missing", "rises", "claims", "baselines"}
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
    assert said["baselines"] == []
    assert said["summary"]["calibration"]["cells"] == 2


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(scale=st.floats(0.01, 100), seed=st.integers(0, 99))
def test_a_run_off_by_one_factor_is_off_by_it_everywhere(scale: float, seed: int) -> None:
    found = compare(letter_frame(scale).sample(fraction=1.0, shuffle=True, seed=seed))
    off = pytest.approx(abs(scale - 1), abs=1e-9)
    assert found.summary["all"].median == off
    assert found.summary["all"].p90 == off
    assert found.summary["held-out"].worst == off
    assert all(r.simulated == pytest.approx(r.published) for r in found.rises)
