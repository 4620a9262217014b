"""Did it work? The checks that decide, carried out once more, to one of three answers."""

from __future__ import annotations

from enum import Enum

from triage.fixing.checks import CheckAnswer, carry_out, carry_out_after_change, in_words
from triage.fixing.plan import Plan
from triage.fixing.workshop import Workshop
from triage.playbook import Missing
from triage.records import dataclass


class FixVerdict(str, Enum):
    """What is to be said in the end."""

    FIXED = "fixed"
    NOT_FIXED = "not fixed"
    CANNOT_TELL = "cannot tell yet"


@dataclass(frozen=True, slots=True)
class FixResult:
    """``seen``: each check with its answer; ``watch_for``: what shows in time that it worked."""

    verdict: FixVerdict
    seen: tuple[tuple[str, CheckAnswer], ...]
    watch_for: str = ""


def decide(plan: Plan, workshop: Workshop, *, changed: bool = False) -> FixResult:
    """Carry out the playbook's checks. One that says no decides; one that cannot tell leaves it open, as does it if there is
    none. Steps that were left do not: a playbook has several ways, and its checks say whether one of them led there.
    ``changed``: something was done a moment ago.
    """
    look = carry_out_after_change if changed else carry_out
    seen = tuple(
        (check.reason, CheckAnswer(None, check.reason))
        if isinstance(check, Missing)
        else (in_words(check), look(check, workshop))
        for check in plan.verify
    )
    watch_for = plan.playbook.watch_for
    if any(answer.holds is False for _, answer in seen):
        return FixResult(FixVerdict.NOT_FIXED, seen, watch_for)
    if not seen or any(answer.holds is None for _, answer in seen):
        return FixResult(FixVerdict.CANNOT_TELL, seen, watch_for)
    return FixResult(FixVerdict.FIXED, seen)
