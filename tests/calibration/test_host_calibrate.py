"""From timings of a host to its machine: planted machines are found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from core.calibrate.primitives import ns_per_operation
from core.kernel.flavours import hot_path
from core.machine.machine import Machine, load_machine
from core.machine.work import SAVING, uprobe_syscall
from sweep.calibration.by_kind import BLIND, CLEAN, THEN_LOCKED, modelled_ns
from sweep.calibration.host import (
    HitCheck,
    ImplausibleError,
    calibrated,
    calibrated_and_untold,
    check,
    disagreements,
)
from sweep.calibration.host_text import host_text
from sweep.live.host_timings import Hit, HostTimings, counts, pairs, pooled_runs
from sweep.live.refused import BusyHostError
from sweep.live.timing import Timing, from_windows, pooled
from sweep.machines import named as machines
from sweep.machines.host import host_machine, measured_title
from sweep.machines.named import calibrated_host, named_machine

HITS = [
    ("uprobe-nop", "nop5"),
    ("uprobe-nop5", "nop5"),
    ("uretprobe-nop", "nop5"),
    ("uprobe-push", "nop5"),
    ("uprobe-ret", "nop5"),
]
LENDER = load_machine("xeon-gold-6138")


def timing(ns: float, share: float = 0.01) -> Timing:
    return Timing(ns, ns * (1 - share), ns * (1 + share), 100, 90)


def truth(**shape: int) -> Machine:
    """A machine unlike the lender in all that is timed."""
    tree = LENDER.model_dump(mode="json", exclude={"calibration"})
    tree |= {"name": "host", "title": "1 x Some CPU (detected)", "sockets": 1} | shape
    tree["turbo"] = [{"active_cores": tree["cores_per_socket"], "ghz": 2.5}]
    tree["coherence"] |= {"transfer_ns": 50.5, "request_ns": 16.9, "snoop_ns": 17.7}
    tree["coherence"] |= {"residency_ns": 60.0}
    tree["execution"]["locked_op_cycles"] = 25
    tree["execution"]["work_cycles"] |= {"trap_entry": 900, "uprobe_syscall_saving": 400}
    tree["execution"]["work_cycles"] |= {"prepare_uretprobe": 20, "debug_trap_entry": 5000}
    return Machine.model_validate(tree)


def timed(machine: Machine, hits: Sequence[Hit] | None = None) -> HostTimings:
    """What would be timed on `machine`, noiselessly."""
    cycle = 1 / machine.turbo[-1].ghz
    operation = machine.execution.locked_op_cycles * cycle
    if hits is None:
        bare = [Hit(*hit, 1, timing(1.0)) for hit in HITS]
        hits = [
            Hit(*HITS[i], 1, timing(1e3 / c.predicted)) for i, c in enumerate(check(machine, bare))
        ]
    return HostTimings(
        kernel="6.18.0",
        clock={n: timing(3 * cycle) for n in counts(machine.cores_per_socket)},
        system_call={n: timing(70.0) for n in counts(machine.cores_per_socket)},
        one_way={d: timing(ns + operation) for d, ns in machine.one_way_ns.items() if ns},
        contended={
            n: timing(ns_per_operation(machine, "atomic_inc shared", n) if n > 1 else operation)
            for n in counts(machine.cpus)
        },
        hits=tuple(hits),
    )


def detected(machine: Machine) -> Machine:
    """The same host before it was measured: the lender's costs."""
    costs = {"coherence": LENDER.coherence, "execution": LENDER.execution}
    return machine.model_copy(update=costs)


def test_a_planted_machine_is_found_again() -> None:
    planted = truth(cores_per_socket=4, threads_per_core=1, cores_per_cache=4)
    found = calibrated(detected(planted), timed(planted))
    assert found.execution.locked_op_cycles == 25
    assert found.coherence.one_way_ns == pytest.approx(85.1, abs=0.01)
    assert found.coherence.residency_ns == pytest.approx(60, abs=5)
    for hit in check(found, timed(planted).hits):
        assert hit.error == pytest.approx(0, abs=0.005)


