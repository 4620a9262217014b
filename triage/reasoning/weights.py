"""What the authors' words are worth, in decibans: the one table that is calibrated on labelled failures.

A deciban is a tenth of a factor of ten in the odds (I. J. Good, Probability and the Weighing of Evidence, 1950).
"""

from __future__ import annotations

from triage.model import Prevalence, Strength

STRENGTH: dict[Strength, float] = {
    Strength.DECISIVE: 27.0,
    Strength.STRONG: 15.0,
    Strength.SUPPORTS: 8.0,
    Strength.HINTS: 4.0,
    Strength.CONTRADICTS: -10.0,
    Strength.RULES_OUT: -40.0,
}

PRIOR: dict[Prevalence, float] = {Prevalence.COMMON: -10.0, Prevalence.OCCASIONAL: -13.0, Prevalence.RARE: -16.0}

SAME_FAMILY_CAP = 3.0
"""What all further evidence of one line or traceback may add together to the strongest of it."""

OUTSIDE_VERSIONS = -12.0
"""For a release in which the cause is not known to occur."""

LATER_IN_CHAIN = -5.0
"""For a cause seen later in the same traceback than an equally strong one: the first exception of a chain is the innermost."""

SUSPECT_CAP = 0.5
"""Highest confidence of a diagnosis that rests on lines a client may have written."""

CONFIRMED, LIKELY, SHOWN = 0.9, 0.6, 0.1
"""Confidence from which a verdict is confirmed or likely, and from which a diagnosis is shown at all."""


def probability(decibans: float) -> float:
    """The probability with these log-odds."""
    return float(1.0 / (1.0 + 10.0 ** (-decibans / 10.0)))
