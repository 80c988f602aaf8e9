"""The worked example of docs/guide/gate-a-patch-series.md is run as it stands there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sweep.cli import cli

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "guide" / "gate-a-patch-series.md").read_text()


def block(kind: str) -> str:
    match = re.search(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert match is not None
    return match[1]


def invoke(line: str) -> Result:
    program, *args = shlex.split(line)
    assert program == "uprobe-sweep"
    return CliRunner().invoke(cli, args, standalone_mode=False)


def test_the_gate_passes_a_better_series_and_stops_a_worse_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gate.yaml").write_text(block("yaml"))
    shutil.copy(ROOT / "specs" / "sharded-nhit.py", tmp_path)
    *runs, diff = block("sh").splitlines()
    for line in runs:
        done = invoke(line)
        assert (done.exception, done.return_value or 0) == (None, 0), done.output
    done = invoke(diff)
    assert (done.exception, done.return_value) == (None, 0), done.output
    assert "flavour: srcu -> srcu+sharded-nhit.py" in done.output
    [other] = re.findall(r"`(uprobe-sweep diff patched base [^`]*)`", PAGE)
    done = invoke(other)
    assert (done.exception, done.return_value) == (None, 1), done.output
