"""The table of weights as the calibration sees it: the authors' numbers, what a table must promise, a table put on trial."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import ModuleType

from triage.model import Prevalence, Strength
from triage.reasoning import weights
from triage.reasoning.weights import CONFIRMED, SHOWN, probability

Table = Mapping[str, float]
"""Decibans by name, as in ``triage/reasoning/weights_table.py``."""

AUTHORS: Table = {
    "decisive": 27.0,
    "strong": 15.0,
    "supports": 8.0,
    "hints": 4.0,
    "contradicts": -10.0,
    "rules-out": -40.0,
    "common": -10.0,
    "occasional": -13.0,
    "rare": -16.0,
    "same-family-cap": 3.0,
    "outside-versions": -12.0,
    "later-in-chain": -5.0,
}
"""What the words were meant to be worth when the signatures were written: a fit is drawn towards these."""

TABLE_FILE = Path(weights.__file__).with_name("weights_table.py")
OVER_CLAIM = 0.8
"""A wrong first answer from this confidence on is the worst defect there is."""
_ROUNDING = 0.005
"""Reports show whole percents: what is shown as 80 % is an over-claim too."""
_GAP = 2.0
"""Decibans between neighbouring words: one that changes the odds by less than half is no word of its own."""
_CONSTANTS = {
    "SAME_FAMILY_CAP": "same-family-cap",
    "OUTSIDE_VERSIONS": "outside-versions",
    "LATER_IN_CHAIN": "later-in-chain",
}
PRIORS = tuple(word.value for word in Prevalence)


def keeps_promises(table: Table) -> bool:
    """Are the words in order, and do they still mean what docs/signatures.md says?

    Whatever the prior: one decisive line confirms; one strong line is shown, but is no claim for which one would be blamed;
    one line that supports is not as likely as not; what rules out hides a decisive line. What contradicts outweighs what
    supports, and correlated evidence adds less than a hint.
    """
    strengths = [*(table[word] for word in ("decisive", "strong", "supports", "hints")), 0.0]
    strengths += [table["contradicts"], table["rules-out"]]
    priors = [0.0, *(table[word] for word in PRIORS)]
    ordered = all(low <= high - _GAP for row in (strengths, priors) for high, low in pairwise(row))
    penalties = all(table[name] <= -_GAP for name in ("outside-versions", "later-in-chain"))
    return (
        ordered
        and penalties
        and 0 < table["same-family-cap"] < table["hints"]
        and table["supports"] + table["contradicts"] < 0
        and all(
            probability(table[prior] + table["decisive"]) >= CONFIRMED
            and SHOWN <= probability(table[prior] + table["strong"]) < OVER_CLAIM - _ROUNDING
            and table[prior] + table["supports"] < 0
            and probability(table[prior] + table["decisive"] + table["rules-out"]) < SHOWN
            for prior in PRIORS
        )
    )


@contextmanager
def in_force(table: Table) -> Iterator[None]:
    """Within it the reasoning weighs by ``table``.

    The dictionaries are shared by everyone who imported them; the single numbers are bound in each module that did, and
    are replaced there.
    """
    modules = [module for name, module in sys.modules.items() if name.startswith("triage.reasoning.")]
    before = _current(modules)
    strength, prior = dict(weights.STRENGTH), dict(weights.PRIOR)
    try:
        weights.STRENGTH.update({word: table[word.value] for word in Strength})
        weights.PRIOR.update({word: table[word.value] for word in Prevalence})
        for module, name, _ in before:
            setattr(module, name, table[_CONSTANTS[name]])
        yield
    finally:
        weights.STRENGTH.update(strength)
        weights.PRIOR.update(prior)
        for module, name, value in before:
            setattr(module, name, value)


def _current(modules: list[ModuleType]) -> list[tuple[ModuleType, str, float]]:
    return [(module, name, getattr(module, name)) for module in modules for name in _CONSTANTS if hasattr(module, name)]


def table_source(table: Table) -> str:
    """The text of ``weights_table.py`` with these numbers."""
    rows = "\n".join(f'    "{name}": {table[name]!r},' for name in AUTHORS)
    return (
        '"""Decibans behind the authors\' words. Written by ``python -m tools.calibrate --write``; see docs/calibration.md."""\n\n'
        f"TABLE: dict[str, float] = {{\n{rows}\n}}\n"
    )
