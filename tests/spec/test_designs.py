"""Designs of the user's own: files with patches, what they may do, and what is wrong with one."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import FakeExecutor, tiny_spec

from core.engine.simulate import simulate
from core.kernel.design import Design
from core.kernel.flavours import hot_path, rules_of
from core.kernel.operation import OwnLine
from core.kernel.rcu_flavours import GracePeriod
from core.stress.simulate import simulate_stress
from sweep.driver.driver import run
from sweep.errors import UsageError
from sweep.plan.identity import of_run
from sweep.plan.plan import plan
from sweep.service.parcel import pack
from sweep.spec.designs import beside_flavours, named_flavour
from sweep.spec.files import SPECS, load_spec
from sweep.store.scan import scan

EXAMPLE = SPECS / "sharded-nhit.py"

HEAD = """from core.kernel.designs import *
from core.kernel.designs import Line, Lock, OwnLine, Patch, Call, hp, primitives, replace, work
"""
SPIN = (
    HEAD
    + """
LOCK = OwnLine("one lock for all")


def locked(path):
    section = (*primitives.spin_lock(LOCK), *work("inside", cycles=CYCLES))
    call = Call("spin", (*section, *primitives.spin_unlock(LOCK)))
    return replace(path, hp.IRET, call, hp.IRET)


base = "v6.14"
patch = Patch("spin", path=locked)
"""
)

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a design's file; its name."""

    def written(text: str) -> str:
        path = tmp_path / "my.py"
        path.write_text(text)
        return str(path)

    return written


def test_the_example_is_short_and_changes_what_it_says() -> None:
    assert len([line for line in EXAMPLE.read_text().splitlines() if line.strip()]) <= 15
    design = named_flavour(str(EXAMPLE))
    assert isinstance(design, Design)
    assert design.name == "tasks-trace+sharded-nhit.py"
    lines = {op.line for c in hot_path(design, "uprobe-nop") for op in c.operations}
    assert OwnLine("trace_uprobe.nhit of a process", per_process=True) in lines
    assert hot_path(design, "uprobe-multi-nop") == hot_path("tasks-trace", "uprobe-multi-nop")


def test_the_example_spec_says_what_a_word_a_process_buys() -> None:
    rates = {}
    for cell in plan(load_spec("sharded-nhit")):
        if cell.cpus == 8:
            rates[cell.flavour, cell.processes] = simulate(cell).hits_per_s
    one, own, percpu = dict.fromkeys(flavour for flavour, _ in rates)
    assert rates[own, 8] > 1.5 * rates[one, 8]
    assert rates[own, 8] == pytest.approx(rates[percpu, 8], rel=0.05)


def test_a_lock_of_a_design_keeps_hits_out(write: Write) -> None:
    # 2.0 GHz and 20,000 cycles: a hit at a time inside, whatever the CPUs.
    name = write(SPIN.replace("CYCLES", "20_000"))
    [one, four] = plan(tiny_spec(flavour=name, cpus=[1, 4], warmup="100us", duration="400us"))
    alone, crowded = simulate(one).hits_per_s, simulate(four).hits_per_s
    assert crowded < 1.15 * alone
    free = plan(tiny_spec(flavour="v6.14", cpus=4))[0]
    assert simulate(free).hits_per_s > 3 * crowded


def test_it_can_be_stressed(write: Write) -> None:
    name = write(SPIN.replace("CYCLES", "200"))
    spec = tiny_spec(flavour=name, cpus=2, attach_threads=1, bench="uprobe-multi-nop", probes=4)
    [cell] = plan(spec)
    assert simulate_stress(cell).hits > 0


def test_a_design_is_data_that_may_be_sent(write: Write) -> None:
    [cell] = plan(tiny_spec(flavour=write(SPIN.replace("CYCLES", "200")), cpus=1))
    sent = pickle.loads(pickle.dumps(cell))
    assert (sent, sent.cell_id) == (cell, cell.cell_id)
    assert simulate(sent).hits_per_sample.tolist() == simulate(cell).hits_per_sample.tolist()