def test_hand_offs_give_the_way_and_the_costs_of_a_load_before() -> None:
    planted = truth(cores_per_socket=4, threads_per_core=1, cores_per_cache=4)
    planted = planted.with_numbers({"coherence.load_hold_ns": 150.0})
    handed = {
        kind: {"same cache": timing(modelled_ns(planted, kind, "same cache"))}
        for kind in (BLIND, THEN_LOCKED)
    } | {CLEAN: {"same cache": Timing(5.0, -20.0, 30.0, 100, 90)}}
    # The other way to time a line's way is not looked at where this one tells.
    timings = replace(timed(planted), hand_offs=handed, one_way={"same cache": timing(999.0)})
    found, untold = calibrated_and_untold(detected(planted), timings)
    assert found.coherence.one_way_ns == pytest.approx(85.1, abs=1)
    assert found.coherence.load_hold_ns == pytest.approx(150, rel=0.03)
    assert found.calibration is not None
    assert "coherence.load_hold_ns" in found.calibration.intervals
    text = host_text(found, timings, "xeon-gold-6138", "now", untold)
    assert "Not told, so xeon-gold-6138's: load of a clean line, same cache: 5.0 ns" in text
    assert "load, then locked operation, same cache: " in text


def test_what_is_not_timed_is_predicted_from_what_is() -> None:
    planted = truth(cores_per_socket=4, threads_per_core=1, cores_per_cache=4)
    bare = [Hit("uprobe-nop", flavour, 4, timing(1.0)) for flavour in ("baseline", "srcu")]
    found = calibrated(detected(planted), timed(planted))
    for theirs, ours in zip(check(planted, bare), check(found, bare), strict=True):
        assert ours.predicted == pytest.approx(theirs.predicted, rel=0.05)


def test_distances_are_costs_of_their_own() -> None:
    tree = truth(cores_per_socket=4, threads_per_core=1, cores_per_cache=2).model_dump(mode="json")
    tree |= {"sockets": 2}
    tree["coherence"] |= {"other_cache_ns": 33.0, "other_socket_ns": 111.0}
    planted = Machine.model_validate(tree)
    found = calibrated(detected(planted), timed(planted)).coherence
    assert found.other_cache_ns == pytest.approx(33.0, abs=0.05)
    assert found.other_socket_ns == pytest.approx(111.0, abs=0.05)


def test_a_further_distance_that_is_shorter_by_noise_is_as_far() -> None:
    planted = truth(cores_per_socket=4, threads_per_core=1, cores_per_cache=2)
    timings = timed(planted)
    timings.one_way["other cache"] = timing(timings.one_way["same cache"].ns - 5)
    assert calibrated(detected(planted), timings).coherence.other_cache_ns == 0


def test_a_host_of_one_cpu_keeps_the_lenders_lines() -> None:
    planted = truth(cores_per_socket=1, threads_per_core=1, cores_per_cache=1)
    found = calibrated(detected(planted), timed(planted))
    assert found.coherence == LENDER.coherence
    assert "coherence.residency_ns" not in found.calibration.intervals  # type: ignore[union-attr]


def test_work_that_cannot_absorb_a_fast_hit_does_not_become_negative() -> None:
    planted = truth(cores_per_socket=2, threads_per_core=1, cores_per_cache=2)
    timings = timed(planted, [Hit("uprobe-nop", "ri-reuse", 1, timing(150.0))])
    work = calibrated(detected(planted), timings).execution.work_cycles
    assert work["trap_entry"] == 0
    assert 0 <= work["trap_exit"] < 300


def test_a_saving_beyond_a_cheap_trap_is_absorbed_from_what_there_is() -> None:
    planted = truth(cores_per_socket=2, threads_per_core=1, cores_per_cache=2).with_numbers(
        {
            "execution.work_cycles.trap_entry": 200,
            "execution.work_cycles.uprobe_syscall_saving": 400,
        }
    )
    found = calibrated(detected(planted), timed(planted))
    execution = found.execution
    assert uprobe_syscall(execution.work_cycles, execution.load_cycles) == pytest.approx(111, abs=5)


def test_cores_that_system_calls_slow_on_have_a_lower_clock() -> None:
    planted = truth(cores_per_socket=2, threads_per_core=1, cores_per_cache=2)
    timings = timed(planted)
    timings.system_call[2] = timing(105.0)
    turbo = calibrated(detected(planted), timings).turbo
    assert [step.ghz for step in turbo] == [2.5, pytest.approx(2.5 / 1.5, abs=0.001)]


def test_the_file_is_the_machine_and_is_used_for_this_host_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = truth(cores_per_socket=2, threads_per_core=1, cores_per_cache=2)
    here = detected(planted)
    about = host_machine
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(machines, "host_machine", lambda: (here, about))
    assert calibrated_host() is None
    assert named_machine("host") == here
    found = calibrated(here, timed(planted))
    (tmp_path / "uprobe-sweep").mkdir()
    file = tmp_path / "uprobe-sweep" / "host.yaml"
    file.write_text(host_text(found, timed(planted), "xeon-gold-6138", "today"))
    assert named_machine("host") == found
    assert found.title == measured_title(here) == "1 x Some CPU (measured)"
    assert len(found.members) == 16
    other = here.model_copy(update={"title": "1 x Another CPU (detected)"})
    monkeypatch.setattr(machines, "host_machine", lambda: (other, about))
    assert named_machine("host") == other
    tree = yaml.safe_load(file.read_text())
    assert set(tree["calibration"]["intervals"]) == set(tree["calibration"]["members"][0])


