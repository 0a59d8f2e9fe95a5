"""A model compiled once, and sampled for any figures and errors of its claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulate import inference
from simulate.errors import SimulateError
from simulate.evidence import Terms
from simulate.inference import Progress, Settings
from simulate.priors import Priors

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]


OLDEST_PYMC = (6, 4)
"""The first PyMC whose frozen models keep what they have compiled."""


class Nuts:
    """The sampler of a run, compiled once for any figures of the claims of a file.

    A frozen model keeps what PyMC has compiled of it. Each call makes a step method of its own, so that step size and
    mass matrix are tuned for that fit alone, from where they always start. Raises `SimulateError` with an older PyMC.
    """

    def __init__(self, priors: Priors) -> None:
        import pymc as pm

        if tuple(int(part) for part in pm.__version__.split(".")[:2]) < OLDEST_PYMC:
            raise SimulateError(f"refits of a compiled model need PyMC 6.4 or newer, and this is {pm.__version__}")
        from pymc.model.transform.optimization import freeze_model

        from simulate import model

        self.priors = priors
        self.built = model.build(priors)
        self.model = freeze_model(self.built)
        with inference.exact_arithmetic():
            self.density = self.model.logp_dlogp_function(ravel_inputs=True)
        self.density.trust_input = True

    def __call__(self, terms: Terms, settings: Settings) -> tuple[dict[str, Floats], xr.Dataset]:
        """Return `inference.sample` for other figures of the claims."""
        return self.given({"log_value": terms.log_value}, settings)

    def given(
        self,
        data: Mapping[str, Floats],
        settings: Settings,
        *,
        progress: Progress | None = None,
        starts: Sequence[Mapping[str, Any]] | None = None,
    ) -> tuple[dict[str, Floats], xr.Dataset]:
        """Return `inference.sample` for other data of the model, by name."""
        import pymc as pm

        self.hear(data)
        step = pm.NUTS(
            model=self.model,
            logp_dlogp_func=self.density,
            target_accept=settings.target_accept,
            rng=settings.seed,
        )
        return inference.nuts(self.priors, self.model, settings, progress=progress, step=step, starts=starts)

    def hear(self, data: Mapping[str, Floats]) -> None:
        """Put other data into the model.

        Freezing copies what is in the graph. The scales of the claims are in the closure of their density,
        which goes on reading them from the model that was frozen, so both must have them.
        """
        for name, values in data.items():
            self.model.set_data(name, values)
            self.built.set_data(name, values)
