"""Real uprobes: every call counted, and the probe gone however a measurement ends. Seconds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from live_host import Watched, needs_uprobes, wait_until

from core.kernel.bench import NAMED
from sweep import live, scan
from sweep.live import session
from sweep.live.callers import Callers
from sweep.live.code import CALL_OPCODE, INT3, TARGETS, Code
from sweep.live.kernel import flavour_of, measured_on, running
from sweep.live.probe import Probe
from sweep.live.rows import LiveRun
from sweep.store.schema import SCHEMA

pytestmark = [pytest.mark.serial, needs_uprobes]

PROJECT = Path(__file__).resolve().parents[2]
QUICK = {"warmup": 0.01, "duration": 0.02, "sample": 0.02}
QUICK_OPTIONS = [f"--{name}={seconds}" for name, seconds in QUICK.items()]
NOP = TARGETS["nop"][0]
CPUS = len(session.usable_cpus())
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT)}


def cli(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sweep", *args]
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True)


@pytest.mark.parametrize("bench", NAMED)
def test_every_bench_counts_every_call(bench: str) -> None:
    measured = session.measure_one(bench, 1, **QUICK)
    assert measured.hits > 0
    assert measured.mean > 0
    assert len(measured.samples) == 2


@pytest.mark.parametrize("attach", ["bpf", "perf"])
def test_all_cpus_of_the_host_count_together(attach: str) -> None:
    measured = session.measure_one("uprobe-nop", CPUS, **QUICK, attach=attach)
    assert measured.hits >= measured.hits_in_samples > 0


@pytest.mark.parametrize("attach", ["bpf", "perf"])
def test_a_call_that_is_not_counted_is_an_error_with_both_numbers(
    attach: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Callers.calls
    monkeypatch.setattr(Callers, "calls", lambda self: calls(self) + 1)
    with pytest.raises(
        session.LostHitsError, match=r"[0-9,]+ calls were made, [0-9,]+ hits counted"
    ):
        session.measure_one("uprobe-nop", 1, **QUICK, attach=attach)


def test_calls_before_the_probe_are_not_hits() -> None:
    where = session.usable_cpus()[:1]
    with Code("nop") as code, Callers(code.caller, where) as callers:
        wait_until(lambda: callers.calls() > 0)
        with Probe(code, NAMED["uprobe-nop"], "bpf", where) as probe:
            wait_until(lambda: probe.hits() > 0)
            callers.stop()
            assert 0 < probe.hits() < callers.calls()


def test_the_breakpoint_is_there_while_measured_and_gone_after() -> None:
    with Code("nop") as code:
        assert code.first_byte() == NOP
        with Probe(code, NAMED["uprobe-nop"], "bpf", [0]):
            assert code.first_byte() == INT3
        assert code.first_byte() == NOP


def test_a_nop_that_became_a_call_is_a_nop_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = left_behind(monkeypatch)
    session.measure_one("uprobe-nop5", 1, **QUICK)
    assert kept == [TARGETS["nop5"][0]]


def test_an_exception_removes_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(seconds: float) -> None:
        raise RuntimeError("stumbled")

    kept = left_behind(monkeypatch)
    with pytest.raises(RuntimeError, match="stumbled"):
        session.measure_one("uprobe-nop", 1, sleep=stumble)
    assert kept == [NOP]


def left_behind(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that gets what is in memory at the probe's place when the file is closed."""
    kept: list[int] = []
    close = Code.__exit__

    def keep(self: Code, *error: object) -> None:
        kept.append(self.first_byte())
        close(self, None, None, None)

    monkeypatch.setattr(Code, "__exit__", keep)
    return kept


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_removes_the_probe(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sweep", "live", "uprobe-nop", "--cpus=1"]
    process = subprocess.Popen(
        [*command, "--duration=600"], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE
    )
    watched = Watched(process.pid)
    try:
        wait_until(lambda: watched.byte() == INT3)
        process.send_signal(number)
        ends = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}
        assert process.wait(60) == ends[number]
        wait_until(lambda: watched.byte() == NOP)
    finally:
        watched.close()
        process.kill()
        process.communicate()


def test_the_nop_is_what_the_row_says() -> None:
    rows = live.measure("uprobe-nop", 1, **QUICK)
    assert rows.select("nop_bytes", "source", "attach", "kernel").row(0) == (
        *(1, "live", "bpf", running()),
    )
    assert rows.columns == SCHEMA.names
    measured = session.measure_one("uprobe-nop5", 1, **QUICK)
    entered = CALL_OPCODE if measured.optimized else INT3
    assert measured.flavour == flavour_of(measured_on(running()), NAMED["uprobe-nop5"], entered)


def test_measurements_add_up_in_a_folder_and_are_tabled(tmp_path: Path) -> None:
    for _ in range(2):
        done = cli("live", "uprobe-nop,uprobe-push", "--cpus=1", *QUICK_OPTIONS, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "every call counted: results/runs/live" in done.stdout
    rows = scan(tmp_path / "results/runs/live").collect()
    found = rows.select("bench", "replicate").sort("bench", "replicate").rows()
    assert found == [(b, r) for b in ("uprobe-nop", "uprobe-push") for r in (0, 1)]
    tabled = cli("tables", "live", cwd=tmp_path)
    assert "source=live" in tabled.stdout
    assert "uprobe-push     ( 1 cpus):" in tabled.stdout


def test_an_interrupted_run_keeps_what_was_measured(tmp_path: Path) -> None:
    with LiveRun(tmp_path / "run") as run:
        run.append(session.measure_one("uprobe-nop", 1, **QUICK))
        with pytest.raises(KeyboardInterrupt):
            session.measure_one("uprobe-nop", 1, sleep=interrupted)
    assert scan(tmp_path / "run").collect()["source"].to_list() == ["live"]


def interrupted(seconds: float) -> None:
    raise KeyboardInterrupt


def test_a_simulated_run_is_not_measured_into(tmp_path: Path) -> None:
    brief = ["--set=ensemble=0", "--set=warmup=0us", "--set=duration=20us", "--set=sample=20us"]
    asked = ["--set=cpus=1", "--set=flavour=srcu", *brief, "--out=run"]
    assert cli("run", "cover-letter", *asked, cwd=tmp_path).returncode == 0
    done = cli("live", "uprobe-nop", "--cpus=1", "--out=run", *QUICK_OPTIONS, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "run holds a run that is not live" in done.stderr


def test_json_is_the_rows(tmp_path: Path) -> None:
    done = cli("live", "uprobe-nop", "--cpus=1", *QUICK_OPTIONS, "--json", cwd=tmp_path)
    [row] = json.loads(done.stdout)
    assert set(row) == set(SCHEMA.names)


def test_without_root_it_is_one_line_and_exit_4(tmp_path: Path) -> None:
    code = "import os; os.setgid(65534); os.setuid(65534); from sweep.cli import main; main()"
    # In another process that was root while it imported: this checkout may be root's alone.
    code = f"import sweep.cli, sweep.live.session, sweep.live.rows, sweep.report.tables; {code}"
    command = [sys.executable, "-c", code, "live", "uprobe-nop", "--cpus=1"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("error: uprobes need CAP_PERFMON or root")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "results").exists()
