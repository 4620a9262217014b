"""Hyperscan's extension module without the Python package around it, which brings ``typing``: a tenth of a small scan."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    import hyperscan as hyperscan  # the alias says that it is exported

_PACKAGE = "hyperscan"
_EXTENSION = "hyperscan._hs_ext"


def _load() -> ModuleType:
    """The extension, as ``import hyperscan`` would find it; the package itself where it is laid out otherwise.

    Raises:
        ImportError: it is not installed, or not for this interpreter.
    """
    package = PathFinder.find_spec(_PACKAGE)
    spec = None if package is None else PathFinder.find_spec(_EXTENSION, package.submodule_search_locations)
    loader = None if spec is None else spec.loader
    module = sys.modules.get(_EXTENSION)
    if module is None and spec is not None and loader is not None:
        module = loader.create_module(spec)
        if module is not None:
            loader.exec_module(module)
            # A later ``import hyperscan`` takes this one, so that there is one class of each name.
            sys.modules[_EXTENSION] = module
    return __import__(_PACKAGE) if module is None else module


if not TYPE_CHECKING:
    hyperscan = _load()
