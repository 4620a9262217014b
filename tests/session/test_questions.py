"""Open questions and typed answers."""

from __future__ import annotations

import pytest

from tests.session.conftest import Begin
from triage.model import Question, Value
from triage.session.questions import AnswerError, Prompt, read_answer

YES_NO = Question("Is it so?")
CHOICE = Question("Which one?", "choice", ("mooncake", "nixl"))
FREE = Question("How many?", "value")
LOG = (
    b"[rank8]: RuntimeError: Gloo connectFullMesh failed with [../third_party/gloo/gloo/transport/tcp/pair.cc:144] "
    b"no error (timed out after 30000ms)\n"
)


@pytest.mark.parametrize(
    ("question", "text", "value"),
    [
        (YES_NO, " Yes ", True), (YES_NO, "n", False), (YES_NO, "TRUE", True), (CHOICE, "nixl", "nixl"), (FREE, "8", 8),
        (FREE, "0.5", 0.5), (FREE, "eth0", "eth0"),
    ],
)  # fmt: skip
def test_answers_become_values(question: Question, text: str, value: Value) -> None:
    """By the kind of the question; a number where one was written."""
    found = read_answer(question, text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        (YES_NO, "perhaps", "'perhaps' is neither yes nor no: Is it so?"),
        (YES_NO, "", "'' is neither yes nor no: Is it so?"),
        (CHOICE, "ucx", "'ucx' is none of mooncake, nixl: Which one?"),
        (FREE, "  ", "an answer is needed: How many?"),
    ],
)
def test_what_does_not_fit_is_told(question: Question, text: str, said: str) -> None:
    """In one line with the question."""
    with pytest.raises(AnswerError) as wrong:
        read_answer(question, text)
    assert str(wrong.value) == said


def test_choices() -> None:
    """What may be answered, for previews and prompts."""
    found = [Prompt("x", item, 0.0, ()).choices for item in (YES_NO, CHOICE, FREE)]
    assert found == [("yes", "no"), ("mooncake", "nixl"), ()]


def test_who_asks(begin: Begin) -> None:
    """The question of a narrower cause is listed for the diagnosis that waits for it, with what it is expected to tell."""
    (prompt,) = begin(text=LOG).prompts
    assert prompt.name == "network.firewall_between_nodes"
    assert prompt.gain_bits > 0.05
    assert prompt.causes
    assert prompt.question.ask.endswith("?")


def test_every_question_of_a_step_is_listed(begin: Begin) -> None:
    """No step of any fixture's report asks what the list does not hold."""
    for path in (
        "gated-model-journald",
        "two-nodes-slurm-gloo-loopback",
        "pod-oomkilled-describe",
        "leader-name-unresolved",
    ):
        session = begin(f"fixtures/logs/{path}")
        asked = {step.name for item in session.report.diagnoses for step in item.next if step.kind == "question"}
        assert asked <= {prompt.name for prompt in session.prompts}, path
