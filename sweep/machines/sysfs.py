"""Files of /sys and /proc, as the kernel writes them and as dumps of them are kept."""

from __future__ import annotations

import re
from pathlib import Path

from sweep.errors import UsageError, quoted

FARTHEST = 65_536
"""No kernel numbers a CPU as high."""


def inexpressible(what: str) -> UsageError:
    """What to raise for a host that the model cannot express."""
    return UsageError(f"cannot model this host: {what}; 'uprobe-sweep machine new' takes numbers")


def read(path: Path) -> str | None:
    """A file's text without NULs and blanks around it; None if it cannot be read or is empty."""
    try:
        return path.read_text(errors="replace").replace("\0", "").strip() or None
    except (OSError, ValueError):
        return None


def read_number(path: Path) -> int | None:
    """The number in a file, a K, M or G of bytes after it included; None without one.

    Raises UsageError, naming the file, for what is no number.
    """
    text = read(path)
    if text is None:
        return None
    found = re.fullmatch(r"(-?[0-9]{1,18})\s*([KMG]?)B?", text)
    if found is None:
        raise inexpressible(f"{path} is no number: {quoted(text)}")
    return int(found[1]) * {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[found[2]]


def read_cpus(path: Path, mask: Path | None = None) -> frozenset[int] | None:
    """The CPUs in a list such as "0-3,8", or, where there is none, in a `mask`; None without both.

    Raises UsageError, naming the file, for what is neither.
    """
    if (text := read(path)) is not None:
        return cpu_list(text, path)
    if mask is None or (text := read(mask)) is None:
        return None
    words = "".join(text.split()).split(",")
    if not all(re.fullmatch("[0-9a-fA-F]{1,16}", word) for word in words):
        raise inexpressible(f"{mask} is no mask of CPUs: {quoted(text)}")
    bits = int("".join(word.zfill(8) for word in words), 16)
    return frozenset(cpu for cpu in range(bits.bit_length()) if bits >> cpu & 1)


def cpu_list(text: str, where: Path) -> frozenset[int]:
    """The CPUs in a list such as "0-3,8", blanks left out. Raises UsageError, naming `where`."""
    cpus: set[int] = set()
    for part in re.split(r"[,\s]+", re.sub(r"\s*-\s*", "-", text.strip())):
        found = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", part)
        low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if low > high or high >= FARTHEST:
            if part:
                raise inexpressible(f"{where} is no list of CPUs: {quoted(text)}")
            continue
        cpus.update(range(low, high + 1))
    return frozenset(cpus)


def cpuinfo(path: Path) -> dict[str, str]:
    """The entries of the first CPU in a /proc/cpuinfo at `path`; empty if there is none."""
    return next(iter(cpuinfos(path)), {})


def cpuinfos(path: Path) -> list[dict[str, str]]:
    """The entries of every CPU in a /proc/cpuinfo at `path`, in its order."""
    return [
        {key.strip(): value.strip() for key, colon, value in pairs if colon}
        for block in re.split(r"\n\s*\n", (read(path) or "").replace("\r", ""))
        if (pairs := [line.partition(":") for line in block.splitlines()])
    ]
