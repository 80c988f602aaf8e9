"""Lines of logs, whatever became of them on their way."""

from __future__ import annotations

import quopri

import pytest

from sweep.live.log_text import printed_lines

LINE = "uprobe-nop      ( 8 cpus):    8.881 ± 0.008M/s  (  1.110M/s/cpu)"


def _read(log: bytes) -> list[tuple[int, str]]:
    return [(number, " ".join(line.split())) for number, line in printed_lines(log)]


WANTED = " ".join(LINE.split())


@pytest.mark.parametrize(
    "log",
    [
        LINE.encode(),
        LINE.encode("latin-1"),
        LINE.encode().decode("latin-1").encode(),
        LINE.encode().decode("cp1252").encode().decode("cp1252").encode(),
        LINE.encode().decode("cp437").encode(),
        LINE.encode().decode("gbk").encode(),
        LINE.encode("latin-1").decode("utf-8", "replace").encode(),
        LINE.replace("±", "±±").encode(),
        LINE.replace("±", "± ±").encode(),
        LINE.replace("±", "+/-").encode(),
        LINE.replace("±", "+-").encode(),
        LINE.replace("±", "?").encode(),
        LINE.replace("±", "&plusmn;").encode(),
        LINE.encode("utf-16"),
        b"\xef\xbb\xbf" + LINE.encode(),
        quopri.encodestring(LINE.encode()),
        quopri.encodestring(LINE.encode("latin-1")),
        b"> > " + LINE.encode(),
        b"| " + LINE.encode(),
        f"\x1b[1;32muprobe-nop\x1b[0m{LINE.removeprefix('uprobe-nop')}\x1b[K".encode(),
        LINE.encode() + b"\r",
        LINE.replace(" ", "\N{NO-BREAK SPACE}").encode(),
    ],
)
def test_a_line_is_as_it_was_printed(log: bytes) -> None:
    assert [line for _, line in _read(log)] == [WANTED]


def test_a_lost_sign_stays_lost() -> None:
    assert _read(LINE.replace("± ", "").encode()) == [(1, WANTED.replace("± ", ""))]


def test_numbers_are_those_of_an_editor() -> None:
    assert [number for number, _ in printed_lines(b"a\r\n\x0c\n\r\r\nb\x85c")] == [1, 2, 3, 4]


def test_a_line_that_a_mail_broke_has_the_number_of_its_first_part() -> None:
    log = b"a=20\nuprobe-nop ( 8 cpus): 8.881 =C2=B1=\n 0.008M/s\nb"
    assert _read(log) == [(1, "a"), (2, "uprobe-nop ( 8 cpus): 8.881 ± 0.008M/s"), (4, "b")]


def test_without_a_sign_of_it_nothing_is_quoted_printable() -> None:
    assert _read(b"x=3D y=\nz") == [(1, "x=3D y="), (2, "z")]
