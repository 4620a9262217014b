"""sgltriage: names the root cause of an SGLang serving failure."""

__version__ = "0.1.0"
