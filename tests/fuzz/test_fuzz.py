"""Whatever is written in a file or on the command line, it ends well: `make fuzz` tries more.

Ends well: an exit code that is documented, no fault of our own, and for what cannot be one line on
stderr. With a fixed seed, unless FUZZ_EXAMPLES says how many to try.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import tempfile
from pathlib import Path
from typing import Any

import click
import pytest
from command_line import AXES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.machine.machine import MACHINES
from sweep.cli import cli, code_of

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))

fuzzed = settings(
    max_examples=EXAMPLES or 40,
    derandomize=not EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)

ODD = [
    *("", " ", "0", "-1", "1", "2", "64", "1,2", "0.5", "nan", "inf", "1e9", "9" * 30, "9" * 5000),
    *(
        "yes",
        "~",
        "null",
        "true",
        "[]",
        "{}",
        "*a",
        "&a",
        "!!x y",
        "<<: 1",
        "- a",
        "a: b",
        "#",
        "%",
    ),
    *("srcu", "baseline", "v6.12", "srcu+percpu-nhit", "srcu~srcu~srcu", "+", "v6.14~filter-ctx"),
    *("uprobe-nop", "uprobe-stress", "xeon-gold-6138", "generic", "5ms", "1ps", "0us", "50%", "0%"),
    *("../x", "/", ".", "x" * 300, "tiny.yaml", "folder", "folder.yaml", "run", "s4://a/b", "a#b"),
    *(
        "\x00",
        "\x07",
        "é",
        "\ufeff",
        "\U0001f600",
        "a\nb",
        "--help",
        "-",
        "[1]",
        "%20",
        "published",
    ),
]
AXIS_NAMES = [*AXES, *("seed", "rcu", "machine", "precision", "probes", "self", "spread", "batch")]

texts = st.one_of(st.sampled_from(ODD), st.text(max_size=8))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def ends_well(args: list[str], *codes: int) -> None:
    """Run a command line in this process, in the present folder, and judge how it ended."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = code_of(args)
    said = errors.getvalue()
    assert code in (0, 1, 2, 3, *codes), (args, code, said)
    assert "Traceback" not in said, (args, said)
    if code == 2:
        lines = [line for line in said.splitlines() if not line.startswith("note: ")]
        usage = "Usage: " in said
        assert usage or (len(lines) == 1 and lines[0].startswith("error: ")), (args, said)
        assert out.getvalue() == "", (args, out.getvalue())


@contextlib.contextmanager
def in_a_folder() -> Any:
    """A folder of its own with a spec, a folder that has a file's name, and the start of a run."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        (folder / "tiny.yaml").write_text(json.dumps({**AXES, "cpus": 1, "replicates": 1}))
        (folder / "folder.yaml").mkdir()
        (folder / "folder").mkdir()
        yield folder


def damaged(data: bytes, seed: int) -> bytes:
    """`data` with a few bytes changed, left out, doubled or put in."""
    chance = random.Random(seed)
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(made) + 1), chance.choice((1, 1, 3, 20, 200))
        what = chance.choice(
            (b"", made[at : at + length] * 2, chance.randbytes(length), b'"', b":")
        )
        made[at : at + chance.choice((0, length))] = what
    return bytes(made)


def yaml_of(tree: dict[str, Any], seed: int) -> bytes:
    """A spec as JSON, which is YAML, or as lines whose values are written as they are."""
    if seed % 2:
        return json.dumps(tree).encode("utf-8", "replace")
    return "".join(f"{k}: {v}\n" for k, v in tree.items()).encode("utf-8", "replace")


@fuzzed
@given(
    changed=st.dictionaries(st.sampled_from(AXIS_NAMES), values, min_size=1, max_size=3),
    seed=st.integers(0, 2**32),
)
def test_specs(changed: dict[str, Any], seed: int) -> None:
    with in_a_folder():
        Path("f.yaml").write_bytes(yaml_of({**AXES, "cpus": 1, **changed}, seed))
        ends_well(["plan", "f.yaml"])


@fuzzed
@given(seed=st.integers(0, 2**32))
def test_damaged_specs(seed: int) -> None:
    with in_a_folder():
        text = b"bench: [uprobe-nop, uretprobe-nop]\nflavour: &a srcu\ncpus: [1, 2]\nseed: 3\n"
        Path("f.yaml").write_bytes(damaged(text, seed))
        ends_well(["plan", "f.yaml"])


@fuzzed
@given(seed=st.integers(0, 2**32))
def test_damaged_machine_files(seed: int) -> None:
    with in_a_folder():
        Path("f.yaml").write_bytes(damaged((MACHINES / "generic.yaml").read_bytes(), seed))
        ends_well(["machine", "show", "f.yaml"])


@fuzzed
@given(key=st.sampled_from(["sockets", "turbo", "coherence", "title", "name"]), value=values)
def test_machine_files_with_odd_values(key: str, value: Any) -> None:
    with in_a_folder():
        text = (MACHINES / "generic.yaml").read_text()
        odd = json.dumps(value).replace("\n", " ")
        Path("f.yaml").write_text(text.replace(f"{key}:", f"{key}: {odd} #", 1), "utf-8")
        ends_well(["machine", "show", "f.yaml"])


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The journal of a run whose rows are not yet in parts."""
    from sweep.driver import driver
    from sweep.spec.spec import Spec
    from sweep.store.store import Store

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "close", lambda self: None)
        folder = tmp_path_factory.mktemp("journal") / "run"
        driver.run(Spec(**{**AXES, "cpus": [1, 2], "replicates": 1}), folder)
        return (folder / "journal.jsonl").read_bytes()


