"""A run is removed: what a run keeps, and nothing else that is in its folder."""

from __future__ import annotations

from pathlib import Path

from sweep.errors import UsageError
from sweep.store.folder import RUN, TABLES, Location
from sweep.store.journal import Journal
from sweep.store.place import folder_at
from sweep.store.scan import runs_at


def remove_run(location: Location) -> list[str]:
    """Remove the run at `location`. Returns names of what else is in its folder, which then stays.

    Cells go before what describes them. Raises UsageError for no run, for several, and for one that
    is being written.
    """
    folder = folder_at(location)
    if not folder.is_run():
        inside = runs_at(location)[0].location
        raise UsageError(f"{location} is a folder of runs; remove them one by one, like {inside}")
    folder.hold()
    try:
        folder.journal.parent.mkdir(parents=True, exist_ok=True)
        Journal(folder.journal, location, folder.descriptor).close()
        for table in TABLES:
            for name in folder.parts(table):
                folder.remove(name)
        folder.remove(RUN)
        folder.journal.unlink(missing_ok=True)
    finally:
        folder.release()
    return _emptied(location) if isinstance(location, Path) else []


def _emptied(path: Path) -> list[str]:
    """Remove the folder with those of its tables, as far as they are empty; what is left."""
    for table in TABLES:
        for damaged in (path / table).glob("*.damaged"):
            damaged.unlink()
        if (path / table).is_dir() and not any((path / table).iterdir()):
            (path / table).rmdir()
    left = sorted(child.name for child in path.iterdir())
    if not left:
        path.rmdir()
    return left
