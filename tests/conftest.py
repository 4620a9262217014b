"""What all tests share: the tools of the checkout can be imported, while an installed package still comes before the checkout's."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    sys.path.append(ROOT)

# How long an example takes says more about the machine than about us; speed is measured in bench/.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
