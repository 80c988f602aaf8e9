"""Files of /sys and /proc, as the kernel writes them."""

from __future__ import annotations

from pathlib import Path


def read(path: Path) -> str | None:
    """A file's text; None if it cannot be read or is empty."""
    try:
        return path.read_text(errors="replace").strip() or None
    except OSError:
        return None


def cpu_list(text: str) -> list[int]:
    """The CPUs in a list such as "0-3,8". Raises ValueError for what is none."""
    spans = [part.partition("-") for part in text.split(",") if part]
    return [cpu for low, _, high in spans for cpu in range(int(low), int(high or low) + 1)]


def cpuinfo(path: Path) -> dict[str, str]:
    """The entries of the first CPU in a /proc/cpuinfo at `path`; empty if there is none."""
    first = (read(path) or "").partition("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
