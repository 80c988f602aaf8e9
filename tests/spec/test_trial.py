"""Runs with other times or another ensemble than the spec they are named after."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny import tiny_spec

from sweep import scan
from sweep.cli import cli
from sweep.spec.spec import Spec, override
from sweep.spec.trial import as_trial


def trial(spec: Spec, *settings: str) -> str:
    name: str = as_trial(override(spec, settings), spec).name
    return name


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ((), "tiny"),
        (("cpus=1,2", "replicates=3"), "tiny"),
        (("precision=0.5%", "seed=3"), "tiny"),
        (("duration=7us", "sample=7us"), "tiny.duration-7us.sample-7us"),
        (("warmup=0us",), "tiny.warmup-0s"),
        (("ensemble=4", "cpus=1"), "tiny.ensemble-4"),
        (("ensemble=4", "name=mine"), "mine"),
    ],
)
def test_what_is_no_axis_makes_a_run_of_its_own(settings: tuple[str, ...], name: str) -> None:
    assert trial(tiny_spec(), *settings) == name


def test_a_value_that_changes_nothing_is_no_trial() -> None:
    spec = tiny_spec()
    assert trial(spec, f"ensemble={spec.ensemble}") == "tiny"


def test_long_names_stay_names_and_differ() -> None:
    spec = override(tiny_spec(), [f"name={'a' * 100}"])
    names = {trial(spec, f"ensemble={n}") for n in (2, 3)}
    assert len(names) == 2
    assert {len(name) for name in names} == {100}


def test_a_trial_does_not_touch_the_named_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "name: s\nbench: uprobe-nop\nflavour: srcu\ncpus: 1\nmachine: generic\n"
    Path("s.yaml").write_text(f"{text}warmup: 20us\nduration: 20us\nsample: 20us\n")
    run = CliRunner()
    assert run.invoke(cli, ["run", "s.yaml"]).exit_code == 0
    for command in ("run", "plan"):
        done = run.invoke(cli, [command, "s.yaml", "--set", "duration=40us"])
        assert done.exit_code == 0, done.output
        said = "note: another run than s, with a folder of its own: s.duration-40us"
        assert done.stderr.splitlines()[0] == said
    assert scan("results/runs/s").collect()["duration_s"].to_list() == [2e-5]
    assert scan("results/runs/s.duration-40us").collect()["duration_s"].to_list() == [4e-5]
    done = run.invoke(cli, ["run", "s.yaml", "--set", "duration=40us", "--out", "mine"])
    assert "another run" not in done.stderr
    assert scan("mine").collect()["duration_s"].to_list() == [4e-5]
