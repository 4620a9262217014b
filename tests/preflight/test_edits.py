"""Changes of single words, in an argv and within a script."""

from __future__ import annotations

from triage.preflight.edits import Edits
from triage.preflight.shell_words import Word, shell_words


def test_argv() -> None:
    """Words are replaced, left out and added where they stand; the others stay."""
    words = ["a", "--tp", "3", "--old", "z"]
    edits = Edits()
    assert not edits
    edits.replace(Word("3", 2), "4")
    edits.replace(Word("--old", 3))
    edits.insert_before(Word("a", 0), "X=1")
    edits.insert_behind(Word("z", 4), "--port", "1")
    assert edits
    assert edits.apply(words) == ("X=1", "a", "--tp", "4", "z", "--port", "1")


def test_script() -> None:
    """Within a script only the changed words change; what a shell would read otherwise is quoted."""
    script = "cd '/a b' && run  --tp 3 --old --x \"y z\" > log"
    places = {word.text: word for word in shell_words(script, 1)}
    edits = Edits()
    edits.replace(places["3"], "4 5")
    edits.replace(places["--old"])
    edits.insert_behind(places["y z"], "--port", "1")
    edits.insert_before(places["run"], "A=1")
    changed = edits.apply(["bash", script])
    assert changed == ("bash", "cd '/a b' && A=1 run  --tp '4 5' --x \"y z\" --port 1 > log")


def test_text_so_far() -> None:
    """A second change of a word builds on the first."""
    edits = Edits()
    word = Word("A=1", 0)
    edits.replace(word, "B=1")
    assert edits.text(word) == "B=1"
    assert edits.text(Word("C", 1)) == "C"


def test_shell_words() -> None:
    """Quotes, escapes, comments, operators and line breaks are read as a shell reads them."""
    script = 'a \'b c\'\\ d "e \\"f\\" $G" # no\nx\\\n y&&z;w|v 2>&1'
    assert [word.text for word in shell_words(script, 0)] == [
        "a", "b c d", 'e "f" $G', "\n", "x", "y", "&&", "z", ";", "w", "|", "v", "2", ">", "&", "1",
    ]  # fmt: skip
    quoted = list(shell_words("'&&' &&", 0))
    assert [word.bare for word in quoted] == [False, True]
