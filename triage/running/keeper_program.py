"""The file that the keeper's process runs, by its path: ``python -I -S keeper_program.py NUMBERS...``."""

from __future__ import annotations

import os
import sys

# Behind the standard library, so that nothing that lies beside us can take the place of a module of it.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120

from triage.running.keeper import main

if __name__ == "__main__":
    main()
