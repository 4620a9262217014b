"""Answers of the operator, ``NAME=VALUE``, held against the questions that the signatures ask."""

from __future__ import annotations

from collections.abc import Sequence

from triage.cli.errors import UsageError
from triage.host_view import questions
from triage.knowledge.compiled import Knowledge
from triage.model import Fact
from triage.session.questions import AnswerError, read_answer


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
        try:
            found.append(Fact(name, read_answer(asked[name], text), "answer"))
        except AnswerError as error:
            raise UsageError(str(error)) from error
    return found
