"""A node provider for Ray's cluster launcher whose nodes are Ray nodes on 127.0.0.1.

Commands run in a local shell instead of over SSH. What Ray would do to the whole machine is left
out: `ray stop` ends every Ray on it, so here a node is ended by its process group instead.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from ray.autoscaler.command_runner import CommandRunnerInterface
from ray.autoscaler.node_provider import NodeProvider

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
END_SECONDS = 15.0

Tags = dict[str, str]


class LoopbackProvider(NodeProvider):
    """Nodes are files in ~/.uprobe-sweep/CLUSTER: ID.json has a node's tags, ID.pid its process.

    The second is written by the command that starts Ray (cluster.yaml).
    """

    def __init__(self, provider_config: dict[str, Any], cluster_name: str) -> None:
        super().__init__(provider_config, cluster_name)
        self._folder = Path.home() / ".uprobe-sweep" / cluster_name
        self._folder.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def bootstrap_config(cluster_config: dict[str, Any]) -> dict[str, Any]:
        """Nothing has to be created before the first node."""
        return cluster_config

    def non_terminated_nodes(self, tag_filters: Tags) -> list[str]:
        """Ids of the nodes that have all these tags."""
        ids = sorted(path.stem for path in self._folder.glob("*.json"))
        return [node for node in ids if tag_filters.items() <= self.node_tags(node).items()]

    def is_running(self, node_id: str) -> bool:
        """Whether there is such a node."""
        return (self._folder / f"{node_id}.json").exists()

    def is_terminated(self, node_id: str) -> bool:
        """Whether there is no such node."""
        return not self.is_running(node_id)

    def node_tags(self, node_id: str) -> Tags:
        """A node's tags; none if it is gone."""
        try:
            tags: Tags = json.loads((self._folder / f"{node_id}.json").read_text())
        except FileNotFoundError:
            return {}
        return tags

    def set_node_tags(self, node_id: str, tags: Tags) -> None:
        """Add to a node's tags."""
        if self.is_running(node_id):
            self._write(node_id, {**self.node_tags(node_id), **tags})

    def external_ip(self, node_id: str) -> str:
        """The address that every node has."""
        return LOOPBACK

    internal_ip = external_ip

    def create_node(self, node_config: dict[str, Any], tags: Tags, count: int) -> None:
        """Note so many nodes. They run as soon as Ray is started in them."""
        for _ in range(count):
            self._write(f"node-{uuid4().hex[:8]}", tags)

    def terminate_node(self, node_id: str) -> None:
        """End a node's process group, and forget the node."""
        started = self._folder / f"{node_id}.pid"
        with suppress(FileNotFoundError, ValueError):
            _end_group(int(started.read_text()))
        for path in (started, self._folder / f"{node_id}.json"):
            path.unlink(missing_ok=True)

    def get_command_runner(self, *args: Any, **kwargs: Any) -> LoopbackRunner:
        """What runs commands on any node."""
        return LoopbackRunner(self._folder)

    def _write(self, node_id: str, tags: Tags) -> None:
        part = self._folder / f".{node_id}-{uuid4().hex}"
        part.write_text(json.dumps(tags))
        part.rename(self._folder / f"{node_id}.json")


class LoopbackRunner(CommandRunnerInterface):
    """Runs commands in a shell of this machine, with CLUSTER_FOLDER in its environment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, cmd: str | None = None, **options: Any) -> str:
        """Run a command; its output if that is asked for. Raises CalledProcessError."""
        if cmd is None:
            return ""
        if "ray stop" in cmd:
            log.info("left out: %s", cmd)
            return ""
        given = options.get("environment_variables") or {}
        variables = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in given.items()
        }
        done = subprocess.run(
            ["bash", "-c", cmd],
            env={**os.environ, **variables, "CLUSTER_FOLDER": str(self._folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if options.get("with_output") else None,
            timeout=options.get("timeout", 120),
            check=True,
        )
        return done.stdout.decode() if done.stdout else ""

    def run_rsync_up(self, source: str, target: str, options: Any = None) -> None:
        """Copy a file to a node: to another place of this machine."""
        to = Path(target).expanduser()
        if to.resolve() == Path(source).expanduser().resolve():
            return
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(source).expanduser(), to)

    def run_rsync_down(self, source: str, target: str, options: Any = None) -> None:
        """Copy a file from a node."""
        self.run_rsync_up(source, target)

    def remote_shell_command_str(self) -> str:
        """A shell on a node."""
        return "bash"

    def run_init(self, *, as_head: bool, file_mounts: dict[str, str], sync_run_yet: bool) -> bool:
        """No container has to be started."""
        return False


def _end_group(group: int) -> None:
    """End a process group: asked first, killed after END_SECONDS."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        give_up = time.monotonic() + END_SECONDS
        while time.monotonic() < give_up:
            os.killpg(group, 0)
            time.sleep(0.1)
        os.killpg(group, signal.SIGKILL)
