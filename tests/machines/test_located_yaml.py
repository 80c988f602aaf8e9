"""YAML files: what they mean, where it stands, and what is not read."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sweep.errors import UsageError
from sweep.machines.located_yaml import MAX_BYTES, MAX_VALUES, read_located, yaml_text


def read(folder: Path, text: str | bytes) -> dict[Any, Any]:
    path = folder / "f.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_located(path).values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1:10", "1:10"),
        ("010", 10),
        ("08", 8),
        ("0o10", 8),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("1e-5", 1e-5),
        (".5", 0.5),
        ("+1", 1),
        ("-.inf", float("-inf")),
        ("yes", "yes"),
        ("no", "no"),
        ("True", True),
        ("~", None),
        ("2001-01-01", "2001-01-01"),
        ("=", "="),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("0.5%", "0.5%"),
        ("5ms", "5ms"),
        ("+_", "+_"),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(tmp_path: Path, text: str, value: object) -> None:
    found = read(tmp_path, f"v: {text}")["v"]
    assert (type(found), found) == (type(value), value)


def test_lines_are_those_of_keys_and_items(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("a: 1\n# no\nb:\n- 1\n- {c: 2}\n")
    located = read_located(tmp_path / "f.yaml")
    assert [located.line("b"), located.line("b", 1), located.line("b", 1, "c")] == [3, 5, 5]
    assert [located.line("b", 7), located.line("z")] == [3, 1]


def test_a_mapping_may_be_merged_into_another(tmp_path: Path) -> None:
    assert read(tmp_path, "a: &a {x: 1}\nb: {<<: *a, y: 2}")["b"] == {"x": 1, "y": 2}


def merge_bomb(levels: int, each: int) -> str:
    lines = ["b0: &b0 {k: 1}"]
    for level in range(1, levels):
        lines.append(f"b{level}: &b{level} {{<<: [{', '.join([f'*b{level - 1}'] * each)}]}}")
    return "\n".join(lines)


def alias_bomb(levels: int) -> str:
    return "a0: &a0 [1, 1]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, levels)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (merge_bomb(9, 10), f"5: more than {MAX_VALUES:,} values, aliases replaced"),
        (alias_bomb(40), f"14: more than {MAX_VALUES:,} values, aliases replaced"),
        ("a: &a [*a]", "1: an alias stands for what contains it"),
        ("a: &a {b: {c: *a}}", "1: an alias stands for what contains it"),
        ("v:\n  " + "[" * 100_000, "2: broken YAML: nested more than 20 deep"),
        ("a: " + "9" * 5000, "1: a number of 5,000 digits; 40 are read"),
        ("a: 0x" + "9" * 5000, "1: a number of 5,002 digits; 40 are read"),
        ("a: 1\n? [b]\n: 2", "2: broken YAML: a key is a name, no list or mapping"),
        ("a: 1\nb: !x 2", "2: broken YAML: could not read the tag !x"),
        ("a: !!python/object/apply:os.system ['touch ran']", "1: broken YAML: could not read the"),
        ("a: !!set {b}", "1: broken YAML: could not read the tag"),
        ("%YAML 1.1\n---\na: 010", "1: only YAML 1.2 is read"),
        ("a: 1\nb: \x07", "2: broken YAML: special characters are not allowed"),
        (b"a: 1\nb: \xff", "2: it is no UTF-8: invalid start byte"),
        ("a: 1\nb: 2\na: 3", "3: a is given twice, first in line 1"),
        ("1: a\n'1': b", "2: 1 is given twice, first in line 1"),
        ("a: *b", "1: broken YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 2", "2: broken YAML: but found another document"),
        ("a: [" + "1," * MAX_VALUES + "]", f"1: more than {MAX_VALUES:,} values"),
    ],
    ids=range(19),
)
def test_what_is_not_read_is_one_line_with_its_place(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/f.yaml:{said}")
    assert len(message) < len(str(tmp_path)) + 150


def test_of_a_file_that_is_too_large_no_more_is_read(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("a: 1\n" * 2_000_000)
    tracemalloc.start()
    with pytest.raises(UsageError, match="it is larger than 200 kB"):
        read_located(tmp_path / "f.yaml")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * MAX_BYTES


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read it: Is a directory"):
        read_located(tmp_path)


PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20),
    st.sampled_from(["yes", "1e3", "0o10", "1_000", "010", "1:10", "~", "=", "<<", "- a", "a: b"]),
)
VALUES = st.dictionaries(
    st.from_regex("[a-z]{1,9}", fullmatch=True),
    st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4), max_leaves=8),
    min_size=1,
    max_size=5,
)


@settings(deadline=None)
@given(values=VALUES)
@example(values={"a": "?0", "b": ["? c", "?"]})
def test_what_is_written_is_read_as_the_same(
    values: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert read(tmp_path_factory.mktemp("yaml"), yaml_text(values)) == values