def test_where_the_file_lies_makes_no_other_cell_and_what_it_says_does(
    tmp_path: Path, write: Write
) -> None:
    name = write(SPIN.replace("CYCLES", "200"))
    elsewhere = tmp_path / "elsewhere" / "my.py"
    elsewhere.parent.mkdir()
    elsewhere.write_text(Path(name).read_text())
    [here], [there] = (plan(tiny_spec(flavour=f, cpus=1)) for f in (name, str(elsewhere)))
    assert here.cell_id == there.cell_id
    elsewhere.write_text(SPIN.replace("CYCLES", "201"))
    [edited] = plan(tiny_spec(flavour=str(elsewhere), cpus=1))
    assert edited.cell_id != here.cell_id
    assert edited.stream_key == here.stream_key


def test_rows_of_an_edited_design_give_way_to_those_of_now(tmp_path: Path, write: Write) -> None:
    spec = tiny_spec(flavour=["srcu", write(SPIN.replace("CYCLES", "200"))], cpus=1)
    run(spec, tmp_path / "run", FakeExecutor())
    old = {cell.cell_id for cell in plan(spec)}
    write(SPIN.replace("CYCLES", "300"))
    assert run(spec, tmp_path / "run", FakeExecutor()).done == 1
    now = {cell.cell_id for cell in plan(spec)}
    assert set(scan(tmp_path / "run").collect()["cell_id"]) == now
    [gone] = old - now
    assert of_run(gone, tmp_path / "run").is_whole


def test_it_travels_with_a_parcel(tmp_path: Path, write: Write) -> None:
    spec = tiny_spec(flavour=["srcu", f"tasks-trace+{write(SPIN.replace('CYCLES', '200'))}:spin"])
    parcel = pack(spec)
    (tmp_path / "sent").mkdir()
    parcel.write(tmp_path / "sent")
    there = load_spec(tmp_path / "sent" / "spec.yaml")
    assert [c.cell_id for c in plan(there)] == [c.cell_id for c in plan(spec)]
    write(SPIN.replace("CYCLES", "300"))
    assert pack(spec).run != parcel.run


def test_a_spec_finds_it_beside_itself(tmp_path: Path, write: Write) -> None:
    write(SPIN.replace("CYCLES", "200"))
    assert beside_flavours(["srcu", "srcu+my.py:spin", "no.py"], tmp_path) == [
        "srcu",
        f"srcu+{tmp_path}/my.py:spin",
        "no.py",
    ]


def test_the_code_runs_once_and_only_if_it_is_named(tmp_path: Path, write: Write) -> None:
    mark = tmp_path / "ran"
    made = f"import pathlib\nmark = pathlib.Path({str(mark)!r})\n"
    made += "mark.write_text(mark.read_text() + 'x' if mark.exists() else 'x')\n"
    name = write(made + SPIN.replace("CYCLES", "200"))
    plan(tiny_spec(flavour="srcu"))
    assert not mark.exists()
    plan(tiny_spec(flavour=[name, f"srcu+{name}"]))
    assert mark.read_text() == "x"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("patch = Patch('x'", ":3: '(' was never closed"),
        ("import nothing_like_it", ":3: ModuleNotFoundError: No module named 'nothing_like_it'"),
        ("x = 1", ": it must define a Patch at its top level"),
        ("patch = Patch('x', path=lambda path: path)", ":3: x: changes nothing of srcu"),
        ("patch = Patch('x', path=lambda path: path[0].y)", ":3: AttributeError: 'Call'"),
        ("patch = Patch('x', path=lambda path: list(path))", ":3: x: its path is no tuple"),
        ("patch = Patch('x', path=lambda path: path[:-1] + (1,))", ":3: x: its path is no tuple"),
        ("patch = Patch('x', path=lambda path, n=[]: path[n.append(1) or len(n) :])", "is another"),
        ("patch = Patch('srcu', path=lambda path: path[1:])", ":3: srcu: there is a patch of"),
        ("patch = Patch('x', rules={'sync': ('entri',)})", ":3: ValueError: rules: sync 'entri'"),
        (
            "patch = Patch('x', rules={'sink': ()})",
            ":3: ValueError: rules: no 'sink'; there are tree_reference",
        ),
        ("patch = Patch('x', rules={'chain_rwsem': True})", "0 CHAIN_LOCK (down_read"),
        ("patch = Patch('x', path=lambda path: path[1:], needs=('nop5',))", ":3: x: needs nop5"),
        ("patch = Patch('x', path=lambda p: (*p, Call('f', work('wrok'))))", "knows work 'wrok'"),
        ("patch = Patch('x', path=lambda p: (*p, Call('f', work('emulate', 5))))", "another name"),
        ("patch = Patch('x', path=lambda p: (*p, Call('f', work('y', -5))))", "whole number"),
        (
            "side = ReadSide('s', '', Call('l', ()), Call('u', ()), GracePeriod.SRCU)",
            ":3: ValueError: s: l needs the role READ_LOCK",
        ),
        (
            "patch = Patch('x', path=lambda p: (*p, "
            "Call('f', primitives.spin_lock(OwnLine('l')))))",
            ":3: x: uprobe-nop: l: no WRITE_END for its lock",
        ),
        (
            "patch = Patch('x', path=lambda p: (*p, "
            "Call('f', primitives.locked(OwnLine('TREE')))))",
            "the line 'TREE' needs a name that no other has",
        ),
        (
            "patch = Patch('x', path=lambda p: tuple(c for c in p if 'srcu' not in c.function))",
            ":3: x: uprobe-nop: the path has 0 READ_LOCK (begins a read section) in a hit",
        ),
    ],
)
def test_what_is_wrong_is_one_line_with_file_and_line(line: str, said: str, write: Write) -> None:
    path = write(HEAD + line + "\n")
    with pytest.raises(UsageError) as caught:
        tiny_spec(flavour=f"srcu+{path}")
    text = str(caught.value)
    assert f"{path}:" in text
    assert said in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("flavour", "said"),
    [
        ("MY", "on what? Write srcu+my.py"),
        ("nosuch+MY", "unknown flavour"),
        ("srcu+MY:spun", "no patch 'spun': did you mean 'spin'"),
        ("srcu+MY+percpu-nhit", "'percpu-nhit' comes before the file"),
        ("srcu+MY+MY", "there is a patch of this name already"),
        ("MY~percpu-nhit", "edits come before a file"),
        ("srcu+nosuch.py", "cannot read 'nosuch.py': No such file"),
    ],
)
def test_a_flavour_that_names_a_file_wrongly(flavour: str, said: str, write: Write) -> None:
    path = write(SPIN.replace("CYCLES", "9").replace('base = "v6.14"', ""))
    with pytest.raises(UsageError) as caught:
        tiny_spec(flavour=flavour.replace("MY", path))
    assert said in str(caught.value)


