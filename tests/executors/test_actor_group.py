"""Groups of real actors on a real Ray, with CpuGroup in process as what they must equal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.exceptions import RayActorError
from ray_cells import (
    SHARED,
    STARTS,
    UNIFORM,
    ZIPF,
    assert_as_in_process,
)
from stress_cells import stress_cell

from core.workload import Workload
from sweep.errors import UsageError
from sweep.executors import scheduler
from sweep.executors.ray_cluster import RayCluster
from sweep.executors.ray_executor import RayExecutor

# Ray's own warnings are not ours to fail on.
pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module", params=[8, 4, 1], ids=["1 actor", "2 actors", "8 actors"])
def executor(local_ray: str, request: pytest.FixtureRequest) -> Iterator[RayExecutor]:
    with closing(RayExecutor(cpus_per_actor=request.param, groups=1)) as executor:
        yield executor


@pytest.fixture(scope="module")
def pair(local_ray: str) -> Iterator[RayExecutor]:
    """An executor with one group of two actors, which tests may kill."""
    with closing(RayExecutor(cpus_per_actor=4, groups=1)) as executor:
        yield executor


def on(actor: Any, function: Callable[[Any], Any]) -> Any:
    """What `function` returns in the actor's process."""
    return ray.get(actor.__ray_call__.remote(function))


def members(executor: RayExecutor) -> list[Any]:
    """The actors of the only group, interconnect last."""
    [group] = executor.groups
    return [*group.cpu_actors, group.interconnect]


def pids(executor: RayExecutor) -> list[int]:
    """Process ids of the only group, interconnect last."""
    return [on(actor, lambda _: os.getpid()) for actor in members(executor)]


def test_numbers_are_those_of_one_process_also_when_the_group_is_used_again(
    executor: RayExecutor,
) -> None:
    outcomes = executor.run([SHARED, UNIFORM, ZIPF, STARTS, replace(SHARED, cpus=1), SHARED])
    first = next(outcomes)
    assert_as_in_process(first)
    group = pids(executor)
    for outcome in outcomes:
        assert_as_in_process(outcome)
    assert pids(executor) == group


def test_cells_with_writers_are_those_of_one_process(pair: RayExecutor) -> None:
    workload = Workload(attach_threads=3, mmap_threads=1, fork_threads=1, stalls=40)
    hit = stress_cell(workload, ms=8, cpus=6, flavour="srcu-uretprobe")
    [outcome] = pair.run([hit])
    assert_as_in_process(outcome)
    # The threads really live in the actors, in which no other test needs the compiler.
    assert all("core.stress.replay" in loaded_in(actor) for actor in members(pair)[:-1])
    assert outcome.result is not None
    assert outcome.result.stress is not None
    assert outcome.result.stress.attach is not None
    for outcome in pair.run([replace(hit, cpus=1, flavour="baseline"), SHARED]):
        assert_as_in_process(outcome)


def test_a_group_has_its_next_cell_before_the_last_outcome_is_stored(executor: RayExecutor) -> None:
    outcomes = executor.run([SHARED, UNIFORM])
    next(outcomes)
    [group] = executor.groups
    assert [attempt.cell for attempt in group.attempts] == [UNIFORM]
    # To its end: a run that is given up ends its actors.
    [second] = outcomes
    assert_as_in_process(second)


def test_group_has_an_actor_for_every_few_cpus(executor: RayExecutor) -> None:
    [_] = executor.run([SHARED])
    [group] = executor.groups
    assert len(group.cpu_actors) * group.size.cpus_per_actor == 8


def test_actors_load_little(executor: RayExecutor) -> None:
    [_] = executor.run([SHARED])
    cpu_actor, *_, interconnect = members(executor)
    # Not pyarrow: Ray itself imports that in every worker, for its serializers.
    storage = {"polars", "pyarrow.parquet", "pyarrow.dataset", "sweep.store.store"}
    assert storage & loaded_in(interconnect) == set()
    assert (storage | {"numba", "core.engine.weave"}) & loaded_in(cpu_actor) == set()


def loaded_in(actor: Any) -> set[str]:
    return set(on(actor, lambda _: list(sys.modules)))


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("core.engine.cpu_hosts", {"polars", "pyarrow", "numba", "pydantic", "ray", "sweep"}),
        ("sweep.executors.cpu_actor", {"polars", "pyarrow", "numba", "pydantic", "ray"}),
        ("sweep.executors.interconnect_actor", {"polars", "pyarrow"}),
    ],
)
def test_what_actors_are_made_of_imports_little(module: str, heavy: set[str]) -> None:
    script = "import sys, importlib; importlib.import_module(sys.argv[1]); print(*sys.modules)"
    imported = run_python(script, module)
    assert imported.returncode == 0, imported.stderr
    assert heavy & set(imported.stdout.split()) == set()


@pytest.mark.parametrize("victim", [0, 2], ids=["CPU actor", "interconnect"])
def test_cell_after_a_death_is_right(pair: RayExecutor, victim: int) -> None:
    [first] = pair.run([ZIPF])
    assert_as_in_process(first)
    before = pids(pair)
    os.kill(before[victim], signal.SIGKILL)
    for outcome in pair.run([UNIFORM, SHARED]):
        assert_as_in_process(outcome)
    assert not set(before) & set(pids(pair))


