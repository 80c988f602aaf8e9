"""Files of the repository that pages link to, outside docs/, are in the site below repository/."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = "repository/"
LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)\s]*)?\))")


def source(uri: str) -> str:
    """Where in the repository a page is."""
    return uri.removeprefix(OUTSIDE) if uri.startswith(OUTSIDE) else f"docs/{uri}"


def target(uri: str, link: str) -> str:
    """What in the repository a page's link leads to."""
    return os.path.normpath(os.path.join(os.path.dirname(source(uri)), link))


def outside(uri: str, markdown: str) -> Iterator[str]:
    """The files outside docs/ that a page links to."""
    for _, link, _ in LINK.findall(markdown):
        path = target(uri, link)
        if not path.startswith("docs/") and (ROOT / path).is_file():
            yield path


def on_files(files: Files, config: Any) -> Files:
    """Take in what is linked to, and what that links to."""
    waiting = [file for file in files if file.src_uri.endswith(".md")]
    while waiting:
        page = waiting.pop()
        for path in outside(page.src_uri, page.content_string):
            if files.get_file_from_path(OUTSIDE + path) is None:
                file = File.generated(config, OUTSIDE + path, abs_src_path=str(ROOT / path))
                files.append(file)
                waiting += [file] if path.endswith(".md") else []
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Lead links to where their files are in the site."""
    uri = page.file.src_uri

    def led(match: re.Match[str]) -> str:
        path = target(uri, match[2])
        if not (ROOT / path).is_file():
            return match[0]
        there = path.removeprefix("docs/") if path.startswith("docs/") else OUTSIDE + path
        return match[1] + os.path.relpath(there, os.path.dirname(uri) or ".") + match[3]

    return LINK.sub(led, markdown)