def test_the_page_has_the_example_whole() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "designs.md").read_text()
    code = EXAMPLE.read_text().partition('"""\n\n')[2]
    assert f"```python\n{code}```" in page


def test_the_flavours_that_the_page_names_are_designs() -> None:
    root = Path(__file__).resolve().parents[2]
    pages = [root / "docs" / "designs.md", root / "README.md"]
    named = {f for page in pages for f in re.findall(r"\S*specs/\S+\.py\b", page.read_text())}
    named = {flavour.strip("`") for flavour in named}
    assert any("+" in flavour for flavour in named)
    for flavour in named:
        assert isinstance(named_flavour(flavour.replace("specs/", f"{SPECS}/")), Design)


def test_two_designs_of_one_name_are_refused(tmp_path: Path, write: Write) -> None:
    here = write(SPIN.replace("CYCLES", "200"))
    there = tmp_path / "elsewhere" / "my.py"
    there.parent.mkdir()
    there.write_text(SPIN.replace("CYCLES", "300"))
    with pytest.raises(UsageError, match=r"flavour\[1\]: .* has the name of flavour\[0\]: v6.14"):
        tiny_spec(flavour=[here, str(there)])


SIDE = (
    HEAD
    + """
side = ReadSide(
    "percpu-rwsem",
    "a counter a CPU",
    Call("lock", work("counter", cycles=9), Role.READ_LOCK),
    Call("unlock", work("counter", cycles=9), Role.READ_UNLOCK),
    GracePeriod.SRCU_FAST,
)
patch = Patch("own-side", rules={"read_side": side})
"""
)


def test_a_read_side_of_its_own_is_in_path_and_grace_periods(write: Write) -> None:
    design = named_flavour(f"tasks-trace+{write(SIDE)}")
    calls = [call.function for call in hot_path(design, "uretprobe-nop")]
    assert (calls.count("lock"), calls.count("unlock")) == (2, 2)
    assert not any("trace" in function for function in calls)
    assert rules_of(design).side("entry").grace_period is GracePeriod.SRCU_FAST
    spec = tiny_spec(
        flavour=f"tasks-trace+{write(SIDE)}", cpus=2, attach_threads=1, bench="uprobe-multi-nop"
    )
    [cell] = plan(spec)
    assert simulate_stress(cell).hits > 0