def die_at_second_draw(_: Any) -> None:
    from core.engine import cpu

    draw, draws = cpu.Cpus.bound, []

    def dying(self: Any, hits: Any) -> Any:
        draws.append(hits)
        if len(draws) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return draw(self, hits)

    cpu.Cpus.bound = dying  # type: ignore[method-assign]


def die_at_third_window(_: Any) -> None:
    from core.engine import interconnect

    run, windows = interconnect.Interconnect.run, []

    def dying(self: Any, until_ps: int) -> bool:
        windows.append(until_ps)
        if len(windows) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return run(self, until_ps)

    interconnect.Interconnect.run = dying  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("victim", "sabotage"),
    [(1, die_at_second_draw), (2, die_at_third_window)],
    ids=["CPU actor", "interconnect"],
)
def test_death_within_a_cell_costs_an_attempt(
    pair: RayExecutor, victim: int, sabotage: Callable[[Any], None]
) -> None:
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    [_] = pair.run([ZIPF])
    before = pids(pair)
    on(members(pair)[victim], sabotage)
    [outcome] = pair.run([UNIFORM])
    assert_as_in_process(outcome)
    assert not set(before) & set(pids(pair))


def test_cell_that_kills_every_group_fails_and_the_next_goes_on(
    pair: RayExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "ATTEMPTS", 1)
    [_] = pair.run([ZIPF])
    os.kill(pids(pair)[0], signal.SIGKILL)
    failed, worked = pair.run([UNIFORM, SHARED])
    assert failed.cell == UNIFORM
    assert failed.result is None
    assert failed.error is not None
    assert failed.error.startswith("an actor died in each of 1 attempts")
    assert_as_in_process(worked)


def test_cell_that_cannot_be_simulated_is_a_failure_and_keeps_the_group(pair: RayExecutor) -> None:
    failed, worked = pair.run([replace(SHARED, flavour="no-such"), SHARED])
    before = pids(pair)
    assert failed.result is None
    assert failed.error is not None
    assert "in simulate" in failed.error
    assert "KeyError: 'no-such'" in failed.error
    assert "\x1b" not in failed.error
    assert_as_in_process(worked)
    assert pids(pair) == before


def call_for_ever(actor: Any) -> None:
    # Ray kills after the call returns, so some calls may still succeed; one must fail.
    while True:
        ray.get(actor.__ray_ready__.remote())


def test_giving_up_ends_the_actors_and_leaves_a_ray_that_was_there(pair: RayExecutor) -> None:
    outcomes: Any = pair.run([ZIPF, UNIFORM])
    next(outcomes)
    actors = members(pair)
    outcomes.close()
    pair.close()
    for actor in actors:
        with pytest.raises(RayActorError):
            call_for_ever(actor)
    assert ray.is_initialized()


def test_larger_cells_get_a_larger_group(local_ray: str) -> None:
    with closing(RayExecutor(cpus_per_actor=3, groups=1)) as executor:
        for cpus in (1, 3, 2):
            [outcome] = executor.run([replace(UNIFORM, cpus=cpus)])
            assert_as_in_process(outcome)
        [group] = executor.groups
        assert group.size.cpus == 3


def test_no_cells_need_no_ray() -> None:
    with closing(RayExecutor("nowhere:1")) as executor:
        assert list(executor.run([])) == []


@pytest.mark.parametrize("cpus_per_actor", [0, -1])
def test_cpus_per_actor_is_positive(cpus_per_actor: int) -> None:
    with pytest.raises(UsageError, match=str(cpus_per_actor)):
        RayExecutor(cpus_per_actor=cpus_per_actor)


def test_local_ray_has_a_token_and_listens_on_loopback_only(local_cluster: RayCluster) -> None:
    import psutil  # Ray brings it along, and has to be imported first

    assert (Path.home() / ".ray" / "auth_token").stat().st_mode & 0o777 == 0o600
    session = Path(ray._private.worker.global_worker.node.get_session_dir_path())
    local_cluster.check()
    for folder in (session.parents[1], session):
        private = folder.stat()
        assert (private.st_mode & 0o777, private.st_uid) == (0o700, os.getuid()), folder
    listening = set()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            for connection in process.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    listening.add(connection.laddr.ip)
    assert listening
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}


JOINS = """
import sys
from contextlib import closing
from sweep.executors.ray_cluster import RayCluster
from sweep.executors.ray_executor import RayExecutor
from ray_cells import SHARED, assert_as_in_process

with closing(RayExecutor(sys.argv[1], cpus_per_actor=8)) as executor:
    [outcome] = executor.run([SHARED])
    assert_as_in_process(outcome)
"""


def run_python(script: str, argument: str, **environment: str) -> subprocess.CompletedProcess[str]:
    here = Path(__file__).resolve().parent
    paths = os.pathsep.join(map(str, (os.getcwd(), here, here.parent)))
    return subprocess.run(
        [sys.executable, "-c", script, argument],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
    )


def test_another_process_joins_and_leaves(local_ray: str) -> None:
    joined = run_python(JOINS, local_ray)
    assert (joined.returncode, joined.stdout) == (0, ""), joined.stderr
    assert ray.cluster_resources()


def test_without_the_token_nobody_joins(local_ray: str, tmp_path: Path) -> None:
    refused = run_python(JOINS, local_ray, HOME=str(tmp_path))
    assert refused.returncode == 1
    last = refused.stderr.strip().splitlines()[-1]
    assert last.startswith(f"sweep.errors.InfrastructureError: cannot join Ray at '{local_ray}'")
    assert "token" in last
