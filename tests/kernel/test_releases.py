"""Which design a kernel is taken for, and what is said of it."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.patches import PATCHES
from core.kernel.releases import RELEASES, TooOldError, landed_in, modelled

NAMES = [patch.name for patch in PATCHES]


@pytest.mark.parametrize(
    ("kernel", "release", "said"),
    [
        ("v6.12", "v6.12", ()),
        ("6.11", "v6.11", ()),
        ("6.11.0", "v6.11", ()),
        ("7.0.3", "v7.0", ()),
        ("6.12.0-55.el10", "v6.12", ("6.12.y in March 2026", "'-55.el10' was built with is not")),
        ("6.12.48+deb13-amd64", "v6.12", ("6.12.75 by estimate", "'+deb13-amd64'")),
        ("6.12.90", "v6.12-late", ("6.12.75 by estimate",)),
        ("v6.12-late", "v6.12-late", ()),
        ("6.6.31+rpt", "v6.9", ("6.6 is as v6.9: no change", "'+rpt'")),
        ("6.8.0-45-generic", "v6.9", ("6.8 is as v6.9", "'-45-generic'")),
        ("6.10.3", "v6.10", ()),
        ("6.6.36.3-microsoft-standard-WSL2", "v6.9", ("6.6 is as v6.9", "WSL2' was built")),
        ("6.17.0-rc1", "v6.16", ("6.17 is as v6.16", "rc1 is taken to have all that 6.17 has")),
        ("6.18.0-rc3", "v6.18", ("rc3 is taken to have all that 6.18 has",)),
        ("6.19.2", "v6.18", ("6.19 is as v6.18", "mm_mm_cid came with v6.19 or v7.0")),
        ("8.1.0", list(RELEASES)[-1], ("8.1 is newer than ",)),
        (" v6.13.1\n", "v6.13", ()),
    ],
)
def test_a_kernel_is_the_last_release_not_after_it(
    kernel: str, release: str, said: tuple[str, ...]
) -> None:
    taken = modelled(kernel)
    assert taken.release.name == release
    assert len(taken.assumed) == len(said)
    for part, assumed in zip(said, taken.assumed, strict=True):
        assert part in assumed


@pytest.mark.parametrize("kernel", ["5.15.0-1051-aws", "4.18.0-553.el8", "6.3.13", "0.1"])
def test_a_kernel_before_the_oldest_is_refused_and_told_the_nearest(kernel: str) -> None:
    with pytest.raises(TooOldError, match=f"{kernel} is older than 6.4, .*--flavour v6.9"):
        modelled(kernel)


@pytest.mark.parametrize(
    "text", ["", "6", "six", "v6.", "6.12x", "6.12.8x", "x6.12", "nop5", "6,12"]
)
def test_what_is_no_release_is_no_release(text: str) -> None:
    with pytest.raises(KeyError):
        modelled(text)


@given(st.integers(4, 40), st.integers(0, 400), st.sampled_from(["", "-rc2", "-91-generic", "+"]))
def test_a_later_kernel_never_has_fewer_patches(minor: int, sublevel: int, suffix: str) -> None:
    one = modelled(f"6.{minor}.{sublevel}{suffix}")
    for later in (f"6.{minor}.{sublevel + 1}", f"6.{minor + 1}.0", "7.0"):
        assert one.release.patches <= modelled(later).release.patches
    assert one.release.since <= (6, minor, sublevel)


def test_the_table_of_the_docs_is_this_one() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "hot-path.md").read_text()
    rows = dict(re.findall(r"^\| `(v[0-9][^`]*)` (\|.*)$", text, re.M))
    assert list(rows) == list(RELEASES)
    for name, release in RELEASES.items():
        added = {patch for patch in release.patches if landed_in(patch) == name}
        stages = {patch.name for patch in PATCHES if 1 <= patch.stage <= 7}
        said = set(re.findall(r"`([a-z0-9-]+)`", rows[name]))
        assert said == added - stages, name
        assert ("stages 1 to 7" in rows[name]) == (stages <= added)
        assert f" {release.first}" in rows[name]


def test_releases_add_patches_in_the_order_of_landing() -> None:
    order = [name for r in RELEASES.values() for name in NAMES if landed_in(name) == r.name]
    assert sorted(order) == sorted(NAMES)
    for one, other in pairwise(RELEASES.values()):
        assert one.patches < other.patches
        assert one.since < other.since
    assert all(r.patches <= set(NAMES) for r in RELEASES.values())
