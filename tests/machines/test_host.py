"""This host as a machine, from made-up /sys and /proc trees."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hosts import INTEL, Cpu, cores_first, siblings_adjacent, write_host
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.machine.machine import Machine, load_machine
from core.machine.numbering import ORDERS
from core.machine.topology import place
from sweep.errors import UsageError
from sweep.machines.host import CPUS, confinement, detect, host_machine

UNCLOCKED = INTEL.replace(" @ 2.20GHz", "")
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
    machine, host = host_machine(write_host(tmp_path, [Cpu(0), Cpu(1)], UNCLOCKED))
    assert shape(machine) == (1, 2, 1, 2, "cores-first")
    assert machine.name == "host"
    assert machine.title.startswith("1 x Intel(R) Xeon(R) Silver 4114")
    assert [(t.active_cores, t.ghz) for t in machine.turbo] == [(2, 3.0)]
    assert host.assumed == (
        "3 GHz with any number of cores busy: the highest clock, which may be boosted",
    )


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
        "2.445 GHz with any number of cores busy: "
        "the highest clock in /proc/cpuinfo when it was read",
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
    assert (host.same_model, host.ghz) == (True, None)
    assert machine.turbo == load_machine("kunpeng-920").turbo
    assert [what.partition(":")[0] for what in host.assumed] == [
        "one socket",
        "one thread a core",
        "one last-level cache a socket",
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
    machine, _ = host_machine(write_host(tmp_path, cpus, UNCLOCKED))
    assert machine.turbo[0].ghz == 4.7


@pytest.mark.parametrize(
    ("cpus", "said"),
    [
        ([], "lists no CPUs"),
        ([Cpu(0), Cpu(0), Cpu(1)], "uneven cores: some have 2 threads online, some 1"),
        ([Cpu(0, 0), Cpu(1, 0), Cpu(2, 1)], "uneven sockets: some have 2 CPUs online, some 1"),
        ([Cpu(0)] * 4, "4 threads a core, but the model has at most 2"),
        ([Cpu(0), Cpu(1), Cpu(1), Cpu(0)], "numbered in none of these ways: cores-first, sib"),
        ([Cpu(i, s) for i, s in enumerate([0, 1, 1, 0])], "numbered in none of these ways"),
        ([Cpu(i, cache=i // 2) for i in range(3)], "uneven last-level caches: some have 2 CPUs"),
        ([Cpu(0, 0), Cpu(0, 1)], "threads of one core are in several caches or sockets"),
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
    st.sampled_from(list(ORDERS)),
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


def test_another_hosts_cpus_round_the_sockets(tmp_path: Path) -> None:
    """As the firmware of some two-socket boards has it: even CPUs on the first socket."""
    cpus = [Cpu(core=c % 2 * 4 + c // 2, socket=c % 2, cache=c % 2) for c in range(8)] * 2
    assert shape(host_machine(write_host(tmp_path, cpus))[0]) == (2, 4, 2, 4, "round-sockets")


def test_four_cores_behind_two_shared_l2_caches_and_no_l3(tmp_path: Path) -> None:
    cpus = [Cpu(i, cache=None) for i in range(4)]
    write_host(tmp_path, cpus)
    for i in range(4):
        index = tmp_path / f"sys/devices/system/cpu/cpu{i}/cache/index2"
        index.mkdir()
        (index / "level").write_text("2\n")
        (index / "shared_cpu_map").write_text("3\n" if i < 2 else "0000000c\n")
    machine, host = host_machine(tmp_path)
    assert shape(machine) == (1, 4, 1, 2, "cores-first")
    assert not any("cache" in what for what in host.assumed)


def test_masks_of_an_old_kernel(tmp_path: Path) -> None:
    write_host(tmp_path, cores_first(1, 2))
    for i in range(4):
        topology = tmp_path / f"sys/devices/system/cpu/cpu{i}/topology"
        (topology / "thread_siblings_list").unlink()
        mask = "5" if i % 2 == 0 else "a"
        (topology / "thread_siblings").write_text(f"00000000,0000000{mask}\n")
    assert shape(host_machine(tmp_path)[0]) == (1, 2, 2, 2, "cores-first")


def test_without_a_list_of_those_online_each_cpu_says_it(tmp_path: Path) -> None:
    write_host(tmp_path, [Cpu(0), Cpu(1), Cpu(2)])
    base = tmp_path / "sys/devices/system/cpu"
    (base / "online").unlink()
    (base / "cpu1/online").write_text("0\n")
    machine, host = host_machine(tmp_path)
    assert machine.cpus == 2
    assert host.assumed[0] == "1 of 3 CPUs are offline and left out"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("online", "0-1\0\n"),
        ("online", " 0 - 1 \n"),
        ("online", "0, 1"),
        ("cpu1/topology/thread_siblings_list", "1\0\0"),
        ("cpu1/topology/physical_package_id", "0\0\n"),
    ],
)
def test_nuls_and_blanks_are_cleaned(tmp_path: Path, name: str, text: str) -> None:
    write_host(tmp_path, [Cpu(0), Cpu(1)])
    (tmp_path / "sys/devices/system/cpu" / name).write_text(text)
    assert host_machine(tmp_path)[0].cpus == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("online", "0-x"),
        ("online", "3-1"),
        ("online", "0-99999999"),
        ("present", "all"),
        ("cpu1/topology/thread_siblings_list", "0;1"),
        ("cpu1/topology/physical_package_id", "none"),
        ("cpu0/cache/index3/level", "L3"),
        ("cpu1/cpufreq/cpuinfo_max_freq", "3.0 GHz"),
    ],
)
def test_what_does_not_parse_is_named(tmp_path: Path, name: str, text: str) -> None:
    write_host(tmp_path, [Cpu(0), Cpu(1)], UNCLOCKED)
    (tmp_path / "sys/devices/system/cpu" / name).write_text(text)
    with pytest.raises(UsageError, match=f"cannot model this host: .*{name} is no "):
        host_machine(tmp_path)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("acpi_cppc/highest_perf", ("68", "42"), "highest_perf is 42 to 68"),
        ("cache/index0/size", ("48K", "32K"), "L1 is 32K and 48K"),
    ],
)
def test_cores_of_different_kinds_at_the_same_clock(
    tmp_path: Path, name: str, values: tuple[str, str], said: str
) -> None:
    write_host(tmp_path, [Cpu(0), Cpu(1)])
    for i, value in enumerate(values):
        path = tmp_path / f"sys/devices/system/cpu/cpu{i}" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(value)
    with pytest.raises(UsageError, match=f"different kinds: .*{said}"):
        detect(tmp_path)


def test_arm64_cores_of_two_parts(tmp_path: Path) -> None:
    write_host(tmp_path, [Cpu(0), Cpu(1)])
    small = ARM.replace("0xd01", "0xd03")
    (tmp_path / "proc/cpuinfo").write_text(f"processor: 0\n{ARM}\nprocessor: 1\n{small}")
    with pytest.raises(UsageError, match="different kinds: CPU part is 0xd01 and 0xd03"):
        detect(tmp_path)


def test_last_level_caches_of_two_sizes_are_taken_as_alike_and_said(tmp_path: Path) -> None:
    write_host(tmp_path, [Cpu(i, cache=i // 2) for i in range(4)])
    for i, size in enumerate(["98304K", "98304K", "32768K", "32768K"]):
        (tmp_path / f"sys/devices/system/cpu/cpu{i}/cache/index3/size").write_text(size)
    assert "L3 caches of 32768K and 98304K are taken as alike" in detect(tmp_path).assumed


@pytest.mark.parametrize(
    ("implementer", "part", "model", "same"),
    [
        ("0x48", "0xd01", "HiSilicon Kunpeng 920 (TSV110)", True),
        ("0x41", "0xd0c", "Arm Neoverse N1 (Graviton2, Altra)", False),
        ("0xc0", "0xac3", "Ampere AmpereOne", False),
        ("0x41", "0xfff", "arm64 part 0x41/0xfff", False),
    ],
)
def test_arm64_parts_are_known_by_implementer_and_part(
    tmp_path: Path, implementer: str, part: str, model: str, same: bool
) -> None:
    about = f"CPU implementer\t: {implementer}\nCPU part\t: {part}\n"
    host = detect(write_host(tmp_path, [Cpu(0), Cpu(1)], about))
    assert (host.model, host.costs_of, host.same_model) == (model, "kunpeng-920", same)


@pytest.mark.parametrize(
    ("files", "ghz", "source"),
    [
        ({"cpu0/cpufreq/base_frequency": "2200000"}, 2.2, "the base clock"),
        ({"cpu0/acpi_cppc/nominal_freq": "2450"}, 2.45, "the nominal clock"),
        ({"cpu0/acpi_cppc/nominal_freq": "0"}, 3.0, "the highest clock, which may be boosted"),
        (
            {"cpu0/acpi_cppc/nominal_freq": "99999999"},
            3.0,
            "the highest clock, which may be boosted",
        ),
        ({"cpu0/cpufreq/base_frequency": "2200"}, 3.0, "the highest clock, which may be boosted"),
        ({"intel_pstate/no_turbo": "1"}, 3.0, "the highest clock, boost being off"),
        ({"cpufreq/boost": "1"}, 3.0, "the highest clock, boost being on"),
        (
            {"cpu0/cpufreq/scaling_available_frequencies": "2001000 2000000 1200000"},
            2.0,
            "the highest clock without boost",
        ),
    ],
)
def test_the_clock_of_busy_cores(
    tmp_path: Path, files: dict[str, str], ghz: float, source: str
) -> None:
    write_host(tmp_path, [Cpu(0), Cpu(1)], UNCLOCKED)
    for name, text in files.items():
        path = tmp_path / "sys/devices/system/cpu" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    machine, host = host_machine(tmp_path)
    assert [step.ghz for step in machine.turbo] == [ghz]
    assert host.assumed == (f"{ghz:g} GHz with any number of cores busy: {source}",)


def test_an_idle_cores_clock_is_not_taken(tmp_path: Path) -> None:
    blank = [Cpu(i, max_khz=None) for i in range(2)]
    write_host(tmp_path, blank)
    moments = "\n".join(f"processor: {i}\ncpu MHz\t: {mhz}\n" for i, mhz in enumerate((800, 2600)))
    (tmp_path / "proc/cpuinfo").write_text(moments)
    assert host_machine(tmp_path)[0].turbo[0].ghz == 2.6


def test_the_machine_that_lends_the_clock_lends_that_of_its_busy_cores(tmp_path: Path) -> None:
    write_host(tmp_path, [Cpu(i, max_khz=None) for i in range(2)], UNCLOCKED)
    machine, host = host_machine(tmp_path)
    lent = load_machine("xeon-gold-6138").turbo[-1].ghz
    assert machine.turbo[0].ghz == lent
    assert host.assumed[-1].startswith(f"{lent:g} GHz with any number of cores busy: the clock of")


def test_a_confined_process_says_so() -> None:
    allowed = os.sched_getaffinity(0)
    one = min(allowed)
    os.sched_setaffinity(0, {one})
    try:
        assert "although this process may run on 1 of them" in confinement(len(allowed) + 1)[0]
    finally:
        os.sched_setaffinity(0, allowed)


def test_lists_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    write_host(tmp_path, [Cpu(n) for n in range(4)])
    siblings = tmp_path / CPUS / "cpu0/topology/thread_siblings_list"
    siblings.write_text("0,3\n")
    with pytest.raises(UsageError, match="thread_siblings_list of cpu0 and of the CPUs in it"):
        detect(tmp_path)
