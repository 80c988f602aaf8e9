"""Sweeps of the simulated machine: a spec goes in, Parquet and the cover letter's tables come out.

>>> from sweep import Spec, predict, run, scan
>>> spec = Spec(name="two", bench="uprobe-nop", flavour="srcu", cpus=[1, 2])
>>> predict(spec).select("cpus", "hits_per_s")
>>> scan(run(spec).out).select("cpus", "hits_per_s").collect()
>>> scan(run(spec).out).uprobe.efficiency()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep import live
    from sweep.driver.driver import Progress, RunSummary, run
    from sweep.driver.predict import predict
    from sweep.errors import InfrastructureError, SweepError, UsageError
    from sweep.executors.ray_executor import RayExecutor
    from sweep.report.compare import Comparison, compare
    from sweep.report.namespace import Uprobe
    from sweep.spec.files import load_spec
    from sweep.spec.spec import Spec
    from sweep.store.attribution import scan_attribution
    from sweep.store.scan import scan, scan_failures

__all__ = [
    "Comparison",
    "InfrastructureError",
    "Progress",
    "RayExecutor",
    "RunSummary",
    "Spec",
    "SweepError",
    "Uprobe",
    "UsageError",
    "__version__",
    "compare",
    "live",
    "load_spec",
    "predict",
    "run",
    "scan",
    "scan_attribution",
    "scan_failures",
]

__version__ = "0.1.0"

_HOMES = {
    "driver.driver": ("Progress", "RunSummary", "run"),
    "driver.predict": ("predict",),
    "errors": ("InfrastructureError", "SweepError", "UsageError"),
    "executors.ray_executor": ("RayExecutor",),
    "report.compare": ("Comparison", "compare"),
    "report.namespace": ("Uprobe",),
    "spec.files": ("load_spec",),
    "spec.spec": ("Spec",),
    "store.attribution": ("scan_attribution",),
    "store.scan": ("scan", "scan_failures"),
}
_GIVES_FRAMES = ("predict", "scan", "live")
"""Their frames have the namespace `uprobe`, see `Uprobe`."""

_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what a public name needs when it is first used, so that `import sweep` is instant."""
    if name in _GIVES_FRAMES:
        import_module("sweep.report.namespace")
    if name == "live":
        return import_module("sweep.live")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """What a user calls; the rooms are for those who change the project."""
    return sorted(__all__)
