"""This host as a machine, from made-up /sys and /proc trees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hosts import INTEL, Cpu, cores_first, siblings_adjacent, write_host
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.machine.machine import Machine, load_machine
from core.machine.topology import place
from sweep.errors import UsageError
from sweep.machines.host import detect, host_machine

EPYC = "vendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 7763\nflags\t: fpu hypervisor vme\n"
ARM = "BogoMIPS\t: 200.00\nCPU implementer\t: 0x48\nCPU part\t: 0xd01\n"


def shape(machine: Machine) -> tuple[int, int, int, int, str]:
    return (
        machine.sockets,
        machine.cores_per_socket,
        machine.threads_per_core,
        machine.cores_per_cache,
        machine.numbering,
    )


def test_two_cores_of_one_thread(tmp_path: Path) -> None:
    machine, host = host_machine(write_host(tmp_path, [Cpu(0), Cpu(1)]))
    assert shape(machine) == (1, 2, 1, 2, "cores-first")
    assert machine.name == "host"
    assert machine.title.startswith("1 x Intel(R) Xeon(R) Silver 4114")
    assert [(t.active_cores, t.ghz) for t in machine.turbo] == [(2, 3.0)]
    assert host.assumed == ("3.0 GHz, the highest clock, with any number of cores busy",)


def test_the_letters_machine_is_recognized_with_its_turbo_table(tmp_path: Path) -> None:
    gold = "vendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) Gold 6138 CPU @ 2.00GHz\n"
    machine, host = host_machine(write_host(tmp_path, cores_first(2, 20), gold))
    letter = load_machine("xeon-gold-6138")
    assert (host.costs_of, host.same_model, host.assumed) == ("xeon-gold-6138", True, ())
    assert shape(machine) == shape(letter) == (2, 20, 2, 20, "cores-first")
    assert machine.turbo == letter.turbo
    assert (machine.coherence, machine.execution) == (letter.coherence, letter.execution)


def test_a_guest_of_adjacent_siblings_and_several_caches(tmp_path: Path) -> None:
    cpus = [replace(cpu, max_khz=None) for cpu in siblings_adjacent(2, 8, 4)]
    machine, host = host_machine(write_host(tmp_path, cpus, EPYC + "cpu MHz\t: 2445.406\n"))
    assert shape(machine) == (2, 8, 2, 4, "siblings-adjacent")
    assert machine.coherence == load_machine("epyc-milan").coherence
    assert [(t.active_cores, t.ghz) for t in machine.turbo] == [(8, 2.445)]
    assert host.assumed == (
        "sockets, siblings and caches are as the hypervisor shows them",
        "2.445 GHz, the clock in /proc/cpuinfo when it was read: /sys has none",
    )


def test_cpus_that_are_offline_are_left_out(tmp_path: Path) -> None:
    cpus = cores_first(2, 4)
    nosmt = [replace(cpu, online=i < 8) for i, cpu in enumerate(cpus)]
    machine, host = host_machine(write_host(tmp_path, nosmt))
    assert shape(machine) == (2, 4, 1, 4, "cores-first")
    assert host.assumed[0] == "8 of 16 CPUs are offline and left out"


def test_online_cpus_count_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    cpus = [replace(cpu, online=i % 2 == 1) for i, cpu in enumerate(siblings_adjacent(1, 4, 4))]
    assert shape(host_machine(write_host(tmp_path, cpus))[0]) == (1, 4, 1, 4, "cores-first")


def test_what_sys_does_not_tell_is_assumed_and_said(tmp_path: Path) -> None:
    blank = Cpu(core=None, socket=None, cache=None, max_khz=None)
    machine, host = host_machine(write_host(tmp_path, [blank] * 4, ARM))
    assert shape(machine) == (1, 4, 1, 4, "cores-first")
    assert host.costs_of == "kunpeng-920"
    assert machine.turbo[-1].ghz == load_machine("kunpeng-920").turbo[0].ghz
    assert [what.partition(":")[0] for what in host.assumed] == [
        "one socket",
        "one thread a core",
        "one last-level cache a socket",
        "the clock of the machine that lends the costs",
    ]


def test_without_any_file_but_folders_a_host_is_generic(tmp_path: Path) -> None:
    for cpu in range(3):
        (tmp_path / f"sys/devices/system/cpu/cpu{cpu}").mkdir(parents=True)
    (tmp_path / "sys/devices/system/cpu/cpufreq").mkdir()
    machine, host = host_machine(tmp_path)
    assert shape(machine) == (1, 3, 1, 3, "cores-first")
    assert (host.costs_of, host.model) == ("generic", "CPU of unknown model")


def test_a_socket_without_cache_info_is_one_cache(tmp_path: Path) -> None:
    cpus = [replace(cpu, cache=None) for cpu in cores_first(2, 4)]
    machine, host = host_machine(write_host(tmp_path, cpus))
    assert shape(machine) == (2, 4, 2, 4, "cores-first")
    assert host.assumed[0] == "one last-level cache a socket: /sys names no L3 cache"


def test_a_cache_that_spans_sockets_is_not_believed(tmp_path: Path) -> None:
    cpus = [replace(cpu, cache=0) for cpu in cores_first(2, 4)]
    machine, host = host_machine(write_host(tmp_path, cpus))
    assert machine.cores_per_cache == 4
    assert "shared by more" in host.assumed[0]


def test_favoured_cores_are_of_one_kind_and_the_lowest_clock_counts(tmp_path: Path) -> None:
    cpus = [Cpu(0, max_khz=4_900_000), Cpu(1, max_khz=4_700_000)]
    machine, _ = host_machine(write_host(tmp_path, cpus))
    assert machine.turbo[0].ghz == 4.7


@pytest.mark.parametrize(
    ("cpus", "said"),
    [
        ([], "lists no CPUs"),
        ([Cpu(0), Cpu(0), Cpu(1)], "uneven cores: some have 2 threads online, some 1"),
        ([Cpu(0, 0), Cpu(1, 0), Cpu(2, 1)], "uneven sockets: some have 2 CPUs online, some 1"),
        ([Cpu(0)] * 4, "4 threads a core, but the model has at most 2"),
        ([Cpu(0, 0), Cpu(1, 1), Cpu(2, 0), Cpu(3, 1)], "not numbered socket by socket"),
        ([Cpu(0), Cpu(1), Cpu(1), Cpu(0)], "neither cores first nor siblings adjacent"),
        ([Cpu(i, cache=i // 2) for i in range(3)], "uneven L3 caches: some have 2 cores, some 1"),
        ([Cpu(i, cache=i % 2) for i in range(4)], "share an L3 cache are not neighbours"),
        (
            [Cpu(0, capacity=1024), Cpu(1, capacity=512)],
            "different kinds: cpu_capacity is 512 to 1024",
        ),
        (
            [Cpu(0, max_khz=5_000_000), Cpu(1, max_khz=3_800_000)],
            "different kinds: cpufreq/cpuinfo_max_freq is 3800000 to 5000000",
        ),
        ([Cpu(i) for i in range(1025)], "1,025 CPUs, but the model has at most 1,024"),
    ],
)
def test_what_the_model_cannot_express_is_named(
    tmp_path: Path, cpus: Sequence[Cpu], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        detect(write_host(tmp_path, cpus))
    message = str(caught.value)
    assert message.startswith("cannot model this host: ")
    assert said in message
    assert "'uprobe-sweep machine new'" in message


def test_a_hybrid_x86_is_named(tmp_path: Path) -> None:
    write_host(tmp_path, [Cpu(0), Cpu(1)])
    for kind in ("core", "atom"):
        (tmp_path / f"sys/devices/cpu_{kind}").mkdir()
    with pytest.raises(UsageError, match="has cpu_core and cpu_atom"):
        detect(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 2),
    st.sampled_from(["cores-first", "siblings-adjacent"]),
)
def test_a_machine_is_detected_as_it_is_placed(
    tmp_path_factory: pytest.TempPathFactory,
    sockets: int,
    caches: int,
    shared_by: int,
    threads: int,
    numbering: str,
) -> None:
    tree = load_machine("generic").model_dump(mode="json") | {
        "sockets": sockets,
        "cores_per_socket": caches * shared_by,
        "threads_per_core": threads,
        "cores_per_cache": shared_by,
        "numbering": numbering,
    }
    truth = Machine.model_validate(tree)
    where = place(truth, truth.cpus)
    sits = zip(where.core, where.socket, where.cache, strict=True)
    root = tmp_path_factory.mktemp("host")
    write_host(root, [Cpu(int(core), int(socket), int(cache)) for core, socket, cache in sits])
    found, _ = host_machine(root)
    again = place(found, found.cpus)
    for name in ("core", "cache", "socket", "sibling"):
        assert (getattr(again, name) == getattr(where, name)).all()


def test_intel_borrows_from_intel(tmp_path: Path) -> None:
    host = detect(write_host(tmp_path, [Cpu(0), Cpu(1)], INTEL))
    assert (host.costs_of, host.same_model) == ("xeon-gold-6138", False)
