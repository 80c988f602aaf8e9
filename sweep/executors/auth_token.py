"""The token of the user's Ray clusters, which is for nobody else's eyes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from sweep.errors import InfrastructureError

HOW_TO_MAKE_ONE = (
    "(umask 077; ray get-auth-token --generate) makes one, for a cluster to be started; "
    "that of a cluster that is up belongs in ~/.ray/auth_token"
)


def token_file() -> Path | None:
    """The file that Ray reads the token from; None if RAY_AUTH_TOKEN has it."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return None
    given = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return Path(given) if given else Path.home() / ".ray" / "auth_token"


def has_token() -> bool:
    """Whether there is one, right or wrong."""
    path = token_file()
    return path is None or path.exists()


def make_token() -> None:
    """Write a token where Ray looks for it, unless there is one; Ray's own would be world-readable.

    Raises InfrastructureError.
    """
    path = token_file()
    if path is None or path.exists():
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Not there at all before it is whole: two sweeps may start at once.
        part = path.with_name(f".{path.name}.{os.getpid()}")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(part, path)
        except FileExistsError:
            pass
        finally:
            part.unlink()
    except OSError as error:
        raise InfrastructureError(f"cannot write a token for Ray: {error}") from None


def guard_token(say: Callable[[str], None]) -> None:
    """Close the token's file to others, and `say` so if it was open; also Ray's folder in the home.

    Raises InfrastructureError for a file that belongs to somebody else and is open to others.
    """
    path = token_file()
    if path is None:
        return
    folder = [path.parent] if path.parent == Path.home() / ".ray" else []
    for place, mode in (*((path, 0o700) for path in folder), (path, 0o600)):
        try:
            found = place.stat()
            if not found.st_mode & 0o077:
                continue
            place.chmod(mode)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise InfrastructureError(
                f"{place}, with Ray's token, is open to others and cannot be closed: {error}"
            ) from None
        was = found.st_mode & 0o777
        say(f"note: {place}, with Ray's token, was open to others: mode {was:o}, now {mode:o}")
