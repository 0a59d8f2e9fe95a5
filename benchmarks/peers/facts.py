"""The disputed facts, drawn after sampling, and what the fleet cost if they are so."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers import figures as f

SUMMED_OVER = ("weight", "hardware_if", "operations_if")
"""What a peer gives of every state of the facts, which is the last axis: its probability, and the fleet's costs."""


def with_facts(draws: Any, seed: int) -> Any:
    """Return a dataset of draws with one state of the facts for each, instead of what is summed over.

    ``draws`` holds `SUMMED_OVER`, ``attribution`` and ``staff``.
    """
    weight, hardware_if, operations_if = (draws[name].to_numpy() for name in SUMMED_OVER)
    uniform = np.random.default_rng(seed).random((*weight.shape[:-1], 1))
    chosen = np.minimum((uniform > weight.cumsum(axis=-1)).sum(axis=-1), len(f.STATES) - 1)
    hardware, operations = (np.take_along_axis(x, chosen[..., None], -1)[..., 0] for x in (hardware_if, operations_if))
    ownership = hardware + operations
    company = draws["attribution"].to_numpy() * ownership + f.HORIZON * draws["staff"].to_numpy()
    found = {
        "h100_exists": f.STATES[chosen, 0],
        "h20_exists": f.STATES[chosen, 1],
        "hardware": hardware,
        "operations": operations,
        "ownership": ownership,
        "company": company,
    }
    whole = draws.assign({name: (("chain", "draw"), values) for name, values in found.items()})
    return whole.drop_vars(SUMMED_OVER)
