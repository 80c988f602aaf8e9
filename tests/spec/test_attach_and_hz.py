"""The axes of what attaching waits for."""

from __future__ import annotations

import pytest

from sweep.plan.plan import plan
from sweep.spec.axes import SpecError
from sweep.spec.spec import Spec, override

BASE = {"bench": "uprobe-multi-nop", "flavour": "v6.13", "cpus": 1, "attach_threads": 1, "batch": 1}


def test_attach_is_another_word_for_the_column() -> None:
    spec = Spec(**BASE, attach=["multi", "perf-event"], hz=[250, 1000])
    assert spec.attach_kind == ("multi", "perf-event")
    cells = plan(spec)
    assert [(c.workload.hz, c.workload.attach_kind) for c in cells if c.workload] == [
        (250, "multi"),
        (250, "perf-event"),
        (1000, "multi"),
        (1000, "perf-event"),
    ]
    assert len({cell.cell_id for cell in cells}) == 4
    assert override(spec, ["attach=multi"]).attach_kind == ("multi",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attach": "kprobe"}, "unknown attach_kind 'kprobe'"),
        ({"attach": "multi", "attach_kind": "multi"}, "another word for attach_kind"),
        ({"hz": 200}, "200: choose from 100, 250, 300, 1000"),
        ({"hz": True}, "choose from"),
        ({"hz": 250, "attach_threads": 0, "batch": 0}, "hz: .*at least 1"),
        ({"attach": "perf-event", "attach_threads": 0, "batch": 0}, "attach_kind: .*at least 1"),
    ],
)
def test_what_cannot_be(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Spec(**{**BASE, **changes})
