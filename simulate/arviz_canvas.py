"""What ArviZ needs to draw on axes of ours, so that no window system and no figure of pyplot's is involved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simulate import ledger
from simulate.plot_axes import inner_probability, probability
from simulate.plot_style import Sheet

Mapped = dict[str, tuple[list[str], list[Any] | None]]
"""For each of ArviZ's aesthetics, the dims it is mapped to, and its values."""


def collection(made: Sheet, axes: Any, data: Any, mapped: Mapped, column: str = "forest") -> Any:
    """Return ArviZ's plot collection for axes of ours: a dict of them by variable, or one for all.

    ``column`` is what ArviZ calls the place of the one.
    """
    import arviz_plots as azp
    import xarray as xr

    def hold(thing: Any) -> Any:
        return np.array(thing, dtype=object)

    figure = {"figure": ((), hold(made.figure))}
    if isinstance(axes, dict):
        plots = xr.Dataset({name: ((), hold(one)) for name, one in axes.items()})
        places = xr.DataTree.from_dict({"/": xr.Dataset(figure), "/plot": plots})
    else:
        one_place = xr.Dataset({**figure, "plot": (("column",), hold([axes]))}, coords={"column": [column]})
        places = xr.DataTree(one_place)
    return azp.PlotCollection(
        data,
        places,
        backend="matplotlib",
        aes={key: dims for key, (dims, _) in mapped.items()},
        **{key: values for key, (_, values) in mapped.items() if values is not None},
    )


def grouped(groups: Mapping[str, Any]) -> Any:
    """Return datasets as a DataTree of groups."""
    import xarray as xr

    return xr.DataTree.from_dict({f"/{name}": data for name, data in groups.items()})


def chosen(manifest: Mapping[str, Any], *, two: bool = False) -> dict[str, Any]:
    """Return the summary that ArviZ is to draw: our interval and the median, or two intervals."""
    outer = probability(manifest)
    level = {"ci_probs": (inner_probability(outer), outer)} if two else {"ci_prob": outer}
    return {**level, "ci_kind": "eti", "point_estimate": "median"}


def in_order(manifest: Mapping[str, Any]) -> list[str]:
    """Return the scopes of a run, narrowest first."""
    return [name for name in ledger.SCOPES if name in manifest["scopes"]]
