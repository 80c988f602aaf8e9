"""Sweeps of the simulated machine: a spec goes in, Parquet and the cover letter's tables come out.

>>> from sweep import Spec, run, scan
>>> summary = run(Spec(name="two", bench="uprobe-nop", flavour="srcu", cpus=[1, 2]))
>>> scan(summary.out).select("cpus", "hits_per_s").collect()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.driver.driver import run
    from sweep.spec.files import load_spec
    from sweep.spec.spec import Spec
    from sweep.store.attribution import scan_attribution
    from sweep.store.scan import scan, scan_failures

__all__ = ["Spec", "__version__", "load_spec", "run", "scan", "scan_attribution", "scan_failures"]

__version__ = "0.1.0"

_HOMES = {
    "Spec": "spec.spec",
    "load_spec": "spec.files",
    "run": "driver.driver",
    "scan": "store.scan",
    "scan_failures": "store.scan",
    "scan_attribution": "store.attribution",
}


def __getattr__(name: str) -> Any:
    """Import what a public name needs when it is first used, so that `import sweep` is instant."""
    if name == "live":
        return import_module("sweep.live")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
