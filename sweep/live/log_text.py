"""The lines of a log as they were printed, whatever terminals, mails and editors made of them."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator

_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9])")
_QUOTE = re.compile(r"^(?:\s*(?:[>|]|&gt;))+\s?")
_ENCODED = re.compile(rb"=(?:C2=)?B1|^content-transfer-encoding:\s*quoted-printable", re.I | re.M)
_SIGN = re.compile(
    "(?:[\u00c2\u00c3\u0192\u201a\u00ac\u0412\x80-\x9f]*[\u00b1\ufffd]\\s*)+"
    "|\u252c\u2592|\u00c2\u0105|\u5364"
    r"|&plusmn;|&#177;|&#xb1;|\+/-|\+-|(?<=[0-9] )\?{1,2}(?= *[0-9])",
    re.I,
)
"""A plus-minus sign in UTF-8, read as Latin-1 or cp1252 once or twice, as cp1251 or Mac Roman; as
cp437, Latin-2 or GBK; in HTML and in ASCII."""

PLUS_MINUS = "±"


def printed_lines(log: bytes) -> Iterator[tuple[int, str]]:
    """Number, from 1, and text of every line of a log.

    UTF-8 or Latin-1, line by line, or UTF-16 if a mark says so; quoted-printable if a plus-minus
    sign or a mail's header is written so. Colours, marks of quoted mail and carriage returns are
    gone, and a plus-minus sign is one whatever became of it. One that is lost stays lost.
    """
    if log.startswith((b"\xff\xfe", b"\xfe\xff")):
        log = log.decode("utf-16", errors="replace").encode()
    quoted_printable = _ENCODED.search(log) is not None
    number, held = 1, b""
    for at, raw in enumerate(log.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        line = raw.rstrip(b"\r")
        if not held:
            number = at
        if quoted_printable and line.endswith(b"="):
            held += line[:-1]
            continue
        whole, held = held + line, b""
        yield number, _printed(quopri.decodestring(whole) if quoted_printable else whole)
    if held:
        yield number, _printed(quopri.decodestring(held))


def _printed(line: bytes) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    text = _ESCAPE.sub("", text).replace("\N{NO-BREAK SPACE}", " ").replace("\0", "")
    return _SIGN.sub(f"{PLUS_MINUS} ", _QUOTE.sub("", text)).rstrip()
