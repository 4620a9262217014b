"""The extension of Hyperscan, loaded without its package: one set of classes, whoever imports what first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = "from triage.knowledge.automaton import hyperscan as ours"


def run(code: str, *, front: Path = ROOT) -> str:
    """What a fresh interpreter prints that looks for modules in ``front`` and the checkout first."""
    code = f"import sys; sys.path[:0] = [{str(front)!r}, {str(ROOT)!r}]\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("order", [f"{OURS}; import hyperscan", f"import hyperscan; {OURS}"])
def test_one_class_of_each_name(order: str) -> None:
    """Objects and errors of the package are those of the extension, in either order of import."""
    names = "('Database', 'Scratch', 'error', 'ScanTerminated')"
    assert run(f"{order}\nprint(all(getattr(ours, name) is getattr(hyperscan, name) for name in {names}))") == "True"


def test_the_package_stays_out() -> None:
    """The package itself is not run, and its extension works and names its version, which decides whether a cache fits."""
    code = f"{OURS}\nours.Database(mode=ours.HS_MODE_BLOCK).compile(expressions=[b'a+'])\n"
    assert run(f"{code}print('hyperscan' in sys.modules, ours.__version__[:1].isdigit())") == "False True"


def test_another_layout(tmp_path: Path) -> None:
    """A package without that extension is imported as a whole."""
    (tmp_path / "hyperscan").mkdir()
    (tmp_path / "hyperscan" / "__init__.py").write_text("name = 'all in one'\n")
    assert run(f"{OURS}\nprint(ours.name)", front=tmp_path) == "all in one"


def test_not_installed() -> None:
    """Without Hyperscan the error is that of an import."""
    code = f"import site; sys.path[:] = [path for path in sys.path if 'site-packages' not in path]\n{OURS}"
    assert run(code) == "ModuleNotFoundError: No module named 'hyperscan'"
