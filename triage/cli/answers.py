"""Answers of the operator, ``NAME=VALUE``, held against the questions that the signatures ask."""

from __future__ import annotations

from collections.abc import Sequence

from triage.cli.errors import UsageError
from triage.host_view import questions
from triage.knowledge.compiled import Knowledge
from triage.model import Fact, Question, Value

_WORDS = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}


def read_answers(given: Sequence[str], knowledge: Knowledge) -> list[Fact]:
    """The facts that the answers state; a name that nobody asks or an answer that does not fit is a usage error."""
    asked = questions(knowledge)
    found: list[Fact] = []
    for answer in given:
        name, equals, text = answer.partition("=")
        if not equals:
            raise UsageError(f"--answer {answer}: write NAME=VALUE")
        if name not in asked:
            from triage.knowledge.errors import did_you_mean

            raise UsageError(f"no question '{name}'{did_you_mean(name, sorted(asked))}")
        found.append(Fact(name, _value(asked[name], text.strip()), "answer"))
    return found


def _value(question: Question, text: str) -> Value:
    if question.kind == "yes-no":
        if text.lower() not in _WORDS:
            raise UsageError(f"'{text}' is neither yes nor no: {question.ask}")
        return _WORDS[text.lower()]
    if question.kind == "choice" and text not in question.choices:
        raise UsageError(f"'{text}' is none of {', '.join(question.choices)}: {question.ask}")
    for convert in (int, float):
        try:
            return convert(text) if question.kind == "value" else text
        except ValueError:
            continue
    return text
