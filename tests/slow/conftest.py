"""Makes the repository's own tools importable: they are no part of the package, so an installation does not bring them."""

from __future__ import annotations

import sys
from pathlib import Path

# At the end, so that an installed sgltriage stays the one that is tested.
sys.path.append(str(Path(__file__).resolve().parents[2]))
