"""Decibans behind the authors' words. Written by ``python -m tools.calibrate --write``; see docs/calibration.md."""

TABLE: dict[str, float] = {
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
