"""Machines by name, file and host; what a broken machine file is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hosts import cores_first, write_host
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import tiny_spec

from core.machine.machine import MACHINES, load_machine
from sweep.errors import UsageError
from sweep.machines import host
from sweep.machines import named as machines
from sweep.machines.named import MachineError, named_machine, valid_machine
from sweep.plan.plan import plan
from sweep.spec.files import load_spec
from sweep.spec.spec import override

TEXT = (Path(str(MACHINES)) / "xeon-gold-6138.yaml").read_text()
[LOOKUP] = re.findall(r"    vma_lookup: [0-9]+\n", TEXT)


def line_of(text: str, key: str) -> int:
    return next(i for i, line in enumerate(text.splitlines(), 1) if line.strip().startswith(key))


def test_a_name_is_a_shipped_machine_and_a_path_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text(TEXT.replace("name: xeon-gold-6138", "name: mine"))
    assert named_machine("xeon-gold-6138") == load_machine("xeon-gold-6138")
    assert named_machine(str(path)).name == "mine"


@pytest.mark.parametrize(
    ("old", "new", "at", "said"),
    [
        (
            "  smt_yield: 1.3",
            "  smt_yeild: 1.3",
            None,
            "execution.smt_yeild: unknown key: did you ",
        ),
        (
            "    trap_entry:",
            "    trap_entri:",
            None,
            "execution.work_cycles.trap_entri: unknown key",
        ),
        (LOOKUP, "", "work_cycles:", "work_cycles: vma_lookup missing"),
        ("sockets: 2", "socket: 2", None, "socket: unknown key: did you mean 'sockets'?"),
        ("  request_ns: 8.5\n", "", "coherence:", "coherence.request_ns: is missing"),
        ("  request_ns: 8.5", "  request_ns: -1", None, "request_ns: Input should be greater"),
        ("  request_ns: 8.5", "  request_ns: fast", None, "valid number, got 'fast'"),
        ("  request_ns: 8.5", "  request_ns: .nan", None, "request_ns: Input should be"),
        (
            "ghz: 3.4}",
            "ghz: 34}",
            "- {active_cores: 8",
            "turbo.2.ghz: Input should be less than 10",
        ),
        (
            "ghz: 3.4}",
            "ghz: 3.4, bin: 1}",
            "- {active_cores: 8",
            "turbo.2.bin: unknown key",
        ),
        ("sockets: 2", "sockets: 200", "threads_per_core", "8,000 CPUs: allowed are at most 1,024"),
        ("cores_per_cache: 20", "cores_per_cache: 3", None, "3 does not divide 20 cores: nearest"),
        ("{active_cores: 8", "{active_cores: 3", "turbo:", "turbo must rise in active_cores"),
        ("numbering: cores-first", "numbering: odd", None, "numbering: Input should be 'cores-"),
        (
            "  sibling_ns: 0.2",
            "  sibling_ns: 0.2\n  sibling_ns: 0.3",
            None,
            "sibling_ns is given twice, first in",
        ),
        ("name: xeon", "name: [", None, "broken YAML"),
        ("coherence:", "coherence: 3\nmore:", "coherence:", "unknown key"),
        ("coherence:", "coherence:\n  1: 2", "coherence:", "coherence.1: Keys should be strings"),
    ],
)
def test_a_broken_file_is_one_line_with_its_place(
    tmp_path: Path, old: str, new: str, at: str | None, said: str
) -> None:
    path = tmp_path / "my.yaml"
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        named_machine(str(path))
    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert said in message
    assert "https" not in message
    assert "\n" not in message
    if "broken YAML" not in said and "more:" not in new:
        last = at or new.splitlines()[-1].strip()
        assert message.startswith(f"{path}:{line_of(text, last)}: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: it is empty; write keys and values, as in 'sockets: 2'"),
        ("- 1", ":1: not a mapping from keys to values"),
        ("name: half", ":1: title: is missing"),
        ("a: &a [*a]\nb: *a", ":1: an alias stands for what contains it"),
        ("[" * 5000, ":1: broken YAML"),
    ],
)
def test_what_is_no_machine_at_all(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        named_machine(str(path))
    assert str(caught.value).startswith(f"{path}{said}")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


def test_a_huge_count_of_cores_is_refused_at_once() -> None:
    tree = load_machine("generic").model_dump(mode="json")
    with pytest.raises(MachineError, match="cores_per_socket: Input should be less than or equal"):
        valid_machine({**tree, "cores_per_socket": 10**18, "cores_per_cache": 7})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(list(yaml.safe_load(TEXT))), anything)
def test_whatever_a_key_is_the_error_is_ours_and_names_it(key: str, value: object) -> None:
    complaint: MachineError | None = None
    try:
        valid_machine({**yaml.safe_load(TEXT), key: value})
    except MachineError as error:
        complaint = error
    assert complaint is None or (complaint.place and "\n" not in str(complaint))


def test_a_file_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(TEXT)
    with pytest.raises(UsageError, match=r"No such file: did you mean '.*/mine.yaml'\?"):
        named_machine(str(tmp_path / "mime.yaml"))
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(UsageError, match=r"cannot read .*folder.yaml': it is no file"):
        named_machine(str(tmp_path / "folder.yaml"))


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(
        UsageError, match=r"unknown machine 'hots': did you mean 'host'\? allowed: "
    ):
        named_machine("hots")


def test_a_spec_names_the_line_in_the_machine_file(tmp_path: Path) -> None:
    broken = tmp_path / "my.yaml"
    broken.write_text(TEXT.replace("  request_ns: 8.5", "  request_ns: -1"))
    line = line_of(broken.read_text(), "request_ns")
    with pytest.raises(UsageError) as caught:
        tiny_spec(machine=["xeon-gold-6138", str(broken)])
    said = f"machine[1]: {broken}:{line}: coherence.request_ns: "
    assert str(caught.value).startswith(said)


def test_a_machine_file_lies_beside_the_spec_or_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "specs").mkdir()
    monkeypatch.chdir(tmp_path)
    spec = tmp_path / "specs" / "s.yaml"
    spec.write_text(
        "bench: uprobe-nop\nflavour: srcu\ncpus: 1\nmachine: [here.yaml, there.yaml, xeon-8176]\n"
    )
    Path("specs/here.yaml").write_text(TEXT.replace("name: xeon-gold-6138", "name: beside"))
    Path("here.yaml").write_text(TEXT.replace("name: xeon-gold-6138", "name: elsewhere"))
    Path("there.yaml").write_text(TEXT.replace("name: xeon-gold-6138", "name: there"))
    loaded = load_spec("specs/s.yaml")
    assert loaded.machine == ("specs/here.yaml", "there.yaml", "xeon-8176")
    assert [cell.machine.name for cell in plan(loaded)] == ["beside", "there", "xeon-8176"]
    assert override(loaded, ["machine=here.yaml"]).machine == ("here.yaml",)


def test_host_is_detected_on_the_fly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_host(tmp_path, cores_first(2, 3))
    monkeypatch.setattr(machines, "host_machine", lambda: host.host_machine(root))
    spec = override(tiny_spec(), ["machine=host", "cpus=1,12"])
    assert {cell.machine.name for cell in plan(spec)} == {"host"}
    with pytest.raises(UsageError, match=r"cpus=13: cpus: 13 CPUs, but host has 12"):
        override(spec, ["cpus=13"])
