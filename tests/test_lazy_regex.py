"""Regexes that compile at their first use."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import triage
from triage.lazy_regex import _LazyRegex, lazy_regex


def test_it_works_like_the_compiled_one() -> None:
    """Every method and attribute is that of the compiled regex, for text and for bytes."""
    assert lazy_regex(r"a(\d)").sub(r"<\1>", "a1 a2") == "<1> <2>"
    assert lazy_regex(rb"A", re.IGNORECASE).findall(b"aA") == [b"a", b"A"]
    assert lazy_regex("x").pattern == "x"


def test_nothing_is_compiled_before_the_first_use() -> None:
    """A wrong regex is only noticed when it is used."""
    wrong = lazy_regex("(")
    with pytest.raises(re.error):
        wrong.search("x")


def test_every_regex_of_the_package_compiles() -> None:
    """What is compiled late is compiled here, so that no wrong one is shipped."""
    compiled = 0
    for module in pkgutil.walk_packages(triage.__path__, "triage."):
        if module.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, _LazyRegex):
                assert value.pattern is not None
                compiled += 1
    assert compiled > 40
