"""What only the operator can know: the questions that are open, the likeliest to tell first, and answers as typed values."""

from __future__ import annotations

from collections.abc import Container, Iterator

from triage.knowledge.base import KnowledgeBase
from triage.model import Diagnosis, Question, Report, Value
from triage.records import dataclass

_YES_NO = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}


class AnswerError(ValueError):
    """An answer that does not fit its question, in one line."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """An open question. ``name``: the fact that its answer states; ``gain_bits``: expected drop of entropy (0: too little to be
    counted); ``causes``: the shown diagnoses that wait for it."""

    name: str
    question: Question
    gain_bits: float
    causes: tuple[str, ...]

    @property
    def choices(self) -> tuple[str, ...]:
        """Everything that may be answered; empty where any value may."""
        return ("yes", "no") if self.question.kind == "yes-no" else self.question.choices


def open_prompts(report: Report, base: KnowledgeBase, skipped: Container[str] = ()) -> tuple[Prompt, ...]:
    """The questions that diagnoses of the report wait for, the most telling first: no fact is known that answers them, and
    nobody skipped them."""
    known = {fact.name for fact in report.observation.facts}
    found: dict[str, Prompt] = {}
    for diagnosis in report.diagnoses:
        gains = {step.name: step.gain_bits for step in diagnosis.next if step.kind == "question"}
        for name, question in _asked(diagnosis, base):
            if name in known or name in skipped:
                continue
            earlier = found.get(name)
            gain = max(gains.get(name, 0.0), earlier.gain_bits if earlier else 0.0)
            causes = (*(earlier.causes if earlier else ()), diagnosis.id)
            found[name] = Prompt(name, question, gain, tuple(dict.fromkeys(causes)))
    return tuple(sorted(found.values(), key=lambda item: (-item.gain_bits, [*found].index(item.name))))


def _asked(diagnosis: Diagnosis, base: KnowledgeBase) -> Iterator[tuple[str, Question]]:
    """The questions behind what the diagnosis did not check, and those behind its next steps."""
    wanted = [*diagnosis.not_checked, *(step.name for step in diagnosis.next if step.kind == "question")]
    # A step may come from a rival or a narrower cause, whose question it is then.
    names = (diagnosis.id, *diagnosis.rivals, *(name for name in base.records if _refines(base, name, diagnosis.id)))
    for identifier in dict.fromkeys(names):
        for item in base.get(identifier).evidence if identifier in base else ():
            if item.question is not None and item.facts[0].name in wanted:
                yield item.facts[0].name, item.question


def _refines(base: KnowledgeBase, name: str, wide: str) -> bool:
    refined = base.records[name].data.get("refines")
    return isinstance(refined, (list, tuple)) and wide in refined


def read_answer(question: Question, text: str) -> Value:
    """The value that ``text`` stands for.

    Raises:
        AnswerError: it does not fit the question.
    """
    text = text.strip()
    if question.kind == "yes-no":
        if text.lower() not in _YES_NO:
            raise AnswerError(f"'{text}' is neither yes nor no: {question.ask}")
        return _YES_NO[text.lower()]
    if question.kind == "choice":
        if text not in question.choices:
            raise AnswerError(f"'{text}' is none of {', '.join(question.choices)}: {question.ask}")
        return text
    if not text:
        raise AnswerError(f"an answer is needed: {question.ask}")
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text
