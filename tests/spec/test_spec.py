from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import tiny_spec

from core.engine.spread import SPREADS
from core.kernel.flavours import FLAVOURS
from core.kernel.hot_path import BENCHES
from core.kernel.layout import BESIDE
from core.kernel.rcu_flavours import RCU
from sweep.errors import UsageError, nearest
from sweep.spec.durations import format_duration, parse_duration
from sweep.spec.files import SPECS, load_spec, spec_names
from sweep.spec.spec import Spec, override

GOOD = {"bench": "uprobe-nop", "flavour": "srcu", "cpus": 2}
HEAD = "bench: uprobe-nop\nflavour: srcu\n"


def lists_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, min_size=1, max_size=3, unique=True)


# At most 3**9 * 5 cells, which a spec may have.
specs = st.builds(
    lambda samples, sample, **values: Spec(
        sample=format_duration(sample), duration=format_duration(samples * sample), **values
    ),
    name=st.text(string.ascii_letters + string.digits, min_size=1, max_size=20),
    bench=lists_of(st.sampled_from(BENCHES)),
    flavour=lists_of(st.sampled_from(list(FLAVOURS))),
    rcu=lists_of(st.sampled_from(RCU)),
    owner_beside_count=lists_of(st.sampled_from(BESIDE)),
    cpus=lists_of(st.integers(3, 80)),
    probes=lists_of(st.integers(1, 10**6)),
    processes=lists_of(st.integers(1, 3)),
    spread=lists_of(st.sampled_from(SPREADS)),
    seed=lists_of(st.integers(0, 2**63 - 1)),
    replicates=st.integers(1, 5),
    ensemble=st.just(0) | st.integers(2, 64),
    warmup=st.integers(0, 10**15).map(format_duration),
    sample=st.integers(1, 10**9),
    samples=st.integers(1, 10**5),
)


def test_a_value_is_a_list_of_one_and_times_are_picoseconds() -> None:
    spec = Spec(**GOOD, duration="2ms", sample="500us")
    assert spec.cpus == (2,)
    assert spec.bench == ("uprobe-nop",)
    assert (spec.warmup, spec.duration, spec.sample) == (3 * 10**9, 2 * 10**9, 5 * 10**8)
    assert (spec.probes, spec.spread, spec.seed, spec.replicates) == ((1,), ("shared",), (0,), 1)


def test_a_list_keeps_its_order_and_a_range_is_a_list() -> None:
    assert Spec(**{**GOOD, "cpus": [8, 1, 4]}).cpus == (8, 1, 4)
    assert Spec(**{**GOOD, "cpus": range(1, 4)}).cpus == (1, 2, 3)


def test_the_letter_ships() -> None:
    assert spec_names() == sorted(path.stem for path in SPECS.glob("*.yaml"))
    spec = load_spec("cover-letter")
    assert spec.name == "cover-letter"
    assert spec.bench == ("uprobe-nop", "uretprobe-nop")
    assert spec.flavour == ("baseline", "srcu", "tasks-trace")
    assert spec.cpus == (1, 2, 4, 8, 16, 32, 64)


@given(specs)
def test_a_dumped_spec_is_the_same_spec(spec: Spec) -> None:
    assert Spec(**spec.model_dump()) == spec


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(specs)
def test_a_spec_written_as_yaml_is_the_same_spec(tmp_path: Path, spec: Spec) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(json.dumps(spec.model_dump(mode="json")))  # JSON is YAML 1.2
    assert load_spec(path) == spec


