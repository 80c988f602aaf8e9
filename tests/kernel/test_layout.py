"""Numbering of lines, and what a tree walk reads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.kernel.flavours import layout_of
from core.kernel.layout import Layout, process_of_cpus
from core.kernel.operation import Line


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 100), st.booleans())
def test_every_copy_of_a_line_has_a_number_of_its_own(
    probes: int, processes: int, beside: bool
) -> None:
    layout = Layout(probes, processes, beside)
    seen: list[int] = []
    for line in Line:
        if layout.home(line) is not line:
            continue
        ids = layout.line_ids(line)
        assert ids.shape == (probes,)
        first = set(ids.tolist())
        assert len(first) == (probes if line.per_probe else 1)
        copies = range(processes) if layout.stride(line) else range(1)
        seen += [number + layout.stride(line) * process for process in copies for number in first]
    assert len(seen) == len(set(seen))
    assert min(seen) >= 0
    assert max(seen) < layout.lines
    assert layout.lines == len(seen) + processes


def test_the_owner_is_beside_the_count_where_the_kernel_has_it_so() -> None:
    for beside in (False, True):
        layout = Layout(2, 3, beside)
        count, owner, seq = (
            layout.line_ids(line).tolist()
            for line in (Line.MMAP_COUNT, Line.MMAP_OWNER, Line.MMAP_SEQ)
        )
        assert (owner == count) == beside
        assert (owner == seq) == (not beside)
        assert count != seq
        assert layout.stride(Line.MMAP_OWNER) == layout.stride(Line.MMAP_COUNT) == 1


@pytest.mark.parametrize(
    ("release", "beside"),
    [
        ("v6.9", True),
        ("v6.12", True),
        ("v6.12-late", True),
        ("v6.13", False),
        ("v6.18", False),
        ("v7.0", True),
        ("baseline", True),
        ("tasks-trace", True),
        ("v6.13~mm-cid-cpus-allowed", True),
        ("tasks-trace+mm-cid-cpus-allowed", False),
    ],
)
def test_a_release_has_its_own_layout_and_the_axis_overrules_it(release: str, beside: bool) -> None:
    assert layout_of(release, "default", 3, 2) == Layout(3, 2, beside)
    assert layout_of(release, "true", 3) == Layout(3, 1, True)
    assert layout_of(release, "false", 3) == Layout(3, 1, False)


def test_what_a_process_has_for_itself() -> None:
    layout = Layout(4, 4)
    own = {line for line in Line if layout.stride(line)}
    mmap_lock = {Line.MMAP_COUNT, Line.MMAP_OWNER, Line.MMAP_SEQ}
    assert own == {*mmap_lock, Line.XOL_AREA, Line.XOL_BITMAP, Line.SIGLOCK}


@settings(deadline=None)
@given(st.integers(1, 300), st.data())
def test_processes_are_blocks_of_neighbours(cpus: int, data: st.DataObject) -> None:
    processes = data.draw(st.integers(1, cpus))
    process = process_of_cpus(cpus, processes)
    sizes = np.bincount(process)
    assert (np.diff(process) >= 0).all()
    assert len(sizes) == processes
    assert sizes.max() - sizes.min() <= 1
    assert process[cpus // 2] == cpus // 2 * processes // cpus


def test_a_process_without_a_cpu_is_refused() -> None:
    with pytest.raises(ValueError, match="3 processes on 2 CPUs: allowed are 1 to 2"):
        process_of_cpus(2, 3)
