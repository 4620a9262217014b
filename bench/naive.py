"""The program that one would write first: every line against every pattern. Usage: naive.py PATTERNS LOG"""

from __future__ import annotations

import sys
from pathlib import Path

import regex  # type: ignore[import-untyped, unused-ignore]


def main() -> None:
    """Print the number of lines that at least one pattern matches."""
    patterns = [regex.compile(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    count = 0
    with open(sys.argv[2], encoding="utf-8", errors="replace") as log:
        for line in log:
            count += any(pattern.search(line) for pattern in patterns)
    print(count)


if __name__ == "__main__":
    main()
