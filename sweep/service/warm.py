"""`python -m sweep.service.warm`: compile the engine, so that the first cell on a node need not."""

from __future__ import annotations

from core.predict import warm
from sweep.plan.plan import plan
from sweep.spec.files import load_spec

if __name__ == "__main__":
    for spec in ("cover-letter", "uprobe-stress"):
        warm(plan(load_spec(spec))[0])
