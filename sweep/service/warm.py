"""`python -m sweep.service.warm`: compile the engine, so that the first cell on a node need not."""

from __future__ import annotations

from core.engine.predict import warm
from sweep.plan import plan
from sweep.spec_file import load_spec

if __name__ == "__main__":
    for spec in ("cover-letter", "uprobe-stress"):
        warm(plan(load_spec(spec))[0])
