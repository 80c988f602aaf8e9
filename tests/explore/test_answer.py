"""What the page answers, without a page."""

import shlex
from dataclasses import replace

import pytest

from core.cell import PS_PER_SECOND
from core.outcome import PRIVATE_WORK
from sweep.cli import code_of
from sweep.driver.predict import predict
from sweep.errors import UsageError
from sweep.explore import answer as answers
from sweep.explore.answer import Question, answer
from sweep.explore.shown import asked, choices, command, sentences
from sweep.spec.spec import Spec

USUAL = Question("xeon-gold-6138", "v6.14", "v6.11", "uprobe-nop", 8)


def test_the_curve_the_limit_and_the_gain() -> None:
    found = answer(USUAL)
    assert found.designs == ["v6.14", "v6.11"]
    assert [p.cpus for p in found.points] == [1, 2, 4, 8] * 2
    new, old = (found.at_most_cpus(design) for design in found.designs)
    assert new.limit == PRIVATE_WORK
    assert old.limit.startswith("struct uprobe")
    assert new.low is not None
    assert new.high is not None
    assert new.low < new.mhits < new.high
    assert found.gain is not None
    assert found.gain.ratio == pytest.approx(new.mhits / old.mhits, rel=0.02)
    assert found.gain.same is False


def test_it_is_what_a_run_gives() -> None:
    spec = Spec(name="x", bench="uprobe-nop", flavour=["v6.14", "v6.11"], cpus=[1, 8])
    whole = {
        (row["flavour"], row["cpus"]): row["hits_per_s"] / 1e6
        for row in predict(spec).iter_rows(named=True)
    }
    brief = {(p.design, p.cpus): p.mhits for p in answer(USUAL).points}
    for key, mhits in whole.items():
        assert brief[key] == pytest.approx(mhits, rel=0.01)


def test_processes_and_probes_are_asked_for() -> None:
    alone = answer(replace(USUAL, kernel="baseline", against="", processes=8, probes=8))
    assert [p.cpus for p in alone.points] == [8]
    assert alone.gain is None


def test_releases_of_one_path_are_the_same_within_the_interval() -> None:
    found = answer(replace(USUAL, kernel="v6.15", against="v6.14", bench="uretprobe-nop", cpus=2))
    assert found.gain is not None
    assert found.gain.same
    said = sentences(replace(USUAL, cpus=2), found)
    assert any(line.endswith("; the same within the interval.") for line in said)


def test_the_command_that_answers_at_length_can_be_typed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for question in (replace(USUAL, cpus=1), replace(USUAL, cpus=1, against="")):
        words = shlex.split(command(question))
        assert words[0] == "uprobe-sweep"
        assert code_of([*words[1:], "--ensemble", "0"]) == 0
        assert "v6.14" in capsys.readouterr().out


def test_a_kernel_as_uname_prints_it_says_what_was_assumed() -> None:
    found = answer(Question("xeon-gold-6138", "6.12.0-55.el10", "", "uprobe-nop", 96))
    assert found.designs == ["v6.12"]
    assert any("6.12" in line for line in found.assumed)
    assert any("sockets" in line for line in found.assumed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cpus": 0}, "--cpus: 0 is out of range"),
        ({"cpus": 2000}, "2,000 CPUs: allowed are 1 to 1,024"),
        ({"cpus": 2.5}, "--cpus: 2.5 is not a whole number"),
        ({"cpus": None}, "--cpus: nothing is not a whole number"),
        ({"probes": None}, "--probes: nothing is not a whole number"),
        ({"probes": 0}, "--probes: 0 is out of range"),
        ({"processes": 9}, "--processes: 9 processes, but a cell has 8 CPUs"),
        ({"spread": "wide"}, "--spread: unknown spread 'wide'"),
        ({"bench": "uprobe-no"}, "--bench: unknown bench 'uprobe-no'"),
        ({"machine": "pdp-11"}, "unknown machine 'pdp-11'"),
        ({"kernel": "v9"}, "--flavour: unknown flavour 'v9'"),
        ({"kernel": "5.4"}, "--kernel 5.4 is older than"),
        ({"kernel": "v6.14+nonsense"}, "--flavour: "),
        ({"against": "v6.14"}, "v6.14 and v6.14 are the same design"),
        ({"machine": "/etc/passwd.yaml"}, "no files from here"),
        ({"kernel": "srcu+/tmp/evil.py"}, "no files from here"),
        ({"against": "/tmp/evil.py"}, "no files from here"),
    ],
)
def test_what_cannot_be_is_said_as_the_command_line_says_it(
    change: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said.replace("+", r"\+")):
        answer(replace(USUAL, **change))  # type: ignore[arg-type]


def test_what_the_page_begins_with_has_an_answer() -> None:
    question = asked({name: element.value for name, element in choices().items()})
    assert question == replace(USUAL, cpus=64)
    text = "\n".join(sentences(USUAL, answer(USUAL)))
    assert "v6.14 over v6.11 at 8 CPUs: x " in text


def test_patches_are_added_to_either_kernel() -> None:
    values = {name: element.value for name, element in choices().items()}
    values |= {"kernel": "v6.12", "patches": ["tasks-trace"], "against": "none"}
    assert asked(values).kernel == "v6.12+tasks-trace"
    assert asked(values).against == ""


def test_a_point_is_simulated_for_so_many_hits() -> None:
    for kernel, cpus in (("v6.14", 64), ("v6.14", 1), ("v6.11", 64)):
        cell = replace(answers._cell(replace(USUAL, cpus=cpus), kernel, 80), cpus=cpus)
        brief = answers._brief(cell)
        assert answers.LEAST_PS <= brief.sample_ps <= answers.MOST_PS
        assert brief.warmup_ps == brief.sample_ps // 2 < PS_PER_SECOND
