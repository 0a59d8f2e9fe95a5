"""NUTS over the normal scores of a prior file's informed unknowns, by either of two established samplers.

`nutpie`
    samples the tape of `simulate.density`: nothing is compiled for a file, so it is the one that is used.
`pymc`
    samples the model of `simulate.model` with PyMC's own NUTS: another sampler, another derivative.

Both return what they drew by path, ``(chain, draw)``, and their statistics; neither ever returns a shorter
sample than it was asked for.
"""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulate.errors import SimulateError
from simulate.evidence import Terms
from simulate.postponing import imported, postponed
from simulate.priors import Priors

if TYPE_CHECKING:
    import xarray as xr

    from simulate.inference import Progress, Settings

Floats = NDArray[np.float64]
Drawn = tuple[Floats, dict[str, NDArray[Any]]]
"""Normal scores (chain, draw, unknown), and the statistics (chain, draw) of a sampler by name."""

NUTPIE, PYMC = "nutpie", "pymc"
NAMES = {NUTPIE: "nutpie NUTS", PYMC: "PyMC NUTS"}

STATISTICS = {
    "diverging": "diverging",
    "energy": "energy",
    "energy_error": "energy_error",
    "max_energy_error": "max_energy_error",
    "logp": "lp",
    "n_steps": "n_steps",
    "step_size": "step_size",
    "depth": "tree_depth",
    "maxdepth_reached": "reached_max_treedepth",
    "mean_tree_accept": "acceptance_rate",
}
"""What is kept of nutpie's statistics, by the names that ArviZ knows."""

STEP = 0.02
"""Seconds between two looks at the chains that are being drawn."""

IMPOSSIBLE = (
    "the posterior has no density where sampling starts: the evidence is impossible under the priors; "
    "`simulate check FILE --prior-predictive` shows which claim"
)


Sampler = Callable[[Priors, Terms, "Settings", "Progress | None"], Drawn]
"""Draws from the posterior of a prior file, given its claims with their figures."""


def sample(
    priors: Priors, terms: Terms, settings: Settings, progress: Progress | None, by: Sampler | None = None
) -> tuple[dict[str, Floats], xr.Dataset]:
    """Return draws of the normal scores of `Priors.informed` by path, every ``thin``-th, and all statistics.

    ``terms`` are the claims with their figures; ``by`` is what draws, in place of the sampler that the settings name.
    Raises `KeyboardInterrupt` when interrupted, and `SimulateError` where the evidence is impossible at the priors'
    own medians.
    """
    drawn, stats = (by or BY_NAME[settings.nuts])(priors, terms, settings, progress)
    draws = settings.draws * settings.thin
    if drawn.shape[:2] != (settings.chains, draws):
        raise KeyboardInterrupt
    import xarray as xr

    scores = np.moveaxis(drawn, -1, 0)[..., settings.thin - 1 :: settings.thin]
    by_path = {unknown.path: row for unknown, row in zip(priors.informed, scores, strict=True)}
    return by_path, xr.Dataset({name: (("chain", "draw"), values) for name, values in stats.items()})


def import_nutpie() -> None:
    """Import what draws chains."""
    with postponed("arviz"):
        imported("nutpie.compile_pymc", "simulate.density", "simulate.playback")


def prepare() -> None:
    """Import what a run by the usual sampler imports."""
    import_nutpie()
    import_next()


def import_next() -> None:
    """Import what the rest of a run imports."""
    imported("xarray", "h5netcdf", "arviz_stats.base")


# ---------------------------------------------------------------------------------------------
# nutpie


def by_nutpie(
    priors: Priors,
    terms: Terms,
    settings: Settings,
    progress: Progress | None,
    meanwhile: Callable[[], None] = import_next,
) -> Drawn:
    """Return draws by nutpie from the tape of a prior file.

    ``meanwhile`` is what this thread does while chains are drawn on others.
    """
    if progress:
        progress("compiling", 0, 0)
    import_nutpie()
    import nutpie

    from simulate import density, playback

    block, compiled = density.record(priors, terms), playback.compiled()
    dimensions, tally = len(priors.informed), Tally()
    if not np.isfinite(compiled(np.zeros(dimensions), block)[0]):
        raise SimulateError(IMPOSSIBLE)
    sampling = nutpie.sample(
        taped(compiled, block, dimensions),
        draws=settings.draws * settings.thin,
        tune=settings.tune,
        chains=settings.chains,
        cores=min(settings.cores, settings.chains),
        seed=settings.seed,
        target_accept=settings.target_accept,
        save_warmup=False,
        progress_bar=False,
        progress_callback=tally if progress else None,
        return_raw_trace=True,
        blocking=False,
    )
    try:
        meanwhile()
        trace = waited(sampling, tally, settings, progress) if progress else sampling.wait()
    except (RuntimeError, ValueError) as error:
        raise SimulateError(f"{IMPOSSIBLE} ({str(error).splitlines()[0]})") from error
    except BaseException:
        sampling.cancel()
        raise
    return drawn(trace, dimensions)


