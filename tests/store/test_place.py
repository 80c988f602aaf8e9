"""One place for a name, written and read."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tiny import FakeExecutor, tiny_spec

from sweep import scan
from sweep.cli import cli
from sweep.driver.driver import run
from sweep.errors import UsageError
from sweep.store.place import located, parents

SPEC = tiny_spec(cpus=[1, 2])


@pytest.mark.parametrize(
    "name", ["h[1]", "h*", "h#1", "h?x=1", "h%20x", "h x", "{h}", "h~", "ä", "-h", "a:b", "h\\1"]
)
def test_a_folder_of_any_name_is_written_and_read_by_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(SPEC, located(name), FakeExecutor())
    run(tiny_spec(cpus=[4]), located("h1"), FakeExecutor())
    assert sorted(scan(located(name)).collect()["cpus"]) == [1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "h1"])
    for command in ("tables", "failures", "compact"):
        done = CliRunner().invoke(cli, [command, "--", name])
        assert done.exit_code == 0, done.output
    assert run(SPEC, located(name), FakeExecutor()).done == 0


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("h#1", "#"),
        ("h[1]", "["),
        ("h?x", "?"),
        ("h%20x", "%"),
        ("h x", " "),
        ("h*", "*"),
        ("ä", "ä"),
        ("a//b", "//"),
        ("a/../b", ".."),
        ("./b", "."),
        ("a\\b", "\\"),
    ],
)
def test_a_uri_that_would_be_read_differently_is_refused(name: str, odd: str) -> None:
    with pytest.raises(UsageError) as caught:
        located(f"s3://bucket/{name}")
    assert f"{odd!r} cannot be in the URI of a run" in str(caught.value)


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_a_uri_that_is_taken_stays_as_it_is(rest: str) -> None:
    uri = f"s3://bucket/{rest}"
    try:
        where = located(uri)
    except UsageError:
        return
    assert where == uri.rstrip("/")
    assert located(str(where)) == where


@pytest.mark.parametrize("text", ["", "a\0b"])
def test_what_names_no_folder_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no folder"):
        located(text)


@pytest.mark.parametrize("inside", ["more", "cells", "a/b"])
def test_a_run_inside_another_is_refused_before_anything_is_simulated(
    inside: str, tmp_path: Path
) -> None:
    run(SPEC, tmp_path / "run", FakeExecutor())
    (tmp_path / "link").symlink_to("run")
    before = sorted(tmp_path.rglob("*"))
    for outer in ("run", "link"):
        executor = FakeExecutor()
        with pytest.raises(UsageError, match=r"is inside the run .*run; a run has a folder of its"):
            run(SPEC, tmp_path / outer / inside, executor)
        assert executor.seen == []
    assert sorted(tmp_path.rglob("*")) == before


def test_folders_above_a_uri() -> None:
    assert parents("s3://b/x/y") == ["s3://b/x", "s3://b"]
