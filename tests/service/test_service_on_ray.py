"""submit, status, logs, cancel and runs with the real command line, on a Ray of one node."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loopback import LoopbackCluster, addresses_listened_at, loopback_cluster, wait_until
from polars.testing import assert_frame_equal
from tiny import FakeExecutor

import sweep
from core.cell import Cell
from sweep.driver.driver import run

TINY = """\
name: tiny
bench: uprobe-nop
flavour: [srcu, tasks-trace]
cpus: [1, 2]
warmup: 20us
duration: 20us
sample: 20us
machine: own.yaml
"""
NEW_MACHINE = "machine new own --sockets 1 --cores 2 --siblings 1 -o own.yaml"
LONG = "bench: uprobe-nop\nflavour: srcu\ncpus: 8\nprobes: 8\nspread: private\nduration: 50ms\n"

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackCluster]:
    home = tmp_path_factory.mktemp("home")
    with loopback_cluster(home, CPU=2, cpu_actor=8) as cluster:
        made = cluster.cli(*NEW_MACHINE.split())
        assert made.returncode == 0, made.stderr
        (home / "tiny.yaml").write_text(TINY)
        (home / "long.yaml").write_text(LONG)
        yield cluster


def long_run(cluster: LoopbackCluster) -> str:
    """Submit a sweep that would take minutes; its run."""
    seeds = ",".join(map(str, range(2000)))
    many = ("--set", f"seed={seeds}", "--actor-groups", 1)
    done = cluster.cli("submit", "long.yaml", *many, "--json")
    assert done.returncode == 0, done.stderr
    run_name: str = json.loads(done.stdout)["run"]
    return run_name


def status(cluster: LoopbackCluster, name: str) -> dict[str, Any]:
    done = cluster.cli("status", name, "--json")
    assert done.returncode == 0, done.stderr
    now: dict[str, Any] = json.loads(done.stdout)
    return now


def test_a_submitted_sweep_is_that_of_one_process(
    cluster: LoopbackCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = cluster.cli_apart("submit", "tiny.yaml", "--wait", "--actor-groups", 1)
    assert waited.returncode == 0, waited.stderr
    assert re.search("^tiny-[0-9a-f]{8}: submitted$", waited.stdout, re.MULTILINE)
    assert "4/4 cells, 0 failed" in waited.stdout
    assert waited.stderr == ""
    monkeypatch.chdir(cluster.home)
    run(sweep.load_spec("tiny.yaml"), tmp_path)
    far, here = (
        sweep.scan(path).drop("wall_seconds", "run_id").sort("cell_id").collect()
        for path in (cluster.home / "uprobe-sweep/results/runs/tiny", tmp_path)
    )
    assert_frame_equal(far, here)
    said = cluster.cli("status", "tiny").stdout
    assert ": succeeded, 4/4 cells, 0 failed\n" in said
    assert re.search(r"node +actor groups +in flight +done\n +127\.0\.0\.1/\w+ +0 +0 +4\n", said)
    log = cluster.cli("logs", "tiny").stdout
    assert "4 cells done: " in log
    assert "status {" not in log
    assert re.search("^tiny-.* succeeded ", cluster.cli("runs").stdout, re.MULTILINE)
    late = cluster.cli("cancel", "tiny")
    assert (late.returncode, late.stdout) == (2, "")
    assert re.match(r"error: tiny-[0-9a-f]{8} has succeeded already\b", late.stderr)
    assert status(cluster, "tiny")["state"] == "succeeded"


def test_failed_cells_are_tried_again_if_that_is_asked_for(
    cluster: LoopbackCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(cell: Cell) -> None:
        raise ValueError("bad luck")

    monkeypatch.chdir(cluster.home)
    spec, out = sweep.load_spec("tiny.yaml"), cluster.home / "failed"
    assert run(spec, out, FakeExecutor(fail)).failed == 4
    submit = ("submit", "tiny.yaml", "--out", out, "--wait")
    refused = cluster.cli(*submit)
    assert refused.returncode == 1
    assert "4 cells failed before, not tried again" in refused.stdout
    why = "Job entrypoint command failed with exit code 1"
    assert re.fullmatch(rf"tiny-[0-9a-f]{{8}} failed: {why}\n", refused.stderr)
    said = cluster.cli("status", "tiny").stdout.splitlines()
    assert said[1] == f"  {why}"
    assert said[2].startswith("  4 cells failed before, not tried again; see ")
    retried = cluster.cli(*submit, "--retry-failed", "--actor-groups", 1)
    assert retried.returncode == 0, retried.stderr
    assert "4/4 cells, 0 failed" in retried.stdout
    assert sweep.scan_failures(out).collect().is_empty()


def test_the_same_spec_joins_and_goes_on_after_a_cancel(cluster: LoopbackCluster) -> None:
    name = long_run(cluster)
    assert long_run(cluster) == name
    wait_until(lambda: status(cluster, name).get("done"))
    # Ray's workers open it when they start, and the run closes it.
    session = cluster.temporary / "session_latest"
    wait_until(lambda: session.stat().st_mode & 0o777 == 0o700)
    going_on = cluster.cli("status")
    assert re.search(rf"{name}: running, \d+/2000 cells, 0 failed, \d in flight", going_on.stdout)
    assert cluster.cli("cancel", name).stdout == f"{name}: stopped\n"
    assert cluster.cli("status").stdout == "no run is going on\n"
    again = cluster.cli("cancel", name)
    assert again.returncode == 2
    assert again.stderr.startswith(f"error: {name} has stopped already")
    ended = status(cluster, name)
    assert (ended["in_flight"], ended["seconds_left"]) == (0, None)
    done = ended["done"]
    assert long_run(cluster) == name
    # What was done before the cancel is not done again.
    assert wait_until(lambda: status(cluster, name).get("total")) <= 2000 - done
    assert cluster.cli("cancel", "long").returncode == 0
    [listed] = [r for r in json.loads(cluster.cli("runs", "--json").stdout) if r["run"] == name]
    assert listed["jobs"] == [name, f"{name}.2"]
    assert listed["state"] == "stopped"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        ("status tinny", 2, "no such run: tinny: did you mean 'tiny'?"),
        ("logs x --address 127.0.0.1:8265", 2, "write a URL like http://127.0.0.1:8265"),
        (
            "runs --address http://127.0.0.1:1",
            4,
            "nothing answers at http://127.0.0.1:1; is",
        ),
        ("submit tiny.yaml --out here", 2, "it has to be an absolute path or a URI"),
        ("submit tiny.yaml --out /runs/../etc", 2, "it has to be an absolute path or a URI"),
        ("submit tiny.yaml --set cpus=3", 2, "allowed are 1 to 2, nearest 2"),
    ],
)
def test_bad_input_is_one_line(cluster: LoopbackCluster, args: str, code: int, said: str) -> None:
    done = cluster.cli(*args.split())
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nobody_gets_in_without_the_token(cluster: LoopbackCluster, tmp_path: Path) -> None:
    stranger = tmp_path / ".ray" / "auth_token"
    stranger.parent.mkdir(mode=0o700)
    stranger.write_text("f" * 64)
    stranger.chmod(0o600)
    for command in ("runs", "submit tiny.yaml", "cancel tiny"):
        done = cluster.cli(*command.split(), HOME=str(tmp_path))
        assert done.returncode == 4
        assert "does not take our token" in done.stderr
        assert "f" * 64 not in done.stdout + done.stderr


def test_only_loopback_is_listened_at(cluster: LoopbackCluster) -> None:
    listening = addresses_listened_at(cluster)
    assert "gcs_server" in listening
    assert set().union(*listening.values()) <= {"127.0.0.1", "::ffff:127.0.0.1"}, listening


def test_the_token_is_in_no_result_log_or_package(cluster: LoopbackCluster) -> None:
    logs = [path for path in cluster.temporary.rglob("*") if path.is_file()]
    results = [path for path in (cluster.home / "uprobe-sweep").rglob("*") if path.is_file()]
    assert len(results) > 3
    assert any(path.name.startswith("job-driver-tiny") for path in logs)
    for path in (*results, *logs):
        assert cluster.token.encode() not in path.read_bytes(), path