@fuzzed
@given(seed=st.integers(0, 2**32))
def test_damaged_journals(seed: int, journal: bytes) -> None:
    assert journal
    with in_a_folder():
        Path("run/cells").mkdir(parents=True)
        Path("run/journal.jsonl").write_bytes(damaged(journal, seed))
        for command in (["plan", "tiny.yaml", "--out", "run"], ["failures", "run"]):
            ends_well(command)


LOG = """Setting up benchmark 'trig-uprobe-nop'...
Benchmark 'trig-uprobe-nop' started.
Iter   0 ( 45.6us): hits    3.104M/s (  3.104M/prod), drops    0.000M/s, total operations    3.1M/s
Summary: hits    3.104 \u00b1 0.005M/s (  3.104M/prod), drops    0.000 \u00b1 0.000M/s
uprobe-nop      ( 2 cpus):    6.123 \u00b1 0.010M/s  (  3.062M/s/cpu)
"""


@fuzzed
@given(seed=st.integers(0, 2**32))
def test_damaged_logs(seed: int) -> None:
    with in_a_folder():
        Path("f.log").write_bytes(damaged(LOG.encode(), seed))
        ends_well(
            ["read-log", "f.log", "--kernel", "v6.12", "--bench", "uprobe-nop", "--cpus", "1"]
        )


QUICK = [
    "plan",
    "tables",
    "compare",
    "plot",
    "failures",
    "explain-id",
    "compact",
    "list",
    "show",
    "rerun",
    "read-log",
]
"""Commands that, whatever they are given, neither simulate for long nor reach out."""


@fuzzed
@given(data=st.data())
def test_command_lines(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(QUICK))
    command: click.Command | None = cli
    for word in name.split():
        command = command.commands.get(word) if isinstance(command, click.Group) else None
    args = name.split()
    for param in command.params if command else []:
        if isinstance(param, click.Argument):
            args += data.draw(st.lists(texts, min_size=1, max_size=2))
        elif data.draw(st.booleans()):
            args.append(param.opts[-1])
            if not getattr(param, "is_flag", False):
                args.append(data.draw(texts))
    args = [text.replace("\x00", "") for text in args]
    with in_a_folder():
        ends_well(args)


SIMULATING = {
    "run": "tiny.yaml",
    "predict": "--cpus 1 --kernel 6.12 --bench uprobe-nop --machine generic --ensemble 2",
    "explain": "--flavour srcu --bench uprobe-nop --cpus 1",
    "whatif": "--flavour srcu --bench uprobe-nop --cpus 1 --ensemble 2",
    "stress": "--functions 2 --ms 1 --fork-threads 0",
    "grace": "--cpus 2 --periods 2",
    "replay": "srcu first",
}
"""Commands that simulate, with what makes them short."""

ELSEWHERE = {"--ray", "--address"}


@settings(fuzzed, max_examples=EXAMPLES or 15)
@given(data=st.data())
def test_command_lines_that_simulate(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*SIMULATING]))
    args = [name, *SIMULATING[name].split()]
    options = [p for p in cli.commands[name].params if p.opts[-1] not in ELSEWHERE]
    for param in data.draw(st.lists(st.sampled_from(options), max_size=2)):
        flag = isinstance(param, click.Argument) or getattr(param, "is_flag", False)
        args += [] if isinstance(param, click.Argument) else [param.opts[-1]]
        args += [] if flag else [data.draw(texts).replace("\x00", "")]
    with in_a_folder():
        ends_well(args)


def test_a_fault_of_our_own_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("sweep.driver.driver.survey", broken)
    with in_a_folder(), pytest.raises(AssertionError, match="ZeroDivisionError"):
        ends_well(["plan", "tiny.yaml"])
