# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The small YAML reader against PyYAML, and where it is stricter or types as Go does."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from homenode.intent.yaml_scalars import plain
from homenode.intent.yaml_subset import MAX_DEPTH, read_documents, read_yaml
from model.problem import HomenodeProblem

LIMIT = 100_000


def read(text: str) -> Any:
    return read_yaml(text, field="f", limit=LIMIT)


AS_PYYAML = {
    "nothing": "",
    "comments only": "# a\n  # b\n",
    "a scalar": "  x y  # z\n",
    "a mapping": "a: 1\nb: x: y\n".replace("x: y", "x:y"),
    "nested": "a:\n  b:\n    c: 1\n  d: 2\ne: 3\n",
    "a sequence in the column of its key": "a:\n- 1\n- 2\nb: 3\n",
    "a sequence to the right": "a:\n  - 1\n  -   b: 2\n      c: 3\n  - - 4\n    - 5\n",
    "null values": "a:\nb: ~\nc: null\nd:\n  - \n  -\n",
    "comments everywhere": "# t\na: # x\n  # y\n  - 1 # z\n\n  # w\n  - 'q' # v\n#e",
    "flow": "{a: [1, 2,], 'b': {c: , d}, e: [], f: {}, \"g\":1}",
    "flow over lines": "a: [1,\n 2 # x\n ,3\n]\nb: {c:\n d}\n",
    "a plain text of several lines": "a: x\n  y\n\n\n  z\nb: 1\n",
    "signs inside a plain text": "a: b-c:d#e?f!g&h*i%j@k'l\"m\nn: -1x\no: :x\np: ?x\n",
    "single quotes": "a: 'it''s\n  \\n\n\n  x '\n'b: c': 1\n",
    "double quotes": 'a: "t\\t\\"q\\x41\\u00e9\\U0001F600 \\\n   x\n\n  y  \n z"\n"b:" : 1\n',
    "literal": "a: |\n  x\n   y\n\n  z\n\nb: |-\n  w\n\nc: |+\n  v\n\nd: 1\n",
    "folded": "a: >\n  x\n  y\n\n  z\n   i\n  w\nb: >-\n  p\n  q\n",
    "indentation given": "a: |2\n    x\n   y\nb: 1\n",
    "a literal at the end": "- |\n  x\n- |+\n  y\n\n",
    "a literal without a line end": "- |\n  x",
    "carriage returns": "a: 1\r\nb:\r\n  - c\r\n",
    "a document marker": "---\na: 1\n...\n",
    "a marker with a comment": "--- # x\na: 1\n",
    "a byte order mark": "\ufeffa: 1",
}


@pytest.mark.parametrize("text", AS_PYYAML.values(), ids=AS_PYYAML)
def test_as_pyyaml(text: str) -> None:
    assert read(text) == yaml.safe_load(text)


TYPES: dict[str, Any] = {
    "yes": True, "y": True, "On": True, "FALSE": False, "n": False, "~": None, "Null": None,
    "yEs": "yEs", "0": 0, "-1": -1, "+12": 12, "1_000": 1000, "0x1F": 31, "017": 15, "0o17": 15,
    "0b11": 3, "08": 8.0, "1.5": 1.5, ".5": 0.5, "1.": "1.", "1e3": "1e3", "1e+3": 1000.0,
    "1.5E-1": 0.15, "1e+999": "1e+999", "-.inf": -math.inf, "1:30": "1:30",
    "2024-01-01": "2024-01-01", "750m": "750m", "18446744073709551615": 2**64 - 1,
    "18446744073709551616": 2.0**64, "1" * 65: "1" * 65, "0x": "0x", "-": "-", "_1": "_1",
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), TYPES.items())
def test_types_are_those_of_go_yaml_v2(text: str, value: Any) -> None:
    assert (plain(text), type(plain(text))) == (value, type(value))


