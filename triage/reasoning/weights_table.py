"""Decibans behind the authors' words. Written by ``python -m tools.calibrate --write``; see docs/calibration.md."""

TABLE: dict[str, float] = {
    "decisive": 29.0,
    "strong": 15.5,
    "supports": 9.0,
    "hints": 5.5,
    "contradicts": -9.5,
    "rules-out": -40.0,
    "common": -10.0,
    "occasional": -12.0,
    "rare": -16.0,
    "same-family-cap": 3.0,
    "outside-versions": -12.0,
    "later-in-chain": -5.0,
}
