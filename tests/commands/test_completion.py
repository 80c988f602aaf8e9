"""What the shell offers while a command line is typed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import FishComplete, ShellComplete, ZshComplete
from click.testing import CliRunner
from command_line import ENVIRONMENT
from tiny import FakeExecutor, tiny_spec

from core.kernel.patches import PATCHES
from core.kernel.releases import RELEASES
from core.machine.machine import machine_names
from sweep.cli import COMMANDS, cli
from sweep.commands.completion import PROGRAM, VARIABLE, Bash
from sweep.driver.driver import run
from sweep.spec.axes import AXES, flavour
from sweep.spec.files import spec_names


@pytest.fixture(autouse=True, scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        spec = tiny_spec(flavour=["srcu", "nop5"], cpus=[1, 2])
        run(spec, Path("results/runs/mine"), FakeExecutor())
        run(spec, Path("elsewhere"), FakeExecutor())
        (folder / "big.yaml").write_text("")
        (folder / "lock.py").write_text("")
        yield folder


def lines(shell: type[ShellComplete], words: str, patch: pytest.MonkeyPatch) -> list[str]:
    """The answer to a shell that asks for the last of `words`; "_" is an empty one."""
    typed = ["" if word == "_" else word for word in words.split()]
    patch.setenv("COMP_WORDS", "\n".join([PROGRAM, *typed]))
    patch.setenv("COMP_CWORD", typed[-1] if shell is FishComplete else str(len(typed)))
    return shell(cli, {}, PROGRAM, VARIABLE).complete().splitlines()


@pytest.fixture
def bash(monkeypatch: pytest.MonkeyPatch) -> object:
    def ask(words: str) -> list[str]:
        return [line.partition(",")[2] for line in lines(Bash, words, monkeypatch)]

    return ask


KINDS = {
    "ru": ["run", "runs"],
    "run --ma": ["--machine"],
    "list m": ["machines"],
    "run _": [*spec_names(), "big.yaml", "elsewhere/", "lock.py", "results/"],
    "run cov": ["cover-letter"],
    "submit cov": ["cover-letter"],
    "tables _": ["mine", "elsewhere/", "elsewhere", "results/"],
    "tables results/runs/": ["results/runs/mine/", "results/runs/mine"],
    "compare mine publ": ["published"],
    "machine show _": [*machine_names(), "host", "big.yaml", "elsewhere/", "results/"],
    "machine show b": ["big.yaml"],
    "machine new x --like ep": ["epyc-milan"],
    "run cover-letter --machine ho": ["host"],
    "run cover-letter --machine=ho": ["host"],
    "run cover-letter --machine = ho": ["host"],
    "show tasks": ["tasks-trace"],
    "show srcu+no-sl": ["srcu+no-slot-count"],
    "show srcu~lock": ["srcu~lockless-filter"],
    "show srcu+lock": ["srcu+lock.py"],
    "show baseline~lock": ["baseline~lockless-filter"],
    "show srcu --vs tasks": ["tasks-trace"],
    "show srcu --rcu srcu-l": ["srcu-lite"],
    "read-log f --kernel v6.1": [name for name in RELEASES if name.startswith("v6.1")],
    "live --bench uprobe-nop,uretprobe-mu": [
        f"uprobe-nop,uretprobe-multi-{at}" for at in ("nop", "push", "ret", "nop5")
    ],
    "run x --set pre": ["precision="],
    "run x --set flavour = tasks": ["tasks-trace"],
    "run x --set flavour = srcu,tasks": ["srcu,tasks-trace"],
    "run x --set flavour = srcu,srcu,uretprobe-sr": [],
    "run x --set hz =": ["100", "250", "300", "1000"],
    "run x --set owner_beside_count = t": ["true"],
    "run x --set attach = p": ["perf-event"],
    "run x --set cpus =": [],
    "run x --set nothing =": [],
    "rerun cpus=1 spread = z": ["zipf"],
    "tables mine --only path": ["path_digest="],
    "tables mine --only flavour =": ["nop5", "srcu"],
    "tables mine --only cpus = 1,": ["1,2"],
    "compare published mine --only cpus =": ["1", "2"],
    "tables none --only cpus =": [],
    "upgrade v6.9 v6.1": [n for n in RELEASES if n.startswith("v6.1")],
    "compare mine --by spr": ["spread"],
    "plot mine --flavour srcu,tasks": ["srcu,tasks-trace"],
    "completion _": ["bash", "zsh", "fish"],
}


@pytest.mark.parametrize("words", KINDS)
def test_each_kind_of_value_is_offered(words: str, bash: object) -> None:
    assert bash(words) == KINDS[words]  # type: ignore[operator]


def test_every_command_and_every_axis_is_offered(bash: object) -> None:
    assert bash("_") == sorted(command.name or "" for command in COMMANDS)  # type: ignore[operator]
    assert {f"{name}=" for name in AXES} <= set(bash("run x --set _"))  # type: ignore[operator]


def test_what_is_offered_is_taken(bash: object) -> None:
    names = [name for name in bash("show _") if "." not in name and "/" not in name]  # type: ignore[operator]
    patched = bash("show srcu+_".removesuffix("_"))  # type: ignore[operator]
    assert len(patched) > 5
    assert {p.name for p in PATCHES} >= {
        name.partition("+")[2] for name in patched if name.endswith(tuple(p.name for p in PATCHES))
    }
    for name in [*names, *(p for p in patched if not p.endswith((".py", "/")))]:
        assert flavour("flavour", None, name) == name


def test_bash_is_given_the_part_after_the_last_break(bash: object) -> None:
    Path("a:b").mkdir()
    assert bash("tables a") == ["a:b/"]  # type: ignore[operator]
    assert bash("tables a :") == ["b/"]  # type: ignore[operator]
    assert bash("tables a : b") == ["b/"]  # type: ignore[operator]
    Path("a:b").rmdir()


def test_bash_looks_for_a_folder_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(Bash, "run x --out /t", monkeypatch) == ["dir,/t"]


def test_zsh_and_fish_get_words_whole_and_with_what_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = ["plain", "flavour=tasks-trace", "RCU Tasks Trace"]
    assert lines(ZshComplete, "run x --set flavour=tasks", monkeypatch)[:2] == answer[:2]
    [line] = lines(FishComplete, "run x --set flavour=tasks", monkeypatch)
    assert line.startswith("plain,flavour=tasks-trace\t")


def test_fish_takes_values_with_commas_whole() -> None:
    printed = CliRunner().invoke(cli, ["completion", "fish"]).stdout
    assert 'string split --max 1 "," $completion' in printed


def test_zsh_adds_no_blank_to_what_goes_on() -> None:
    printed = CliRunner().invoke(cli, ["completion", "zsh"]).stdout
    assert printed.count("-U -S ''") + printed.count("unsorted -S ''") == 2
    assert "unsorted -a completions" not in printed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed_and_help_says_how_to_install_it(shell: str) -> None:
    printed = CliRunner().invoke(cli, ["completion", shell]).stdout
    assert f"{VARIABLE}={shell}_complete" in printed
    assert (
        f"uprobe-sweep completion {shell}" in CliRunner().invoke(cli, ["completion", "-h"]).stdout
    )


def test_bash_completes_by_the_script(here: Path) -> None:
    command = here / "bin" / PROGRAM
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m sweep "$@"\n')
    command.chmod(0o755)
    typed = (
        'PATH=bin:$PATH; eval "$(uprobe-sweep completion bash)"\n'
        "compopt() { echo compopt $*; }\n"
        "COMP_WORDS=(uprobe-sweep run x --set flav) COMP_CWORD=4\n"
        '_uprobe_sweep_completion uprobe-sweep; echo "${COMPREPLY[@]}"\n'
        "COMPREPLY=() COMP_WORDS=(uprobe-sweep run x --set flavour = srcu,tas) COMP_CWORD=6\n"
        '_uprobe_sweep_completion uprobe-sweep; echo "${COMPREPLY[@]}"\n'
    )
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, "--norc", "-c", typed], cwd=here, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == ["compopt -o nospace", "flavour=", "srcu,tasks-trace"]
    assert done.stderr == ""


def test_nothing_heavy_is_loaded(here: Path) -> None:
    code = (
        "import json, os, sys\n"
        "from sweep.cli import main\n"
        "for words in json.loads(sys.argv[1]):\n"
        "    os.environ |= {'COMP_WORDS': 'uprobe-sweep ' + words,\n"
        f"        'COMP_CWORD': str(len(words.split())), '{VARIABLE}': 'bash_complete'}}\n"
        "    try: main([])\n"
        "    except SystemExit: pass\n"
        "print({'ray', 'numba', 'scipy', 'matplotlib'} & set(sys.modules), file=sys.stderr)\n"
    )
    kinds = [words for words in KINDS if "_" not in words.split() and "publ" not in words]
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(kinds)],
        cwd=here, env=ENVIRONMENT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == "set()\n"
    assert "plain,tasks-trace" in done.stdout.splitlines()


COMPLETED = {
    "run",
    "runs",
    "spec",
    "flavour",
    "vs",
    "by",
    "facet",
    "before",
    "after",
    "machine",
    "like",
    "kernel",
    "settings",
    "only",
}
"""Parameters that have values to offer, whatever command they are of."""

OWN = {("grace", "flavours"), ("read-log", "machine"), ("new", "name")}


def parameters(command: click.Command) -> list[tuple[click.Command, click.Parameter]]:
    ctx = click.Context(command, **cli.context_settings)
    if isinstance(command, click.Group):
        return [
            found
            for name in command.list_commands(ctx)
            if (below := command.get_command(ctx, name))
            for found in parameters(below)
        ]
    return [(command, param) for param in command.get_params(ctx)]


@pytest.mark.parametrize(
    ("command", "param"),
    [
        pytest.param(command, param, id=f"{command.name}-{param.name}")
        for command, param in parameters(cli)
        if param.name in COMPLETED
        and (command.name, param.name) not in OWN
        and AXES.get(param.name or "", AXES["flavour"]).type is str
    ],
)
def test_a_parameter_of_such_a_name_offers_values(
    command: click.Command, param: click.Parameter
) -> None:
    ctx = click.Context(command, info_name=command.name, **cli.context_settings)
    ctx.params = {"run": "mine"}
    assert param.shell_complete(ctx, "")
