"""The uprobe benches of the kernel's bench tool: which instruction is probed, and attached how."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from core.kernel.releases import landed_in

INSTRUCTIONS = {
    "nop": "a nop (emulated)",
    "push": "a push (emulated, with a store to the user stack)",
    "ret": "a ret (single-stepped out of line)",
    "nop5": f"a 5-byte nop (stepped before {landed_in('emulate-nops')}, emulated before "
    f"{landed_in('nop5')}, then a system call)",
}
"""The probed instruction and what x86-64 does about it (arch/x86/kernel/uprobes.c)."""


@dataclass(frozen=True)
class Bench:
    """One bench (`trig-NAME` in tools/testing/selftests/bpf).

    `instruction` is one of INSTRUCTIONS; `at_return`: the program runs at the function's return;
    `multi`: attached by a uprobe_multi link, otherwise by a perf event.
    """

    name: str
    instruction: str
    at_return: bool
    multi: bool

    @property
    def nop_bytes(self) -> int:
        """Length of the probed nop; 1 for any other instruction."""
        return 5 if self.instruction == "nop5" else 1

    @property
    def summary(self) -> str:
        """One line for people."""
        when = "return" if self.at_return else "entry"
        how = "uprobe_multi link" if self.multi else "perf event"
        return f"{when} probe on {INSTRUCTIONS[self.instruction]}, {how}"


NAMED = {
    bench.name: bench
    for bench in (
        Bench(f"{probe}{'-multi' if multi else ''}-{instruction}", instruction, at_return, multi)
        for multi, (probe, at_return), instruction in product(
            (False, True), (("uprobe", False), ("uretprobe", True)), INSTRUCTIONS
        )
    )
}
"""All benches by name, those attached by a perf event first."""
