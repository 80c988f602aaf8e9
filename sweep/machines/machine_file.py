"""Machine files: a machine built by numbers, and any machine written as commented YAML."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from core.machine.machine import MACHINES, Machine
from sweep.errors import UsageError

TEMPLATE = MACHINES / "generic.yaml"
"""The layout and the comments of every file that is written: it has all keys."""

WAY = ("request_ns", "snoop_ns", "transfer_ns")
"""One way of a line within a last-level cache is their sum."""

MOVES = (*WAY, "shared_read_ns")
"""What grows with the distance between cores; --same-cache-ns scales them together."""

_HEAD = re.compile(r"(#.*\n|\n)*")
"""The comments above the first key."""


def machine_text(machine: Machine, header: Sequence[str]) -> str:
    """`machine` as YAML below `header` (lines of text), with the template's comments."""
    body = _HEAD.sub("", filled(TEMPLATE.read_text(), machine), count=1)
    return "".join(f"# {line}\n" for line in header) + body


def filled(text: str, machine: Machine) -> str:
    """The machine file `text` with the values of `machine`; comments and the order of keys stay.

    The calibration section, if there is one, is left out.
    """
    yaml = YAML()
    yaml.width = 10_000
    tree = yaml.load(text)
    tree.pop("calibration", None)
    _fill(tree, machine.model_dump(mode="json", exclude={"calibration"}))
    out = io.StringIO()
    yaml.dump(tree, out)
    return out.getvalue()


def _fill(tree: CommentedMap, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict):
            _fill(tree[key], value)
        elif isinstance(value, list):
            # In place: the comment below the list is the list's own.
            tree[key][:] = [_inline(item) for item in value]
        else:
            tree[key] = value


def _inline(item: Mapping[str, Any]) -> CommentedMap:
    made = CommentedMap(item)
    made.fa.set_flow_style()
    return made


def write_machine_file(path: Path, text: str, force: bool = False) -> None:
    """Write `text` to `path`, over what is there if `force`.

    Raises UsageError if that cannot be.
    """
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"-o {path}: it is there; --force replaces it") from None
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
    near = sum(coherence[key] for key in WAY)
    if same_cache is not None:
        changed.update({key: round(coherence[key] * same_cache / near, 2) for key in MOVES})
        changed["transfer_ns"] = round(same_cache - changed["request_ns"] - changed["snoop_ns"], 2)
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
