"""What the authors' words are worth, in decibans: the one table that is calibrated on labelled failures (docs/calibration.md).

A deciban is a tenth of a factor of ten in the odds (I. J. Good, Probability and the Weighing of Evidence, 1950).
"""

from __future__ import annotations

from triage.model import Prevalence, Strength
from triage.reasoning.weights_table import TABLE

STRENGTH: dict[Strength, float] = {word: TABLE[word.value] for word in Strength}

PRIOR: dict[Prevalence, float] = {word: TABLE[word.value] for word in Prevalence}

SAME_FAMILY_CAP = TABLE["same-family-cap"]
"""What all further evidence of one line or traceback may add together to the strongest of it."""

OUTSIDE_VERSIONS = TABLE["outside-versions"]
"""For a release in which the cause is not known to occur."""

LATER_IN_CHAIN = TABLE["later-in-chain"]
"""For a cause seen later in the same traceback than an equally strong one: the first exception of a chain is the innermost."""

SUSPECT_CAP = 0.5
"""Highest confidence of a diagnosis that rests on lines a client may have written."""

CONFIRMED, LIKELY, SHOWN = 0.9, 0.6, 0.1
"""Confidence from which a verdict is confirmed or likely, and from which a diagnosis is shown at all."""


def probability(decibans: float) -> float:
    """The probability with these log-odds."""
    return float(1.0 / (1.0 + 10.0 ** (-decibans / 10.0)))
