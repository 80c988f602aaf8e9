"""Specs are data, and their names stay in the results folder. (On Ray: test_service_on_ray.py.)"""

from __future__ import annotations

from pathlib import Path

import pytest

from sweep.driver.driver import survey
from sweep.errors import UsageError
from sweep.spec.files import load_spec
from sweep.store.scan import RUNS

AXES = "bench: uprobe-nop\nflavour: srcu\ncpus: 1\n"


@pytest.mark.parametrize(
    "code",
    [
        "!!python/object/apply:os.system ['touch broken']",
        "!!python/object/new:os.system ['touch broken']",
        "!!python/name:os.system",
        "!!python/module:os",
    ],
)
@pytest.mark.parametrize("axis", ["name", "seed", "machine", "more"])
def test_yaml_runs_no_code(
    code: str, axis: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = tmp_path / "bad.yaml"
    spec.write_text(f"{AXES}{axis}: {code}\n")
    with pytest.raises(UsageError):
        load_spec(spec)
    assert list(tmp_path.iterdir()) == [spec]


@pytest.mark.parametrize(
    "name", ["..", "../up", "/etc", "a/b", "a\\b", ".hidden", "~", "", "a\0b", "$HOME", "a\nb"]
)
def test_a_name_cannot_leave_the_results(name: str, tmp_path: Path) -> None:
    spec = tmp_path / "bad.yaml"
    spec.write_text(f"{AXES}name: {name!r}\n".replace("\\x00", "\\0"))
    with pytest.raises(UsageError):
        load_spec(spec)


def test_a_name_is_a_folder_among_the_results(tmp_path: Path) -> None:
    spec = tmp_path / "good.yaml"
    spec.write_text(f"{AXES}name: a..b-1_c\n")
    assert survey(load_spec(spec)).out.parent == RUNS
