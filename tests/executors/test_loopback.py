"""The real `ray up`, a sweep for which workers come and go, and `ray down`, on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from loopback import ROOT, STARTER, environment, free_port, lives, wait_until

import sweep

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("default")]

SPEC = "bench: uprobe-nop\nflavour: srcu\ncpus: 8\nprobes: 8\nspread: private\nduration: 20ms\n"
SEEDS = 60


class Launcher:
    """`ray` and our commands as a user with a home of its own calls them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / ".ray").mkdir(mode=0o700)
        (home / ".ray" / "auth_token").write_text("0123456789abcdef" * 4)
        (home / ".ray" / "auth_token").chmod(0o600)
        self.temporary = Path(f"/tmp/ray-up-{os.getpid()}")
        dashboard = free_port()
        self.env = environment(home) | {
            "LOOPBACK": str(STARTER.parent),
            "LOOPBACK_PORT": str(free_port()),
            "LOOPBACK_DASHBOARD_PORT": str(dashboard),
            "LOOPBACK_TEMP_DIR": str(self.temporary),
            # Nothing is compiled yet, as on a fresh machine.
            "NUMBA_CACHE_DIR": str(home / "numba"),
            "RAY_AUTH_MODE": "token",
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{dashboard}",
        }
        config = yaml.safe_load((ROOT / "deploy/loopback/cluster.yaml").read_text())
        config["idle_timeout_minutes"] = 0.1
        self.config = home / "cluster.yaml"
        self.config.write_text(yaml.safe_dump(config))

    def ray(self, *args: str) -> str:
        ray = Path(sys.executable).parent / "ray"
        return self.call(str(ray), *args)

    def sweep(self, *args: str) -> str:
        return self.call(sys.executable, "-m", "sweep", *args)

    def call(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self.env, cwd=self.home, capture_output=True, text=True, timeout=200
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @property
    def nodes(self) -> list[int]:
        """Process groups of the nodes there are, the head's among them."""
        files = (self.home / ".uprobe-sweep" / "loopback").glob("*.pid")
        return [int(text) for path in files if (text := path.read_text().strip())]


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    launcher = Launcher(tmp_path)
    (tmp_path / "slow.yaml").write_text(SPEC)
    launcher.ray("up", "-y", "--no-config-cache", "cluster.yaml")
    try:
        yield launcher
    finally:
        groups = launcher.nodes
        down = launcher.ray("down", "-y", "cluster.yaml")
        shutil.rmtree(launcher.temporary, ignore_errors=True)
    assert "No nodes remaining" in down
    assert launcher.nodes == []
    assert not [pid for pid in groups if lives(pid)]


def test_workers_come_for_a_sweep_and_go_after_it(launcher: Launcher) -> None:
    assert len(launcher.nodes) == 1
    seeds = ",".join(map(str, range(SEEDS)))
    launcher.sweep("submit", "slow.yaml", "--set", f"seed={seeds}", "--cpus-per-actor", "4")
    most: dict[str, Any] = {}

    def over() -> bool:
        now = json.loads(launcher.sweep("status", "slow", "--json"))
        if len(now.get("nodes", ())) >= len(most.get("nodes", ())):
            most.update(now)
        return now["state"] not in ("pending", "running")

    wait_until(over, 200)
    assert most["state"] == "succeeded", launcher.sweep("logs", "slow")
    done = [load["done"] for load in most["nodes"].values()]
    assert len(done) == 2
    assert all(done)
    assert sum(done) == SEEDS
    rows = sweep.scan(launcher.home / "uprobe-sweep/results/runs/slow").collect()
    assert rows.height == SEEDS
    assert rows.select(pl.col("seed").n_unique()).item() == SEEDS
    wait_until(lambda: len(launcher.nodes) == 1, 120)
