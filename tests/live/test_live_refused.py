"""Where live measurement cannot be, and what cannot be asked of it. Needs no rights."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from core.kernel.bench import NAMED
from sweep.errors import UsageError
from sweep.live import counting, refused, session
from sweep.live.code import CALL_OPCODE, INT3, TARGET, caller
from sweep.live.kernel import flavour_of, measured_on


def host(root: Path, *, pmu: bool = True, capabilities: int = 0) -> Path:
    (root / refused.PMU.parents[1]).mkdir(parents=True)
    if pmu:
        (root / refused.PMU.parent).mkdir()
        (root / refused.PMU).write_text("8\n")
    (root / refused.STATUS).parent.mkdir(parents=True)
    (root / refused.STATUS).write_text(f"Name:\tx\nCapEff:\t{capabilities:016x}\n")
    (root / refused.PARANOID).parent.mkdir(parents=True)
    (root / refused.PARANOID).write_text("2\n")
    return root


@pytest.mark.parametrize("name", ["CAP_PERFMON", "CAP_SYS_ADMIN"])
def test_either_capability_is_enough(name: str, tmp_path: Path) -> None:
    bit = refused.CAPABILITIES[name]
    refused.refuse_if_impossible(host(tmp_path, capabilities=1 << bit))


def test_no_capability_names_it_and_the_setting(tmp_path: Path) -> None:
    others = (1 << 38) - 1 & ~(1 << 21)
    with pytest.raises(
        refused.RefusedError, match=r"CAP_PERFMON.*perf_event_paranoid is 2"
    ) as found:
        refused.refuse_if_impossible(host(tmp_path, capabilities=others))
    assert found.value.exit_code == 4


def test_no_uprobe_events_names_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(refused.RefusedError, match="CONFIG_UPROBES"):
        refused.refuse_if_impossible(host(tmp_path, pmu=False, capabilities=-1 & 2**41 - 1))


def test_no_sys_is_said(tmp_path: Path) -> None:
    with pytest.raises(refused.RefusedError, match="/sys is not mounted"):
        refused.refuse_if_impossible(tmp_path)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EPERM, "seccomp"),
        (errno.EACCES, "CAP_BPF"),
        (errno.ENOSYS, "built without"),
        (errno.EINVAL, "does not know it"),
        (errno.EMFILE, "ulimit"),
        (errno.EIO, "dmesg"),
    ],
)
def test_a_system_call_that_fails_is_explained(number: int, said: str) -> None:
    error = refused.because("cannot load it", OSError(number, "x"))
    assert said in str(error)
    assert "\n" not in str(error)
    assert error.exit_code == 4


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"benches": ["uprobe-nob"]}, "unknown bench 'uprobe-nob': did you mean 'uprobe-nop'"),
        ({"cpus": [10_000]}, "10000 CPUs, but this process may run on [0-9]+: .*nearest"),
        ({"cpus": [0]}, "0 CPUs, .*nearest 1;"),
        ({"attach": "kprobe"}, "unknown way to attach 'kprobe'"),
        ({"times": (-1.0, 1.0, 1.0)}, "warmup -1 s: allowed are 0 to 3600"),
        ({"times": (1.0, 1.0, 2.0)}, "duration 1 s in samples of 2 s"),
        ({"times": (float("nan"), 1.0, 1.0)}, "warmup nan"),
    ],
)
def test_what_cannot_be_measured_is_a_usage_error(asked: dict[str, object], said: str) -> None:
    usual: dict[str, object] = {"benches": ["uprobe-nop"], "cpus": [1], "attach": "bpf"}
    with pytest.raises(UsageError, match=said):
        session.check_request(**{**usual, **asked})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kernel", "bench", "first_byte", "flavour"),
    [
        ("6.18.1", "uprobe-nop5", CALL_OPCODE, "nop5"),
        ("6.18.1", "uprobe-nop5", INT3, "emulate-nops"),
        ("6.18.1", "uprobe-nop", INT3, "nop5"),
        ("6.18.1", "uprobe-push", INT3, "nop5"),
        ("6.12.1", "uprobe-nop", INT3, "v6.12"),
        ("6.11.1", "uprobe-nop5", INT3, "baseline"),
        ("5.15.0-91-generic", "uprobe-nop", INT3, "v6.9"),
    ],
)
def test_a_measurement_is_filed_under_what_its_probe_ran_through(
    kernel: str, bench: str, first_byte: int, flavour: str
) -> None:
    assert flavour_of(measured_on(kernel), NAMED[bench], first_byte) == flavour


def test_a_kernel_before_the_oldest_is_measured_all_the_same_and_said_so() -> None:
    assert "is older than 6.4" in measured_on("5.15.0-91-generic").assumed[0]


def test_the_caller_calls_the_target_counts_and_loops() -> None:
    code = caller()
    assert code[0] == 0xE8
    assert int.from_bytes(code[1:5], "little") + 5 == TARGET
    assert code[12] == 0x74
    assert 14 + int.from_bytes(code[13:14], "little", signed=True) == 0
    assert code[-1] == 0xC3
    assert len(code) <= TARGET


def test_the_program_masks_its_cpu_so_that_no_counter_is_out_of_the_map() -> None:
    code = counting.program(5, 64)
    assert len(code) % 8 == 0
    assert int.from_bytes(code[12:16], "little") == 63
    assert int.from_bytes(code[20:24], "little") == counting.STRIDE_SHIFT
