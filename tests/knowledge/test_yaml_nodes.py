"""compose: YAML with places, and its guards."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.knowledge.errors import KnowledgeError, Problems
from triage.knowledge.nodes import ListNode, MappingNode, ScalarNode
from triage.knowledge.pack import MAX_BYTES
from triage.knowledge.yaml_nodes import MAX_DEPTH, compose
from triage.model import Location

REFUSED = {
    "tag": ("a: !!str x\n", "1:4: tags are not allowed"),
    "tag of an object": ("a:\n  - !!python/object/apply:os.system [id]\n", "2:5: tags are not allowed"),
    "tag of a key": ("!x a: 1\n", "1:1: tags are not allowed"),
    "tag of the document": ("!!map\na: 1\n", "1:1: tags are not allowed"),
    "anchor on a scalar": ("a: &x 1\n", "1:4: anchors are not allowed"),
    "anchor on a list": ("a: &x [1]\n", "1:4: anchors are not allowed"),
    "anchor on a mapping": ("a:\n  b: &x {c: 1}\n", "2:6: anchors are not allowed"),
    "anchor on a key": ("&x a: 1\n", "1:1: anchors are not allowed"),
    "alias": ("a: 1\nb: *x\n", "2:4: aliases are not allowed; write the value out"),
    "alias in a list": ("- [1, *x]\n", "1:7: aliases are not allowed; write the value out"),
    "merge key": ("a: 1\n<<: {b: 2}\n", "2:1: merge keys are not allowed"),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", "3:1: key 'a' stands twice; first in line 1"),
    "duplicate key, once quoted": ("a: 1\n'a': 3\n", "2:1: key 'a' stands twice; first in line 1"),
    "duplicate key further in": ("x:\n  - {b: 1, c: 2, b: 3}\n", "2:18: key 'b' stands twice; first in line 2"),
    "key that is a list": ("? [a]\n: b\n", "1:3: a key must be plain text"),
    "key that is a mapping": ("{{a: 1}: b}\n", "1:2: a key must be plain text"),
    "second document": ("a: 1\n---\nb: 2\n", "2:1: a file holds one document; a second one starts here"),
    "document after an end mark": (
        "a: 1\n...\n---\nb: 2\n",
        "3:1: a file holds one document; a second one starts here",
    ),
    "nothing": ("", "1:1: the file is empty"),
    "white space": ("\n \n", "1:1: the file is empty"),
    "comments": ("# one\n# two\n", "1:1: the file is empty"),
    "unclosed list": ("a: [1, 2\n", "2:1: not valid YAML: did not find expected ',' or ']'"),
    "unclosed quote": ("a: 'x\n", "2:1: not valid YAML: found unexpected end of stream"),
    "wrong indentation": ("a: 1\n  b: 2\n", "2:4: not valid YAML: mapping values are not allowed in this context"),
    "tab": ("a:\n\tb: 1\n", "2:1: not valid YAML: found character that cannot start any token"),
    "unknown escape": ('a: "\\q"\n', "1:5: not valid YAML: found unknown escape character"),
    "place after wide letters": ("éé: !x 1\n", "1:5: tags are not allowed"),
    "place after CR LF": ("a: 1\r\nb: !x 1\r\n", "2:4: tags are not allowed"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refusal_is_located(text: str, message: str) -> None:
    """What a rule file may not hold is refused with its line and column, raised or collected alike."""
    problems = Problems(collect=True)
    assert compose(text, "p.yaml", problems) is None
    assert [str(problem) for problem in problems.found] == [f"p.yaml:{message}"]
    with pytest.raises(KnowledgeError) as caught:
        compose(text, "p.yaml", Problems())
    assert str(caught.value) == f"p.yaml:{message}"
    assert caught.value.problem == problems.found[0]


@pytest.mark.parametrize("char", ["\x00", "\x01", "\x1b", "\x7f", "\ud800", "\uffff"], ids=ascii)
def test_characters_that_yaml_forbids(char: str) -> None:
    """Control characters and lone surrogates are refused as a problem of the file, on one line, and never raise anything else."""
    problems = Problems(collect=True)
    assert compose(f"a: x{char}y\n", "p.yaml", problems) is None
    (problem,) = problems.found
    assert problem.location.path == "p.yaml"
    assert problem.message.startswith("not valid YAML: ")
    assert "\n" not in problem.message


def test_nodes_know_their_places() -> None:
    """Every node carries the 1-based place of its first character, and scalars tell whether they were quoted."""
    root = compose("a: 'x'\nb:\n  - 1\n  - {c: \"2\"}\nd: |\n  text\n", "p.yaml", Problems())
    assert isinstance(root, MappingNode)
    assert root.location == Location("p.yaml", 1, 1)
    assert root.get("a") == ScalarNode("x", False, Location("p.yaml", 1, 4))
    items = root.get("b")
    assert isinstance(items, ListNode)
    assert items.location == Location("p.yaml", 3, 3)
    first, second = items.items
    assert first == ScalarNode("1", True, Location("p.yaml", 3, 5))
    assert isinstance(second, MappingNode)
    assert second.get("c") == ScalarNode("2", False, Location("p.yaml", 4, 9))
    assert root.get("d") == ScalarNode("text\n", False, Location("p.yaml", 5, 4))
    assert root.get("e") is None


def test_quoted_merge_key_is_text() -> None:
    """A key that is the quoted text ``<<`` merges nothing and is an ordinary key."""
    root = compose("'<<': 1\n", "p.yaml", Problems())
    assert isinstance(root, MappingNode)
    assert [key.value for key, _ in root.pairs] == ["<<"]


def test_size_is_counted_in_bytes() -> None:
    """A file of exactly the cap is read and one byte more is not, whatever its letters weigh."""
    fits = "é" * (MAX_BYTES // 2)
    assert isinstance(compose(fits, "p.yaml", Problems()), ScalarNode)
    problems = Problems(collect=True)
    assert compose(fits + "x", "p.yaml", problems) is None
    assert [str(problem) for problem in problems.found] == [f"p.yaml:1:1: file is larger than {MAX_BYTES} bytes"]


def test_depth_has_an_edge() -> None:
    """MAX_DEPTH levels are read; the first level beyond is refused where it opens."""
    assert compose("[" * MAX_DEPTH + "]" * MAX_DEPTH, "p.yaml", Problems()) is not None
    problems = Problems(collect=True)
    assert compose("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "p.yaml", problems) is None
    assert [str(item) for item in problems.found] == [
        f"p.yaml:1:{MAX_DEPTH + 1}: nested deeper than {MAX_DEPTH} levels"
    ]


@pytest.mark.parametrize("opening", ["[", "{", "[{a: ", "- ", "{a: ", "? ", "[? "], ids=repr)
def test_a_hundred_thousand_levels_are_refused_at_once(opening: str) -> None:
    """100,000 open brackets of any style end as one located problem within two seconds, without a crash of libyaml."""
    began = time.monotonic()
    problems = Problems(collect=True)
    assert compose(opening * 100_000, "p.yaml", problems) is None
    assert time.monotonic() - began < 2
    (problem,) = problems.found
    assert problem.location.line == 1


@given(
    st.text(
        alphabet=st.sampled_from(list("ab:-?[]{},&*!|>'\"%@`#~ \n\t\r\\<.0\x00\x1b\x85\u2028é\ud800\ufeff")),
        max_size=80,
    )
)
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever stands in a file, compose gives nodes or a KnowledgeError, and collecting finds what raising raises."""
    problems = Problems(collect=True)
    node = compose(text, "p.yaml", problems)
    assert (node is None) == bool(problems.found)
    if node is not None:
        assert compose(text, "p.yaml", Problems()) == node
    else:
        with pytest.raises(KnowledgeError) as caught:
            compose(text, "p.yaml", Problems())
        assert [caught.value.problem] == problems.found
