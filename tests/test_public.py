"""What `import sweep` gives."""

from __future__ import annotations

import inspect
import subprocess
import sys

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import sweep
from sweep.driver.driver import run

PUBLIC = sorted(set(sweep.__all__) - {"__version__", "live"})
FUNCTIONS = [name for name in PUBLIC if inspect.isfunction(getattr(sweep, name))]
TIMES = {"warmup": "0us", "duration": "20us", "sample": "20us"}


def test_a_user_sees_what_a_user_calls() -> None:
    import sweep.store.compact  # a room's name becomes an attribute

    assert dir(sweep) == sorted(sweep.__all__)
    assert {"run", "scan", "load_spec", "predict", "compare", "Spec", "live"} <= set(dir(sweep))
    assert {"_HOMES", "store", "Any", "annotations"}.isdisjoint(dir(sweep))
    names: dict[str, object] = {}
    exec("from sweep import *", names)
    assert set(sweep.__all__) <= names.keys()


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(sweep, name))
    assert getattr(sweep, name).__name__ == name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_is_typed_and_says_what_it_raises(name: str) -> None:
    signature = inspect.signature(getattr(sweep, name))
    hints = [p.annotation for p in signature.parameters.values()] + [signature.return_annotation]
    assert inspect.Signature.empty not in hints
    assert "Raises" in (inspect.getdoc(getattr(sweep, name)) or "")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sweeep'"):
        sweep.sweeep  # noqa: B018


def test_import_is_instant() -> None:
    code = (
        "import sys; before = set(sys.modules); import sweep; dir(sweep);"
        "print(*sorted(m for m in set(sys.modules) - before if '.' not in m))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"sweep", *sys.stdlib_module_names}


def test_predict_is_run_without_a_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    spec = sweep.Spec(name="two", bench="uprobe-nop", flavour="srcu", cpus=[2, 1], **TIMES)
    out = run(spec, tmp_path_factory.mktemp("out")).out
    stored = sweep.scan(out).collect().drop("wall_seconds").sort("cpus")
    predicted = sweep.predict(spec)
    assert predicted["cpus"].to_list() == [2, 1]
    assert_frame_equal(predicted.drop("wall_seconds").sort("cpus"), stored)


def test_predict_refuses_what_needs_a_folder() -> None:
    spec = sweep.Spec(
        name="p", bench="uprobe-nop", flavour="srcu", cpus=1, duration="5ms", precision=0.01
    )
    with pytest.raises(sweep.UsageError, match="needs a run folder"):
        sweep.predict(spec)


def test_frames_of_runs_are_compared() -> None:
    spec = sweep.Spec(name="two", bench="uprobe-nop", flavour="srcu", cpus=1, **TIMES)
    rows: pl.DataFrame = sweep.predict(spec)
    [cell] = sweep.compare({"one": rows, "same": rows}).cells
    assert cell.figures[1] is not None
    assert cell.figures[1].error == 0
