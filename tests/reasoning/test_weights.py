"""The one table of numbers keeps the order of the authors' words."""

from __future__ import annotations

import pytest

from triage.model import Prevalence, Strength
from triage.reasoning.weights import (
    CONFIRMED,
    LATER_IN_CHAIN,
    LIKELY,
    OUTSIDE_VERSIONS,
    PRIOR,
    SAME_FAMILY_CAP,
    SHOWN,
    STRENGTH,
    SUSPECT_CAP,
    probability,
)
from triage.reasoning.weights_table import TABLE


def test_strengths_keep_the_order_of_the_words() -> None:
    """Decisive counts most, then strong, supports and hints; what contradicts or rules out counts against."""
    words = (
        Strength.DECISIVE,
        Strength.STRONG,
        Strength.SUPPORTS,
        Strength.HINTS,
        Strength.CONTRADICTS,
        Strength.RULES_OUT,
    )
    weights = [STRENGTH[word] for word in words]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == len(Strength)
    assert all((STRENGTH[word] > 0) is word.is_for for word in Strength)


def test_priors_keep_the_order_of_the_words() -> None:
    """What is met all the time is believed sooner, and nothing is believed without evidence."""
    assert 0 > PRIOR[Prevalence.COMMON] > PRIOR[Prevalence.OCCASIONAL] > PRIOR[Prevalence.RARE]
    assert len(PRIOR) == len(Prevalence)


@pytest.mark.parametrize("prevalence", Prevalence)
def test_what_the_words_promise(prevalence: Prevalence) -> None:
    """One decisive line confirms, one strong line alone does not and is shown below 80 %, one that supports is not as likely
    as not, and ruling out beats a decisive line."""
    prior = PRIOR[prevalence]
    assert probability(prior + STRENGTH[Strength.DECISIVE]) >= CONFIRMED
    assert SHOWN <= probability(prior + STRENGTH[Strength.STRONG]) < min(CONFIRMED, 0.795)
    assert probability(prior + STRENGTH[Strength.SUPPORTS]) < 0.5
    assert probability(prior + STRENGTH[Strength.DECISIVE] + STRENGTH[Strength.RULES_OUT]) < SHOWN


def test_what_contradicts_outweighs_what_supports() -> None:
    """A line that supports, contradicted by another, is not worth showing."""
    both = STRENGTH[Strength.SUPPORTS] + STRENGTH[Strength.CONTRADICTS]
    assert both < 0
    assert probability(PRIOR[Prevalence.COMMON] + both) < SHOWN


def test_the_table_is_in_halves() -> None:
    """Nobody believes in tenths of a deciban; a number that is not there is not used."""
    assert all((2 * value).is_integer() for value in TABLE.values())
    assert len(TABLE) == len(Strength) + len(Prevalence) + 3


def test_bounds_are_in_order() -> None:
    """A diagnosis is shown before it is likely, likely before it is confirmed; doubt never reaches likely."""
    assert 0 < SHOWN < LIKELY < CONFIRMED < 1
    assert SUSPECT_CAP < LIKELY
    assert 0 < SAME_FAMILY_CAP < STRENGTH[Strength.HINTS]
    assert OUTSIDE_VERSIONS < 0
    assert LATER_IN_CHAIN < 0


def test_probability_is_that_of_the_odds() -> None:
    """Zero decibans are even odds, ten are ten to one."""
    assert probability(0.0) == 0.5
    assert probability(10.0) == pytest.approx(10 / 11)
    assert probability(-10.0) == pytest.approx(1 / 11)
