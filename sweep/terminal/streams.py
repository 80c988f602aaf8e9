"""Standard output and error as people end them: by `| head`, by a full disk, in any encoding."""

from __future__ import annotations

import io
import os
import sys


class PatientStream(io.TextIOWrapper):
    """A stream whose reader may leave: what comes after is dropped, so a command ends as it would.

    The exit code then still says what became of the work.
    """

    reader_left = False

    def write(self, text: str, /) -> int:
        """Write `text`, or drop it if nobody reads any more."""
        try:
            return super().write(text)
        except BrokenPipeError:
            self._drop_the_rest()
            return len(text)

    def flush(self) -> None:
        """Hand over what is buffered, or drop it if nobody reads any more."""
        try:
            super().flush()
        except BrokenPipeError:
            self._drop_the_rest()

    def _drop_the_rest(self) -> None:
        self.reader_left = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def make_patient() -> None:
    """Make stdout and stderr patient; a character that their encoding lacks becomes a '?'."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if type(stream) is io.TextIOWrapper:
            encoding, at_once = stream.encoding, stream.line_buffering
            patient = PatientStream(stream.detach(), encoding, "replace", line_buffering=at_once)
            setattr(sys, name, patient)


def reader_left() -> bool:
    """Whether nobody reads stdout any more."""
    return getattr(sys.stdout, "reader_left", False)
