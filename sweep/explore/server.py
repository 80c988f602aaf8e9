"""The page's server: on loopback, behind a token, in one process that ends when it is told to."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from pathlib import Path

import marimo
import uvicorn

from sweep.errors import UsageError

HOST = "127.0.0.1"
APP = Path(__file__).with_name("app.py")

PATIENCE_S = 2
"""How long open pages are waited for at the end."""


def serve(port: int, ready: Callable[[str], None]) -> None:
    """Serve the page until SIGINT or SIGTERM, which are then raised again.

    `port` 0 takes a free one. `ready` is called with the URL, which has the token. Raises
    UsageError for a port that cannot be had.
    """
    listening = _listening(port)
    token = secrets.token_urlsafe(24)
    # The app as a program that only runs: no editor, and no code to or from the browser.
    asgi = (
        marimo.create_asgi_app(quiet=True, include_code=False, token=token)
        .with_app(path="", root=str(APP))
        .build()
    )
    config = uvicorn.Config(
        asgi, log_level="error", access_log=False, timeout_graceful_shutdown=PATIENCE_S
    )
    ready(f"http://{HOST}:{listening.getsockname()[1]}/?access_token={token}")
    with listening:
        uvicorn.Server(config).run(sockets=[listening])


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
        made.listen()
    except OSError as error:
        made.close()
        raise UsageError(f"--port {port}: {error.strerror}; --port 0 takes a free one") from None
    return made