REFUSED = {
    "an anchor": "a: &x 1",
    "an alias": "*x",
    "a tag": "a: !!str 1",
    "a directive": "%YAML 1.1",
    "a tab as indentation": "a:\n\tb: 1",
    "a tab after a colon": "a:\t1",
    "an explicit key": "? a\n: b",
    "a merge key": "a: {<<: {b: 1}}",
    "a key twice": "a: 1\nb: 2\na: 3",
    "a key twice in braces": "{a: 1, 'a': 2}",
    "two mappings on a line": "a: b: c",
    "a key of two lines": "'a\n  b': 1",
    "an entry after a key": "a: - b",
    "bad indentation": "a:\n  b: 1\n c: 2",
    "an entry too far right": "- 'a'\n  - 2\n",
    "a key too far right": "a: 1\n  b: 2",
    "a pair in brackets": "[a: b]",
    "brackets that stay open": "{a: [1, 2}",
    "no comma": "['x' 1]",
    "a quote that stays open": "a: 'x",
    "a text after a quote": "a: 'x' y",
    "an escape that is none": '"\\q"',
    "half a character": '"\\ud800"',
    "a wrong block header": "a: |x\n  y",
    "a control character": "a: \x00",
    "two documents": "a: 1\n---\nb: 2",
    "too deep in braces": "{a: " * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1),
    "too deep in lines": "\n".join("  " * at + "a:" for at in range(MAX_DEPTH + 1)),
    "too long": "x" * (LIMIT + 1),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(HomenodeProblem) as caught:
        read(text)
    assert caught.value.problem.field == "f"


def test_the_line_is_named() -> None:
    with pytest.raises(HomenodeProblem, match=r'f "b: \[": line 4 '):
        read_documents("a: 1\n---\n# x\nb: [", field="f", limit=LIMIT)


def test_documents() -> None:
    text = "---\na: 1\n---\n# nothing\n---\n- b\n--- |\n c\n"
    assert read_documents(text, field="f", limit=LIMIT) == ({"a": 1}, ["b"], "c\n")


def test_a_pair_of_json_escapes_is_one_character() -> None:
    assert read(json.dumps("x😀")) == "x😀"


def _is_text_for_both(text: str) -> bool:
    return isinstance(plain(text), str) == isinstance(yaml.safe_load(yaml.safe_dump(text)), str)


SIGNS = st.sampled_from([*"ab -:#,[]{}'\"\n|>&*!%@`?~\\/.0é", ": ", "- ", "\n\n", "yes", "null"])
TEXTS = st.lists(SIGNS, max_size=12).map("".join).filter(_is_text_for_both)
SCALARS = st.one_of(
    TEXTS,
    st.floats(allow_nan=False, allow_infinity=False),
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([None, False, True]), st.sampled_from([None, "'", '"', "|", ">"]))
def test_what_pyyaml_writes_is_read(value: Any, flow: Any, style: Any) -> None:
    text = yaml.safe_dump(
        value, default_flow_style=flow, default_style=style, width=20, allow_unicode=True
    )
    if "!!" not in text and "? " not in text:  # styled numbers get tags, long keys get marks
        assert read(text) == value


@given(VALUES, st.sampled_from([None, 1, 4]))
def test_json_is_read(value: Any, indent: Any) -> None:
    assert read(json.dumps(value, indent=indent)) == value


@given(st.lists(SIGNS | st.sampled_from(["\n  ", "- a: 1\n", "k: ", "\t"]), max_size=30))
def test_no_text_does_more_than_be_refused(parts: list[str]) -> None:
    try:
        read("".join(parts))
    except HomenodeProblem as error:
        assert "line " in error.problem.why or "document" in error.problem.why


@pytest.mark.parametrize(
    "text", ["[", "{a: ", "- ", "a:\n ", "'", '"\\', "\n", " ", "|\n", "#", "---\n"]
)
def test_hostile_repetition_ends(text: str) -> None:
    try:
        read(text * (LIMIT // len(text)))
    except HomenodeProblem as error:
        assert len(str(error)) < 2000
