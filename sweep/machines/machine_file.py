"""Machine files: a machine built by numbers, and any machine written as commented YAML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from core.machine.machine import MACHINES, Machine
from sweep.errors import UsageError
from sweep.machines.named import SUFFIXES

TEMPLATE = MACHINES / "generic.yaml"
"""The layout and the comments of every file that is written: it has all keys."""

MOVES = ("request_ns", "transfer_ns", "shared_read_ns")
"""What grows with the distance between cores; --same-cache-ns scales them together."""

_KEY = re.compile(r"( *)([a-z0-9_]+):.*")


def machine_text(machine: Machine, header: Sequence[str]) -> str:
    """`machine` as YAML below `header` (lines of text), with the template's comments."""
    lines = TEMPLATE.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if _KEY.fullmatch(line))
    return "\n".join([*(f"# {line}" for line in header), *filled(lines[start:], machine)]) + "\n"


def write_machine_file(path: Path, text: str) -> None:
    """Write `text` to `path`. Raises UsageError if that cannot be, or no spec could name it."""
    if path.suffix not in SUFFIXES:
        raise UsageError(f"-o {path}: allowed are {' and '.join(SUFFIXES)}")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None


def with_latencies(
    coherence: dict[str, Any],
    same_cache: float | None,
    other_cache: float | None,
    other_socket: float | None,
) -> dict[str, Any]:
    """`coherence` for one-way latencies (ns) as core-to-core tables print them; None: as it is.

    Raises UsageError for one across caches or sockets that is shorter than within a cache.
    """
    changed = dict(coherence)
    near = coherence["request_ns"] + coherence["transfer_ns"]
    if same_cache is not None:
        changed.update({key: round(coherence[key] * same_cache / near, 2) for key in MOVES})
        changed["transfer_ns"] = round(same_cache - changed["request_ns"], 2)
        near = same_cache
    for option, latency in (("other-cache-ns", other_cache), ("other-socket-ns", other_socket)):
        if latency is None:
            continue
        if latency < near:
            least = f"shorter than within a last-level cache, {near:g} ns"
            raise UsageError(f"--{option} {latency:g}: {least}")
        changed[option.replace("-", "_")] = round(latency - near, 2)
    return changed


def parse_turbo(text: str) -> list[dict[str, Any]]:
    """Clocks written as "2:3.7,4:3.5": up to 2 busy cores of a socket 3.7 GHz, up to 4, 3.5.

    Raises UsageError.
    """
    steps = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,4}):([0-9]+(?:\.[0-9]+)?)\s*", part)
        if not match:
            raise UsageError(f"--turbo {text}: write CORES:GHZ,CORES:GHZ, as in 2:3.7,4:3.5")
        steps.append({"active_cores": int(match[1]), "ghz": float(match[2])})
    return steps


def filled(lines: Iterable[str], machine: Machine) -> Iterator[str]:
    """The lines of a machine file with the values of `machine`; comments stay.

    The calibration section, if there is one, ends it and is left out. A step of `turbo` has to be
    on one line.
    """
    parents: list[Any] = [machine.model_dump(mode="json", exclude={"calibration"})]
    for line in lines:
        if line.startswith("calibration:"):
            return
        if not (match := _KEY.fullmatch(line)):
            if not line.startswith("- "):
                yield line
            continue
        depth = len(match[1]) // 2
        value = parents[depth][match[2]]
        del parents[depth + 1 :]
        if isinstance(value, dict):
            parents.append(value)
            yield f"{match[1]}{match[2]}:"
        elif isinstance(value, list):
            yield f"{match[1]}{match[2]}:"
            yield from (f"- {_flow(item)}" for item in value)
        else:
            yield f"{match[1]}{match[2]}: {_scalar(value)}"


def _flow(item: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in item.items()) + "}"


def _scalar(value: object) -> str:
    text = yaml.safe_dump(value, allow_unicode=True, width=10_000)
    return text.removesuffix("...\n").strip()
