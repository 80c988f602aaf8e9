"""Which file a spec's name stands for."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import PROJECT, cli

from sweep.errors import UsageError
from sweep.spec.files import SPECS, load_spec, spec_file

OWN = "bench: uprobe-nop\nflavour: srcu\ncpus: 3\n"


@pytest.mark.parametrize("place", ["cover-letter.yaml", "specs/cover-letter.yml"])
def test_a_spec_of_the_user_goes_before_the_one_that_ships(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert spec_file("cover-letter") == SPECS / "cover-letter.yaml"
    Path(place).parent.mkdir(exist_ok=True)
    Path(place).write_text(OWN)
    assert load_spec("cover-letter").cpus == (3,)


def test_that_a_spec_is_not_the_one_that_ships_is_said(tmp_path: Path) -> None:
    (tmp_path / "cover-letter.yaml").write_text(OWN)
    planned = cli("plan", "cover-letter", cwd=tmp_path)
    assert planned.returncode == 0
    said = "note: cover-letter is cover-letter.yaml, not the spec of that name that ships\n"
    assert planned.stderr == said


def test_in_the_repository_they_are_the_same() -> None:
    assert "note" not in cli("plan", "cover-letter", cwd=PROJECT).stderr


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "", ".", "/", "no/such"])
def test_what_no_file_can_be_called_is_no_spec(name: str) -> None:
    with pytest.raises(UsageError, match="no such spec"):
        spec_file(name)