@dataclass
class Tally:
    """How many draws all chains have made; nutpie tells it, from a thread of its own."""

    made: int = 0

    def __call__(self, chains: Any) -> None:
        self.made = sum(chain.finished_draws for chain in chains)


def waited(sampling: Any, tally: Tally, settings: Settings, progress: Progress) -> Any:
    """Return the trace of nutpie once all is drawn, and meanwhile say how much is."""
    total = settings.chains * (settings.tune + settings.draws * settings.thin)
    while True:
        try:
            return sampling.wait(timeout=STEP)
        except TimeoutError:
            progress("sampling", tally.made, total)


def drawn(trace: Any, dimensions: int) -> Drawn:
    """Return the draws and the `STATISTICS` of a trace of nutpie, those of tuning left out.

    Read from Arrow here, because nutpie's own way goes by ArviZ, which brings Matplotlib.
    """
    import pyarrow as pa

    scores, found = [], []
    for draws, statistics in zip(*trace.get_arrow_trace(), strict=True):
        columns = {name: pa.array(statistics.column(name)).to_numpy(zero_copy_only=False) for name in STATISTICS}
        kept = ~pa.array(statistics.column("tuning")).to_numpy(zero_copy_only=False)
        scores.append(pa.array(draws.column("z")).flatten().to_numpy().reshape(-1, dimensions)[kept])
        found.append({STATISTICS[name]: values[kept] for name, values in columns.items()})
    if len({len(one) for one in scores}) > 1:
        raise KeyboardInterrupt
    return np.stack(scores), {name: np.stack([one[name] for one in found]) for name in STATISTICS.values()}


def taped(compiled: Any, block: NDArray[np.uint8], dimensions: int) -> Any:
    """Return the model that nutpie samples: C functions that get the tape as their data.

    Chains start at the medians of the priors, or up to one score beside.
    """
    from nutpie.compile_pymc import CompiledPyMCModel

    return CompiledPyMCModel(
        dims={},
        _n_dim=dimensions,
        _coords={},
        _shapes={"z": (dimensions,)},
        compiled_logp_func=compiled.density,
        compiled_expand_func=compiled.identity,
        initial_point_func=lambda seed: np.random.default_rng(seed).uniform(-1, 1, dimensions),
        shared_data={},
        shared_var_keys={},
        user_data=block,
        n_expanded=dimensions,
        shape_info=(["z"], None, [(dimensions,)]),
        logp_func=None,
        expand_func=None,
    )


# ---------------------------------------------------------------------------------------------
# PyMC


def by_pymc(priors: Priors, terms: Terms, settings: Settings, progress: Progress | None) -> Drawn:
    """Return draws by PyMC from the model of a prior file."""
    if progress:
        progress("building the model", 0, 0)
    import pymc as pm

    from simulate import model

    built = model.build(priors, terms)
    if progress:
        progress("compiling", 0, 0)
    with built, exact_arithmetic(), warnings.catch_warnings(), whole_or_interrupted():
        warnings.simplefilter("ignore")
        tree = pm.sample(
            draws=settings.draws * settings.thin,
            tune=settings.tune,
            chains=settings.chains,
            cores=min(settings.cores, settings.chains),
            random_seed=settings.seed,
            nuts_sampler="pymc",
            target_accept=settings.target_accept,
            progressbar=False,
            quiet=True,
            compute_convergence_checks=False,
            callback=counted(settings, progress) if progress else None,
        )
    stats = tree["sample_stats"].to_dataset()
    return tree["posterior"]["z"].to_numpy(), {str(name): values.to_numpy() for name, values in stats.items()}


def counted(settings: Settings, progress: Progress) -> Callable[[Any, Any], None]:
    """Return what counts the draws of all chains and reports them."""
    total = settings.chains * (settings.tune + settings.draws * settings.thin)
    done = itertools.count(1)

    def count(trace: Any, draw: Any) -> None:
        number = next(done)
        if number % 50 == 0 or number == total:
            progress("sampling", number, total)

    return count


def exact_arithmetic() -> contextlib.AbstractContextManager[Any]:
    """Compile without reordering of sums.

    PyTensor's fast mathematics rounds a function that was just compiled otherwise than the same function
    read from its cache, so that the first run after an installation would differ from the next.
    """
    import pytensor

    flags: contextlib.AbstractContextManager[Any] = pytensor.config.change_flags(numba__fastmath=False)
    return flags


@contextlib.contextmanager
def whole_or_interrupted() -> Iterator[None]:
    """Say what PyMC's failures mean.

    Raises `KeyboardInterrupt` where it was interrupted while it tunes and complains of too few samples,
    and `SimulateError` where the evidence is impossible at the priors' own medians.
    """
    from pymc.exceptions import SamplingError

    try:
        yield
    except SamplingError:
        raise SimulateError(IMPOSSIBLE) from None
    except ValueError as error:
        if "Not enough samples" in str(error):
            raise KeyboardInterrupt from None
        raise


BY_NAME: dict[str, Sampler] = {NUTPIE: by_nutpie, PYMC: by_pymc}
