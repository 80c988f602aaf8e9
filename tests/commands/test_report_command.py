"""`uprobe-sweep report` as people type it."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny import tiny_spec

import sweep
from sweep.cli import code_of
from sweep.report.html import page


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "tiny run"
    sweep.run(tiny_spec(), out)
    return out


@pytest.fixture(autouse=True)
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_library", lambda: "")


def test_a_report_of_a_run(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "report.html"
    assert code_of(["report", str(run), "-o", str(made)]) == 0
    assert capsys.readouterr().out == f"{made}\n"
    html = made.read_text()
    for name in ("throughput", "efficiency", "time", "errors", "what-if", "machine", "provenance"):
        assert f'<section id="{name}"' in html
    assert f"uprobe-sweep run spec.yaml --out &#39;{run}&#39;" in html
    assert "cpus: [1, 2]" in html
    assert f"uprobe-sweep report &#39;{run}&#39; -o {made}" in html


def test_the_spec_in_it_is_the_runs(run: Path) -> None:
    from sweep.report.html.origin import spec_of, yaml_of
    from sweep.spec.files import load_spec
    from sweep.store.scan import read_run

    spec = spec_of(read_run(run))
    assert spec is not None
    (run.parent / "spec.yaml").write_text(yaml_of(spec))
    assert load_spec(run.parent / "spec.yaml") == spec


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{run} -o x.pdf", "-o x.pdf: allowed are .html, .htm"),
        ("{run} {run} -o x.html", "a run is named twice"),
        ("published -o x.html", "name a RUN beside published"),
        ("{run} -o x.html --only cpus=3", "--only cpus=3: no such row"),
        ("no-such-run -o x.html", "no such run"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    words: str,
    said: str,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    typed = [str(run) if word == "{run}" else word for word in words.split()]
    assert code_of(["report", *typed]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_help_says_what_is_in_it() -> None:
    from sweep.cli import cli

    shown = CliRunner().invoke(cli, ["report", "--help"]).output
    assert "It needs no network" in shown
