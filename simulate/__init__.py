"""Credible intervals for what an AI lab really spent, from a file of priors and published claims.

>>> import simulate
>>> sorted(simulate.__all__)
['load', 'run']
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulate.notebook import load, run

__version__ = "0.1.0"
__all__ = ["load", "run"]


def __getattr__(name: str) -> Any:
    """Return `simulate.notebook.run` and ``load``, imported when they are first asked for."""
    if name in __all__:
        from simulate import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