@given(st.integers(0, 10**15))
def test_a_duration_survives_being_written(time_ps: int) -> None:
    assert parse_duration(format_duration(time_ps)) == time_ps


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "cpu: 2", "3: cpu: unknown axis: did you mean 'cpus'? allowed: name, bench,"),
        (HEAD + "cpus:\n- 1\n- 100", "5: cpus[1]: 100 CPUs, but xeon-gold-6138 has 80: allowed"),
        (HEAD + "cpus: 81", "3: cpus: 81 CPUs, but xeon-gold-6138 has 80: allowed are 1 to 80"),
        (HEAD + "cpus: 0", "3: cpus: 0 is out of range without attach_threads: allowed are 1"),
        (HEAD + "cpus: [4, -2]", "3: cpus[1]: -2 is out of range"),
        (HEAD + "cpus: 1.5", "3: cpus: 1.5 is not a whole number"),
        (HEAD + "cpus: yes", "3: cpus: 'yes' is not a whole number"),
        (HEAD + "cpus: '2'", "3: cpus: '2' is not a whole number"),
        (HEAD + "cpus: [[1]]", "3: cpus[0]: [1] is not a whole number"),
        (HEAD + "cpus:", "3: cpus: nothing is not a whole number"),
        (HEAD + "cpus: []", "3: cpus: an empty list"),
        (HEAD + "cpus: [1, 2, 1]", "3: cpus[2]: 1 is there already, as cpus[0]"),
        (HEAD + "cpus: 2\nprobes: 0", "4: probes: 0 is out of range"),
        (HEAD + "cpus: 2\nreplicates: 0", "4: replicates: 0 is out of range"),
        (HEAD + "cpus: 2\nreplicates: [1, 2]", "4: replicates: [1, 2] is not a whole number"),
        (HEAD + "cpus: [8, 2]\nprocesses: 3", "4: processes: 3 processes, but a cell has 2 CPUs: "),
        (HEAD + "cpus: 2\nprocesses: [1, 3]", "4: processes[1]: 3 processes, but a cell has 2 CPU"),
        (HEAD + "cpus: 2\nprocesses: 0", "4: processes: 0 is out of range: allowed are whole"),
        (HEAD + "cpus: 2\nrcu: srcu-quick", "4: rcu: unknown rcu 'srcu-quick': did you mean 'srcu"),
        (
            HEAD + "cpus: 2\nowner_beside_count: 1",
            "4: owner_beside_count: 1 is none of default, true, false",
        ),
        (HEAD + "cpus: 2\nensemble: 65", "4: ensemble: 65 is out of range: allowed are whole"),
        (HEAD + "cpus: 2\nensemble: 1", "4: ensemble: one member has no spread: 0, or 2 and more"),
        (HEAD + "cpus: 2\nensemble: [1, 2]", "4: ensemble: [1, 2] is not a whole number"),
        (HEAD + "cpus: 2\nseed: -1", "4: seed: -1 is out of range"),
        (HEAD + "cpus: 2\nspread: zpif", "4: spread: unknown spread 'zpif': did you mean 'zipf'?"),
        (HEAD + "cpus: 2\nmachine: xeon", "4: machine: unknown machine 'xeon': did you mean"),
        (HEAD + "cpus: 2\nmachine: 3", "4: machine: unknown machine 3: allowed: "),
        (HEAD + "cpus: 2\nmachine: no.yaml", "4: machine: cannot read 'no.yaml': No such file"),
        (HEAD + "cpus: 2\nduration: 500us", "4: duration: 500us is shorter than a sample, 1ms"),
        (HEAD + "cpus: 2\nduration: 2.5ms", "4: duration: 2500us is no multiple of a sample"),
        (HEAD + "cpus: 2\nduration: 5", "4: duration: 5 is not a time: write a number and one of"),
        (HEAD + "cpus: 2\nduration: 5min", "4: duration: '5min' is not a time"),
        (HEAD + "cpus: 2\nwarmup: -1ms", "4: warmup: '-1ms' is not a time"),
        (HEAD + "cpus: 2\nsample: 0ms", "4: sample: 0ms is out of range"),
        (HEAD + "cpus: 2\nsample: 0.5ps", "4: sample: '0.5ps' is no whole number of picoseconds"),
        (
            HEAD + "cpus: 2\nduration: 5ms\nsample: 1ps",
            "duration: 5ms makes more than 1,000,000 samples",
        ),
        (HEAD + "cpus: [1, 2]\nreplicates: 999999", "4: replicates: makes 1,999,998 cells in all"),
        (HEAD + "cpus: 2\nname: ../up", "4: name: '../up' cannot name a folder"),
        (HEAD + "cpus: 2\nname: 12", "4: name: 12 cannot name a folder"),
        (HEAD + "cpus: 2\ncpus: 4", "4: cpus is given twice, first in line 3"),
        (HEAD + "cpus: [1, 2", "3: broken YAML"),
        (HEAD + "cpus: \x01", "3: broken YAML"),
        (
            "flavour: srco\ncpus: 1\nbench: uprobe-nop",
            "1: flavour: unknown flavour 'srco': did you",
        ),
        (
            "flavour: SRCU\ncpus: 1\nbench: uprobe-nop",
            "did you mean 'srcu'? allowed: baseline, ",
        ),
        ("bench: [uprobe]\nflavour: srcu\ncpus: 1", "1: bench[0]: unknown bench 'uprobe': did you"),
        (HEAD, "1: cpus: is missing; a spec needs bench, flavour, cpus"),
        ("", "1: it is empty"),
        ("- 1", "1: not a mapping"),
        ("? [a]\n: 1", "1: broken YAML"),
        ("1: 2", "1: 1: unknown axis"),
        (HEAD + "cpus: !!python/object/apply:os.system ['touch ran']", "3: broken YAML: could not"),
        ("[" * 5000, "1: broken YAML"),
    ],
)
def test_a_bad_file_is_one_line_with_its_place(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        load_spec("bad.yaml")
    message = str(caught.value)
    assert message.startswith("bad.yaml:")
    assert said in message
    assert "\n" not in message
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.dates(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(list(Spec.model_fields)) | st.text(max_size=5), anything))
def test_whatever_is_given_the_error_is_ours_and_one_line(values: dict[str, Any]) -> None:
    message = ""
    try:
        Spec(**{**GOOD, **values})
    except UsageError as error:
        message = str(error)
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cover-leter", "did you mean 'cover-letter'?"),
        ("neer.yaml", "no such spec file: neer.yaml: did you mean 'near.yaml'?"),
        ("nothing.py", "nothing.py: allowed: "),
        (".", "no such spec: ."),
    ],
)
def test_a_spec_that_is_not_there_names_the_nearest(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("near.yaml").write_text(HEAD)
    with pytest.raises(UsageError) as caught:
        load_spec(name)
    assert said in str(caught.value)


def test_a_file_lends_its_name(tmp_path: Path) -> None:
    (tmp_path / "lent.yaml").write_text(HEAD + "cpus: 1")
    assert load_spec(tmp_path / "lent.yaml").name == "lent"
    (tmp_path / "code.py").write_text(f"from sweep import Spec\nspec = Spec(**{GOOD})\n")
    assert load_spec(tmp_path / "code.py").name == "code"
    (tmp_path / "code.py").write_text(f"from sweep import Spec\nspec = Spec(name='own', **{GOOD})")
    assert load_spec(tmp_path / "code.py").name == "own"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("from sweep import Spec\n\nspec = Spec(bench=1)", "bad.py:3: flavour: is missing"),
        ("x = 1\nx / 0", "bad.py:2: ZeroDivisionError: division by zero"),
        ("x = = 1", "bad.py:1: invalid syntax"),
        ("x = 1", "bad.py: it must define `spec`, a sweep.Spec; found nothing"),
        ("spec = {}", "bad.py: it must define `spec`, a sweep.Spec; found {}"),
    ],
)
def test_a_bad_python_spec_is_one_line_with_its_place(code: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(code)
    with pytest.raises(UsageError) as caught:
        load_spec(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_replace_axes() -> None:
    spec = override(tiny_spec(), ["cpus=4,8", "flavour=baseline", "duration=40us", "seed=7"])
    assert spec == tiny_spec(cpus=[4, 8], flavour="baseline", duration="40us", seed=7)
    assert override(spec, []) == spec
    beside = override(spec, ["owner_beside_count=false,true", "rcu=srcu-fast"])
    assert (beside.owner_beside_count, beside.rcu) == (("false", "true"), ("srcu-fast",))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("cpus", "--set cpus: write axis=value"),
        ("cpu=1", "--set cpu=1: cpu: unknown axis: did you mean 'cpus'?"),
        ("cpus=", "--set cpus=: cpus: '' is not a whole number"),
        ("cpus=1,x", "--set cpus=1,x: cpus[1]: 'x' is not a whole number"),
        ("owner_beside_count=yes", "owner_beside_count: 'yes' is none of default"),
        ("flavour=srcu+nhit", "unknown patch 'nhit' in 'srcu+nhit': did you mean 'percpu-nhit'?"),
        ("flavour=v6.18~nop", "unknown patch 'nop' in 'v6.18~nop': did you mean 'nop5'?"),
        ("flavour=srco", "allowed: baseline, "),
        ("cpus=1,99", "cpus[1]: 99 CPUs, but"),
        ("duration=1ms,2ms", "duration: ['1ms', '2ms'] is not a time"),
    ],
)
def test_a_bad_setting_is_named(setting: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        override(tiny_spec(), [setting])
    assert said in str(caught.value)


def test_an_axis_is_set_once() -> None:
    with pytest.raises(UsageError, match="cpus is set already"):
        override(tiny_spec(), ["cpus=1", "cpus=2"])


def test_two_machines_of_one_name_are_refused(tmp_path: Path) -> None:
    from core.machine.machine import load_machine

    path = tmp_path / "other.yaml"
    machine = load_machine("xeon-gold-6138")
    path.write_text(yaml.safe_dump(machine.model_dump(mode="json")))
    assert tiny_spec(machine=str(path)).machine == (str(path),)
    with pytest.raises(UsageError, match=r"machine\[1\]: .* has the name of machine\[0\]"):
        tiny_spec(machine=["xeon-gold-6138", str(path)])


def test_nearest_keeps_the_order_and_copes_with_nothing() -> None:
    assert nearest("B", ["b", "a"]) == "did you mean 'b'? allowed: b, a"
    assert nearest("x", []) == "there are none"


@pytest.mark.parametrize("ends", ["raise SystemExit(3)", "import sys; sys.exit('bye')"])
def test_a_python_spec_that_exits_is_refused(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "ends.py"
    path.write_text(f"{ends}\n")
    with pytest.raises(UsageError, match=r"ends.py:1: SystemExit: "):
        load_spec(path)
