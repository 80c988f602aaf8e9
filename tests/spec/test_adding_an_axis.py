"""An axis is added in two files, and nothing averages over it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tiny import FakeExecutor, tiny_spec

from sweep.driver.driver import run
from sweep.store.schema import SCHEMA_VERSION

ROOT = Path(__file__).resolve().parents[2]
FIELD = '    owner_beside_count: str = "default"\n'
ENTRY = '    "seed": Axis('
ADDED = f"""    "colour": Axis(
        int, whole_number(0, 9, "9"), "a number of no meaning", 0, since={SCHEMA_VERSION + 1}
    ),
"""

SCRIPT = """
import sys
from pathlib import Path
from tiny import FakeExecutor, tiny_spec
from sweep.driver.driver import run
from sweep.errors import UsageError
from sweep.plan.cost import estimate, past_cells
from sweep.plan.plan import plan
from sweep.report.compare import compare
from sweep.report.explain import explain
from sweep.report.picture import picture
from sweep.report.tables import letter_lines
from sweep.spec.spec import override
from sweep.store.attribution import scan_attribution
from sweep.store.scan import scan
from sweep.store.schema import SCHEMA_VERSION

old = Path(sys.argv[1])
assert set(scan(old).collect()["colour"]) == {0}, "rows of before the axis"
spec = override(tiny_spec(), ["cpus=2", "colour=0,3,7"])
assert run(spec, Path("new"), FakeExecutor()).done == 3
cells = scan("new").collect()
assert sorted(cells["colour"]) == [0, 3, 7]
assert set(cells["schema_version"]) == {SCHEMA_VERSION}
assert cells["cell_id"].n_unique() == 3
text = letter_lines(cells)
assert [text.count(f"colour={n}") for n in (3, 7)] == [1, 1], text
assert text.count("cpus):") == 3
found = compare({"published": None, "new": cells})
assert [c.name for c in found.columns[1:]] == [f"new colour={n}" for n in (0, 3, 7)]
assert list(found.letter) == ["new colour=0"]
curves = explain(cells, scan_attribution("new").collect())
assert [(c.setting["colour"], c.points[0].replicates) for c in curves] == [(0, 1), (3, 1), (7, 1)]
assert "2 results of other settings" in picture(cells).left_out
shown = picture(cells.filter(cells["colour"] > 0))
assert (shown.over, shown.curves[0].x) == ("colour", (3, 7))
known = estimate(plan(spec), past_cells(Path("new")))
assert known.measured == 3
assert estimate(plan(override(spec, ["colour=9"])), past_cells(Path("new"))).measured == 0
"""


def test_a_new_axis_splits_every_output(tmp_path: Path) -> None:
    run(tiny_spec(), tmp_path / "old", FakeExecutor())
    for package in ("core", "sweep"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    for name, place, added in (
        ("core/cell.py", FIELD, "    colour: int = 0\n"),
        ("sweep/spec/axes.py", ENTRY, ADDED),
    ):
        text = (tmp_path / name).read_text()
        assert text.count(place) == 1
        after = text.index(place) + (len(place) if name.startswith("core") else 0)
        (tmp_path / name).write_text(text[:after] + added + text[after:])
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py", "old"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
