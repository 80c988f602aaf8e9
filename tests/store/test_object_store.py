"""Runs in an object store, against moto's S3 server on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from command_line import AXES as TINY
from command_line import CELLS, PROJECT, cli, cli_apart, hooked
from moto.server import ThreadedMotoServer
from polars.testing import assert_frame_equal
from tiny import FakeExecutor, tiny_spec

from core.cell import Cell
from sweep import Spec, scan, scan_attribution, scan_failures
from sweep.commands.shared import frame
from sweep.driver.driver import RunSummary, run, survey
from sweep.errors import InfrastructureError, UsageError
from sweep.store.compact import compact
from sweep.store.object_folder import ObjectFolder
from sweep.store.place import folder_at, located
from sweep.store.scan import finished, runs_at
from sweep.store.schema import SHARE_KEY

SPEC = tiny_spec(cpus=[1, 2, 4, 8], flavour=["srcu", "tasks-trace"])
BUCKET = "sweeps"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket, as this machine's environment gives it."""
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "XDG_CACHE_HOME": str(tmp_path / "here"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for method, path in (("POST", "moto-api/reset"), ("PUT", BUCKET)):
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{path}", method=method)).close()
    return f"s3://{BUCKET}"


def fails(cell: Cell) -> None:
    if cell.cpus == 4:
        raise ValueError("four")


def collect(location: Path | str) -> list[pl.DataFrame]:
    return [
        scan(location).drop("wall_seconds").sort("cell_id").collect(),
        scan_attribution(location).sort(SHARE_KEY).collect(),
        scan_failures(location).drop("failed_at").sort("cell_id").collect(),
    ]


def assert_same(one: Path | str, other: Path | str) -> None:
    for ours, theirs in zip(collect(one), collect(other), strict=True):
        assert_frame_equal(ours, theirs)


def test_a_run_in_a_bucket_is_the_run_in_a_folder(bucket: str, tmp_path: Path) -> None:
    out = f"{bucket}/runs/a"
    for where in (out, tmp_path / "a"):
        assert run(SPEC, where, FakeExecutor(fails)) == RunSummary(6, 0, 2, where)
    assert_same(out, tmp_path / "a")
    again = FakeExecutor()
    assert run(SPEC, out, again) == RunSummary(0, 6, 0, out, failed_before=2)
    assert run(SPEC, out, again, retry_failed=True) == RunSummary(2, 6, 0, out)
    assert len(again.seen) == 2
    assert run(tiny_spec(cpus=[2, 16]), out, FakeExecutor()).done == 1
    assert [folder.location for folder in runs_at(f"{bucket}/runs")] == [out]
    assert scan(f"{bucket}/runs").collect().height == 9


def test_what_a_driver_on_a_lost_machine_had_not_put_is_simulated_again(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And on the same machine it is in the journal there."""
    hooked(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.setattr("command_line.ENVIRONMENT", {**os.environ, "PYTHONPATH": str(PROJECT)})
    out = f"{bucket}/killed"
    done = cli_apart("run", "tiny.py", "--out", out, cwd=tmp_path)
    assert done.returncode == -signal.SIGKILL
    here = finished(out)
    assert 0 < len(here) < CELLS
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "there"))
    assert finished(out) == set()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "here"))
    (tmp_path / "tiny.yaml").write_text(json.dumps(TINY))
    done = cli("run", "tiny.yaml", "--out", out, "--json", cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["skipped"]) == (0, len(here))
    assert cli("run", "tiny.yaml", "--out", "folder", cwd=tmp_path).returncode == 0
    assert_same(out, tmp_path / "folder")


def test_a_part_is_put_after_some_time_though_cells_are_few(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ObjectFolder, "flush_seconds", 0.0)
    run(SPEC, f"{bucket}/slow", FakeExecutor())
    assert len(folder_at(f"{bucket}/slow").parts("cells")) == 8


def test_two_drivers_on_two_machines_make_one_run(bucket: str, tmp_path: Path) -> None:
    out = f"{bucket}/shared"
    (tmp_path / "tiny.yaml").write_text(json.dumps(TINY))
    drivers = [
        subprocess.Popen(
            [sys.executable, "-m", "sweep", "run", "tiny.yaml", "--out", out, "--json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "XDG_CACHE_HOME": str(tmp_path / name)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for name in ("one", "other")
    ]
    ends = [driver.communicate(timeout=120)[0] for driver in drivers]
    assert [driver.returncode for driver in drivers] == [0, 0]
    assert sum(json.loads(end)["done"] for end in ends) >= CELLS
    run(Spec(**TINY), tmp_path / "alone")
    assert_same(out, tmp_path / "alone")
    assert list(survey(Spec(**TINY), out).to_do()) == []


def test_two_drivers_on_one_machine_are_one_too_many(bucket: str) -> None:
    def second(cell: Cell) -> None:
        with pytest.raises(UsageError, match=f"another process is writing to {bucket}/one"):
            run(SPEC, f"{bucket}/one", FakeExecutor())

    assert run(SPEC, f"{bucket}/one", FakeExecutor(second)).done == 8


def test_a_run_in_a_bucket_is_compacted(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = f"{bucket}/many"
    monkeypatch.setattr("sweep.store.store.ROWS_PER_FILE", 2)
    run(SPEC, out, FakeExecutor(fails))
    before = collect(out)
    assert compact(out).after == 3
    for ours, theirs in zip(collect(out), before, strict=True):
        assert_frame_equal(ours, theirs)


def test_commands_take_a_uri(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("command_line.ENVIRONMENT", {**os.environ, "PYTHONPATH": str(PROJECT)})
    out = f"{bucket}/letter"
    letter = ("cover-letter", "--set", "cpus=1", "--set", "ensemble=0", "--set", "duration=1ms")
    done = cli("run", *letter, "--out", out, cwd=tmp_path)
    assert done.stdout == f"6 cells done: {out}\n"
    assert "uprobe-nop" in cli("tables", out, cwd=tmp_path).stdout
    assert cli("failures", out, cwd=tmp_path).stdout == f"0 cells failed in {out}\n"
    planned = cli("plan", *letter, "--out", out, cwd=tmp_path).stdout
    assert f"6 cells: 6 done in {out}, 0 to do" in planned
    assert "private work" in cli("explain", out, "--flavour", "srcu", cwd=tmp_path).stdout
    near = cli("tables", f"{bucket}/lettre", cwd=tmp_path)
    assert (near.returncode, near.stderr) == (
        2,
        f"error: no such run: {bucket}/lettre: did you mean 'letter'? allowed: letter; "
        f"try `uprobe-sweep tables {bucket}/letter`\n",
    )
    gone = cli("run", *letter, "--out", "s3://no-such-bucket/x", cwd=tmp_path)
    assert (gone.returncode, gone.stderr.count("\n")) == (2, 1)
    assert "NoSuchBucket" in gone.stderr


def test_a_store_out_of_reach_is_infrastructure(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    executor = FakeExecutor()
    with pytest.raises(InfrastructureError, match=f"cannot read {bucket}/x/run.json: "):
        run(SPEC, f"{bucket}/x", executor)
    assert executor.seen == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s4://b/x", "no such object store: allowed: s3"),
        ("file:///tmp/x", "no such object store"),
        ("s3://", "a bucket is missing"),
    ],
)
def test_a_uri_of_no_store(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        located(text)


def test_a_uri_of_google_is_taken_and_a_path_stays_a_path() -> None:
    assert located("gs://bucket/runs/") == "gs://bucket/runs"
    assert located("a/b") == Path("a/b")


def test_an_edited_design_is_said_of_rows_in_a_bucket(
    bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    design = tmp_path / "my.py"
    text = (PROJECT / "sweep/spec/shipped/sharded-nhit.py").read_text()
    design.write_text(text)
    run(tiny_spec(flavour=str(design)), f"{bucket}/mine", FakeExecutor())
    frame(f"{bucket}/mine")
    assert not capsys.readouterr().err
    design.write_text(text.replace("cycles=12", "cycles=13"))
    frame(f"{bucket}/mine")
    assert "2 of 2 cells are not of the path of now" in capsys.readouterr().err