def test_a_pair_for_every_distance() -> None:
    assert pairs(LENDER) == {"same cache": (0, 1), "other socket": (0, 20), "same core": (0, 40)}
    milan = pairs(load_machine("epyc-milan"))
    assert milan == {
        "same core": (0, 1),
        "same cache": (0, 2),
        "other cache": (0, 16),
        "other socket": (0, 128),
    }


def test_counts_double_up_to_all() -> None:
    assert [counts(n) for n in (1, 2, 6)] == [[1], [1, 2], [1, 2, 4, 6]]


def test_disturbed_windows_are_left_out() -> None:
    windows = [(10.0, 1.0)] * 20 + [(25.0, 0.5)] * 30 + [(float("inf"), 1.0)]
    assert from_windows(windows, "it") == Timing(10.0, 10.0, 10.0, 51, 20)


def test_where_nearly_all_windows_are_disturbed_nothing_is_measured() -> None:
    windows = [(1_323_723.0, 0.2)] * 40 + [(12.0, 1.0)] * 7
    with pytest.raises(BusyHostError, match=r"too busy .* it: .* in 7 of 47 windows") as caught:
        from_windows(windows, "it")
    assert (caught.value.exit_code, str(caught.value).count("\n")) == (4, 0)


def test_a_timing_says_how_it_drifted() -> None:
    windows = [(10.0, 1.0)] * 70 + [(11.0, 1.0)] * 10
    found = from_windows(windows, "it")
    assert (found.ns, found.low, found.high) == (10.0, 10.0, 11.0)


def test_runs_are_pooled_by_their_median_and_widen_the_interval() -> None:
    runs = [Timing(ns, ns - 1, ns + 1, 10, 9) for ns in (47.0, 29.0, 45.0)]
    found = pooled(runs)
    assert found == Timing(45.0, 28.0, 48.0, 30, 27, (47.0, 29.0, 45.0))
    assert found.spread == pytest.approx(0.4)


def test_runs_that_differ_widen_what_is_predicted() -> None:
    planted = truth(cores_per_socket=4, threads_per_core=1, cores_per_cache=4)
    one = timed(planted)
    far = replace(one, one_way={d: timing(1.5 * t.ns) for d, t in one.one_way.items()})
    steady = calibrated(detected(planted), pooled_runs([one, one, one])).calibration
    apart = calibrated(detected(planted), pooled_runs([one, far, one])).calibration
    assert steady is not None
    assert apart is not None
    (low, high), (least, most) = (c.intervals["coherence.transfer_ns"] for c in (steady, apart))
    assert high - low < 3
    assert least < 50 < 90 < most
    assert max(m["coherence.transfer_ns"] for m in apart.members) > high


def test_timings_that_no_machine_has_are_one_line() -> None:
    planted = truth(cores_per_socket=2, threads_per_core=1, cores_per_cache=2)
    timings = timed(planted)
    timings.one_way["same cache"] = timing(1_323_723.0)
    with pytest.raises(ImplausibleError, match=r"measured now: .*coherence.*: Input") as e:
        calibrated(detected(planted), timings)
    assert (e.value.exit_code, str(e.value).count("\n")) == (4, 0)


def test_two_calibrations_that_disagree_beyond_both_intervals_say_where() -> None:
    planted = truth(cores_per_socket=4, threads_per_core=1, cores_per_cache=4)
    once = calibrated(detected(planted), timed(planted))
    assert disagreements(once, once) == []
    assert disagreements(planted, once) == []
    timings = timed(planted)
    timings.one_way["same cache"] = timing(60.0)
    [said, *_] = disagreements(once, calibrated(detected(planted), timings))
    assert said.startswith("coherence.transfer_ns was ")
    assert ", is " in said


def test_an_error_is_predicted_over_measured() -> None:
    assert HitCheck("uprobe-nop", "nop5", 2, 4.0, 5.0).error == 0.25


def test_every_absorbing_call_is_on_its_path() -> None:
    from sweep.calibration.host import ABSORBS

    for bench, flavour in HITS:
        path = hot_path(flavour, bench)
        works = {op.work for call in path for op in call.operations}
        works |= {SAVING} if "uprobe_syscall_entry" in works else set()
        assert set(ABSORBS[bench]) <= works
