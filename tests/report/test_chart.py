"""Curves drawn in letters."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from frames import letter_frame, row
from tiny import FakeExecutor, tiny_spec

from sweep import run
from sweep.cli import cli
from sweep.report.chart import chart
from sweep.report.picture import picture


@pytest.mark.parametrize("width", [40, 80, 200])
def test_every_panel_fits_and_every_design_has_its_letter(width: int) -> None:
    lines = chart(picture(letter_frame()), width).splitlines()
    assert max(map(len, lines)) <= min(width, 120)
    assert lines[-1] == "a baseline, b srcu, c tasks-trace"
    assert "\x1b" not in "".join(lines)
    titles = [line.strip() for line in lines if line.strip().endswith("-nop")]
    assert titles == ["uprobe-nop", "uretprobe-nop"]


def test_a_point_is_as_high_as_its_figure() -> None:
    from frames import frame

    lines = chart(picture(frame(row(hits_per_s=4e6), row(cpus=2, hits_per_s=8e6))), 60).splitlines()
    [low, high] = [at for at, line in enumerate(lines) if re.search(r"[│┤].*a", line)][::-1]
    assert lines[high].startswith("8.0")
    assert lines[low].split("┤")[0].split("│")[0].strip() in ("4.0", "")


def test_tables_as_json_and_as_a_chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(tiny_spec(cpus=[1, 2], probes=[1, 4]), "tiny", FakeExecutor())
    done = CliRunner().invoke(cli, ["tables", "./tiny", "--probes", "4", "--cpus", "1-9", "--json"])
    [table] = json.loads(done.stdout)["tables"]
    assert table["setting"]["probes"] == 4
    assert [line["cpus"] for line in table["rows"]] == [1, 2]
    done = CliRunner().invoke(cli, ["tables", "./tiny", "--probes", "4", "--chart"])
    assert "million hits per second" in done.stdout
    done = CliRunner().invoke(cli, ["tables", "./tiny", "--chart", "--json"])
    assert "exclude each other" in str(done.exception)
