from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from tiny import tiny_spec

from sweep.errors import UsageError
from sweep.machines.named import named_machine
from sweep.plan.plan import plan
from sweep.service.parcel import pack
from sweep.spec.files import load_spec
from sweep.spec.spec import Spec


def unpacked(spec: Spec, folder: Path) -> Spec:
    folder.mkdir()
    pack(spec).write(folder)
    return load_spec(folder / "spec.yaml")


def ids(spec: Spec) -> list[str]:
    return [cell.cell_id for cell in plan(spec)]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A machine file, in another folder than the one we are in."""
    from sweep.machines.machine_file import machine_text

    machine = named_machine("epyc-milan").with_calibration(None)
    path = tmp_path / "machines" / "own.yaml"
    path.parent.mkdir()
    path.write_text(machine_text(machine, ["mine"]).replace("name: epyc-milan", "name: own"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return str(path)


def test_the_cells_are_the_same_at_the_other_end(own: str, tmp_path: Path) -> None:
    spec = tiny_spec(machine=[own, "xeon-gold-6138", "host"], cpus=1, seed=[3, 4])
    assert ids(unpacked(spec, tmp_path / "sent")) == ids(spec)


def test_a_python_spec_is_sent_as_data(tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text(
        "import sweep\nspec = sweep.Spec(bench='uprobe-nop', flavour='srcu', cpus=[1, 2])\n"
    )
    parcel = pack(load_spec(path))
    assert list(parcel.files) == ["spec.yaml"]
    assert ids(unpacked(load_spec(path), tmp_path / "sent")) == ids(load_spec(path))


def test_equal_specs_make_the_same_run() -> None:
    assert pack(tiny_spec(cpus=[1, 2])).run == pack(tiny_spec(cpus=[2, 1])).run
    assert pack(tiny_spec()).run.startswith("tiny-")


def test_what_is_asked_for_and_where_it_lands_make_another(own: str) -> None:
    runs = {
        pack(tiny_spec()).run,
        pack(tiny_spec(cpus=[1, 2, 4])).run,
        pack(tiny_spec(seed=1)).run,
        pack(tiny_spec(machine=own)).run,
        pack(tiny_spec(), "/elsewhere").run,
        pack(tiny_spec(name="other")).run,
    }
    assert len(runs) == 6


def test_a_machine_counts_by_its_values_not_its_path(own: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.yaml"
    copy.write_text(Path(own).read_text())
    before = pack(tiny_spec(machine=own)).run
    assert pack(tiny_spec(machine=str(copy))).run == before
    copy.write_text(copy.read_text().replace("jitter: 0.", "jitter: 0.1", 1))
    assert pack(tiny_spec(machine=str(copy))).run != before


@pytest.mark.parametrize(
    "out", ["here", "../up", "/runs/../../etc", "~/runs", "C:\\runs", "s3:/x", "$HOME/x"]
)
def test_a_place_has_to_be_absolute(out: str) -> None:
    with pytest.raises(UsageError, match="absolute path or a URI"):
        pack(tiny_spec(), out)


@pytest.mark.parametrize("out", ["/runs/a b", "/runs/$(reboot)", "s3://bucket/x~y", "/a'b"])
def test_a_place_is_a_word_to_the_shell(out: str) -> None:
    words = shlex.split(pack(tiny_spec(), out).command("--groups", "2"), posix=True)
    assert words[words.index("--out") + 1] == out
    assert words[-2:] == ["--groups", "2"]
