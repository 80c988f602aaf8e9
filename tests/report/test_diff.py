"""What changed between two runs, tested on runs made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from frames import frame, row
from scipy import stats

from sweep.errors import UsageError
from sweep.report.diff import NONE, PAIRED, RANKS, SAME, SAMPLES, difference
from sweep.report.diff_text import render


def rows(*rates: float, **given: Any) -> list[dict[str, Any]]:
    return [row(replicate=n, hits_per_s=rate, **given) for n, rate in enumerate(rates)]


def test_the_same_run_is_identical() -> None:
    found = difference(frame(*rows(1e6, 2e6)), frame(*rows(1e6, 2e6)))
    [cell] = found.cells
    assert (cell.test.name, cell.change) == (SAME, 0.0)
    assert found.runs == {}
    assert found.beyond(0.0) == []


def test_repeats_of_the_same_seeds_are_paired() -> None:
    # Each pair is 10 % up, with large differences between pairs that cancel.
    before, after = (1e6, 5e6, 9e6), (1.1e6, 5.5e6 * 1.001, 9.9e6)
    [cell] = difference(frame(*rows(*before)), frame(*rows(*after))).cells
    logs = np.log(np.divide(after, before))
    assert cell.test.name == PAIRED
    assert cell.test.p == pytest.approx(stats.ttest_1samp(logs, 0).pvalue)
    assert cell.test.effect == pytest.approx(logs.mean() / logs.std(ddof=1))
    assert cell.test.low is not None
    assert 0.09 < cell.test.low < 0.1 < (cell.test.high or 0) < 0.11


def test_measurements_are_tested_by_ranks() -> None:
    before = [1e6, 1.01e6, 0.99e6, 1.02e6]
    after = [1.2e6, 1.22e6, 1.19e6, 1.23e6]
    sides = [frame(*rows(*side, source="live", samples=5)) for side in (before, after)]
    [cell] = difference(*sides).cells
    assert cell.test.name == RANKS
    assert cell.test.p == pytest.approx(2 / 70)
    assert (cell.test.low or 0) < cell.change < (cell.test.high or 0)  # type: ignore[operator]


def test_single_measurements_are_tested_by_their_samples() -> None:
    about = {"source": "live", "samples": 6, "hits_per_s_stddev": 1e4}
    [cell] = difference(frame(row(**about)), frame(row(**about, hits_per_s=3.1e6))).cells
    expected = stats.ttest_ind_from_stats(3e6, 1e4, 6, 3.1e6, 1e4, 6, equal_var=False)
    assert (cell.test.name, cell.test.p) == (SAMPLES, pytest.approx(expected.pvalue))
    assert cell.test.effect == pytest.approx(10)


def test_noise_is_not_beyond_a_threshold_and_what_cannot_be_tested_is() -> None:
    noisy = {"source": "live", "samples": 6, "hits_per_s_stddev": 1e6}
    found = difference(frame(row(**noisy)), frame(row(**noisy, hits_per_s=3.5e6)))
    assert found.beyond(0.05) == []
    logs = {"source": "log", "samples": 0}
    found = difference(frame(row(**logs)), frame(row(**logs, hits_per_s=3.5e6)))
    assert found.cells[0].test.name == NONE
    assert len(found.beyond(0.05)) == 1
    assert found.beyond(0.05, slower=True) == []
    assert "1 of 1 cells changed by more than 5.0%" in render(found, 0.05)


def test_p_is_for_all_cells_at_once() -> None:
    about = {"source": "live", "samples": 6, "hits_per_s_stddev": 1e5}
    before = frame(*(row(**about, cpus=n) for n in range(1, 11)))
    after = frame(
        *(row(**about, cpus=n, hits_per_s=3.2e6 if n == 1 else 3e6) for n in range(1, 11))
    )
    cells = difference(before, after).cells
    assert (cells[0].adjusted or 0) == pytest.approx(10 * (cells[0].test.p or 0))


def test_cells_of_one_run_only_are_listed() -> None:
    found = difference(frame(*rows(1e6), row(cpus=2)), frame(*rows(1e6), row(cpus=4)))
    assert [cell["cpus"] for cell in (*found.only_before, *found.only_after)] == [2, 4]
    assert "only in the first run, 1:" in render(found, None)


def test_one_design_each_may_differ_and_that_is_said() -> None:
    before = frame(row(flavour="v6.14", model_version="1", machine_digest="a"))
    after = frame(row(flavour="v6.14+mine.py", model_version="2", machine_digest="b"))
    found = difference(before, after)
    assert len(found.cells) == 1
    assert dict(found.runs) == {
        "flavour": ("v6.14", "v6.14+mine.py"),
        "machine_digest": ("a", "b"),
        "model_version": ("1", "2"),
    }


def test_probes_have_to_agree() -> None:
    with pytest.raises(UsageError, match="no cell has the same bench"):
        difference(frame(row(probes=1)), frame(row(probes=2)))


def test_several_measurements_of_one_cell_are_refused() -> None:
    kernels = frame(row(source="live", kernel="6.12"), row(source="live", kernel="6.14"))
    with pytest.raises(UsageError, match=r"several kernel: choose by --only kernel=6.12, kernel=6"):
        difference(frame(row()), kernels)
