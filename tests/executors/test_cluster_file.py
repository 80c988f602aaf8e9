"""cluster.yaml against Ray's own schema, and against what the executor asks of a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from core.machine.machine import load_machine
from sweep.executors.fan_out import CPU_ACTOR

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    """The file with Ray's defaults filled in, as `ray up` does it."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    prepared: dict[str, Any] = prepare_config(yaml.safe_load((ROOT / "cluster.yaml").read_text()))
    validate_config(prepared)
    return prepared


def test_workers_come_for_actors_and_go(config: dict[str, Any]) -> None:
    worker = config["available_node_types"]["worker"]
    assert worker["min_workers"] == 0
    assert 0 < worker["max_workers"] <= config["max_workers"]
    assert config["idle_timeout_minutes"] > 0


def test_executor_finds_the_resource_before_any_worker_is_there(config: dict[str, Any]) -> None:
    assert config["available_node_types"][config["head_node_type"]]["resources"][CPU_ACTOR] > 0


def test_a_worker_holds_the_cover_letters_machine(config: dict[str, Any]) -> None:
    cpus = load_machine("xeon-gold-6138").cpus
    assert config["available_node_types"]["worker"]["resources"][CPU_ACTOR] >= cpus


@pytest.mark.parametrize("side", ["head", "worker"])
def test_tokens_are_on(config: dict[str, Any], side: str) -> None:
    assert "RAY_AUTH_MODE=token" in config[f"{side}_start_ray_commands"][-1]
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"


def test_dashboard_stays_on_loopback(config: dict[str, Any]) -> None:
    assert "--dashboard-host=127.0.0.1" in config["head_start_ray_commands"][-1]


def test_project_is_copied_and_installed_with_pinned_versions(config: dict[str, Any]) -> None:
    assert config["file_mounts"]["~/uprobe-sweep"] == "."
    [install] = [c for c in config["setup_commands"] if "-e ." in c]
    pins = install.split("-c ")[1].split()[0]
    assert "ray==" in (ROOT / pins).read_text()
