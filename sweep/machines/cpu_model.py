"""What a CPU is called, and which shipped machine is nearest to it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.machine.machine import machine_names

COSTS_OF_VENDOR = {"GenuineIntel": "xeon-gold-6138", "AuthenticAMD": "epyc-milan"}
"""The machine to borrow costs from, by x86 vendor; any arm64 part borrows from kunpeng-920."""

ARM = "CPU implementer", "CPU part"
"""Entries of /proc/cpuinfo that tell arm64 parts apart: MIDR_EL1's, in hexadecimal."""

ARM_PARTS = {
    (0x41, 0xD07): "Arm Cortex-A57",
    (0x41, 0xD08): "Arm Cortex-A72 (Graviton)",
    (0x41, 0xD0C): "Arm Neoverse N1 (Graviton2, Altra)",
    (0x41, 0xD40): "Arm Neoverse V1 (Graviton3)",
    (0x41, 0xD49): "Arm Neoverse N2 (Yitian 710)",
    (0x41, 0xD4F): "Arm Neoverse V2 (Graviton4, Grace)",
    (0x41, 0xD83): "Arm Neoverse V3AE",
    (0x41, 0xD84): "Arm Neoverse V3",
    (0x41, 0xD8E): "Arm Neoverse N3",
    (0x42, 0x516): "Broadcom ThunderX2",
    (0x43, 0x0A1): "Cavium ThunderX",
    (0x43, 0x0AF): "Cavium ThunderX2",
    (0x43, 0x0B8): "Marvell ThunderX3",
    (0x46, 0x001): "Fujitsu A64FX",
    (0x48, 0xD01): "HiSilicon Kunpeng 920 (TSV110)",
    (0x48, 0xD02): "HiSilicon HIP09",
    (0x48, 0xD06): "HiSilicon HIP12",
    (0x50, 0x000): "APM X-Gene",
    (0x51, 0xC00): "Qualcomm Falkor (Centriq 2400)",
    (0x6D, 0xD49): "Microsoft Cobalt 100 (Neoverse N2)",
    (0x70, 0x662): "Phytium FTC662 (FT-2000+)",
    (0x70, 0x663): "Phytium FTC663 (S2500)",
    (0xC0, 0xAC3): "Ampere AmpereOne",
    (0xC0, 0xAC4): "Ampere AmpereOne A",
}
"""Server parts by implementer and part: arch/arm64/include/asm/cputype.h, and util-linux's lscpu;
the products in brackets from memory."""


def cpu_model(about: Mapping[str, str]) -> str:
    """What /proc/cpuinfo says of a CPU, as a name; an arm64 part's is looked up."""
    if part := arm_part(about):
        return ARM_PARTS.get(part, f"arm64 part {part[0]:#04x}/{part[1]:#05x}")
    return about.get("model name") or about.get("Processor") or "CPU of unknown model"


def arm_part(about: Mapping[str, str]) -> tuple[int, int] | None:
    """Implementer and part; None for what is no arm64 CPU."""
    texts = [about.get(key, "") for key in ARM]
    if not all(re.fullmatch("0[xX][0-9a-fA-F]{1,4}", text) for text in texts):
        return None
    implementer, part = (int(text, 16) for text in texts)
    return implementer, part


def nearest_machine(model: str, about: Mapping[str, str]) -> tuple[str, bool]:
    """The shipped machine to borrow costs from, and whether it is of the same CPU."""
    words = set(re.findall("[a-z0-9]+", model.lower()))
    for name in machine_names():
        if "-" in name and words.issuperset(name.split("-")):
            return name, True
    if arm_part(about) or ARM[0] in about:
        return "kunpeng-920", False
    return COSTS_OF_VENDOR.get(about.get("vendor_id", ""), "generic"), False
