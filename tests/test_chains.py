"""Chains drawn by a process of their own are the chains, and are there whatever becomes of that process."""

import json
import multiprocessing
import os
import signal
import sys

import pytest
from conftest import CLAIM, FULL, MINIMAL
from processes import copied, in_another_process

from simulate import chains, evidence, loading, processes, samplers
from simulate.errors import SimulateError
from simulate.inference import Settings

pytestmark = [pytest.mark.sampling, copied]

SETTINGS = Settings(draws=50, tune=100, chains=2)


def kill():
    """End the other process as a system without memory does."""
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGKILL)
        child.join()


def drawn(file, meanwhile):
    """Return draws, or the error in words, and what was told of them."""
    priors, told = loading.load(file), []
    with chains.drawn_beside(priors, SETTINGS, meanwhile) as by:
        assert by
        try:
            scores, statistics = by(priors, evidence.terms(priors), SETTINGS, lambda *one: told.append(one))
        except SimulateError as error:
            return str(error), told
    return [scores.tolist(), {name: values.tolist() for name, values in statistics.items()}], told


def refuse(*asked):
    raise SimulateError("the evidence is impossible")


def alone(case, file):
    """Print what comes of a case, as JSON; for a process that has done nothing else."""
    assert processes.is_copied()
    if case == "refuses":
        samplers.by_nutpie = refuse
    found, told = drawn(file, kill if case == "dies" else lambda: None)
    json.dump({"found": found, "told": told, "sampler": "nutpie" in sys.modules}, sys.stdout)


@pytest.fixture
def asked(write):
    def asked(case, text):
        code = f"import test_chains; test_chains.alone({case!r}, {str(write(text))!r})"
        return json.loads(in_another_process(code))

    return asked


def here(load, text):
    priors = load(text)
    scores, statistics = samplers.by_nutpie(priors, evidence.terms(priors), SETTINGS, None)
    return [scores.tolist(), {name: values.tolist() for name, values in statistics.items()}]


@pytest.mark.parametrize("text", [MINIMAL + CLAIM, FULL], ids=["two unknowns", "every section"])
def test_another_process_draws_the_same_and_this_one_has_no_sampler(asked, load, text):
    there = asked("beside", text)
    assert there["found"] == here(load, text)
    assert not there["sampler"]


def test_its_progress_is_told_here(asked):
    told = asked("beside", MINIMAL + CLAIM)["told"]
    assert told[0][0] == "compiling"
    assert [(what, total) for what, _, total in told[1:]] == [("sampling", 300)] * len(told[1:])


def test_where_that_process_dies_this_one_draws(asked, load):
    there = asked("dies", MINIMAL + CLAIM)
    assert there["found"] == here(load, MINIMAL + CLAIM)
    assert there["sampler"]


def test_what_that_process_cannot_sample_is_an_error_here(asked):
    assert asked("refuses", MINIMAL + CLAIM)["found"] == "the evidence is impossible"
