"""Prior files small enough to read, and the two things tests do with one: load it, or list its faults."""

import json
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import hypothesis
import pytest
from browser import browser, open_page

from simulate import loading, results
from simulate.errors import InputError
from simulate.priors import Priors
from simulate.results import Run

__all__ = ["browser", "open_page"]
"""Fixtures from elsewhere."""

hypothesis.settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],  # a busy machine is no fault
)
hypothesis.settings.load_profile("repeatable")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # tests interrupt what they start, also from a shell's background
    signal.signal(signal.SIGINT, signal.default_int_handler)

MINIMAL = """
schema = 1
title = "One run at a rental rate"

[chips.h800]
rental_rate = { interval = [1.5, 3.0], unit = "USD/GPU-hour" }
note = "made up for the tests"

[runs.base]
chip = "h800"
part_of = "final_run"
gpu_hours = { interval = [2e6, 3e6], unit = "GPU-hour", note = "made up for the tests" }
"""
"""Two log-normal unknowns and no evidence."""

CLAIM = """
[evidence.claim]
quantity = "final_run"
kind = "estimate"
value = 6e6
relative_error = 0.2
unit = "USD"
note = "made up for the tests"
"""
"""A claim on the only scope of `MINIMAL`, which then has to be sampled."""

FULL = """
schema = 1
title = "Every section once"
money = "USD 2025"

[currencies.CNY]
usd = { value = 0.14, note = "made up" }

[scope]
horizon = { value = 4, unit = "year" }
window = { interval = [0.5, 2], unit = "year" }
attribution = { interval = [0.3, 0.9] }
note = "made up"

[hosting]
load = { interval = [0.6, 0.9] }
pue = { interval = [1.1, 1.4] }
electricity = { interval = [0.05, 0.12], unit = "USD/kWh" }
colocation = { interval = [80, 150], unit = "USD/kW/month" }
maintenance = { interval = ["1%", "5%"], unit = "1/year" }
life = { interval = [3, 6], unit = "year" }
utilisation = { interval = [0.5, 0.9] }
note = "made up"

[chips.h800]
label = "H800"
server_cost = { interval = [26e3, 45e3], unit = "USD/GPU", sources = ["price-list"] }
power = { interval = [1.2, 1.5], unit = "kW/GPU" }
peak_flops = { value = 989.4e12, unit = "FLOP/second/GPU" }
rental_rate = { interval = [1.5, 3], unit = "USD/GPU-hour" }
note = "made up"

[chips.h100]
server_cost = { interval = [28e3, 48e3], unit = "USD/GPU" }
power = { interval = [1.2, 1.5], unit = "kW/GPU" }
peak_flops = { value = 989.4e12, unit = "FLOP/second/GPU" }
rental_rate = { interval = [1.8, 3.5], unit = "USD/GPU-hour" }
note = "made up"

[fleet.h800]
count = { interval = [8e3, 12e3], unit = "GPU", sources = ["report"] }

[fleet.h100]
count = { interval = [7e3, 13e3], unit = "GPU", sources = ["report"] }
exists = { probability = 0.3, note = "disputed" }

[runs.base]
chip = "h800"
part_of = "final_run"
gpu_hours = { interval = [2.5e6, 2.9e6], unit = "GPU-hour", sources = ["paper"] }

[runs.reasoning]
chip = "h800"
part_of = "official_runs"
active_parameters = { value = 37e9, unit = "parameter" }
tokens = { interval = [0.4e12, 1.2e12], unit = "token" }
mfu = { interval = [0.2, 0.5] }
note = "made up"

[research]
multiplier = { interval = [2, 8] }
note = "made up"

[staff.researchers]
headcount = { interval = [100, 200], unit = "person" }
pay = { interval = [100e3, 400e3], unit = "USD/person/year" }
overhead = { interval = [0.2, 0.5] }
note = "made up"

[other.data]
part_of = ["development", "company"]
amount = { interval = [1e6, 20e6], unit = "USD" }
note = "made up"

[correlations.prices]
between = ["chips.h800.server_cost", "chips.h100.server_cost"]
rank = 0.7
note = "made up"

[evidence.capex]
quantity = "hardware"
kind = "estimate"
value = 6.0e8
relative_error = 0.3
unit = "USD"
group = "press"
source = "analyst"

[evidence.floor]
quantity = "gpus"
kind = "floor"
value = 9e3
relative_error = 0.2
unit = "GPU"
source = "official"

[groups.press]
correlation = 0.8

[sources.report]
title = "A report"
known = "secondary"

[sources.price-list]
title = "A price list"
known = "primary"

[sources.paper]
title = "A paper"
known = "primary"

[sources.analyst]
title = "An analyst"
known = "secondary"
bias = { interval = [0.8, 1.4] }
note = "made up"

[sources.official]
title = "An official"
known = "general knowledge"
"""
"""Every section of the format once, with a disputed fact, a correlation, a bias and two claims."""

Write = Callable[..., Path]
Load = Callable[..., Priors]
Faults = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str | bytes, name: str = "prior.toml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def load(write: Write) -> Load:
    def load(text: str | bytes, settings: Sequence[str] = ()) -> Priors:
        return loading.load(write(text), settings)

    return load


@pytest.fixture
def faults(write: Write) -> Faults:
    """Return (path, what was found) of every fault of a prior file's text."""

    def faults(text: str | bytes, settings: Sequence[str] = ()) -> list[tuple[str, str]]:
        with pytest.raises(InputError) as caught:
            loading.load(write(text), settings)
        return [(fault.path, fault.found) for fault in caught.value.faults]

    return faults


@pytest.fixture
def unconverged() -> Callable[[Run, Path], Run]:
    """Copy a run into a folder, as one whose draws do not support a citation."""

    def unconverged(run: Run, folder: Path) -> Run:
        place = folder / run.folder.parent.name / run.folder.name
        shutil.copytree(run.folder, place)
        reasons = ["R-hat of gpus is 1.2, not below 1.01"]
        said = {"converged": False, "reasons": reasons, "in_words": f"NOT CONVERGED, do not cite: {reasons[0]}"}
        manifest = results.signed({**run.manifest, "verdict": {**run.manifest["verdict"], **said}})
        (place / results.MANIFEST).write_text(json.dumps(manifest))
        return results.load(place)

    return unconverged
