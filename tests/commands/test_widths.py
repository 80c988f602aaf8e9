"""Tables on terminals of several widths, with and without colours."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from functools import cache
from pathlib import Path

import pytest
from command_line import ENVIRONMENT, cli


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("widths")
    short = ("duration=40us", "sample=20us", "warmup=0us", "replicates=2", "cpus=1,2")
    settings = [word for setting in short for word in ("--set", setting)]
    done = cli("run", "cover-letter", *settings, "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@cache
def on_terminal(line: str, width: int, folder: Path, **environment: str) -> str:
    """What a command writes to a terminal that is so wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "sweep", *line.split()],
        cwd=folder,
        env={**ENVIRONMENT, "TERM": "xterm", **environment},
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ):
        os.close(theirs)
        chunks = []
        try:
            while chunk := os.read(ours, 65536):
                chunks.append(chunk)
        except OSError:  # EIO: nobody has the other side open any more
            pass
        os.close(ours)
    return b"".join(chunks).decode().replace("\r\n", "\n")


LINES = (
    "compare run --baselines",
    "explain run",
    "plan cover-letter",
    "list flavours",
    "list axes",
)


@pytest.mark.parametrize("line", LINES)
def test_on_80_columns_nothing_is_wider(folder: Path, line: str) -> None:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(line, 80, folder))
    assert max(map(len, plain.splitlines())) <= 80
    assert "…" not in plain


def test_a_wide_terminal_is_used(folder: Path) -> None:
    narrow, wide = (on_terminal("compare run --baselines", width, folder) for width in (80, 200))
    assert len(wide.splitlines()) < len(narrow.splitlines())


def test_colours_are_for_terminals_that_want_them(folder: Path) -> None:
    line = "compare run published"
    assert "\x1b[" in on_terminal(line, 80, folder)
    assert "\x1b[" not in on_terminal(line, 80, folder, NO_COLOR="1")
    assert "\x1b[" not in cli(*line.split(), cwd=folder).stdout
