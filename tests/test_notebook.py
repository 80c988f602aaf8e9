"""The notebook of docs/guide/ runs from its first cell to its last."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from guide import GUIDE


def test_the_notebook_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, found = runpy.run_path(str(GUIDE / "questions.py"))["app"].run()
    assert found["speedup"].filter(flavour="v6.13", cpus=8)["speedup"].min() > 1
    assert len(found["knee"]) == len(found["peak"]) == len(found["best"]) == 4
    assert found["waits"]["share"].is_between(0, 1).all()
    assert (tmp_path / "results" / "runs" / "notebook" / "run.json").is_file()
