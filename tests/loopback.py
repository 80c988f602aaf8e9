"""A Ray cluster of several nodes on this machine's loopback, for tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ray._private.ray_constants  # noqa: F401  # so that the psutil which it brings is found
from command_line import Done, cli
from ray_cells import forget_token

import psutil  # isort: skip

ROOT = Path(__file__).resolve().parents[1]
STARTER = ROOT / "deploy" / "loopback" / "ray_on_loopback.py"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What `condition` gives as soon as that is true; fails after so many seconds."""
    give_up = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < give_up, "in vain"
        time.sleep(0.1)
    return value


def lives(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def environment(home: Path) -> dict[str, str]:
    """That of a user whose home is `home` and who has the project on the path."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    binaries = Path(sys.executable).parent
    return {
        **kept,
        "HOME": str(home),
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(STARTER.parent)]),
    }


class LoopbackCluster:
    """A head, which simulates nothing unless `cpus` says so, and the nodes that `add` adds.

    `agent_port` is where its head takes jobs, by default one that is free.
    `address` is Ray's, `url` the dashboard's; `home` is everybody's home and has the token.
    """

    def __init__(self, home: Path, agent_port: int | None = None, **resources: float) -> None:
        self.home, self.env = home, environment(home)
        token = home / ".ray" / "auth_token"
        token.parent.mkdir(mode=0o700, parents=True)
        token.write_text("0123456789abcdef" * 4)
        token.chmod(0o600)
        self.token = token.read_text()
        port, dashboard = free_port(), free_port()
        self.address, self.url = f"127.0.0.1:{port}", f"http://127.0.0.1:{dashboard}"
        self.nodes: list[subprocess.Popen[bytes]] = []
        # Unix sockets have short names only.
        self.temporary = Path(os.path.realpath("/tmp")) / f"ray-{os.getpid()}-{port}"
        self.head = self._start(
            "--head",
            f"--port={port}",
            f"--dashboard-port={dashboard}",
            "--dashboard-host=127.0.0.1",
            f"--temp-dir={self.temporary}",
            f"--ray-client-server-port={free_port()}",
            f"--dashboard-agent-listen-port={agent_port or free_port()}",
            f"--num-cpus={int(resources.pop('CPU', 0))}",
            f"--resources={json.dumps({'cpu_actor': 1, **resources})}",
        )
        wait_until(self._answers)

    def add(self, cpus: int = 1, actors: int = 4) -> subprocess.Popen[bytes]:
        """Start a node. Not two at a time: on one machine they get in each other's way."""
        node = self._start(
            f"--address={self.address}",
            f"--num-cpus={cpus}",
            f"--resources={json.dumps({'cpu_actor': actors})}",
            f"--dashboard-agent-listen-port={free_port()}",
        )
        self.nodes.append(node)
        wait_until(lambda: "Ray runtime started" in self._log(node).read_text())
        return node

    def processes(self) -> list[Any]:
        """The psutil processes of all nodes."""
        found = []
        for node in (self.head, *self.nodes):
            with suppress(psutil.NoSuchProcess):
                parent = psutil.Process(node.pid)
                found += [parent, *parent.children(recursive=True)]
        return found

    def kill(self, node: subprocess.Popen[bytes]) -> None:
        """End all processes of a node at once."""
        parent = psutil.Process(node.pid)
        for process in (*parent.children(recursive=True), parent):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        node.wait()
        if node in self.nodes:
            self.nodes.remove(node)

    def close(self) -> None:
        """End everything."""
        import shutil

        for node in (*self.nodes, self.head):
            if node.poll() is None:
                self.kill(node)
        shutil.rmtree(self.temporary, ignore_errors=True)

    def cli(self, *args: object, **changes: str) -> Done:
        """A command of ours as the cluster's user, in this process: imports are most of one."""
        changes["RAY_AUTH_MODE"] = "token"
        with patch.dict(os.environ, {**self._environment, **changes}, clear=True):
            forget_token()
            done = cli(*map(str, args), cwd=self.home)
        forget_token()
        return done

    def cli_apart(self, *args: object) -> Done:
        """The same in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "sweep", *map(str, args)],
            env=self._environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=120,
        )

    @property
    def _environment(self) -> dict[str, str]:
        return {**self.env, "RAY_API_SERVER_ADDRESS": self.url}

    def _start(self, *options: str) -> subprocess.Popen[bytes]:
        with (self.home / "starting.log").open("w") as log:
            node = subprocess.Popen(
                [sys.executable, str(STARTER), "--object-store-memory=100000000", *options],
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (self.home / "starting.log").rename(self._log(node))
        return node

    def _log(self, node: subprocess.Popen[bytes]) -> Path:
        return self.home / f"{node.pid}.log"

    def _answers(self) -> bool:
        assert self.head.poll() is None, "the head did not start"
        port = int(self.url.rpartition(":")[2])
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False


@contextmanager
def loopback_cluster(
    home: Path, agent_port: int | None = None, **resources: float
) -> Iterator[LoopbackCluster]:
    """A cluster that ends with the block."""
    cluster = LoopbackCluster(home, agent_port, **resources)
    try:
        yield cluster
    finally:
        cluster.close()


def addresses_listened_at(cluster: LoopbackCluster) -> Mapping[str, set[str]]:
    """Addresses that processes of the cluster listen at, by the process' name."""
    listening: dict[str, set[str]] = {}
    for process in cluster.processes():
        with suppress(psutil.NoSuchProcess):
            for connection in process.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    listening.setdefault(process.name(), set()).add(connection.laddr.ip)
    return listening
