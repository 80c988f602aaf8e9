"""Lines of a journal that are none: named and left out, and the rest is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny import FakeExecutor, fake_result, tiny_spec

from sweep.driver.driver import run
from sweep.plan.plan import plan
from sweep.store.folder import JOURNAL, RUN
from sweep.store.journal import Entry, read_journal
from sweep.store.schema import row

SPEC = tiny_spec(cpus=[1, 2])
ENTRIES = [Entry(row(c, fake_result(c), "r"), fake_result(c).attribution) for c in plan(SPEC)]
LINES = [json.dumps(entry._asdict()) for entry in ENTRIES]


def changed(**columns: Any) -> str:
    return json.dumps({"row": {**ENTRIES[1].row, **columns}, "attribution": []})


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"row":' * 50_000,
        "3",
        "null",
        "{}",
        "\x00\x00",
        '{"row": [], "attribution": []}',
        '{"failure": {"cell_id": 3}}',
        changed(cpus="2"),
        changed(cpus=True),
        changed(cpus=None),
        changed(cpus=2**63),
        changed(cpus=2.0),
        changed(bench=3),
        changed(hits_per_s=float("nan")),
        changed(hits_per_s="fast"),
        changed(hits_per_s=None),
        changed(more=1),
        changed(cell_id=""),
        changed(cell_id="bc810befd34010f:9"),
        changed(flavour="tasks-trac"),
        changed(hz=251),
        changed(predicted_low=2.0, predicted_high=1.0),
        changed(hits_per_s_per_cpu=1.5),
        changed(schema_version="1"),
        json.dumps({"row": ENTRIES[1].row, "attribution": [["f", "o", "l", "d", "many"]]}),
        json.dumps({"row": ENTRIES[1].row, "attribution": [[1]]}),
        json.dumps({"row": ENTRIES[1].row, "attribution": 3}),
    ],
)
def test_a_line_that_is_no_entry_is_named_and_left_out(
    line: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / JOURNAL
    path.write_text(f"{LINES[0]}\n{line}\n{LINES[1]}\n")
    assert [entry.row["cpus"] for entry in read_journal(path).entries] == [1, 2]
    assert caplog.messages == [
        f"left out: {path}:2 is no entry of a journal; its cell is simulated again"
    ]


def test_a_cell_with_two_rates_is_named_and_simulated_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / JOURNAL
    other = changed(hits_per_s=8.0, hits_per_s_per_cpu=4.0)
    path.write_text("\n".join([*LINES, LINES[1], other, ""]))
    assert [entry.row["cpus"] for entry in read_journal(path).entries] == [1]
    assert caplog.messages == [
        f"left out: {path}:4 is no entry of a journal; its cell is simulated again"
    ]


@pytest.mark.parametrize("line", [LINES[1][:50], changed(schema_version=1)])
def test_what_was_not_finished_or_is_of_another_version_is_left_out(
    line: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / JOURNAL
    path.write_text(f"{LINES[0]}\n{line}")
    assert len(read_journal(path).entries) == 1
    assert caplog.messages == []


@pytest.mark.parametrize("about", ["[]", "{}", "[" * 100_000, '{"provenance": 3}', "nonsense", "7"])
def test_a_run_goes_on_though_what_describes_it_is_broken(
    about: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(SPEC, tmp_path, FakeExecutor())
    good = json.loads((tmp_path / RUN).read_text())["provenance"]
    (tmp_path / RUN).write_text(about)
    assert run(tiny_spec(cpus=[1, 2, 4]), tmp_path, FakeExecutor()).done == 1
    assert f"left out: cannot read {tmp_path / RUN}" in caplog.text
    mended = json.loads((tmp_path / RUN).read_text())["provenance"]
    assert mended.keys() == good.keys()
