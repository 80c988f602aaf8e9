"""The files in deploy/ against Ray's own schema, and what the executor asks of a cluster."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.machine.machine import load_machine
from sweep.executors.fan_out import CPU_ACTOR, GroupSize, bundles

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
LAUNCHED = ["gcp", "hosts", "single-machine", "loopback/cluster"]
CPUS = load_machine("xeon-gold-6138").cpus
PINS = (ROOT / "requirements.txt").read_text()


def launched(name: str) -> dict[str, Any]:
    """A file with Ray's defaults filled in, as `ray up` does it."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    config: dict[str, Any] = prepare_config(yaml.safe_load((DEPLOY / f"{name}.yaml").read_text()))
    validate_config(config)
    return config


def option(command: str, name: str) -> str | None:
    """The value of `--name=value` in a shell command."""
    words = shlex.split(command.replace(";", " "))
    return next((w.partition("=")[2] for w in words if w.startswith(f"--{name}=")), None)


def kubernetes() -> dict[str, Any]:
    job: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes.yaml").read_text())
    return job


def test_every_file_is_tested() -> None:
    found = {str(p.relative_to(DEPLOY).with_suffix("")) for p in DEPLOY.rglob("*.yaml")}
    assert found == {*LAUNCHED, "kubernetes"}


@pytest.mark.parametrize("name", LAUNCHED)
def test_ray_takes_the_file(name: str) -> None:
    config = launched(name)
    start = " ".join(config["head_start_ray_commands"])
    assert "--dashboard-host=127.0.0.1" in start
    assert "0.0.0.0" not in json.dumps(config)


@pytest.mark.parametrize("name", ["gcp", "hosts", "single-machine"])
def test_tokens_are_on_and_the_project_is_installed_and_warm(name: str) -> None:
    config = launched(name)
    assert "RAY_AUTH_MODE=token" in config["head_start_ray_commands"][-1]
    for command in config["worker_start_ray_commands"][-1:]:
        assert "RAY_AUTH_MODE=token" in command
    assert config["file_mounts"] == {
        "~/uprobe-sweep": ".",
        "~/.ray/auth_token": "~/.ray/auth_token",
    }
    setup = config["setup_commands"]
    [install] = [i for i, command in enumerate(setup) if "-c requirements.txt -e ." in command]
    [warm] = [i for i, command in enumerate(setup) if "python -m sweep.service.warm" in command]
    assert install < warm


def test_a_workers_place_holds_the_cover_letters_machine() -> None:
    gcp = launched("gcp")["available_node_types"]["worker"]
    assert gcp["min_workers"] == 0
    hosts = json.loads(
        option(launched("hosts")["worker_start_ray_commands"][-1], "resources") or ""
    )
    single = json.loads(
        option(launched("single-machine")["head_start_ray_commands"][-1], "resources") or ""
    )
    [group] = kubernetes()["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    pods = json.loads(json.loads(group["rayStartParams"]["resources"]))
    for offered in (
        gcp["resources"],
        {"CPU": 2, **hosts},
        {"CPU": 2, **single},
        {"CPU": 2, **pods},
    ):
        assert len(bundles(GroupSize(CPUS, 1), [offered], declared=True)) == 1


def test_the_ray_job() -> None:
    job = kubernetes()
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert f"ray=={cluster['rayVersion']}\n" in PINS.replace("ray[default]", "ray")
    assert cluster["enableInTreeAutoscaling"]
    head, [group] = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    assert (group["minReplicas"], group["replicas"]) == (0, 0)
    assert group["maxReplicas"] > 0
    assert json.loads(json.loads(head["rayStartParams"]["resources"]))[CPU_ACTOR] > 0
    assert head["rayStartParams"]["num-cpus"] == "0"
    for pod in (head["template"], group["template"], job["spec"]["submitterPodTemplate"]):
        [container] = pod["spec"]["containers"]
        variables = {entry["name"]: entry for entry in container["env"]}
        assert variables["RAY_AUTH_MODE"]["value"] == "token"
        # From a secret, not in the file.
        assert "value" not in variables["RAY_AUTH_TOKEN"]


def test_the_ray_job_runs_a_command_that_there_is() -> None:
    from sweep.cli import cli

    program, command, *words = shlex.split(kubernetes()["spec"]["entrypoint"])
    assert program == "uprobe-sweep"
    known = {name for parameter in cli.commands[command].params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("path", [ROOT / "cluster.yaml", *sorted(DEPLOY.rglob("*.yaml"))], ids=str)
def test_no_token_is_in_a_file(path: Path) -> None:
    assert not re.search("[0-9a-f]{32}", path.read_text())
